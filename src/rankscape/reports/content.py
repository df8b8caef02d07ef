"""What the page says, as data: sections that hold sentences, tables and panels."""

from dataclasses import dataclass, field, replace

import numpy as np

from rankscape.estimators.completion.search.tails import HEAVY
from rankscape.estimators.completion.trust.cautions import NEAR_LIMIT, UNSEEN, WORDS
from rankscape.plot import Image, Line, Panel, completion_images, trajectory_panels
from rankscape.plot.panels import COLORS
from rankscape.reports.residuals import residual_panels, root_mean_square, safe_std, worst
from rankscape.reports.subject import Subject
from rankscape.reports.words import advice, best_rule, comparison, count, digits, finding, noise_margin

# Singular values that are drawn.
SHOWN = 60

# Most columns whose errors are listed one by one.
COLUMNS = 40

# Entries that look wrong which are listed.
LISTED = 10

# Directions that are described, and labels at each end of one.
ENDS = 3


@dataclass(frozen=True)
class Table:
    """A header and rows of text; `bars` are shares of the width, one a row, drawn behind the last column."""

    header: list[str]
    rows: list[list[str]]
    bars: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Section:
    """A finding as a heading, and what it rests on."""

    heading: str
    text: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    figures: list[Panel] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


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
    makers = (_filled, _path, _spectrum, _errors, _residuals, _outliers, _trust, _next)
    sections = [section for make in makers if (section := make(subject)) is not None]
    return Page(subject.name, f"{finding(done)}.", verdict, done.certificate.trusted, facts, sections)


def _filled(subject: Subject) -> Section:
    done = subject.completed
    seen = len(done.observed.values)
    missing = subject.cells - seen
    text = [
        f"The matrix has {count(subject.cells, 'entry')}; {seen:,} were given."
        + (" Given entries keep their values." if missing else " The model is a smoothed copy of them.")
    ]
    heading = f"{count(missing, 'missing entry')} {'was' if missing == 1 else 'were'} filled in" if missing else (
        "No entry was missing"
    )  # fmt: skip
    return Section(heading, text, images=_images(subject), tables=_directions(subject))


def _images(subject: Subject) -> list[Image]:
    if not subject.image:
        return []
    done, hidden = subject.completed, subject.hidden
    truth = None if hidden is None else done.observed.merge(hidden).dense()
    return completion_images(done.observed.dense(), done.matrix, truth)


def _directions(subject: Subject) -> list[Table]:
    """What the first directions tell apart, where the columns have names."""
    done = subject.completed
    if subject.column_labels is None or not done.rank or subject.image:
        return []
    # Columns with no more entries than the rank have guessed directions: they are not described.
    known = np.flatnonzero(subject.counts()[1] > done.rank)
    if len(known) < 2 * ENDS:
        return []
    rows = []
    for k in range(min(ENDS, done.rank)):
        order = known[np.argsort(done.modes.V[known, k], kind="stable")]
        ends = [", ".join(subject.column(j) for j in part) for part in (order[:ENDS], order[: -ENDS - 1 : -1])]
        rows.append([str(k + 1), digits(done.singular_values[k]), *ends])
    return [Table(["direction", "singular value", "columns at one end", "columns at the other end"], rows)]


def _path(subject: Subject) -> Section:
    done, path = subject.completed, subject.completed.path
    if not path.sizes["step"]:
        return Section("No path was walked", [done.reason])
    ranks = path["rank"]
    chosen = int(ranks[path.step == path.attrs["chosen"]].item())
    heading = f"On a path through the ranks {ranks.min()} to {ranks.max()}, rank {chosen} was chosen"
    text = [done.reason]
    # The choice was made on a part of the entries; the last fit saw all, and may keep another rank.
    if chosen != done.rank:
        text.append(f"All entries together, the held-out ones included, hold up rank {done.rank}.")
    if done.rank:
        text.append(done.how)
    references = {WORDS[name]: error for name, error in done.certificate.baselines.items()}
    panels = trajectory_panels(done.trajectory, references)
    return Section(heading, text, figures=[_visible(panel) for panel in panels])


def _visible(panel: Panel) -> Panel:
    """The ends of the colour map vanish on black or on white."""
    lift = lambda color: 0.3 + 0.45 * color if isinstance(color, float) else color
    return replace(panel, lines=[replace(line, color=lift(line.color)) for line in panel.lines])


def _spectrum(subject: Subject) -> Section | None:
    done = subject.completed
    if not done.rank:
        return None
    s = done.singular_values
    share = np.cumsum((s / s[0]) ** 2)
    most = int(np.searchsorted(share, 0.9 * share[-1])) + 1
    gap = done.certificate.spectral_gap
    what = "direction carries" if most == 1 else f"{most} directions carry"
    text = [f"The first {what} at least 90% of the model's squared size; the last singular value is {digits(s[-1])}."]
    references = []
    if np.isfinite(gap) and gap > 0:
        references = [(float(s[-1] / gap), "what noise alone would show")]
        heading = noise_margin(done)
    elif done.certificate.exact:
        heading = f"Rank {done.rank} leaves nothing over"
    else:
        heading = f"The singular values run from {digits(s[0])} to {digits(s[-1])}"
    line = Line(np.arange(1, 1 + len(s))[:SHOWN], s[:SHOWN], "", COLORS[0], marker="o")
    # One point has no axis of its own.
    span = None if len(s) > 1 else (0.0, 2.0)
    panel = Panel(
        "Spectrum of the model", "singular value", "direction", [line], log=True, references=references, span=span
    )
    return Section(heading, text, figures=[panel])


