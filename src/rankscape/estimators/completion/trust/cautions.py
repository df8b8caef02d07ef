"""What speaks against a completion, in sentences: one small function for each kind of reason."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rankscape.estimators.completion.competition.contest import ENOUGH_JUDGES
from rankscape.estimators.completion.fits.fit import Fit

if TYPE_CHECKING:
    from rankscape.estimators.completion.trust.certificate import Certificate

# Oversampling below which a completion is near the information limit.
NEAR_LIMIT = 1.4

# Held-out error over the noise of what was fitted beyond which the model follows the entries and not the matrix; noise
# alone gives 1.1 to 1.6, from many entries for each parameter down to two.
UNSEEN = 3.0

# Expected error of the missing cells over the held-out error, from which on the latter misleads.
PATTERN = 2.0

# Excess kurtosis of what is left over from which on its root mean square says little of most cells; and the standard
# error of the held-out error, as a share of it, up to which that is known all the same.
TAILS, KNOWN = 10.0, 0.15

# Standard errors by which held-out entries are predicted better than by any rule where that is no chance, and the share
# of their error that its standard error may be.
CLEAR, CLOSELY = 2.0, 0.1

# Share of the missing cells that may lie in rows and columns with few entries, where too few were held out in them.
UNMEASURED = 0.05

# Index of the tail of what is left over below which the mean square of observations is infinite.
SETTLES = 2.0

# Share of the entries that look wrong from which on it is rather the model that is: of Student's with two degrees of
# freedom, the heaviest tails that are fitted well, 4 % do, and a robust search leaves no more than this out.
MOSTLY = 0.15

# Rows or columns that a warning names.
SHOWN = 5

# Baselines for people.
WORDS = {"column_mean": "column mean", "row_column_bias": "row and column bias", "nearest_rows": "mean of near rows"}


def cautions(facts: "Certificate", final: Fit) -> Iterator[str]:
    """Everything that speaks against a fit, from what it rests on to how it ended; none where it can be trusted."""
    yield from _of_rank(facts, final)
    yield from _of_open_cells(facts)
    yield from _of_errors(facts)
    yield from _of_leaning(facts)
    yield from _of_columns(facts)
    yield from _of_lone_entries(facts)
    yield from _of_tails(facts)
    if not facts.converged:
        yield "The solver stopped at its limit before it converged."


def _of_rank(facts: "Certificate", final: Fit) -> Iterator[str]:
    if not facts.needed and final.noise > 0:
        yield "No low rank was found: every missing value is the offset alone."
    # An exact fit with entries to spare is no chance, and what it leaves open is known cell by cell.
    # Directions that are fitted as they are may be wrong in some rows and right in most; shrunk ones are as they look.
    told = facts.exact or (_shown_to_predict(facts) and not final.method.sharp)
    if facts.oversampling < NEAR_LIMIT and final.method.wary and not told:
        yield (
            f"Only {facts.oversampling:.2f} entries per free parameter of rank {facts.needed:.3g}: near the "
            "information limit, where another matrix may fit as well."
        )


def _shown_to_predict(facts: "Certificate") -> bool:
    """Whether held-out entries, and enough of them, are clearly met: then it does not matter how a fit looks."""
    if facts.heldout_rmse is None or facts.heldout_std is None or facts.judges < ENOUGH_JUDGES:
        return False
    if facts.heldout_std > CLOSELY * facts.heldout_rmse:
        return False
    return facts.heldout_rmse + CLEAR * facts.heldout_std < min(facts.baselines.values(), default=0.0)


def _of_open_cells(facts: "Certificate") -> Iterator[str]:
    if facts.undetermined:
        yield (
            f"{facts.where} are not determined by the entries: they are filled with the levels of their row and column"
            f"{', or drawn towards them' if facts.held else ''}."
        )
    elif few_entries_matter(facts):
        missed = "" if facts.thin_error is None else f" (those held out there are missed by {facts.thin_error:.4g})"
        yield (
            f"{facts.thin_rows} row(s) and {facts.thin_columns} column(s), in which {facts.thin_share:.0%} of the "
            f"missing cells lie, have no more than {facts.needed:.3g} entries{missed}: what is filled in there are "
            "guesses drawn towards the offset."
        )


def few_entries_matter(facts: "Certificate") -> bool:
    """Whether rows and columns with few entries speak against a fit.

    Where directions are drawn towards zero and not fitted, a row of few entries is no worse than what it has: held-out
    entries of such rows say so, or else.
    """
    if not facts.needed or facts.exact or not facts.thin_rows + facts.thin_columns:
        return False
    if facts.thin_error is None or facts.heldout_rmse is None:
        return facts.thin_share > UNMEASURED
    return facts.thin_error > PATTERN * facts.heldout_rmse


def _of_errors(facts: "Certificate") -> Iterator[str]:
    """An exact fit has all errors near zero: it needs no other judge, and rounding is no pattern."""
    if facts.exact:
        return
    if facts.heldout_rmse is None:
        yield "No entries could be held out, so the error is not measured."
        return
    if facts.judges < ENOUGH_JUDGES:
        yield f"Only {facts.judges} entries could be held out to judge it: errors may be twice as large, or more."
    name, error = min(facts.baselines.items(), key=lambda pair: pair[1], default=("", facts.heldout_rmse))
    if error < facts.heldout_rmse:  # a model that a column mean beats is worse than no model
        yield f"The {WORDS[name]} predicts better ({error:.4g}): do not rely on this completion."
    if (facts.expected_error or 0.0) > PATTERN * facts.heldout_rmse:
        yield (
            f"The missing cells are not like the entries held out at random: expect errors of "
            f"{facts.expected_error:.4g}, and not {facts.heldout_rmse:.4g}."
        )


def _of_leaning(facts: "Certificate") -> Iterator[str]:
    """What goes missing with its value is unlike all that could be held out, so no measured error covers it."""
    if facts.leaning:
        way = "lower" if facts.leaning < 0 else "higher"
        yield (
            f"Missing cells are predicted {abs(facts.leaning):.2g} standard deviations {way} than those seen: if "
            f"entries are missing because of their value, the truth lies {way} still, and errors are larger than "
            "measured."
            + (" If they are missing because they are small, give `detection_limit`." if way == "lower" else "")
        )


def _of_columns(facts: "Certificate") -> Iterator[str]:
    if facts.worse_columns:
        yield (
            f"{len(facts.worse_columns)} column(s) are predicted worse than by their own mean, counted from zero: "
            f"{_shown(facts.worse_columns)}."
        )
    if facts.equal:
        yield (
            "All observed entries are equal, so that every completion is this number. What is not stored is unknown "
            "here, not zero: of purchases or clicks give some that did not happen as well."
        )


def _of_lone_entries(facts: "Certificate") -> Iterator[str]:
    """What is met whatever it is, because directions of the fit serve it alone."""
    if facts.unseen is not None and facts.unseen > UNSEEN and not _shown_to_predict(facts):
        yield (
            f"Entries that were held out are missed by {facts.unseen:.1f} times as much as those that were fitted: the "
            "model follows the entries, not the matrix."
        )
    if facts.alone:
        yield (
            f"{facts.alone:,} entr{'y has a direction' if facts.alone == 1 else 'ies have directions'} of the fit for "
            "themselves: whether they are right nothing else can say; if not, their rows and columns are led astray."
        )
    for name, lines in (("row", facts.lone_rows), ("column", facts.lone_columns)):
        if lines:
            yield (
                f"{len(lines)} {name}(s) have a direction of the fit for a few of their entries, which it meets "
                f"whatever they are: what is filled in there follows from nothing. Counted from zero: {_shown(lines)}."
            )


def _of_tails(facts: "Certificate") -> Iterator[str]:
    if facts.outliers > MOSTLY * facts.observed:
        yield (
            f"{facts.outliers / facts.observed:.0%} of the entries look wrong to this model: more likely it is the "
            "model that is."
        )
    heavy = facts.kurtosis is not None and facts.kurtosis > TAILS and not facts.robust
    if heavy and not 0 < (facts.heldout_std or 0.0) < KNOWN * (facts.heldout_rmse or 0.0):
        yield (
            f"What is left over has heavy tails (excess kurtosis {facts.kurtosis:.3g}): single entries are missed by "
            "far more than the held-out error says."
        )
    elif facts.tail_index < SETTLES and facts.robust:
        yield (
            f"What is left over has tails so heavy (index {facts.tail_index:.2g}, below 2) that no root mean square "
            "of it settles: the fit is not led by them, but a single observation may lie at any distance."
        )


def _shown(lines: tuple[int, ...]) -> str:
    return ", ".join(map(str, lines[:SHOWN])) + (", ..." if len(lines) > SHOWN else "")
