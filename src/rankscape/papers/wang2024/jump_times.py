"""How long a jump takes: where one entry holds a mode theory knows it, elsewhere it knows the trend."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers.claims import Claim, between
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.laboratory import SETTINGS, laboratory, trap
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, STYLES
from rankscape.theory.escape import mean_exit_time, supporting_target

# One entry that holds the only mode, among entries that hold none: zeros in other rows and columns.
TARGET, IDLE = 2.0, 64
# Learning rates by ridge times m; with `quick` every second.
SINGLE_RATES = {0.5: (0.2, 0.1, 0.07, 0.05), 0.4: (0.2, 0.16, 0.13, 0.1)}

# Singular value below which a mode counts as dead.
LEVEL = 1e-3

# The same for the laboratory problem; the last rates and the last ridge, where jumps are rare, not with `quick`.
RATES = {0.45: (0.17, 0.11, 0.08, 0.07), 0.40: (0.20, 0.17, 0.14, 0.12), 0.35: (0.20, 0.19, 0.18, 0.17)}
# Steps that a replica waits.
MOST = 3_000_000


@dataclass(frozen=True, eq=False)
class Times:
    """Mean times in epochs by learning rate at one ridge: what was seen with its interval, and what was predicted."""

    rates: np.ndarray
    seen: np.ndarray
    low: np.ndarray
    high: np.ndarray
    predicted: np.ndarray
    ups: int

    @property
    def slope(self) -> float:
        """Of the logarithm of the time by 1 / learning rate."""
        return float(np.polyfit(1 / self.rates, np.log(self.seen), 1)[0])

    @property
    def misfit(self) -> float:
        """The largest distance of a logarithm of the time from a straight line in 1 / learning rate."""
        x, y = 1 / self.rates, np.log(self.seen)
        return float(np.max(np.abs(y - np.polyval(np.polyfit(x, y, 1), x))))


def jump_times(quick: bool = False) -> PaperFigure:
    """Mean times by learning rate and ridge, on one-entry modes and on the laboratory problem."""
    replicas, shown = (10, slice(3)) if quick else (40, slice(4))
    single = {
        ridge_m: _single(ridge_m, rates[:: 2 if quick else 1], replicas) for ridge_m, rates in SINGLE_RATES.items()
    }
    lab = {r: _laboratory(r, RATES[r][shown], replicas) for r in list(RATES)[: 2 if quick else 3]}
    parts = [_panel("one mode held by one entry", single), _panel("the laboratory problem", lab)]
    data = {}
    for kind, group in (("single", single), ("laboratory", lab)):
        for ridge_m, times in group.items():
            dim = f"learning_rate_{kind}_{ridge_m}"
            names = ("rates", "seen", "low", "high", "predicted")
            data |= {f"{name}_{kind}_{ridge_m}": (dim, getattr(times, name)) for name in names}
    return PaperFigure(
        "jump-times", "The mean time to a jump grows like exp(constant / learning rate), steeper for smaller ridges",
        {"one-entry mode": {"target": TARGET, "other entries": IDLE, "learning rates": SINGLE_RATES, "depth": 3},
         "laboratory": SETTINGS, "learning rates": {r: RATES[r] for r in lab},
         "replicas": replicas, "longest wait": MOST, "confidence": 0.95},
        parts, xr.Dataset(data), _claims(single, lab), columns=2,
    )


def _single(ridge_m: float, rates: tuple[float, ...], replicas: int) -> Times:
    """The model of the theory: between two draws of its entry the mode only decays."""
    side = int(np.sqrt(IDLE))
    rows, columns = (np.append(0, 1 + place.ravel()) for place in np.indices((side, side)))
    # The other entries share no row or column with the mode: they only make an epoch long.
    problem = rs.Completion(rows, columns, np.append(TARGET, np.zeros(IDLE)), shape=(side + 1, side + 1))
    size = float(rs.theory.landscape.critical_points(TARGET, 3, ridge_m).minimum)
    mode = np.eye(1, side + 1) * size ** (1 / 3)
    found = _estimate(problem, [mode, mode[:, :1], mode.T], ridge_m, rates, replicas)
    predicted = [mean_exit_time(TARGET, 3, ridge_m, rate, level=LEVEL).epochs for rate in rates]
    return _times(rates, found, predicted)


def _laboratory(ridge_m: float, rates: tuple[float, ...], replicas: int) -> Times:
    """The third mode of the trap, taken as if one entry held it."""
    lab = laboratory()
    start = trap(lab, ridge_m)
    target = supporting_target(float(np.linalg.svd(rs.product(start))[1][2]), 3, ridge_m)
    found = _estimate(lab.problem, start, ridge_m, rates, replicas)
    return _times(rates, found, [mean_exit_time(target, 3, ridge_m, rate, level=LEVEL).epochs for rate in rates])


def _estimate(problem: rs.Completion, start, ridge_m: float, rates, replicas: int) -> list[rs.JumpRate]:
    ridge = float(rs.rates.convert(ridge_m, problem, value="ridge * m"))
    return [
        rs.estimate_jump_rate(problem, start, rs.SGD(rate, ridge), steps=MOST, replicas=replicas,
                              monitor=rs.RankMonitor(off=LEVEL), threads=2)
        for rate in rates
    ]


def _times(rates: tuple[float, ...], found: list[rs.JumpRate], predicted: list[float]) -> Times:
    # Steps in an epoch.
    epoch = found[0].mean / found[0].epochs
    low, high = np.array([each.interval for each in found]).T / epoch
    seen = np.array([each.epochs for each in found])
    return Times(np.array(rates), seen, low, high, np.array(predicted), sum(each.up_jumps for each in found))


def _panel(title: str, group: dict[float, Times]) -> Panel:
    lines = []
    for i, (ridge_m, times) in enumerate(group.items()):
        x = 1 / times.rates
        lines.append(Line(x, times.predicted, f"ridge * m = {ridge_m}, predicted", COLORS[i], 1.4, STYLES[i]))
        lines.append(Line(x, times.seen, f"ridge * m = {ridge_m}, seen", COLORS[i], 0, "", "os^"[i]))
        lines += [Line(np.full(2, a), np.array([b, c]), "", COLORS[i], 1.0)
                  for a, b, c in zip(x, times.low, times.high, strict=True)]
    return Panel(
        title,
        "mean time to the jump in epochs",
        "1 / learning rate",
        lines,
        log=True,
        span=(4.0, float(max(1 / times.rates.min() for times in group.values())) + 1),
    )


def _claims(single: dict[float, Times], lab: dict[float, Times]) -> list[Claim]:
    claims = []
    for ridge_m, times in single.items():
        # The geometric mean over the rates: times span decades.
        ratio = float(np.exp(np.mean(np.log(times.seen / times.predicted))))
        claims.append(between(f"one-entry mode, ridge * m = {ridge_m}: time over prediction", (0.6, 1.6), ratio))
    for ridge_m, times in lab.items():
        where = f"laboratory, ridge * m = {ridge_m}"
        decades = np.abs(np.log10(times.seen / times.predicted)).max()
        claims += [
            Claim(f"{where}: time by falling learning rate", "grows", times.seen.tolist(),
                  bool(np.all(np.diff(times.seen) > 0))),
            Claim(f"{where}: distance of log time from a line in 1 / learning rate", [0, 0.7], times.misfit,
                  times.misfit < 0.7),
            Claim(f"{where}: decades between prediction (one entry) and time (several)", [0, 1.5], float(decades),
                  bool(decades < 1.5)),
        ]
    slopes = [times.slope for times in lab.values()]
    claims.append(Claim("laboratory: slope of log time by 1 / learning rate", "grows as the ridge falls", slopes,
                        bool(np.all(np.diff(slopes) > 0))))
    ups = sum(times.ups for times in (*single.values(), *lab.values()))
    return [*claims, Claim("jumps up", 0, ups, ups == 0)]
