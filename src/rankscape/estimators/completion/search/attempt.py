"""One search of the robust fit: on the entries that it keeps, by the weights that it gives them."""

from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.fits.going_on import moved
from rankscape.estimators.completion.fits.left_over import LeftOver
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.select import select
from rankscape.estimators.completion.search.selection import Selection
from rankscape.estimators.completion.search.units import units_of
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.final import final

# Share of the entries left out beyond which they are not a few errors: half of the pixels of scanned digits are equal,
# so that all others look wrong; a search on what is left there takes ten times as long as the first.
MANY = 0.15


@final
@dataclass(frozen=True, eq=False)
class Attempt:
    """One search: its entries (of all given, `kept`), what it chose, and what that leaves."""

    parts: Split
    selection: Selection
    kept: np.ndarray
    left: LeftOver


def attempt_on(
    parts: Split,
    kept: np.ndarray,
    weights: np.ndarray,
    settings: Settings,
    meter: Meter,
    start: Attempt | None = None,
) -> Attempt | None:
    """A quick search on the entries that are kept, of these weights, or the choice of a `start` fitted to them.

    None where too few are kept.
    """
    if (~kept).mean() > MANY:
        return None
    given = parts.observed
    # Wild entries had a part in the sizes of rows and columns, too.
    units = units_of(settings.scale, given.part(kept), settings.ordered is not None)
    fewer = parts.keeping(kept, weights, units.after(parts.scaling.kind).kind)
    if fewer.constant or not fewer.heldout.count:
        return None
    before = None
    if start is not None and start.parts.scaling.kind == fewer.scaling.kind:
        before = moved(start.selection.chosen, start.parts.scaling, fewer.scaling)
    selection = select(fewer, settings, meter, before, thorough=False)
    return Attempt(fewer, selection, kept, seen_by(given, fewer, selection, kept))


def chosen_from(given: Entries, found: Attempt, settings: Settings, meter: Meter) -> Attempt:
    """What the whole search chooses with the weights that were found, and what else competes there."""
    if found.selection.chosen.exact:
        return found
    selection = select(found.parts, settings, meter)
    return replace(found, selection=selection, left=seen_by(given, found.parts, selection, found.kept))


def seen_by(given: Entries, parts: Split, selection: Selection, kept: np.ndarray) -> LeftOver:
    """What the fit to training entries leaves of all given."""
    fitted_to = kept.copy()
    if selection.judged:
        fitted_to[np.flatnonzero(kept)[parts.held]] = False
    seen = parts.training if selection.judged else parts.whole
    return LeftOver.of(given, parts, selection.chosen, seen, fitted_to)