def _errors(subject: Subject) -> Section:
    done, hidden = subject.completed, subject.hidden_rmse()
    errors = [] if done.heldout_rmse is None else [("this model", done.heldout_rmse)]
    errors += [(WORDS[name], error) for name, error in done.certificate.baselines.items()]
    errors.sort(key=lambda pair: pair[1])
    units = "" if done.scaling.uniform else f", in {done.units}"
    text = (
        [f"Root mean square errors on entries that were held out while the rank was chosen{units}."] if errors else []
    )
    if hidden is not None and subject.hidden is not None:
        text.append(
            f"On {count(len(subject.hidden.values), 'entry')} that were hidden from everything, the final model has an "
            f"RMSE of {digits(hidden)}{done.scaling.suffix}."
        )
    largest = max((error for _, error in errors), default=0.0) or 1.0
    told = [[name, digits(error)] for name, error in errors]
    table = Table(["prediction", f"RMSE{done.scaling.short}"], told, [error / largest for _, error in errors])
    return Section(comparison(done), text, tables=[table, *_column_errors(subject)] if errors else [])


def _column_errors(subject: Subject) -> list[Table]:
    """Of a table with few columns each one's error beside its spread, both in its own units."""
    done, errors = subject.completed, subject.completed.column_errors
    if subject.image or len(errors) > COLUMNS or np.isnan(errors).all():
        return []
    seen = done.observed
    spread = [safe_std(seen.values[seen.columns == j]) for j in range(len(errors))]
    rows, shares = [], []
    for j, (error, size) in enumerate(zip(errors, spread, strict=True)):
        share = error / size if size > 0 else np.nan
        held = "none held out" if np.isnan(error) else digits(error)
        rows.append([subject.column(j), held, digits(size), "-" if np.isnan(share) else digits(share)])
        shares.append(float(np.clip(np.nan_to_num(share), 0, 1)))
    return [Table(["column", "RMSE in its units", "its spread (sd)", "RMSE over spread"], rows, shares)]


def _residuals(subject: Subject) -> Section:
    done, hidden = subject.completed, subject.hidden
    # Residuals on what was fitted flatter; hidden entries do not, where there are some.
    judged = hidden if hidden is not None and len(hidden.values) else done.observed
    predicted = done.predict(judged.rows, judged.columns, by="positions")
    residual = (judged.values - predicted) / done.scaling.deviation(judged.rows, judged.columns)
    which = "the observed entries, which the model was fitted to" if judged is done.observed else (
        "the entries that were hidden from everything"
    )  # fmt: skip
    largest, size = float(np.abs(residual).max()), done.scaling.unit
    if largest <= 1e-8 * size:
        return Section("Nothing is left over", [f"The largest residual on {which} is {digits(largest)}."])
    rms = root_mean_square(residual)
    units = "" if done.scaling.uniform else f", in {done.units}"
    text = [f"Value minus prediction on {which}{units}; {count(len(residual), 'entry')}."]
    rows = [[f"row {subject.row(i)}", digits(error)] for i, error in worst(judged.rows, residual, done.shape[0])]
    rows += [
        [f"column {subject.column(j)}", digits(error)] for j, error in worst(judged.columns, residual, done.shape[1])
    ]
    tables = [Table(["fits worst", "RMS residual"], rows)] if rows and not subject.image else []
    heading = f"What is left over has a root mean square of {digits(rms)}{done.scaling.suffix}"
    return Section(heading, text, figures=residual_panels(predicted, residual), tables=tables)


def _outliers(subject: Subject) -> Section | None:
    found = subject.completed.outliers
    if not len(found):
        return None
    rows = [
        [subject.row(i), subject.column(j), digits(value), digits(fitted), digits(far)]
        for i, j, value, fitted, far in zip(
            found.rows[:LISTED], found.columns, found.values, found.fitted, found.deviations, strict=False
        )
    ]
    heading = f"{count(len(found), 'entry')} look{'s' if len(found) == 1 else ''} wrong"
    text = ["Given values that are far from the model; the completed matrix keeps them all the same."]
    return Section(heading, text, tables=[Table(["row", "column", "given", "model", "off by (noise sd)"], rows)])


def _trust(subject: Subject) -> Section:
    certificate = subject.completed.certificate
    reasons = certificate.warnings
    heading = "Nothing speaks against this completion" if not reasons else (
        f"{count(len(reasons), 'reason')} for caution"
    )  # fmt: skip
    gap = certificate.spectral_gap
    thin = f"{digits(certificate.needed)} or fewer leave its missing entries open"
    rows = [
        [
            "entries per free parameter",
            digits(certificate.oversampling),
            f"below {NEAR_LIMIT} another matrix may fit as well",
        ],
        ["fewest entries in a row", f"{certificate.smallest_row:,}", thin],
        ["fewest entries in a column", f"{certificate.smallest_column:,}", thin],
        [
            "rows, columns left open",
            f"{certificate.thin_rows:,}, {certificate.thin_columns:,}",
            "their values are guesses",
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


def _next(subject: Subject) -> Section:
    steps = advice(subject.completed)
    heading = "The filled values can be used" if subject.completed.certificate.trusted else "What would help"
    return Section(heading, points=steps)
