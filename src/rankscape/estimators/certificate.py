"""Whether a completion can be trusted: what was measured, and the same in words."""

from dataclasses import dataclass

import numpy as np

from rankscape.estimators.baselines import Entries
from rankscape.estimators.candidate import Candidate

SCARCE = 1.4
"""Oversampling below which a completion is near the information limit."""

UNSEEN = 3.0
"""Held-out error over the noise of what was fitted beyond which the model follows the entries and not the matrix; noise
alone gives 1.1 to 1.6, from many entries for each parameter down to two."""

WORDS = {"column_mean": "column mean", "row_column_bias": "row and column bias", "nearest_rows": "mean of near rows"}
"""Baselines for people."""


@dataclass(frozen=True)
class Certificate:
    r"""What a completion rests on.

    Attributes
    ----------
    oversampling : float
        ``m / (r (n_out + n_in - r))``: observed entries over the free parameters of rank r; infinite for rank 0. Many
        small directions of a penalised fit count for their effective rank.
    smallest_row, smallest_column : int
        Fewest entries that a row or a column has.
    thin_rows, thin_columns : int
        How many have no more entries than the rank: these are not determined.
    spectral_gap : float
        The smallest singular value kept, over what noise of this level would show; infinite without noise.
    heldout_rmse : float or None
        On entries that the fit did not see.
    baselines : dict
        The same for predictions that need no factor.
    unseen : float or None
        The held-out error over the noise that the same fit leaves in what it saw: near one when it generalises.
    exact, converged : bool
        Whether the entries are reproduced; whether the solver ended by its tolerance.
    warnings : tuple of str
        Reasons not to trust the completion, in words; none when empty.
    """

    oversampling: float
    smallest_row: int
    smallest_column: int
    thin_rows: int
    thin_columns: int
    spectral_gap: float
    heldout_rmse: float | None
    baselines: dict[str, float]
    unseen: float | None
    exact: bool
    converged: bool
    warnings: tuple[str, ...]

    @property
    def trusted(self) -> bool:
        """Whether there is nothing to warn of."""
        return not self.warnings

    def __str__(self) -> str:
        held = "none could be held out" if self.heldout_rmse is None else f"held-out RMSE {self.heldout_rmse:.4g}"
        facts = f"{self.oversampling:.3g} entries per free parameter; {held}"
        if self.baselines:
            facts += "; " + ", ".join(f"{WORDS[name]} {error:.4g}" for name, error in self.baselines.items())
        verdict = "Nothing speaks against this completion." if self.trusted else " ".join(self.warnings)
        return f"{verdict} ({facts}.)"


def certify(
    entries: Entries, final: Candidate, heldout_rmse: float | None, baselines: dict[str, float], seen: float | None
) -> Certificate:
    """Measure and judge a fit to all `entries`; `seen` is the noise of the fit whose held-out error is given."""
    n_out, n_in = entries.shape
    rank, m = counted(final), len(entries.values)
    by_row, by_column = np.bincount(entries.rows, minlength=n_out), np.bincount(entries.columns, minlength=n_in)
    oversampling = m / (rank * (n_out + n_in - rank)) if rank else np.inf
    edge = final.noise / final.scale * (n_out**0.5 + n_in**0.5) / (m / (n_out * n_in)) ** 0.5
    gap = float(final.modes.s[-1]) / edge if rank and not final.exact and edge else np.inf
    thin = int((by_row <= rank).sum()), int((by_column <= rank).sum())
    unseen = None if heldout_rmse is None or not seen or final.exact else heldout_rmse / seen
    facts = (oversampling, int(by_row.min()), int(by_column.min()), *thin, gap, heldout_rmse, baselines, unseen)
    return Certificate(*facts, final.exact, final.converged, tuple(_warnings(final, *facts)))


def counted(final: Candidate) -> float:
    """The rank that entries have to determine: where directions are shrunk and not fitted, the effective one."""
    s = final.modes.s
    return float(s.sum() / s[0]) if final.method == "penalised" and len(s) else final.rank


def _warnings(
    final, oversampling, smallest_row, smallest_column, thin_rows, thin_columns, gap, heldout, baselines, unseen
):
    rank = counted(final)
    if not rank and final.noise > 0:
        yield "No low rank was found: every missing value is the offset alone."
    if oversampling < SCARCE and final.method != "sampled":
        yield (
            f"Only {oversampling:.2f} entries per free parameter of rank {rank:.3g}: near the information limit, where "
            "another matrix may fit as well."
        )
    if rank and thin_rows + thin_columns:
        yield (
            f"{thin_rows} row(s) and {thin_columns} column(s) have no more than {rank:.3g} entries: their missing "
            "values are guesses drawn towards the offset."
        )
    if heldout is None:
        yield "No entries could be held out, so the error is not measured."
    elif baselines:
        name, error = min(baselines.items(), key=lambda pair: pair[1])
        if error < heldout:
            yield f"The {WORDS[name]} predicts better ({error:.4g}): do not rely on this completion."
    if unseen is not None and unseen > UNSEEN:
        yield (
            f"Entries that were held out are missed by {unseen:.1f} times as much as those that were fitted: the model "
            "follows the entries, not the matrix."
        )
    if not final.converged:
        yield "The solver stopped at its limit before it converged."
