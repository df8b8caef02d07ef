"""Sections about the model: what was filled in, how the rank was chosen, and the spectrum."""

from dataclasses import replace

import numpy as np

from rankscape.estimators.completion.trust.cautions import WORDS
from rankscape.plot import Image, Line, Panel, completion_images, trajectory_panels
from rankscape.plot.panels import COLORS
from rankscape.reports.sections import Section, Table
from rankscape.reports.subject import Subject
from rankscape.reports.words import count, digits, noise_margin

# Singular values that are drawn.
SHOWN = 60

# Directions that are described, and labels at each end of one.
ENDS = 3


def filled(subject: Subject) -> Section:
    """How much was filled in, and how that looks."""
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


def path(subject: Subject) -> Section:
    """The ranks that were tried, and why this one."""
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


def spectrum(subject: Subject) -> Section | None:
    """The singular values, and how far the last one is above noise."""
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
