"""What the entries of a completion determine, and where they do not: in numbers and in words."""

from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.fits.parts import Parts
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.determined import Determined, Open
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.models.uncertainty import errors_of
from rankscape.estimators.completion.ready.offsets import Offset, fit_offset
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.solvers.least_squares.determined import Factors, Jacobian, free_motions, noise_motions

# Cells of a matrix up to which all missing ones are looked at, and how many of a larger one.
ALL, SOME = 2_000_000, 200_000

# Iterations of conjugate gradients beyond which entries hardly determine the matrix, and noise is sent through as well;
# and entries up to which that is affordable.
HARD, AFFORDABLE = 80, 1_000_000

# Standard error of a cell over that of the guess, beyond which the guess is as good.
AS_GOOD = 0.5

# Entries of a row, or a column, over the rank, from which on it is not thin; and the shares of the cells between such
# rows and columns that may move, and move by noise, where nothing else is amiss. Of blocks that hardly overlap half do.
FULL, AMISS, UNSURE = 2, 0.01, 0.1

# Ranges of rows and columns that are named.
NAMED = 3


@final
@dataclass(frozen=True, eq=False)
class Determination:
    """Which missing cells are open.

    Attributes
    ----------
    open : Open
        For any cell.
    guess, error : Offset, float
        What open cells are filled with, and its root mean square error on the entries.
    missing : (ndarray, ndarray)
        Rows and columns of the missing cells that were looked at.
    found : ndarray of bool
        Which of them are open.
    total : int
        Number of all missing cells.
    strain : float
        Error to expect of the determined cells over the noise, where entries hardly determine them; one elsewhere.
    ranks : tuple of int
        Of each connected part of the matrix, where there is more than one; parts of one row or column are left out.
    held : float or None
        Error to expect of the open cells where thin rows and columns are all that is open: the prior of the factors
        draws these to the levels, and what few entries say of them is better than the levels alone.
    """

    open: Open
    guess: Offset
    error: float
    missing: tuple[np.ndarray, np.ndarray]
    found: np.ndarray
    total: int
    strain: float = 1.0
    ranks: tuple[int, ...] = ()
    held: float | None = None

    @property
    def stated(self) -> float:
        """Error to expect of the open cells."""
        return self.error if self.held is None else self.held

    @property
    def share(self) -> float:
        """Of the missing cells that are open."""
        return float(self.found.mean()) if len(self.found) else 0.0

    @property
    def count(self) -> int:
        """How many are; an estimate where not all were looked at."""
        return int(self.found.sum()) if len(self.found) == self.total else round(self.share * self.total)

    @property
    def closed(self) -> tuple[np.ndarray, np.ndarray]:
        """The missing cells that are determined, among those looked at."""
        return self.missing[0][~self.found], self.missing[1][~self.found]

    def model(self, model: Model) -> Model:
        """A model of the determined cells, with the guess elsewhere, unless the model holds these as well."""
        return Determined(model, self.guess, self.error, self.open, self.held is not None)

    @property
    def words(self) -> str:
        """How many, and where."""
        rows, columns = (_ranges(np.unique(place[self.found])) for place in self.missing)
        where = f"rows {rows}; columns {columns}"
        return f"{self.count} missing cell(s) ({where})"


def determine(
    entries: Entries,
    final: Fit,
    model: LowRank,
    missing: tuple[np.ndarray, np.ndarray],
    levels: tuple[Offset, float] | None = None,
) -> Determination:
    """What these entries leave open of a fit to them; `missing` are positions without an entry.

    `levels` are those of rows and columns, and what they leave of the entries, where these are known. Of a fit whose
    rank the entries carry, whatever no entry sees may move. Directions that a ridge holds are not told so: for these it
    counts that a cell's row and column are connected by entries at all.
    """
    parts = Parts.of(entries)
    opened = Open(None, None, np.inf, parts.rows, parts.columns)
    guess, error = _levels(entries) if levels is None else levels
    if final.method.sharp and final.rank:
        alone = replace(model, modes=parts.shared(model.modes))  # a part of lower rank has no more of its own
        opened = _by_motions(entries, final, alone, opened, missing, error)
    total = entries.shape[0] * entries.shape[1] - entries.count
    ranks = parts.ranks(model.modes, model.noise)
    found = Determination(
        opened, guess, error, missing, opened.at(*missing), total, ranks=ranks if len(ranks) > 1 else ()
    )
    if opened.noisy is not None and len(found.closed[0]):
        found = replace(found, strain=root_mean_square(np.hypot(1.0, opened.noisy.at(*found.closed))))
    return replace(found, held=_held(entries, final, model, found)) if found.count else found


