"""The HTML of a room: complete before any script runs, every word from outside escaped."""

import json
from html import escape
from importlib.resources import files
from string import Template

from rankscape.explore.calls import Room
from rankscape.explore.opened import Opened
from rankscape.explore.rooms import ROOMS

_ASSETS = files("rankscape.explore") / "assets"


def first(opened: Opened) -> str:
    """The page with a door to each room."""
    named = _named(opened)
    doors = "".join(
        f'<li><a href="/{room.name}"><strong>{escape(room.title)}</strong><span>{escape(room.sentence)}</span></a></li>'
        for room in ROOMS.values()
    )
    return _page("Explore", "", f"<h1>rankscape</h1>{named}<ul class='doors'>{doors}</ul>")


def room(shown: Room, opened: Opened) -> str:
    """The page of a room."""
    controls = (_ASSETS / "rooms" / f"{shown.name}.html").read_text(encoding="utf-8")
    start = escape(json.dumps(shown.start(opened)))
    body = (
        f"<h1>{escape(shown.title)}</h1><p class='lead'>{escape(shown.sentence)}</p>{_named(opened)}"
        f'<div id="room" data-room="{shown.name}" data-start="{start}">{controls}</div>'
        "<noscript><p class='error'>The page draws with scripts of its own: allow them for this address.</p></noscript>"
    )
    return _page(shown.title, shown.name, body)


def missing() -> str:
    """What stands where no room is."""
    return _page(
        "Nothing here", "", '<h1>There is no such room</h1><p><a href="/">To the rooms that there are.</a></p>'
    )


def _named(opened: Opened) -> str:
    if opened.path is None:
        return ""
    return f"<p class='opened'>Opened: <bdi>{escape(opened.path.name)}</bdi>, a {opened.kind}.</p>"


def _page(title: str, here: str, body: str) -> str:
    template = Template((_ASSETS / "page.html").read_text(encoding="utf-8"))
    links = "".join(
        f'<a href="/{other.name}"{" aria-current=page" if other.name == here else ""}>{escape(other.title)}</a>'
        for other in ROOMS.values()
    )
    return template.substitute(title=escape(title), links=links, body=body)
