"""The same story on real data: a pulse of the ridge on a photograph, and on ratings when they have been fetched."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers.claims import Claim
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Band, Image, Line, Panel
from rankscape.plot.panels import COLORS

RATINGS = "movielens-100k"
# Of all random choices; pixels that are seen; of what is seen, what is held out.
SEED, SEEN, HELDOUT = 0, 0.5, 0.1
# Singular values below which a mode is dead, and above which it is alive.
OFF, ON = 0.1, 3.0
# What the pulse may cost in held-out error: a picture is not of low rank, and loses a little with its modes.
WORSE = 1.03


@dataclass(frozen=True, eq=False)
class Pulse:
    """SGD through ridges that rise and fall again, on a matrix scaled to mean 0 and variance 1."""

    name: str
    matrix: np.ndarray
    ridges: tuple[float, ...]
    """Ridges times m of the stages."""
    learning_rate: float
    epochs: int
    """Of each stage."""
    width: int = 16
    start: float = 0.4
    """Standard deviation of the entries of the factors at the start."""

    def split(self) -> tuple[rs.Completion, float, float]:
        """The problem with held-out entries, in units of the training entries, and their mean and deviation."""
        plain = rs.Completion.from_array(self.matrix).split(HELDOUT, seed=SEED)
        mean, unit = float(plain.values.mean()), float(plain.values.std())
        return rs.Completion.from_array((self.matrix - mean) / unit).split(HELDOUT, seed=SEED), mean, unit

    def run(self) -> rs.Trajectory:
        """The run, with records at the end of each stage and seven between."""
        problem, _, _ = self.split()
        stage = self.epochs * len(problem.values)
        path = rs.rates.piecewise({k * stage: ridge for k, ridge in enumerate(self.ridges)})
        ridge = rs.rates.convert(path, problem, value="ridge * m")
        steps = stage * len(self.ridges)
        return rs.simulate(
            problem, depth=3, width=self.width, initialization=rs.Gaussian(self.start),
            dynamics=rs.SGD(self.learning_rate, ridge), steps=steps, seed=SEED,
            record=np.linspace(0, steps, 8 * len(self.ridges) + 1).round().astype(int),
            monitor=rs.RankMonitor(off=OFF, on=ON),
        )

    def describe(self) -> dict[str, Any]:
        """The numbers, as JSON."""
        numbers = ("ridges", "learning_rate", "epochs", "width", "start")
        return {"shape": self.matrix.shape} | {name: getattr(self, name) for name in numbers}


def real_data(quick: bool = False) -> PaperFigure:
    """Live modes and held-out error while the ridge rises and falls; dead modes stay dead."""
    picture = rs.data.load("flower").dense()[:: 8 if quick else 4, :: 8 if quick else 4]
    hidden = np.random.default_rng(SEED).random(picture.shape) >= SEEN
    seen = np.where(hidden, np.nan, picture)
    pulses = [Pulse("photograph", seen, (0.03, 0.1, 0.3, 1.0, 2.0, 1.0, 0.3, 0.1, 0.03), 0.02, 60 if quick else 100)]
    fetched = rs.data.available(RATINGS)
    if fetched:
        ratings, top = (_most_rated(100, 150), 12.0) if quick else (_most_rated(300, 400), 20.0)
        pulses.append(Pulse("ratings", ratings, (0.1, 0.3, 1.0, 3.0, top, 3.0, 1.0, 0.3, 0.1), 0.02, 40))
    runs = {pulse.name: pulse.run() for pulse in pulses}
    _, mean, unit = pulses[0].split()
    completed = mean + unit * runs["photograph"].product
    limits = (0.0, float(picture.max()))
    parts: list[Panel | Image] = [Image("seen", seen, limits), Image("completed, at the end", completed, limits)]
    for pulse in pulses:
        parts += _panels(pulse, runs[pulse.name])
    settings = {pulse.name: pulse.describe() for pulse in pulses} | {
        "seed": SEED, "share of pixels seen": SEEN, "share held out": HELDOUT, "off": OFF, "on": ON,
        "ratings": "the people and films with most ratings" if fetched else
                   f"left out: not fetched (rankscape data fetch {RATINGS})",
    }
    title = "Real data: the ridge rises and falls again, and the modes that died do not come back"
    claims = [claim for pulse in pulses for claim in _claims(pulse, runs[pulse.name])]
    return PaperFigure("real-data", title if fetched else f"{title} (photograph alone: ratings not fetched)", settings,
                       parts, _data(runs), claims, columns=2)


def _most_rated(people: int, films: int) -> np.ndarray:
    """The ratings of the people and films that have most of them; NaN where there is none."""
    matrix = rs.data.load(RATINGS).dense()
    known = ~np.isnan(matrix)
    # Films first: people are then counted by ratings of films that are kept.
    films_kept = np.sort(np.argsort(-known.sum(0), kind="stable")[:films])
    people_kept = np.sort(np.argsort(-known[:, films_kept].sum(1), kind="stable")[:people])
    return matrix[np.ix_(people_kept, films_kept)]


def _panels(pulse: Pulse, run: rs.Trajectory) -> list[Panel]:
    stages = len(pulse.ridges)
    at = run.step.values / run.step.values[-1] * stages
    bands = [Band(k, k + 1, f"{ridge_m:g}") for k, ridge_m in enumerate(pulse.ridges)]
    errors = {"held out": run.heldout_loss.values, "training": run.loss.values}
    rmse = [Line(at[1:], np.sqrt(2 * loss[1:]), name, COLORS[i], 1.8, ("-", "--")[i])
            for i, (name, loss) in enumerate(errors.items())]
    xlabel, span = f"stage of {pulse.epochs} epochs", (0, stages)
    alive = [Line(at, run.alive_modes.values, "SGD", COLORS[0], 1.8, steps=True)]
    top = float(run.alive_modes.max())
    return [
        Panel(f"{pulse.name}: live modes", "live modes", xlabel, alive, whole=True, bands=bands, span=span,
              shaded="ridge * m", bounds=(0, 1.25 * top)),
        Panel(f"{pulse.name}: error", "rms error over deviation", xlabel, rmse, bands=bands, span=span,
              shaded="ridge * m", bounds=(0, 1.3 * float(np.nanmax(rmse[0].y)))),
    ]


def _claims(pulse: Pulse, run: rs.Trajectory) -> list[Claim]:
    ends = np.arange(8, 8 * len(pulse.ridges) + 1, 8)
    alive, heldout = run.alive_modes.values[ends], run.heldout_loss.values[ends]
    top = int(np.argmax(pulse.ridges))
    # In the first stage modes come alive out of the random start.
    ups = run.jumps.values[(run.jumps.values[:, 0] > run.step.values[ends[0]])]
    rises = int(np.sum(ups[:, 2] > ups[:, 1]))
    best = float(np.sqrt(2 * heldout.min()))
    return [
        Claim(f"{pulse.name}: modes that come alive after the first stage", 0, rises, rises == 0),
        Claim(f"{pulse.name}: live modes at the smallest ridge, before and after the pulse", "fewer",
              [int(alive[0]), int(alive[-1])], bool(0 < alive[-1] < alive[0])),
        Claim(f"{pulse.name}: live modes at the top of the pulse and at the end", "the same",
              [int(alive[top]), int(alive[-1])], bool(alive[top] == alive[-1])),
        Claim(f"{pulse.name}: least held-out error, relative to that of the mean", [0, 1], best, best < 1),
        Claim(f"{pulse.name}: held-out error at the smallest ridge after the pulse, over that before", [0, WORSE],
              float(np.sqrt(heldout[-1] / heldout[0])), bool(heldout[-1] < WORSE**2 * heldout[0])),
    ]


def _data(runs: dict[str, rs.Trajectory]) -> xr.Dataset:
    kept = {}
    for name, run in runs.items():
        for variable in ("loss", "heldout_loss", "alive_modes"):
            kept[f"{variable}_{name}"] = (f"step_{name}", run.dataset[variable].values)
    return xr.Dataset(kept, coords={f"step_{name}": run.step.values for name, run in runs.items()})
