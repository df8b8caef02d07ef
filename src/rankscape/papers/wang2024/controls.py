"""Other ways down, and other noises: what keeps a low rank, and what loses it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers.claims import Claim
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.elsewhere import Case, Statement, with_others
from rankscape.papers.wang2024.laboratory import (
    RATE,
    RIDGE,
    SETTINGS,
    bottom,
    laboratory,
    rank_after,
    ridge_of,
    trap,
)
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, INK
from rankscape.solvers.descent.relaxation import relax

# Ridges times m, one after another, each with gradient descent to its minimum.
PULSE = (0.4, 0.45, 0.5, 0.6, 0.4, 0.1, 0.03, 0.01, 0.003, 0.001)
# Noise on the weights of the minimum of rank 2 at the start; Adam's learning rate; noise on the weights each step.
AWAKE, ADAM_RATE, NOISE, SEED = 1e-3, 3e-3, 1e-2, 0
# Asked of other problems.
WORKS = Statement("pulse: a mode lost", "a pulse of the ridge: gradient descent loses a mode", chance=True)
FALLING = Statement("rank never rises", "in the pulse, and back again, the rank never rises")
# Of the dynamics, in order.
STYLES, MARKERS = ("-", "--", "-.", "-", ":"), ("", "", "", ".", "")
# Dynamics that are claimed to lose rank 2; the others keep it.
LOSE = ("AdamW, decay 2 * ridge", "gradient descent, isotropic noise")


def controls(quick: bool = False, seed: int = 0) -> PaperFigure:
    """A pulse of the ridge takes gradient descent down; isotropic noise and AdamW bring dead modes back."""
    lab, steps = laboratory(seed), 4_000 if quick else 40_000
    rng, record = np.random.default_rng(SEED), rs.LogSpaced(40)
    start = [W + AWAKE * rng.normal(size=W.shape) for W in bottom(lab)]
    runs = {
        name: rs.simulate(lab.problem, initialization=rs.Factors(start), dynamics=dynamics, steps=steps, record=record)
        for name, dynamics in _rules(ridge_of(lab, RIDGE)).items()
    }
    kept = {name: rank_after(lab, run.factors) for name, run in runs.items() if name not in LOSE}
    pulse = _pulse(lab)
    lines = [
        Line(
            run.step.values[1:],
            run.singular_values.values[1:, 2],
            name,
            (*COLORS, INK)[i],
            1.8,
            STYLES[i],
            MARKERS[i],
        )
        for i, (name, run) in enumerate(runs.items())
    ]
    parts = [
        Panel("from the minimum of rank 2", "third singular value of W", "step", lines, log=True, log_x=True,
              span=(1, steps), bounds=(1e-12, 20)),
        *_pulse_panels(pulse),
    ]
    rank, error, third = np.array(pulse).T
    data = {f"third_{name.split(',')[0].replace(' ', '_')}": ("step", run.singular_values.values[:, 2])
            for name, run in runs.items()}
    data |= {"pulse_rank": ("stage", rank), "pulse_test_error": ("stage", error), "pulse_third": ("stage", third)}
    figure = PaperFigure(
        "controls", "A pulse of the ridge works as well; isotropic noise and AdamW lose the one-way property",
        SETTINGS | {"learning_rate": RATE, "steps": steps, "noise at the start": AWAKE,
                    "Adam's learning rate": ADAM_RATE, "isotropic noise": NOISE, "pulse": PULSE, "seed": SEED},
        parts, xr.Dataset(data, coords={"step": record.steps(steps)}), _claims(runs, kept, pulse),
    )
    return with_others(figure, _elsewhere, quick, seed)


def _rules(ridge: float) -> dict[str, Any]:
    """The dynamics, by name; Adam's ridge is in the loss, that of AdamW is not."""
    import optax

    return {
        "gradient descent": rs.GradientDescent(RATE, ridge),
        "SGD": rs.SGD(RATE, ridge),
        "Adam, ridge in the loss": rs.Optimizer(optax.adam(ADAM_RATE), ridge),
        "AdamW, decay 2 * ridge": rs.Optimizer(optax.adamw(ADAM_RATE, weight_decay=2 * ridge)),
        "gradient descent, isotropic noise": rs.Optimizer(_noisy_descent(RATE, NOISE, SEED), ridge),
    }


