"""What kind of values entries are: any real numbers, counts, one of two, or one of few levels that have an order."""

import warnings
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from rankscape.entries import Entries
from rankscape.errors import FallbackWarning, InputError
from rankscape.ground.arrays import slices
from rankscape.ground.final import final
from rankscape.ground.stored import let_go

ValuesChoice: TypeAlias = Literal["auto", "real", "count", "binary", "ordinal"]
CHOICES: tuple[str, ...] = get_args(ValuesChoice)

# Most levels of an answer: a scale of ten, with a zero. More are tried as ordinal only where that is asked for, up to
# the second number.
FEW, MOST = 11, 50

# Most cells of a matrix with a detection limit: every one of them counts as an entry.
CELLS = 2_000_000


@final
@dataclass(frozen=True)
class Kind:
    """What the values of a completion may be.

    Attributes
    ----------
    candidates : tuple of {"real", "count", "binary", "ordinal"}
        For which values candidates compete.
    named : {"real", "count", "binary", "ordinal"}
        What the user says they are; "real" where nothing was said.
    levels : tuple of float
        The values that occur, ascending, where they are few.
    """

    candidates: tuple[str, ...] = ("real",)
    named: str = "real"
    levels: tuple[float, ...] = ()

    def range_of(self, kinds: set[str]) -> tuple[float, float]:
        """Where predictions lie, in the units of the data: where the named kind does, or those that predict."""
        kinds = kinds if self.named == "real" else {self.named}
        if not kinds:
            return -np.inf, np.inf
        return (0.0, np.inf) if "count" in kinds else (self.levels[0], self.levels[-1])


REAL = Kind()


def kind_of(values: str, entries: Entries) -> Kind:
    """What these entries are, or, with "auto", may be.

    Raises
    ------
    InputError
        They cannot be what was named.

    Examples
    --------
    >>> votes = Entries.from_array([[0.0, 1.0], [1.0, 1.0]])
    >>> kind_of("auto", votes).candidates, kind_of("binary", votes).candidates
    (('real', 'binary'), ('binary',))
    """
    if values == "real":
        return REAL
    found = _different(entries.values, all_of_them=values != "auto")
    levels = tuple(found.tolist()) if len(found) <= MOST else ()
    if values == "auto":
        return Kind(("real", *_possible(found)), levels=levels)
    if values == "count":
        _check_counts(entries)
    elif values == "binary" and len(found) != 2:
        shown = ", ".join(f"{value:g}" for value in found[:4]) + (", ..." if len(found) > 4 else "")
        raise InputError(
            f"values='binary' needs exactly two different values, the entries have {len(found)} ({shown}); name the "
            "kind they are of, or leave `values` out."
        )
    elif values == "ordinal":
        _check_levels(found)
    return Kind((values,), values, levels)


def _different(values: np.ndarray, all_of_them: bool) -> np.ndarray:
    """The values that occur, ascending; or so many that no kind is left but numbers."""
    found = values[:0]
    for part in slices(len(values)):
        found = np.unique(np.concatenate([found, np.unique(values[part])]))
        let_go(values)
        if not all_of_them and len(found) > MOST and not (found == np.rint(found)).all():
            break
    return found


def _possible(found: np.ndarray) -> tuple[str, ...]:
    """What these different values could be, other than just numbers."""
    if len(found) <= 2:
        return ("binary",) * (len(found) == 2)
    kinds = []
    # Where counts have few different values, zero is one of them.
    if (found == np.rint(found)).all() and (found[0] == 0 or (found[0] > 0 and len(found) > FEW)):
        kinds.append("count")
    if len(found) <= FEW and np.allclose(_steps(found), np.rint(_steps(found))):
        kinds.append("ordinal")
    return tuple(kinds)


def _steps(found: np.ndarray) -> np.ndarray:
    """Distances of neighbouring values over the smallest of them."""
    return np.diff(found) / np.diff(found).min()


def _check_counts(entries: Entries) -> None:
    y = entries.values
    wrong = (y != np.rint(y)) | (y < 0)
    if wrong.any():
        k = int(np.argmax(wrong))
        raise InputError(
            f"values='count' needs whole numbers from zero on, got {y[k]:g} at row {entries.rows[k]}, column "
            f"{entries.columns[k]} ({int(wrong.sum())} such entries); leave `values` out for other numbers."
        )


def _check_levels(found: np.ndarray) -> None:
    if len(found) > MOST:
        raise InputError(
            f"values='ordinal' takes at most {MOST} different values, the entries have {len(found)}; leave `values` "
            "out for numbers that are measured."
        )
    if len(found) > 2 and _steps(found).max() > FEW:
        gap = int(np.argmax(_steps(found)))
        message = (
            f"The levels {found[gap]:g} and {found[gap + 1]:g} lie {_steps(found)[gap]:.0f} times as far apart as "
            "others: codes of categories, or of missing answers, have no order; they are taken as ordered numbers here."
        )
        warnings.warn(message, FallbackWarning, stacklevel=5)


# A detection limit over the largest entry: the square of what lies beyond leaves the range of floats.
FARTHEST = 1e100


def check_limit(limit: float | None, entries: Entries) -> None:
    """Refuse a detection limit that entries undercut, or more cells than can be fitted."""
    if limit is None:
        return
    size = float(np.abs(entries.values).max()) or 1.0
    if abs(limit) > FARTHEST * size:
        raise InputError(
            f"`detection_limit` is {limit:g}, and no entry is larger than {size:g}: nothing is that far away."
        )
    below = entries.values < limit
    if below.any():
        k = int(entries.values.argmin())
        raise InputError(
            f"`detection_limit` is {limit:g}, but {int(below.sum())} observed entries are smaller, the smallest "
            f"{entries.values[k]:g} at row {entries.rows[k]}, column {entries.columns[k]}; give a limit that none "
            "undercuts, or leave those entries out."
        )
    cells = entries.shape[0] * entries.shape[1]
    if cells > CELLS:
        raise InputError(
            f"With `detection_limit` every cell counts, and at most {CELLS:,} can be fitted; the matrix of shape "
            f"{entries.shape} has {cells:,}."
        )
