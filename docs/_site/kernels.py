"""Pages are read at once, each in a kernel of its own that speaks through files of its own.

By themselves kernels speak through free ports, which each looks for: two that begin in the same moment find the same
one, and a page in two hundred would wait for an answer that went to another.
"""

import tempfile
import uuid
from functools import partial

from jupyter_client.manager import AsyncKernelManager
from nbclient import execute
from traitlets import default


class Kernel(AsyncKernelManager):
    """Its sockets are files that no other kernel knows."""

    @default("transport")
    def _transport(self) -> str:
        return "ipc"

    @default("ip")
    def _own(self) -> str:
        return f"{tempfile.gettempdir()}/kernel-{uuid.uuid4().hex}"


def _deal(app, env, docnames: list[str]) -> None:
    """Neighbours run for about as long: to each process that reads pages at once, some of every folder."""
    from sphinx.util.parallel import make_chunks  # the tests read this room where Sphinx is not installed

    hands = len(make_chunks(docnames, app.parallel))
    docnames[:] = [name for first in range(hands) for name in docnames[first::hands]]


def setup(app) -> None:
    """Connect."""
    from jupyter_cache.executors import utils

    utils.executenb = partial(execute, kernel_manager_class=Kernel)
    app.connect("env-before-read-docs", _deal)