def _noisy_descent(learning_rate: float, scale: float, seed: int) -> Any:
    """Gradient descent with independent normal numbers added to all weights each step."""
    import jax
    import jax.numpy as jnp
    import optax

    def update(gradients, count, params=None):
        del params
        leaves, tree = jax.tree.flatten(gradients)
        keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), count), len(leaves))
        moves = [
            scale * jax.random.normal(key, g.shape, g.dtype) - learning_rate * g
            for key, g in zip(keys, leaves, strict=True)
        ]
        return jax.tree.unflatten(tree, moves), count + 1

    return optax.GradientTransformation(lambda params: jnp.zeros([], jnp.int32), update)  # pyright: ignore[reportArgumentType]


def _pulse(lab) -> list[tuple[int, float, float]]:
    """Rank, test error and third singular value at the minimum of each ridge in turn, from the trap."""
    factors, rows = trap(lab), []
    for ridge_m in PULSE:
        end = relax(lab.problem, factors, ridge_of(lab, ridge_m))
        factors, W = end.factors, rs.product(end.factors)
        rows.append((end.rank, lab.test_error(W), float(np.linalg.svd(W)[1][2])))
    return rows


def _pulse_panels(pulse: Sequence[tuple[int, float, float]]) -> list[Panel]:
    stage, (rank, error, _) = np.arange(len(PULSE)), np.array(pulse).T
    ticks = [f"{ridge_m:g}" for ridge_m in PULSE]
    return [
        Panel("gradient descent, a pulse of the ridge", "rank of the minimum", "ridge * m, stage by stage",
              [Line(stage, rank, "", COLORS[0], 1.8, "-", "o")], whole=True, ticks=ticks, bounds=(0, 4)),
        Panel("the same", "mean squared test error", "ridge * m, stage by stage",
              [Line(stage, error, "", COLORS[0], 1.8, "-", "o")], log=True, ticks=ticks),
    ]


def _claims(
    runs: dict[str, rs.Trajectory], kept: dict[str, int], pulse: Sequence[tuple[int, float, float]]
) -> list[Claim]:
    claims = [Claim(f"{name}: rank where gradient descent leads afterwards", 2, rank, rank == 2)
              for name, rank in kept.items()]
    for name in LOSE:
        third = float(runs[name].singular_values[-1, 2])
        claims.append(Claim(f"{name}: third singular value at the end", [0.3, None], third, third > 0.3))
    first, last = pulse[0], pulse[-1]
    rises = sum(after[0] > before[0] for before, after in pairwise(pulse))
    return [
        *claims,
        Claim("pulse of the ridge, gradient descent: rank before and after", [3, 2], [first[0], last[0]],
              (first[0], last[0]) == (3, 2)),
        Claim("pulse of the ridge: times that the rank rises", 0, rises, rises == 0),
        Claim("pulse of the ridge: test error at the end", [0, 0.01], last[1], last[1] < 0.01),
    ]


def _elsewhere(one: Case) -> dict[Statement, bool | None]:
    """A pulse of the ridge from where gradient descent is stuck: does the rank fall, does it ever rise?"""
    factors, ranks = one.stuck.factors, [one.stuck.rank]
    for ridge_m in PULSE[1:5]:  # up and back again
        end = relax(one.lab.problem, factors, one.ridge * ridge_m / PULSE[0])
        factors, ranks = end.factors, [*ranks, end.rank]
    return {WORKS: ranks[-1] < ranks[0], FALLING: ranks == sorted(ranks, reverse=True)}
