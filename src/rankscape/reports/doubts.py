"""Sections about trust: what was measured, what it means, and what to do next."""

from rankscape.estimators.completion.search.tails import HEAVY
from rankscape.estimators.completion.trust.cautions import NEAR_LIMIT, UNSEEN
from rankscape.reports.sections import Section, Table
from rankscape.reports.subject import Subject
from rankscape.reports.words import advice, count, digits


def trust(subject: Subject) -> Section:
    """What speaks against the completion, and the numbers that could have."""
    certificate = subject.completed.certificate
    reasons = certificate.warnings
    heading = "Nothing speaks against this completion" if not reasons else (
        f"{count(len(reasons), 'reason')} for caution"
    )  # fmt: skip
    gap = certificate.spectral_gap
    thin = f"{digits(certificate.needed)} or fewer alone determine nothing"
    rows = [
        [
            "entries per free parameter",
            digits(certificate.oversampling),
            f"below {NEAR_LIMIT} another matrix may fit as well",
        ],
        ["fewest entries in a row", f"{certificate.smallest_row:,}", thin],
        ["fewest entries in a column", f"{certificate.smallest_column:,}", thin],
        [
            "rows, columns with so few",
            f"{certificate.thin_rows:,}, {certificate.thin_columns:,}",
            "" if certificate.thin_error is None else f"entries held out there: {digits(certificate.thin_error)}",
        ],
        ["weakest direction over noise", digits(gap), "below 1 noise alone would look as strong"],
        [
            "error on unseen over seen",
            "-" if certificate.unseen is None else digits(certificate.unseen),
            f"above {UNSEEN:g} the model follows its entries",
        ],
        [
            "excess kurtosis of what is left over",
            "-" if certificate.kurtosis is None else digits(certificate.kurtosis),
            f"0 for normal noise; above {HEAVY:g} tails are heavy",
        ],
        ["entries reproduced exactly", "yes" if certificate.exact else "no", "noise cannot be, low rank can"],
        ["solver converged", "yes" if certificate.converged else "no", "if not, more steps may change the values"],
    ]
    return Section(heading, points=list(reasons), tables=[Table(["what was measured", "value", "what it means"], rows)])


def next_steps(subject: Subject) -> Section:
    """What would help, or that nothing has to."""
    steps = advice(subject.completed)
    heading = "The filled values can be used" if subject.completed.certificate.trusted else "What would help"
    return Section(heading, points=steps)
