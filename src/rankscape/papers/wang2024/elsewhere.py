"""The same questions on other problems: several kinds, several of each, and how often each answer is the one claimed.

Three kinds are planted, with traps built in; the fourth is a generic matrix in so much noise that gradient descent fits
it with modes that the truth does not have: nobody built that trap.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

import rankscape as rs
from rankscape.data import KnownMatrix
from rankscape.papers.claims import Claim
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.laboratory import RATE, RIDGE, WIDTH, laboratory, leave
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS
from rankscape.solvers.descent.relaxation import Relaxed, relax

# Standard deviation of the noise where the entries of the truth have one of 1.
NOISE = 0.8
# Sizes of random starts, where a problem has no decoy to start from.
SIZES = (0.3, 0.6, 1.0)
# Problems of each kind; the share of all problems for which a statement about chance must hold.
FEW, MANY, MOST = 1, 4, 0.5


@dataclass(frozen=True)
class Kind:
    """How problems of a kind are drawn, and a ridge times m and a learning rate at which their modes are lost."""

    make: Callable[[int], KnownMatrix]
    ridge_m: float
    rate: float


@dataclass(frozen=True, eq=False)
class Case:
    """One problem, and the minimum where gradient descent is stuck on it."""

    lab: KnownMatrix
    ridge: float
    rate: float
    stuck: Relaxed

    @property
    def ridge_m(self) -> float:
        """The ridge times the number of observed entries."""
        return self.ridge * len(self.lab.problem.values)

    def sgd(self, share: float = 1.0, **options: int | bool) -> rs.SGD:
        """SGD with the kind's ridge and this share of its learning rate."""
        return rs.SGD(share * self.rate, self.ridge, **options)  # pyright: ignore[reportArgumentType]


def noisy(seed: int) -> KnownMatrix:
    """A Gaussian matrix of rank 2, three times as many entries as degrees of freedom, each with noise."""
    lab = rs.data.gaussian(24, 2, 3.0, seed)
    seen, rng = lab.problem, np.random.default_rng([seed, 1])
    values = seen.values + NOISE * rng.normal(size=len(seen.values))
    return replace(lab, problem=rs.Completion(seen.rows, seen.columns, values, shape=seen.shape))


KINDS: dict[str, Kind] = {
    "planted rank 2": Kind(laboratory, RIDGE, RATE),
    "planted rank 3": Kind(lambda seed: rs.data.planted(n=30, rank=3, seed=seed), RIDGE, RATE),
    "planted strong": Kind(lambda seed: rs.data.planted(z=10.0, eps=0.28, beta=0.65, seed=seed), 0.3, 0.2),
    "generic noise": Kind(noisy, 1.8, 0.1),
}


@lru_cache(maxsize=32)
def case(kind: str, seed: int) -> Case:
    """A problem of a kind, and where gradient descent is stuck on it: from the decoy, else from random starts."""
    known = KINDS[kind]
    lab, rng = known.make(seed), np.random.default_rng(seed)
    ridge, n = known.ridge_m / len(lab.problem.values), len(lab.matrix)
    starts = [lab.start(width=WIDTH)] if lab.decoy is not None else [
        [size * rng.normal(size=shape) for shape in ((WIDTH, n), (WIDTH, WIDTH), (n, WIDTH))] for size in SIZES
    ]
    ends = [relax(lab.problem, start, ridge) for start in starts]
    return Case(lab, ridge, known.rate, max(ends, key=lambda end: end.rank))


@dataclass(frozen=True, eq=False)
class Fallen:
    """Runs of SGD from where gradient descent is stuck, without those that diverged."""

    down: np.ndarray
    up: int
    lowest: list[np.ndarray] | None
    """The factors of the run that fell lowest; None where none fell."""

    @property
    def fell(self) -> bool:
        """Whether any run lost a mode."""
        return bool(self.down.max(initial=0) > 0)


# Runs of SGD on each problem and their steps, where a figure does not say otherwise.
RUNS, STEPS = 4, 300_000


def fall(one: Case, dynamics: rs.SGD, steps: int = STEPS) -> Fallen:
    """Let SGD run from where gradient descent is stuck."""
    runs = leave(one.lab, one.stuck.factors, dynamics, steps, range(RUNS), [steps])
    held = [k for k, end in enumerate(runs.outcome) if end != rs.Outcome.DIVERGED]
    down, up = (np.atleast_1d(runs.dataset[name].values)[held] for name in ("down_jumps", "up_jumps"))
    lowest = runs.select(held[int(np.argmax(down - up))]).factors if down.max(initial=0) > 0 else None
    return Fallen(down, int(up.sum()), lowest)


class Statement(NamedTuple):
    """What a figure asks of every problem: a few words for the legend, and a sentence for the claim."""

    short: str
    said: str
    chance: bool = False
    """Whether it may fail on some problems, by chance or by their kind."""


# Whether each statement holds about a problem; None where there was nothing to ask.
Ask = Callable[[Case], Mapping[Statement, bool | None]]


def with_others(figure: PaperFigure, ask: Ask, quick: bool, seed: int) -> PaperFigure:
    """The figure with a panel and claims about problems of every kind."""
    seeds = range(seed, seed + (FEW if quick else MANY))
    answers = {kind: [ask(case(kind, k)) for k in seeds] for kind in KINDS}
    names = list(dict.fromkeys(name for each in answers.values() for one in each for name in one))
    held = {name: [[answer for one in each if (answer := one.get(name)) is not None] for each in answers.values()]
            for name in names}
    share = {name: np.array([np.mean(each) if each else np.nan for each in by]) for name, by in held.items()}
    return replace(
        figure,
        settings={**figure.settings, "other problems": {name: [kind.ridge_m, kind.rate] for name, kind in
                                                        KINDS.items()}, "seeds of other problems": list(seeds)},
        parts=[*figure.parts, _panel(share, len(seeds))],
        data=figure.data.assign({f"elsewhere_{i}": ("kind", values, {"long_name": name.said}) for i, (name, values)
                                 in enumerate(share.items())}).assign_coords(kind=list(KINDS)),
        claims=[*figure.claims, *[_claim(name, by) for name, by in held.items()]],
        columns=2 if len(figure.parts) == 3 else figure.columns,  # four panels in a square
    )


def _panel(share: dict[Statement, np.ndarray], count: int) -> Panel:
    aside = 0.16 * (np.arange(len(share)) - (len(share) - 1) / 2)  # side by side: most hold for all
    lines = [Line(np.arange(len(KINDS)) + aside[i], values, name.short, COLORS[i], 0, "", "os^v"[i], size=7)
             for i, (name, values) in enumerate(share.items())]
    silent = any(np.isnan(values).any() for values in share.values())
    title = f"other problems, {count} of each kind" + ("; no mark: no jump" if silent else "")
    return Panel(title, "share that holds", "kind of problem", lines,
                 ticks=["rank 2", "rank 3", "strong", "noise"], bounds=(-0.05, 1.08), span=(-0.5, len(KINDS) - 0.5))


def _claim(name: Statement, by_kind: list[list[bool]]) -> Claim:
    """Statements of chance hold for half of the problems at least, others for all about which something can be said."""
    held, asked = sum(map(sum, by_kind)), sum(map(len, by_kind))
    shares = [f"{kind}: {sum(each)} of {len(each)}" for kind, each in zip(KINDS, by_kind, strict=True)]
    holds = asked > 0 and held >= (MOST if name.chance else 1.0) * asked
    return Claim(f"other problems: {name.said}", "yes", shares, holds,
                 f"{MOST:g} of all problems or more" if name.chance else "every problem", (held, asked))
