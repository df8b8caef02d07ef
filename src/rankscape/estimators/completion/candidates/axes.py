"""Along which axes neighbours are alike: as the user says, or as the entries show."""

from weakref import WeakKeyDictionary

from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.estimators.completion.settings import Settings
from rankscape.solvers.neighbours.order import in_order

AXES = "rows", "columns"

# What was noticed of entries: several candidates ask the same of them.
_NOTICED: WeakKeyDictionary[Entries, tuple[str, ...]] = WeakKeyDictionary()


def ordered_axes(entries: Entries, settings: Settings) -> tuple[str, ...]:
    """Those of "rows" and "columns" that are ordered."""
    if settings.ordered is None:
        return ()
    if settings.ordered == "auto":
        if entries not in _NOTICED:
            _NOTICED[entries] = tuple(axis for axis in AXES if in_order(entries, axis))
        return _NOTICED[entries]
    return AXES if settings.ordered == "both" else (settings.ordered,)


def check_order(shape: tuple[int, int], settings: Settings) -> None:
    """Raise if an axis that is said to be ordered has one place only."""
    for axis, size in zip(AXES, shape, strict=True):
        if settings.ordered in (axis, "both") and size == 1:
            raise InputError(
                f"`ordered` is {settings.ordered!r}, but X has one {axis[:-1]} only (shape {shape}): no order can be "
                "seen there; use ordered=None, or 'auto'."
            )


def ways(axes: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Each axis alone, and both together."""
    return [(axis,) for axis in axes] + ([axes] if len(axes) > 1 else [])
