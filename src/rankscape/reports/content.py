"""What the page says, as data: facts, and one section for each question."""

from dataclasses import dataclass

from rankscape.reports.doubts import next_steps, trust
from rankscape.reports.errors import errors, outliers, residuals
from rankscape.reports.model import filled, path, spectrum
from rankscape.reports.sections import Section
from rankscape.reports.subject import Subject
from rankscape.reports.words import best_rule, digits, finding


@dataclass(frozen=True)
class Page:
    """The whole page."""

    name: str
    heading: str
    verdict: str
    trusted: bool
    facts: list[tuple[str, str]]
    sections: list[Section]


def page_of(subject: Subject) -> Page:
    """Everything the page says of a completion."""
    done = subject.completed
    rows, columns = done.shape
    seen = len(done.observed.values)
    facts = [
        ("matrix", f"{rows:,} × {columns:,}"),
        ("observed", f"{seen / subject.cells:.1%}"),
        ("rank", str(done.rank)),
        (f"held-out RMSE{done.scaling.short}", digits(done.heldout_rmse)),
    ]
    # A number means little alone: the best rule that needs no model stands beside it.
    best = best_rule(done)
    if best is not None:
        facts.append(("best simple rule", digits(best[1])))
    verdict = "Nothing speaks against this completion." if done.certificate.trusted else done.certificate.warnings[0]
    makers = (filled, path, spectrum, errors, residuals, outliers, trust, next_steps)
    sections = [section for make in makers if (section := make(subject)) is not None]
    return Page(subject.name, f"{finding(done)}.", verdict, done.certificate.trusted, facts, sections)
