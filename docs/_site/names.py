"""The public names, by room: each stands at one place, under the shortest name that reaches it."""

import importlib
import inspect
from functools import cache
from typing import Any, NamedTuple

# A room, and what it answers; in the order of the reference. A name is listed where it is met first.
ROOMS = {
    "rankscape": "The front door: `complete`, `simulate`, `sweep` and what they are given.",
    "rankscape.estimators": "Completing, denoising and sensing, as scikit-learn does it.",
    "rankscape.problem": "What is fitted: a loss of the product and its gradient.",
    "rankscape.dynamics": "How factors move.",
    "rankscape.rates": "Rates that change with the step.",
    "rankscape.theory": "Ranks climb: times, bounds, plateaus, stopping steps, exact solutions.",
    "rankscape.theory.landscape": "Ranks fall: which minima there are.",
    "rankscape.theory.absorbing": "Ranks fall: sets that SGD cannot leave.",
    "rankscape.theory.escape": "Ranks fall: how long a jump takes.",
    "rankscape.sweeps": "A hundred thousand runs in one store.",
    "rankscape.phases": "Diagrams over two hyperparameters.",
    "rankscape.papers": "The figures of the papers, and claims that are checked.",
    "rankscape.data": "Named real matrices, and synthetic ones of which everything is known.",
    "rankscape.entries": "The entries of a matrix that are seen.",
    "rankscape.files": "Tables as people have them, in and out.",
    "rankscape.plot": "What to draw, and drawing it.",
    "rankscape.reports": "A completion told to people.",
    "rankscape.config": "Settings of a run as one flat, checked record.",
    "rankscape.engine": "Who computes a run.",
    "rankscape.errors": "What can go wrong.",
}


class Name(NamedTuple):
    """A public name: where it is listed, what it is called there, and what it is."""

    room: str
    name: str
    thing: Any

    @property
    def full(self) -> str:
        """With its room."""
        return f"{self.room}.{self.name}"


def listed(module: Any) -> list[str]:
    """What a module offers: its ``__all__``, or else what is defined in it and has no underscore."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    ours = lambda thing: getattr(thing, "__module__", None) == module.__name__
    return [name for name, thing in vars(module).items() if not name.startswith("_") and ours(thing)]


@cache
def public() -> tuple[Name, ...]:
    """Every public name once."""
    found: dict[int, Name] = {}
    for room in ROOMS:
        module = importlib.import_module(room)
        for name in listed(module):
            thing = getattr(module, name)
            if not inspect.ismodule(thing):
                found.setdefault(id(thing), Name(room, name, thing))
    return tuple(found.values())


def has_example(thing: Any) -> bool:
    """Whether its docstring has one; tests run it."""
    return ">>>" in (inspect.getdoc(thing) or "")


def maker(record: Any) -> Name | None:
    """The function with an example that returns such a record."""
    for name in public():
        if inspect.isfunction(name.thing) and has_example(name.thing):
            made = inspect.signature(name.thing).return_annotation
            if made is record or record in getattr(made, "__args__", ()):
                return name
    return None
