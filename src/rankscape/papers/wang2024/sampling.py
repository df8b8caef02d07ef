"""How entries are drawn decides whether modes are ever forgotten: with replacement, reshuffled, in batches."""

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers.claims import Claim, close
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.elsewhere import Case, Statement, fall, with_others
from rankscape.papers.wang2024.laboratory import RIDGE, SETTINGS, jumps_of, laboratory, leave, ridge_of, trap
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, STYLES

RATES = (0.14, 0.17, 0.20)
# The last batch only without `quick`.
BATCHES, BATCH_RATE = (1, 2, 4, 8), 0.14
# Asked of other problems.
FORGETS = Statement("with replacement: lost", "drawn with replacement, a run loses a mode", chance=True)
NEVER = Statement("reshuffled: none lost", "drawn in reshuffled epochs, no run loses a mode")
FEWER = Statement("same rate: none lost", "batches of 4 at the same rate: no run loses a mode", chance=True)
KEEPS = Statement("4 times the rate: lost", "batches of 4 at 4 times the rate: a run loses a mode", chance=True)


def reshuffling(quick: bool = False, seed: int = 0) -> PaperFigure:
    """Every entry is drawn again within two epochs when epochs are reshuffled: no mode waits long enough to die."""
    lab, seeds, steps = laboratory(seed), range(8 if quick else 24), 300_000 if quick else 1_000_000
    start, m = trap(lab), len(lab.problem.values)
    firsts = {replacement: {rate: _firsts(lab, start, rate, replacement, steps, seeds) for rate in RATES}
              for replacement in (True, False)}
    t, drawn = np.linspace(0, steps, 400), {replacement: _drawn_gaps(m, replacement) for replacement in (True, False)}
    lines = []
    for i, rate in enumerate(RATES):
        share = {how: np.mean(np.array(by[rate])[:, None] > t, axis=0) for how, by in firsts.items()}
        lines.append(Line(t, share[True], f"with replacement, rate {rate}", COLORS[i], 1.8, STYLES[i]))
        lines.append(Line(t[::50], share[False][::50], f"reshuffled, rate {rate}", COLORS[i], 1.0, ":", "os^"[i]))
    parts = [
        Panel("seeds still in the trap", "share of the seeds", "step", lines, bounds=(-0.02, 1.05)),
        _gaps(m, drawn),
    ]
    count = {how: sum(f <= steps for by in each.values() for f in by) for how, each in firsts.items()}
    most = len(seeds) * len(RATES)
    claims = [
        Claim("with replacement: share of the runs that jump", [0.7, 1], count[True] / most, count[True] >= 0.7 * most),
        Claim("reshuffled: jumps", 0, count[False], count[False] == 0),
        Claim("reshuffled: longest gap between two draws of an entry, in epochs", [0, 2], float(drawn[False].max()) / m,
              bool(drawn[False].max() < 2 * m)),
        *[close(f"{'with replacement' if how else 'reshuffled'}: probability of a gap of more than an epoch",
                float(_longer(m, how)[m - 1]), float(np.mean(gaps > m)), 0.0025) for how, gaps in drawn.items()],
    ]
    data = {f"first_jump_{'replacement' if how else 'reshuffled'}": (("rate", "seed"), np.array(list(each.values())))
            for how, each in firsts.items()}
    figure = PaperFigure(
        "reshuffling", "Drawn with replacement, modes are forgotten; drawn in reshuffled epochs, never",
        SETTINGS | {"learning_rates": RATES, "steps": steps, "seeds": len(seeds)},
        parts, xr.Dataset(data, coords={"rate": list(RATES)}), claims, columns=3,
    )
    return with_others(figure, _reshuffled_elsewhere, quick, seed)


def _firsts(lab, start, rate: float, replacement: bool, steps: int, seeds: range) -> list[float]:
    """The step of the first jump of every seed; infinite where there was none."""
    runs = leave(lab, start, rs.SGD(rate, ridge_of(lab, RIDGE), replacement=replacement), steps, seeds, [steps])
    return [float(lane[0][0]) if lane else np.inf for lane in jumps_of(runs)]


def _longer(m: int, replacement: bool) -> np.ndarray:
    """The exact probability of a gap longer than 1, 2, ... draws between two draws of one entry of m."""
    g = np.arange(1, 12 * m)
    if replacement:
        return (1 - 1 / m) ** g
    # Places p, q in two permutations: the gap m - p + q is above g with these probabilities.
    inside = np.clip(g, 0, 2 * m)
    late = 2 * m - inside
    return np.where(g <= m, 1 - inside * (inside + 1) / (2 * m**2), late * (late - 1) / (2 * m**2))


