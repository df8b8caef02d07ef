"""``rankscape explore``."""

from pathlib import Path

from rankscape.cli import collect_as_usual
from rankscape.cli.app import DONE, say
from rankscape.ground.parts import needs


def explore(
    path: Path | None = None,
    /,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    token: str = "",
    browser: bool = True,
) -> int:
    """Open a page on this machine: see ranks climb and fall, complete a table, walk through a sweep.

    Parameters
    ----------
    path
        A run (RUN.zarr), the store of a sweep (GRID.zarr), a saved model or a table to look at.
    port
        To listen on; 0 takes any that is free.
    host
        Another address to listen on; it needs a token.
    token
        A secret that the address must hold.
    browser
        Whether to open the page.
    """
    for module in ("starlette", "uvicorn", "websockets"):
        needs(module, "The explorer")
    from rankscape.explore.opened import Opened
    from rankscape.explore.server import serve

    opened = Opened.at(path)
    collect_as_usual()
    try:
        serve(opened, host, port, token, browser, ready=lambda address: say(f"{address}\nCtrl-C ends it."))
    except KeyboardInterrupt:  # how one leaves
        return DONE
    return DONE
