"""Whether a completion can be trusted: what was measured, and the same in words."""

from dataclasses import dataclass

import numpy as np

from rankscape.estimators.certificate import AbstractCertificate
from rankscape.estimators.completion.competition.combine import Combination
from rankscape.estimators.completion.fits.determination import Determination
from rankscape.estimators.completion.fits.fit import Fit, spectral_gap
from rankscape.estimators.completion.ready.scaling import OF_DATA
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.tails import Tails
from rankscape.estimators.completion.trust.cautions import TAILS, WORDS, cautions
from rankscape.estimators.completion.trust.expectation import Expectation
from rankscape.estimators.completion.trust.thin import thin_lines


@dataclass(frozen=True)
class Certificate(AbstractCertificate):
    r"""What a completion rests on.

    Attributes
    ----------
    needed : float
        The rank r that entries have to determine; of a penalised fit, with many small directions, the effective rank.
    oversampling : float
        ``m / (r (n_out + n_in - r))``: observed entries over the free parameters of rank r; infinite for rank 0.
    smallest_row, smallest_column : int
        Fewest entries that a row or a column has.
    thin_rows, thin_columns : int
        How many have no more entries than that rank: these alone determine nothing.
    thin_share : float
        Of the missing cells that lie in such rows and columns.
    thin_error : float or None
        Error on the entries held out in them; None where too few were.
    spectral_gap : float
        The smallest singular value kept, over what noise of this level would show; infinite without noise.
    heldout_rmse, heldout_std : float or None
        Error on entries that the prediction did not see, and its standard error.
    expected_error, expected_std : float or None
        The error to expect of the missing cells, as observations, and its standard error: larger than the held-out
        error where gaps have a pattern.
    judges : int
        Different entries that were held out at random.
    baselines : dict
        The same for predictions that need no factor.
    unseen : float or None
        The held-out error over the noise that the same fit leaves in what it saw: near one when it generalises.
    kurtosis : float or None
        Excess kurtosis of what is left over: 0 for normal noise, more where single entries are far off; None of an
        exact fit.
    alone : int
        Entries that a direction serves for themselves, so that it meets them whatever they are.
    lone_rows, lone_columns : tuple of int
        Rows and columns that a direction serves for a few of their entries.
    outliers, observed : int
        Entries that look wrong, and all that were given.
    robust : bool
        Whether the robust fit was taken, which such entries cannot lead.
    tail_index : float
        The largest power of which what is left over has a mean; below 2 no root mean square settles.
    exact, converged : bool
        Whether the entries are reproduced; whether the solver ended by its tolerance.
    equal : bool
        Whether all entries are equal, of each column where columns are scaled.
    units : str
        In which these errors are: "the units of the data" or "standard deviations of their column".
    worse_columns : tuple of int
        Columns whose held-out entries their own mean predicts better, beyond chance.
    undetermined : int
        Missing cells that the entries leave open: they are filled with the offset.
    where : str
        Which, in words.
    held : bool
        Whether only thin rows and columns are open: what few entries they have still counts.
    leaning : float
        Standard deviations that missing cells are predicted above (below: negative) those seen in their column or row,
        where that is no chance: entries seem to be missing because of their value.
    warnings : tuple of str
        Reasons not to trust the completion, in words; none when empty.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 40))
    >>> certificate = rs.complete(np.where(rng.random(truth.shape) < 0.5, truth, np.nan)).certificate
    >>> certificate.trusted, certificate.warnings
    (True, ())
    """

    subject = "completion"

    needed: float
    oversampling: float
    smallest_row: int
    smallest_column: int
    thin_rows: int
    thin_columns: int
    thin_share: float
    thin_error: float | None
    spectral_gap: float
    heldout_rmse: float | None
    heldout_std: float | None
    expected_error: float | None
    expected_std: float | None
    judges: int
    baselines: dict[str, float]
    unseen: float | None
    kurtosis: float | None
    alone: int
    lone_rows: tuple[int, ...]
    lone_columns: tuple[int, ...]
    outliers: int
    observed: int
    robust: bool
    tail_index: float
    exact: bool
    converged: bool
    equal: bool = False
    units: str = OF_DATA
    worse_columns: tuple[int, ...] = ()
    undetermined: int = 0
    where: str = ""
    held: bool = False
    leaning: float = 0.0
    warnings: tuple[str, ...] = ()

    @property
    def evidence(self) -> str:
        """The numbers that matter most, in words."""
        said = "" if self.units == OF_DATA else f" {self.units}"
        held = "none could be held out" if self.heldout_rmse is None else f"held-out RMSE {self.heldout_rmse:.4g}"
        held += f" ± {self.heldout_std:.2g}{said}" if self.heldout_std else said
        if self.heldout_std:
            held += f", {self.expected_error:.4g} to expect of missing cells"
        facts = f"{self.oversampling:.3g} entries per free parameter; {held}"
        if self.baselines:
            facts += "; " + ", ".join(f"{WORDS[name]} {error:.4g}" for name, error in self.baselines.items())
        if self.kurtosis is not None and self.kurtosis > TAILS:
            facts += f"; heavy tails (excess kurtosis {self.kurtosis:.3g}): single cells may be off by far more"
        if self.outliers:
            facts += f"; {self.outliers:,} of the entries look wrong"
        return facts


def certify(
    parts: Split,
    final: Fit,
    expected: Expectation | None,
    baselines: dict[str, float],
    seen: float | None,
    tails: Tails,
    outliers: int,
    worse: tuple[int, ...] = (),
    found: Determination | None = None,
    leaning: float = 0.0,
    combination: Combination | None = None,
) -> Certificate:
    """Measure and judge a fit to all entries, whose errors times the unit of the split are what people read.

    `seen` is the noise of the fit whose held-out error is given, `tails` and `outliers` say how far entries are off,
    `worse` are the columns that their mean predicts better, `found` says what the entries leave open, `leaning` how far
    entries are missing because of their value, and the `combination` what predicts.
    """
    entries, unit = parts.whole, parts.unit
    n_out, n_in = entries.shape
    rank, m = final.method.needed(final), entries.count
    by_row, by_column = entries.counts()
    oversampling = m / (rank * (n_out + n_in - rank)) if rank else np.inf
    gap = spectral_gap(final, entries)
    thin = thin_lines(entries, rank, combination)
    few = thin.rows, thin.columns, thin.share, None if thin.error is None else thin.error * unit
    # An exact fit leaves no noise to compare with.
    unseen = None if expected is None or not seen or final.exact else expected.trusted / seen
    counts = int(by_row.min()), int(by_column.min()), *few
    known = {name: error * unit for name, error in baselines.items()}
    held, held_std, missing, missing_std = _in_units(expected, unit)
    errors = held, held_std, missing, missing_std, 0 if expected is None else expected.judges, known
    looking = outliers, parts.observed.count
    far = tails.kurtosis, tails.alone, tails.lone_rows, tails.lone_columns, *looking, tails.robust, tails.index
    opened, where = (found.count, found.words) if found is not None and found.count else (0, "")
    drawn = found is not None and found.held is not None
    told = final.exact, final.converged, parts.constant, parts.scaling.words, worse, opened, where, drawn, leaning
    facts = Certificate(rank, oversampling, *counts, gap, *errors, unseen, *far, *told)
    return facts.judged(cautions(facts, final))


def _in_units(expected: Expectation | None, unit: float) -> tuple[float | None, ...]:
    if expected is None:
        return (None,) * 4
    errors = expected.heldout, expected.heldout_std, expected.missing, expected.missing_std
    return tuple(error * unit for error in errors)
