"""How long a jump takes: where one entry holds a mode a model knows it, elsewhere the law of Arrhenius does."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.data import KnownMatrix
from rankscape.errors import InputError, RunFailed
from rankscape.papers.claims import Claim, between, within_factor
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.elsewhere import Case, Statement, with_others
from rankscape.papers.wang2024.laboratory import SETTINGS, laboratory, trap
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, STYLES
from rankscape.theory.escape import holders, mean_exit_time

# One entry that holds the only mode, among entries that hold none: zeros in other rows and columns.
TARGET, IDLE = 2.0, 64
# Learning rates by ridge times m; with `quick` every second.
SINGLE_RATES = {0.5: (0.2, 0.1, 0.07, 0.05), 0.4: (0.2, 0.16, 0.13, 0.1)}

# Singular value below which a mode counts as dead.
LEVEL = 1e-3

# The same for the laboratory problem; the last rate and the last ridge, where jumps are rare, not with `quick`.
RATES = {
    0.45: (0.20, 0.17, 0.155, 0.145, 0.135),
    0.40: (0.20, 0.17, 0.16, 0.15, 0.14),
    0.35: (0.20, 0.185, 0.175, 0.17, 0.165),
}
# So many of them, the largest, are measured first, and predict the others.
KNOWN = 2
# Steps that a replica waits.
MOST = 3_000_000
# And on other problems.
LATEST = 500_000


# Asked of other problems, where the mean of few jumps may be off.
GROWS = Statement("slower at lower rates", "the time grows as the rate falls", chance=True)
TOLD = Statement("third rate is told", "two rates tell a third, lower one within a factor of 2", chance=True)


@dataclass(frozen=True, eq=False)
class Times:
    """Mean times in epochs by learning rate at one ridge: what was seen with its interval, and what was predicted."""

    rates: np.ndarray
    seen: np.ndarray
    low: np.ndarray
    high: np.ndarray
    predicted: np.ndarray
    ups: int
    doubt: str | None = None
    """Why the prediction is not to be trusted."""

    @property
    def slope(self) -> float:
        """Of the logarithm of the time by 1 / learning rate."""
        return float(np.polyfit(1 / self.rates, np.log(self.seen), 1)[0])


def jump_times(quick: bool = False, seed: int = 0) -> PaperFigure:
    """Mean times by learning rate and ridge, on one-entry modes and on the laboratory problem."""
    replicas, shown = (10, slice(4)) if quick else (40, slice(5))
    single = {
        ridge_m: _single(ridge_m, rates[:: 2 if quick else 1], replicas) for ridge_m, rates in SINGLE_RATES.items()
    }
    lab, missing = {}, {}
    for r in list(RATES)[: 2 if quick else 3]:
        try:
            lab[r] = _laboratory(laboratory(seed), r, RATES[r][shown], 96 if quick else 192)
        except (InputError, RunFailed) as error:  # no run jumps, or all blow up
            missing[r] = str(error)
    parts = [_panel("one mode held by one entry", single), _panel("the laboratory problem", lab)]
    data = {}
    for kind, group in (("single", single), ("laboratory", lab)):
        for ridge_m, times in group.items():
            dim = f"learning_rate_{kind}_{ridge_m}"
            names = ("rates", "seen", "low", "high", "predicted")
            data |= {f"{name}_{kind}_{ridge_m}": (dim, getattr(times, name)) for name in names}
    figure = PaperFigure(
        "jump-times", "The mean time to a jump grows like exp(constant / learning rate), steeper for smaller ridges",
        {"one-entry mode": {"target": TARGET, "other entries": IDLE, "learning rates": SINGLE_RATES, "depth": 3},
         "laboratory": SETTINGS, "learning rates": {r: RATES[r] for r in lab},
         "replicas": replicas, "longest wait": MOST, "confidence": 0.95},
        parts, xr.Dataset(data), _claims(single, lab, missing), columns=3,
    )
    return with_others(figure, _elsewhere, quick, seed)


def _single(ridge_m: float, rates: tuple[float, ...], replicas: int) -> Times:
    """The model of the theory: between two draws of its entry the mode only decays."""
    side = int(np.sqrt(IDLE))
    rows, columns = (np.append(0, 1 + place.ravel()) for place in np.indices((side, side)))
    # The other entries share no row or column with the mode: they only make an epoch long.
    problem = rs.Completion(rows, columns, np.append(TARGET, np.zeros(IDLE)), shape=(side + 1, side + 1))
    size = float(rs.theory.landscape.critical_points(TARGET, 3, ridge_m).minimum)
    mode = np.eye(1, side + 1) * size ** (1 / 3)
    start = [mode, mode[:, :1], mode.T]
    found = _estimate(problem, start, ridge_m, rates, replicas)
    held = holders(start, problem.rows, problem.columns, problem.values, ridge_m / len(problem.values), mode=0)
    times = [mean_exit_time(TARGET, 3, ridge_m, rate, level=LEVEL, holders=held) for rate in rates]
    return _times(rates, found, [time.epochs for time in times], next((t.failed for t in times if t.failed), None))


def _laboratory(lab: KnownMatrix, ridge_m: float, rates: tuple[float, ...], replicas: int) -> Times:
    """The third mode of the trap, which several entries hold: the first rates predict the others."""
    start, ridge = trap(lab, ridge_m), float(rs.rates.convert(ridge_m, lab.problem, value="ridge * m"))
    law = rs.jump_law(lab.problem, start, ridge, rates[:KNOWN], steps=MOST, replicas=replicas, seed=10_000,
                      monitor=rs.RankMonitor(off=LEVEL), threads=2)
    found = _estimate(lab.problem, start, ridge_m, rates[KNOWN:], replicas)
    predicted = [law.predict(rate) for rate in rates]
    doubt = next((p.failed for p in predicted[KNOWN:] if p.failed), None)
    return _times(rates, [*law.measured, *found], [p.epochs for p in predicted], doubt)


def _estimate(problem: rs.Completion, start, ridge_m: float, rates, replicas: int) -> list[rs.JumpRate]:
    ridge = float(rs.rates.convert(ridge_m, problem, value="ridge * m"))
    return [
        rs.estimate_jump_rate(problem, start, rs.SGD(rate, ridge), steps=MOST, replicas=replicas,
                              monitor=rs.RankMonitor(off=LEVEL), threads=2)
        for rate in rates
    ]


def _times(
    rates: tuple[float, ...], found: list[rs.JumpRate], predicted: list[float], doubt: str | None = None
) -> Times:
    # Steps in an epoch.
    epoch = found[0].total / found[0].jumps / found[0].epochs if found[0].jumps else 1.0
    low, high = np.array([each.interval for each in found]).T / epoch
    seen = np.array([each.epochs for each in found])
    return Times(np.array(rates), seen, low, high, np.array(predicted), sum(each.up_jumps for each in found),
                 doubt)


def _panel(title: str, group: dict[float, Times]) -> Panel:
    lines = []
    for i, (ridge_m, times) in enumerate(group.items()):
        x = 1 / times.rates
        lines.append(Line(x, times.predicted, f"ridge * m = {ridge_m}, predicted", COLORS[i], 1.4, STYLES[i]))
        lines.append(Line(x, times.seen, f"ridge * m = {ridge_m}, seen", COLORS[i], 0, "", "os^"[i]))
        lines += [Line(np.full(2, a), np.array([b, c]), f"ridge * m = {ridge_m}, 95 % interval" if k == 0 else "",
                       COLORS[i], 1.0, ":") for k, (a, b, c) in enumerate(zip(x, times.low, times.high, strict=True))]
    return Panel(
        title,
        "mean time to the jump in epochs",
        "1 / learning rate",
        lines,
        log=True,
        span=(4.0, float(max((1 / times.rates.min() for times in group.values()), default=7.0)) + 1),
    )


def _claims(single: dict[float, Times], lab: dict[float, Times], missing: dict[float, str]) -> list[Claim]:
    claims = []
    for ridge_m, times in single.items():
        where = f"one-entry mode, ridge * m = {ridge_m}"
        claims += [
            Claim(f"{where}: the model is about it", None, times.doubt, times.doubt is None, "no reason against it"),
            between(f"{where}: time over prediction, geometric mean", (0.6, 1.6), _ratio(times, 0)),
        ]
    for ridge_m, times in lab.items():
        where = f"laboratory, ridge * m = {ridge_m}"
        claims += [
            Claim(f"{where}: the law may extrapolate so far", None, times.doubt, times.doubt is None,
                  "no reason against it"),
            Claim(f"{where}: time by falling learning rate", "grows", times.seen.tolist(),
                  bool(np.all(np.diff(times.seen) > 0))),
            within_factor(f"{where}: times at rates {times.rates[KNOWN:].tolist()}, from those at larger ones",
                          times.predicted[KNOWN:].tolist(), times.seen[KNOWN:].tolist(), 2),
        ]
    claims += [Claim(f"laboratory, ridge * m = {ridge_m}: the law may extrapolate so far", None, why, False,
                     "no reason against it") for ridge_m, why in missing.items()]
    if lab:
        ratio = float(np.exp(np.mean([np.log(_ratio(times, KNOWN)) for times in lab.values()])))
        claims.append(between("laboratory: time over prediction, geometric mean over rates and ridges", (0.6, 1.6),
                              ratio))
    slopes = [times.slope for times in lab.values()]
    claims.append(Claim("laboratory: slope of log time by 1 / learning rate", "grows as the ridge falls", slopes,
                        bool(len(slopes) > 1 and np.all(np.diff(slopes) > 0))))
    ups = sum(times.ups for times in (*single.values(), *lab.values()))
    return [*claims, Claim("jumps up", 0, ups, ups == 0)]


def _ratio(times: Times, first: int) -> float:
    """The geometric mean over the rates from the given one on: times span decades."""
    return float(np.exp(np.mean(np.log(times.seen[first:] / times.predicted[first:]))))


def _elsewhere(one: Case) -> dict[Statement, bool | None]:
    """The law from two rates, and the time at a third, smaller one; nothing where too few runs jump to tell."""
    start, rates = one.stuck.factors, (1.15 * one.rate, one.rate)
    try:
        law = rs.jump_law(one.lab.problem, start, one.ridge, rates, steps=LATEST, replicas=20, seed=10_000, threads=2)
        seen = rs.estimate_jump_rate(one.lab.problem, start, one.sgd(0.9), steps=LATEST, replicas=20, threads=2)
    except (InputError, RunFailed):  # no jump, or no run that does not blow up
        return {GROWS: None, TOLD: None}
    if law.failed or seen.jumps < 8:
        return {GROWS: None, TOLD: None}
    times = [each.epochs for each in law.measured]
    return {GROWS: times[0] < times[1] < seen.epochs, TOLD: 0.5 < law.predict(0.9 * one.rate).epochs / seen.epochs < 2}
