"""Why this rank, how sure, what next: a completion in sentences."""

import math

from rankscape.estimators import CompletedMatrix
from rankscape.estimators.completion.trust.cautions import NEAR_LIMIT, WORDS, few_entries_matter
from rankscape.ground.checks import of_kind

# Entries per free parameter to ask for when they are scarce.
COMFORTABLE = 2.0


def digits(value: float | None) -> str:
    """Three significant digits, thousands in groups.

    >>> digits(0.012345), digits(123456.7), digits(2e-15), digits(3.0), digits(None)
    ('0.0123', '123,000', '2e-15', '3', 'none')
    """
    if value is None:
        return "none"
    if not math.isfinite(value):
        return "no limit" if value == math.inf else str(value)
    # Rounded first: 999.6 has four digits before the point once it is rounded.
    short = float(f"{value:.3g}")
    return f"{short:,.0f}" if 1000 <= abs(short) < 1e9 else f"{short:.3g}"


def count(number: int, noun: str) -> str:
    """A number and what it counts.

    >>> count(1, "direction"), count(2400, "entry")
    ('1 direction', '2,400 entries')
    """
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"


def finding(completed: CompletedMatrix) -> str:
    """The one sentence to remember."""
    if completed.rank:
        about = "" if completed.sharp else "about "
        return f"The data hold up {about}{count(completed.rank, 'direction')}"
    levels = {"none": "zero", "mean": "their mean", "row": "the levels of rows", "column": "the levels of columns"}
    kind = levels.get(completed.removed.kind, "the levels of rows and columns")
    return f"The data hold up nothing beyond {kind}"


def best_rule(completed: CompletedMatrix) -> tuple[str, float] | None:
    """The simple prediction with the least error on held-out entries, if any was measured."""
    rules = completed.certificate.baselines
    return min(((WORDS[name], error) for name, error in rules.items()), key=lambda rule: rule[1], default=None)


def comparison(completed: CompletedMatrix) -> str:
    """The held-out error beside the best simple prediction."""
    held, best = completed.heldout_rmse, best_rule(completed)
    if held is None or best is None:
        return "The error on unseen entries could not be measured"
    rule, error = best
    if held > error:
        return f"A simple rule, the {rule}, predicts unseen entries better than this model"
    # Per cent only where per cent are readable: next to nothing, and next to all, are said in words.
    gain = 1 - held / error if error > 0 else 0.0
    if gain < 0.005:
        return f"Unseen entries are predicted as well as by the best simple rule, the {rule}"
    if gain > 0.995:
        return (
            f"Unseen entries are predicted with less than a hundredth of the error of the best simple rule, the {rule}"
        )
    return f"Unseen entries are predicted with {gain:.0%} less error than by the best simple rule, the {rule}"


def sureness(completed: CompletedMatrix) -> list[str]:
    """What speaks for and against the completion."""
    certificate = completed.certificate
    said = [*certificate.warnings]
    if completed.heldout_rmse is not None:
        error = f"RMSE {digits(completed.heldout_rmse)}{_against(completed)}"
        said.append(f"{comparison(completed)}: {error}{completed.scaling.suffix}.")
    if completed.rank and certificate.oversampling >= NEAR_LIMIT:
        ratio = digits(certificate.oversampling)
        said.append(
            f"There are {ratio} entries for each free parameter; below {NEAR_LIMIT} another matrix may fit as well."
        )
    if completed.rank and math.isfinite(certificate.spectral_gap):
        said.append(f"{noise_margin(completed)}.")
    return said if certificate.warnings else ["Nothing speaks against this completion.", *said]


def noise_margin(completed: CompletedMatrix) -> str:
    """The weakest direction against what noise alone would show."""
    gap = completed.certificate.spectral_gap
    if gap >= 1:
        return f"The weakest direction is {digits(gap)} times as strong as noise alone would look"
    return (
        f"The weakest direction is {digits(gap)} times as strong as noise alone would look: the rank has no sharp edge"
    )


def _against(completed: CompletedMatrix) -> str:
    best = best_rule(completed)
    return f" against {digits(best[1])}" if best else ""


def advice(completed: CompletedMatrix) -> list[str]:
    """What to do next, most urgent first."""
    certificate, rank, (n_out, n_in) = completed.certificate, completed.rank, completed.shape
    best, held = best_rule(completed), completed.heldout_rmse
    steps = []
    if held is None:
        steps.append(
            "Give more entries, or compare some of the filled values with what you know: nothing else can judge."
        )
    elif best is not None and best[1] < held:
        steps.append(f"Use the {best[0]} instead, or look for rows, columns and outliers that do not belong together.")
    if rank and certificate.oversampling < NEAR_LIMIT and completed.wary:
        missing = math.ceil(COMFORTABLE * rank * (n_out + n_in - rank)) - len(completed.observed.values)
        steps.append(
            f"Observe about {count(missing, 'more entry')}: that makes {COMFORTABLE:g} for each free parameter."
        )
    if rank and few_entries_matter(certificate):
        steps.append(f"Leave out the rows and columns with {rank} entries or fewer, or observe more of them.")
    if not certificate.converged:
        steps.append(completed.outcome.remedy)
    if not rank and completed.noise > 0 and held is not None:
        steps.append("Do not expect more than averages from these entries; more of them may show a direction.")
    if not steps:
        steps.append(_use(completed))
    if len(completed.outliers):
        look = f"{count(len(completed.outliers), 'entry')} that look{'s' if len(completed.outliers) == 1 else ''} wrong"
        steps.append(f"Look at the {look}; the completed matrix keeps what was given.")
    if held is not None:
        steps.append("For a test with a known answer, hide a tenth of the entries first (--hide 0.1).")
    if rank and completed.noise > 0 and not certificate.exact:
        steps.append("DeepMatrixCompletion.predict(rows, columns, return_std=True) gives an error for each value.")
    return steps


def _use(completed: CompletedMatrix) -> str:
    """What the values are good for when nothing speaks against them."""
    if len(completed.observed.values) == completed.shape[0] * completed.shape[1]:
        return "No entry was missing: `fitted` is the matrix with the part removed that no direction explains."
    if completed.certificate.exact or not completed.noise > 0:
        return "Use the filled values: they are exact up to rounding if the matrix has this rank."
    error = f"{digits(completed.heldout_rmse)}{completed.scaling.suffix}"
    return f"Use the filled values; expect errors of about {error}, the RMSE on unseen entries."


def explain(completed: CompletedMatrix) -> list[str]:
    """Three paragraphs: why this rank, how sure, what to do next.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> X = np.outer(np.arange(1.0, 9.0), [1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    >>> X[np.arange(8), np.arange(8) % 6] = np.nan
    >>> explain(rs.complete(X))[0][:49]
    'Why this rank? The data hold up 1 direction. Rank'
    """
    of_kind("completed", completed, CompletedMatrix)
    return [
        f"Why this rank? {finding(completed)}. {completed.reason}",
        f"How sure? {' '.join(sureness(completed))}",
        f"What next? {' '.join(advice(completed))}",
    ]