def _held(entries: Entries, final: Fit, model: LowRank, found: Determination) -> float | None:
    """Error to expect of the open cells if they lie in thin rows and columns beside a determined rest; None if not.

    Without noise nothing weighs the prior against few entries, and directions beside levels of their own have none.
    """
    if final.exact or not final.noise > 0 or not final.method.sharp or model.offset.joint:
        return None
    full = [counts >= FULL * final.rank for counts in entries.counts()]
    rest = full[0][found.missing[0]] & full[1][found.missing[1]]
    if not rest.any() or found.found[rest].mean() > UNSURE:
        return None
    free = found.open.free
    if free is not None and free.moves(*(place[rest] for place in found.missing)).mean() > AMISS:
        return None
    rows, columns = (place[found.found] for place in found.missing)
    apart = found.open.row_part[rows] != found.open.column_part[columns]
    errors = np.hypot(errors_of(model, entries, rows, columns, most=0), model.noise)
    return root_mean_square(np.where(apart, found.error, errors))


def _levels(entries: Entries) -> tuple[Offset, float]:
    guess = fit_offset("row+column", entries)
    return guess, root_mean_square(guess.of(entries) - entries.values)


def _by_motions(
    entries: Entries, final: Fit, model: LowRank, opened: Open, missing: tuple[np.ndarray, np.ndarray], error: float
) -> Open:
    jacobian = Jacobian(entries.prepared("sparse"), _factors(model))
    free = free_motions(jacobian, probes=1)
    hard = jacobian.iterations > HARD
    if free.moves(*missing).any():  # one change finds that something is free; three find all of it
        opened = replace(opened, free=free_motions(jacobian))
    if (hard or model.offset.joint) and final.noise > 0 and not final.exact and entries.count <= AFFORDABLE:
        opened = replace(opened, noisy=noise_motions(jacobian), most=AS_GOOD * error / final.noise)
    return opened


def _factors(model: LowRank) -> Factors:
    """Balanced factors; levels that were fitted with them are one coordinate more, which meets ones."""
    root = np.sqrt(model.modes.s)
    both, free = [model.modes.U * root, model.modes.V * root], [np.arange(len(root))] * 2
    for side in np.flatnonzero(model.offset.sides) if model.offset.joint else ():
        levels, ones = (model.offset.row, model.offset.column)[side], np.ones(len(both[1 - side]))
        free[side] = np.append(free[side], both[side].shape[1])
        both[side], both[1 - side] = np.column_stack([both[side], levels]), np.column_stack([both[1 - side], ones])
    return Factors(*both, *free)


def missing_cells(entries: Entries) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the cells without an entry; of a large matrix some, drawn at random."""
    n_out, n_in = entries.shape
    cells = np.arange(n_out * n_in) if n_out * n_in <= ALL else _drawn(n_out * n_in)
    rows, columns = cells // n_in, cells % n_in
    missing = entries.find(rows, columns) < 0
    return rows[missing], columns[missing]


def _drawn(cells: int) -> np.ndarray:
    drawn = np.sort(np.random.default_rng(0).integers(0, cells, SOME))  # NumPy's unique takes a hundred times longer
    return drawn[np.append(True, np.diff(drawn) > 0)]


def _ranges(numbers: np.ndarray) -> str:
    """Ascending numbers as their first ranges: ``0-59, 80, ...``."""
    ends = np.flatnonzero(np.diff(numbers) > 1)
    first, last = numbers[np.r_[0, ends + 1]], numbers[np.r_[ends, len(numbers) - 1]]
    said = [f"{a}-{b}" if b > a else str(a) for a, b in zip(first, last, strict=True)]
    return ", ".join(said[:NAMED]) + (", ..." if len(said) > NAMED else "")