def _gaps(m: int, drawn: dict[bool, np.ndarray]) -> Panel:
    """The exact laws of the gap between two draws of one entry, and gaps in a stream of draws of each kind."""
    lines = []
    for i, (replacement, gaps) in enumerate(drawn.items()):
        name, law = "with replacement" if replacement else "reshuffled", _longer(m, replacement)
        seen = slice(0, None if replacement else 2 * m - 1)
        g = np.arange(1, len(law) + 1) / m
        lines.append(Line(g[seen], law[seen], f"{name}, predicted", COLORS[i], 1.8, STYLES[i]))
        at = np.linspace(0.5, 8.0 if replacement else 1.9, 9)
        share = np.array([np.mean(gaps > x * m) for x in at])
        lines.append(Line(at, np.where(share > 0, share, np.nan), f"{name}, drawn", COLORS[i], 0, "", "os"[i]))
    return Panel("gaps between draws of one entry", "probability of a longer gap", "gap in epochs", lines, log=True,
                 bounds=(1e-5, 1.5), span=(0, 11))


def _drawn_gaps(m: int, replacement: bool, epochs: int = 2000) -> np.ndarray:
    """Gaps between draws of the same entry, over all entries."""
    rng = np.random.default_rng(0)
    stream = (
        rng.integers(m, size=epochs * m) if replacement else np.concatenate([rng.permutation(m) for _ in range(epochs)])
    )
    order = np.argsort(stream, kind="stable")
    same = np.diff(stream[order]) == 0
    return np.diff(order)[same]


def batches(quick: bool = False, seed: int = 0) -> PaperFigure:
    """At a fixed learning rate larger batches forget nothing; growing with the batch, the rate keeps the jumps."""
    lab, sizes = laboratory(seed), BATCHES[: 3 if quick else 4]
    start, ridge = trap(lab), ridge_of(lab, RIDGE)
    steps, replicas = (120_000, 6) if quick else (600_000, 32)

    def wait(rate: float, size: int) -> rs.JumpRate:
        dynamics = rs.SGD(rate, ridge, batch_size=size)
        return rs.estimate_jump_rate(lab.problem, start, dynamics, steps=steps, replicas=replicas, threads=2)

    single = wait(BATCH_RATE, 1)
    found = {
        "fixed": [single, *[wait(BATCH_RATE, b) for b in sizes[1:]]],
        "linear": [single, *[wait(BATCH_RATE * b, b) for b in sizes[1:]]],
    }
    lines = []
    for i, (scaling, rates) in enumerate(found.items()):
        seen = [k for k, rate in enumerate(rates) if rate.jumps]
        label = f"learning rate {BATCH_RATE}" + (" * batch" if scaling == "linear" else "")
        lines.append(Line(np.array(seen), np.array([rates[k].mean for k in seen]), label, COLORS[i], 1.4,
                          STYLES[i], "os"[i]))
        lines += [Line(np.full(2, k), np.array(rates[k].interval), f"{label}, 95 % interval" if k == seen[0] else "",
                       COLORS[i], 1.0) for k in seen]
    never = [k for k, rate in enumerate(found["fixed"]) if not rate.jumps]
    least = np.array([found["fixed"][k].interval[0] for k in never])
    lines.append(Line(np.array(never), least, "no jump seen: mean above", COLORS[0], 0, "", "^"))
    jumped = {scaling: [rate.jumps for rate in rates] for scaling, rates in found.items()}
    ups = sum(rate.up_jumps for rates in found.values() for rate in rates)
    means = [rate.mean for rate in found["linear"]]
    claims = [
        Claim(f"fixed learning rate, batches of {sizes[-1]}: replicas that jump", 0, jumped["fixed"][-1],
              not jumped["fixed"][-1]),
        Claim(f"learning rate times the batch, batches of {sizes[-1]}: share of the replicas that jump", [0.5, 1],
              jumped["linear"][-1] / replicas, jumped["linear"][-1] >= 0.5 * replicas),
        Claim("learning rate times the batch: steps to the jump, largest batch over single entries", [0, 1.5],
              means[-1] / means[0], means[-1] < 1.5 * means[0]),
        Claim("jumps up", 0, ups, ups == 0),
    ]
    data = {f"{name}_{scaling}": ("batch", [float(getattr(rate, name)) for rate in rates])
            for scaling, rates in found.items() for name in ("mean", "jumps", "total")}
    figure = PaperFigure(
        "batches", "Larger batches need larger learning rates to jump",
        SETTINGS | {"learning_rate": BATCH_RATE, "batches": sizes, "replicas": replicas, "longest wait": steps},
        [Panel("mean time to the jump", "steps", "entries in a batch", lines, log=True,
               ticks=[str(b) for b in sizes], span=(-0.3, len(sizes) - 0.7))],
        xr.Dataset(data, coords={"batch": list(sizes)}), claims, columns=2,
    )
    return with_others(figure, _batches_elsewhere, quick, seed)


def _reshuffled_elsewhere(one: Case) -> dict[Statement, bool | None]:
    """The same rate with both ways of drawing."""
    return {FORGETS: fall(one, one.sgd()).fell, NEVER: not fall(one, one.sgd(replacement=False)).fell}


def _batches_elsewhere(one: Case) -> dict[Statement, bool | None]:
    """Batches of 4 at the rate of single entries and at 4 times as much, both a little below the kind's."""
    return {FEWER: not fall(one, one.sgd(0.8, batch_size=4)).fell, KEEPS: fall(one, one.sgd(3.2, batch_size=4)).fell}
