"""Below a detection limit: a low rank of all cells, of which the missing ones are known to be small."""

from dataclasses import replace

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.candidates.draws import draw
from rankscape.estimators.completion.competition.contest import some
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.limited import Limited, every_cell
from rankscape.estimators.completion.models.links import Below
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.settings import Settings
from rankscape.estimators.completion.trust.expectation import Expectation
from rankscape.ground.arrays import root_mean_square

# Share of the entries, the smallest, that are hidden to see what is missed of such.
SMALLEST = 0.2


def below_limit(
    model: Model, exact: bool, expected: Expectation | None, parts: Split, settings: Settings
) -> tuple[Model, Expectation | None, str]:
    """What predicts in place of a model that knows no limit, the error to expect of it, and what to say.

    Held-out entries cannot decide, for they are not small: on planted low ranks of which the smaller half is missing,
    what they prefer misses the missing cells by 0.8 to 1.7, and this by 0.3 to 0.7. Only a model that meets all entries
    exactly, and lies below the limit elsewhere, stays.

    References
    ----------
    .. [tobin1958] Tobin, "Estimation of relationships for limited dependent variables", Econometrica 26 (1958).
    """
    assert settings.limit is not None
    limit = settings.limit / parts.unit
    limited = _limited(parts.whole, limit, settings)
    rows, columns = _hidden(limited)
    if not len(rows) or (exact and (model.at(rows, columns) <= limit).all()):
        return model, expected, ""
    limited = replace(limited, beyond=_beyond(parts.whole, settings))
    error = root_mean_square(limited.spread(rows, columns))
    said = f" Missing cells lie below {settings.limit:g}: they are means over draws of a low rank that know it."
    return limited, None if expected is None else replace(expected, missing=error), said


def _limited(entries: Entries, limit: float, settings: Settings) -> Limited:
    cells = PreparedEntries(every_cell(entries, limit), "sparse")
    return Limited(draw(Below.of(cells, limit), cells, settings), entries)


def _beyond(entries: Entries, settings: Settings) -> float:
    """Of the smallest entries, hidden by a higher limit: what is missed beyond what the draws expect.

    Where there is next to no noise, draws do not move as far as the limit would let them.
    """
    limit = float(np.quantile(entries.values, SMALLEST))
    small = entries.values <= limit
    if small.all():
        return 0.0
    hidden, limited = entries.part(small), _limited(entries.part(~small), limit, settings)
    missed = limited.at(hidden.rows, hidden.columns) - hidden.values
    return float(max(np.mean(missed**2 - limited.spread(hidden.rows, hidden.columns) ** 2), 0.0) ** 0.5)


def _hidden(limited: Limited) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.indices(limited.shape).reshape(2, -1)
    hidden = limited.hidden(rows, columns)
    return some((rows[hidden], columns[hidden]))
