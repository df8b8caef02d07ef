"""The reference: a page for each room with a table of its names, and a page for each name."""

import inspect
import re

from _site.made import DOCS, write
from _site.names import ROOMS, Name, has_example, maker, public


def _first(thing: object) -> str:
    """The first sentence of a docstring, or of its first paragraph what ends before a formula."""
    if isinstance(thing, tuple | list | dict):
        return "A table."
    paragraph = (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ").strip()
    return paragraph.removesuffix(":") + ("." if paragraph.endswith(":") else "")


def _stub(name: Name) -> str:
    title = f"{name.full}\n{'=' * len(name.full)}\n\n"
    if inspect.isclass(name.thing):
        return f"{title}.. autoclass:: {name.full}\n   :members:\n"
    if inspect.isroutine(name.thing):
        return f"{title}.. autofunction:: {name.full}\n"
    items = "\n".join(f"   {line}" for line in _shown(name.thing))
    return f"{title}.. autodata:: {name.full}\n   :no-value:\n\n.. code-block:: python\n\n{items}\n"


def _shown(value: object) -> list[str]:
    return [repr(item) for item in value] if isinstance(value, tuple | list | dict | frozenset) else [repr(value)]


def _page(room: str, what: str) -> str:
    here = [name for name in public() if name.room == room]
    lines = [room, "=" * len(room), "", re.sub(r"`", "``", what), "", ".. list-table::", "   :widths: 30 70", ""]
    for name in here:
        lines += [f"   * - :any_name:`{name.name} <{name.full}>`", f"     - {_first(name.thing)}"]
    lines += ["", ".. toctree::", "   :hidden:", ""]
    lines += [f"   api/{name.full}" for name in here]
    return "\n".join(lines) + "\n"


def generate(app=None) -> None:
    """Write all pages of the reference."""
    known = {f"{name.full}.rst" for name in public()} | {f"{room}.rst" for room in ROOMS}
    for page in (DOCS / "reference").rglob("*.rst"):
        if page.name not in known:
            page.unlink()  # of a name that is gone
    for room, what in ROOMS.items():
        write(f"reference/{room}.rst", _page(room, what))
    for name in public():
        write(f"reference/api/{name.full}.rst", _stub(name))


def _with_example(app, what, name, thing, options, lines: list[str]) -> None:
    """A record without an example of its own shows that of the function that makes it."""
    if what == "class" and not has_example(thing) and (made_by := maker(thing)):
        text = inspect.getdoc(made_by.thing) or ""
        example = re.split(r"^Examples\n-+\n", text, flags=re.MULTILINE)[-1]
        example = re.split(r"^[A-Z][\w ]+\n-+$", example, flags=re.MULTILINE)[0].strip()
        if example.startswith(">>>"):
            head = ["", "Examples", "--------", f"As `{made_by.name}` returns it:", ""]
            lines += [*head, *example.splitlines(), ""]


def _plain(app, what, name, thing, options, lines: list[str]) -> None:
    """Names that end in an underscore, as scikit-learn has them, are no links in a type: ``shape (rank_,)``."""
    lines[:] = [re.sub(r"(?<=[(\s])([a-z]\w*)_(?=[,)])", r"\1\\_", line) if " : " in line else line for line in lines]


def _skip(app, what, name, thing, skip, options) -> bool | None:
    """What scikit-learn adds by itself is in its own documentation."""
    added = name == "get_metadata_routing" or (name.startswith("set_") and name.endswith("_request"))
    return True if added else None


def setup(app) -> None:
    """Connect."""
    app.connect("autodoc-skip-member", _skip)
    app.connect("autodoc-process-docstring", _plain, priority=200)
    app.connect("builder-inited", generate)
    app.connect("autodoc-process-docstring", _with_example, priority=100)
    app.add_role("any_name", _any_name)


def _any_name(role, rawtext, text, lineno, inliner, options=None, content=None):
    """What stands in single backticks: a link where it is a public name, code where it is not."""
    from docutils import nodes
    from sphinx import addnodes

    found = re.fullmatch(r"(.+?) <(.+)>", text)
    shown, target = (found[1], found[2]) if found else (text, _known().get(text.removeprefix("rankscape.")))
    code = nodes.literal(rawtext, shown, classes=["xref", "py", "py-obj"])
    if target is None:
        return [code], []
    link = addnodes.pending_xref("", code, refdomain="py", reftype="obj", reftarget=target, refexplicit=bool(found))
    link["refdoc"] = inliner.document.settings.env.docname
    return [link], []


def _known() -> dict[str, str]:
    """Public names by how docstrings call them: alone, or with their room."""
    full = {name.full.removeprefix("rankscape."): name.full for name in public()}
    return {name.name: name.full for name in reversed(public())} | full
