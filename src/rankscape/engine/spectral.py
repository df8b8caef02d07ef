r"""The spectral engine: exact scalar recursions where the dynamics decouple, in JAX.

When the start shares the singular (or eigen-) vectors of the target, gradient descent keeps them for ever:
``W_l(k) = Q_l diag(v_l) Q_{l-1}^T``. Each mode then evolves alone. Layers that start equal stay equal, so a
group ``g`` of ``m_g`` equal layers needs one number a mode, and with ``p = prod_g v_g^{m_g}``

.. math:: v_g \leftarrow v_g + \eta\, v_g^{m_g-1} \prod_{h \ne g} v_h^{m_h}\, (\lambda - p) - 2 \eta \rho\, v_g

for the target's eigenvalue (or singular value) λ and the ridge ρ. The identical initialization is one group,
the perturbed identical one two: equations (ID) and (PE) that follow from Chou et al. (2024).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import numpy as np

from rankscape.engine.base import AbstractEngine, Row, Setting, State, check_dynamics
from rankscape.engine.programs import program
from rankscape.engine.rules import RULES, Rates, rates_at
from rankscape.ground.double import double
from rankscape.ground.final import final
from rankscape.initialization import Balanced, Identical, PerturbedIdentical
from rankscape.observe import rank_measures
from rankscape.problem import Estimation

# Steps in one trip of the compiled loop: hides the loop's overhead behind the arithmetic.
UNROLL = 4


@dataclass(frozen=True)
class AlignedModes:
    """How the matrices come back from the modes: ``W_l = left_l diag(v_l) right_l^T``."""

    target: np.ndarray  # eigenvalues or singular values of the target, one a mode
    groups: tuple[int, ...]  # the group of each layer, W_1 first
    multiplicity: tuple[int, ...]  # the number of layers in each group
    start: np.ndarray  # (groups, modes) at step 0
    left: np.ndarray | None  # vectors on the side of the output; None for the standard basis
    right: np.ndarray | None  # and of the input
    symmetric: bool  # True: `target` holds eigenvalues, in the order that was given

    def layers(self, values: np.ndarray) -> list[np.ndarray]:
        """The modes of each layer, shape (..., modes), from those of the groups, shape (..., groups, modes)."""
        values = values.astype(np.float64)
        return [values[..., g, :] for g in self.groups]

    def factors(self, values: np.ndarray, widths: Sequence[int]) -> list[np.ndarray]:
        """The full matrices, put together from the modes and the bases."""
        count = len(self.target)
        # The start fixes the hidden bases: multiples of the identity share the eigenbasis, balanced factors use none.
        inner = [np.eye(d, count) if self.symmetric is False else _basis(self.right, count) for d in widths[1:-1]]
        bases = [_basis(self.right, count), *inner, _basis(self.left, count)]
        layers = zip(self.layers(values), bases[:-1], bases[1:], strict=True)
        return [np.ascontiguousarray((after * v) @ before.T) for v, before, after in layers]

    def record(self, values: np.ndarray, ridge: float, tolerance: float) -> dict[str, Any]:
        """The same measurements as for matrices, straight from the modes."""
        return dict(self.records(values[None], np.array([ridge]), tolerance)[0])

    def records(self, values: np.ndarray, ridge: np.ndarray, tolerance: float) -> list[Row]:
        """One record for each run of a batch; `values` has shape (runs, groups, modes)."""
        layers = self.layers(values)
        p = np.prod(layers, axis=0)
        # Modes keep their order, singular values do not.
        sigma = np.ascontiguousarray(np.sort(np.abs(p), axis=-1)[:, ::-1])
        norms = np.stack([np.sqrt((v * v).sum(-1)) for v in layers], axis=-1)
        loss = 0.5 * ((p - self.target) ** 2).sum(-1)
        penalty = ridge * (norms * norms).sum(-1)
        columns = {"loss": loss, "ridge_penalty": penalty, "objective": loss + penalty, "layer_norm": norms}
        columns |= {"singular_values": sigma} | rank_measures(sigma, tolerance)
        joints = [np.sqrt(((b * b - a * a) ** 2).sum(-1)) for a, b in pairwise(layers)]
        columns["imbalance"] = np.stack(joints, axis=-1) if joints else np.empty((len(values), 0))
        if self.symmetric:
            columns["eigenvalues"] = p
        return [Row(columns, k) for k in range(len(values))]


def misaligned(setting: Setting) -> str | None:
    """Why the modes of a setting do not evolve alone; None when they do."""
    problem, start = setting.problem, setting.initialization
    if not isinstance(problem, Estimation):
        return f"the problem is a {type(problem).__name__}, only a fully observed target decouples"
    if isinstance(start, Balanced) and start.spectrum is not None:
        # A narrower layer cuts modes off, and which ones depends on their order: that is for matrices.
        narrow = setting.depth > 1 and min(setting.widths[1:-1]) < min(problem.shape)
        return "a hidden width is narrower than the target" if narrow else None
    if not isinstance(start, Identical | PerturbedIdentical):
        return f"a {type(start).__name__} start does not share the target's vectors"
    if not problem.symmetric:
        return problem.asymmetry
    if set(setting.widths) != {problem.shape[0]}:
        return "not every width equals the size of the target"
    return None


def decouple(setting: Setting) -> AlignedModes:
    """The modes of a setting whose start is not `misaligned`."""
    problem, start, depth = setting.problem, setting.initialization, setting.depth
    assert isinstance(problem, Estimation)
    if isinstance(start, Balanced):
        U, sigma, V = problem.singular_basis
        values = start.on_modes(problem) ** (1 / depth)
        return AlignedModes(sigma, (0,) * depth, (depth,), values[None, :], U, V, symmetric=False)
    eigenvalues, V = problem.eigenbasis
    ones = np.ones(len(eigenvalues))
    if isinstance(start, Identical) or depth == 1:  # one layer alone has nothing to be unequal to
        alpha = start.alpha if isinstance(start, Identical) else start.alpha - start.beta  # pyright: ignore
        return AlignedModes(eigenvalues, (0,) * depth, (depth,), (alpha * ones)[None, :], V, V, symmetric=True)
    assert isinstance(start, PerturbedIdentical)
    groups = tuple(int(l == start.layer) for l in range(1, depth + 1))
    values = np.stack([start.alpha * ones, (start.alpha - start.beta) * ones])
    return AlignedModes(eigenvalues, groups, (depth - 1, 1), values, V, V, symmetric=True)


def product_and_slopes(multiplicity, values):
    """``p = prod_g v_g^{m_g}`` and, for each group, ``v_g^{m_g-1} prod_{h != g} v_h^{m_h}``."""
    powers = [v ** (m - 1) for v, m in zip(values, multiplicity, strict=True)]  # v_g^(m_g - 1)
    wholes = [q * v for q, v in zip(powers, values, strict=True)]  # v_g^(m_g)
    p = wholes[0]
    for whole in wholes[1:]:
        p = p * whole
    slopes = []
    for g, slope in enumerate(powers):
        for h, whole in enumerate(wholes):
            slope = slope if h == g else slope * whole
        slopes.append(slope)
    return p, slopes


def _stepped(multiplicity, target, learning_rate, decay, base, point):
    """`base` moved by the gradient step of all groups at `point`, whose layers have shape (runs, modes)."""
    p, slopes = product_and_slopes(multiplicity, point)
    pull = learning_rate * (target - p)
    return [b + pull * slope - decay * v for b, v, slope in zip(base, point, slopes, strict=True)]


@program("rule", "multiplicity")
def _advance(rule, multiplicity, target, lanes, steps):
    moving, velocity, rates = lanes
    decay = 2 * rates.learning_rate * rates.ridge

    def step(carry):
        moving, velocity = carry
        point = rule.look(moving, velocity, rates)
        stepped = partial(_stepped, multiplicity, target, rates.learning_rate, decay, point=point)
        return rule.move(stepped, moving, velocity, rates)

    # With a velocity a step adds two products, and which of them is fused depends on the steps around it: a trip of
    # several steps would end in other bits than single ones, and a run would depend on how it is cut.
    unroll = 1 if velocity else UNROLL

    def trip(_, carry):
        for _ in range(unroll):
            carry = step(carry)
        return carry

    carry = jax.lax.fori_loop(0, steps // unroll, trip, (moving, velocity))
    return jax.lax.fori_loop(0, steps % unroll, lambda _, carry: step(carry), carry)


@final
class SpectralEngine(AbstractEngine):
    """Symmetric targets from (perturbed) identical starts; any target from a start along its singular vectors."""

    name = "spectral"
    why = "the start shares the target's eigenvectors or singular vectors, so every mode is a scalar recursion"
    tied = True

    def __init__(self, settings: Sequence[Setting]):
        super().__init__(settings)
        self.modes = [decouple(setting) for setting in self.settings]
        # Looked up once where they never change: in a long batch of short runs that is what a step costs.
        changing = any(setting.dynamics.paths for setting in self.settings)
        self._constant = None if changing else rates_at(self.settings, 0)

    @staticmethod
    def obstacle(setting: Setting) -> str | None:
        """It needs gradient descent on an `Estimation` from an aligned start."""
        wrong = check_dynamics(setting, tuple(RULES))
        return misaligned(setting) if wrong is None else wrong

    def initial(self) -> list[list[np.ndarray]]:
        """The modes at step 0, shape (groups, modes)."""
        return [[modes.start] for modes in self.modes]

    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """The recursion up to `stop`, all runs in one vectorised call."""
        first, modes, step = self.settings[0], self.modes[0], states[0].step
        rates = Rates(*(rate.astype(first.dtype)[:, None] for rate in self._rates(step)))
        parts = ([s.moving for s in states], [s.memory for s in states])
        lanes = [list(np.stack([layers[0] for layers in part], axis=1)) if part[0] else [] for part in parts]
        target = modes.target.astype(first.dtype)[None, :]
        with double():
            moved = _advance(RULES[type(first.dynamics)], modes.multiplicity, target, (*lanes, rates), stop - step)
            moving, velocity = ([np.asarray(v) for v in part] for part in moved)
        memories = [[v] for v in np.stack(velocity, axis=1)] if velocity else [[] for _ in states]
        return [State(stop, [v], memory) for v, memory in zip(np.stack(moving, axis=1), memories, strict=True)]

    def factors(self, state: State) -> list[np.ndarray]:
        """The full matrices, put together from the modes and the bases."""
        return self.modes[0].factors(state.moving[0], self.settings[0].widths)

    def record(self, state: State, setting: Setting) -> dict[str, Any]:
        """The same measurements as for matrices, straight from the modes."""
        ridge = setting.dynamics.at(state.step).ridge
        return self.modes[0].record(state.moving[0], ridge, setting.tolerance)

    def within(self, states: Sequence[State], limit: float) -> Sequence[bool]:
        """All runs at once: one call costs more than the arithmetic of one run."""
        values = np.stack([state.moving[0] for state in states])
        fine: Any = (np.abs(values) <= limit).all(axis=(1, 2))
        return fine.tolist()

    def records(self, states: Sequence[State]) -> Sequence[Mapping[str, Any]]:
        """All runs at once: one call costs more than the arithmetic of one run."""
        if len({modes.groups for modes in self.modes}) > 1:  # each is perturbed in another layer
            return [type(self)([run]).record(state, run) for state, run in zip(states, self.settings, strict=True)]
        values = np.stack([state.moving[0] for state in states])
        return self.modes[0].records(values, self._rates(states[0].step).ridge, self.settings[0].tolerance)

    def _rates(self, step: int) -> Rates:
        """The numbers of each run for the step that begins at `step`."""
        return rates_at(self.settings, step) if self._constant is None else self._constant

    def step_cost(self) -> float:
        """About 0.2 ns an element and layer group, and the loop."""
        modes = self.modes[0]
        return 0.01 + 2e-4 * modes.start.size * max(modes.multiplicity)

    def record_cost(self) -> float:
        """Sorting and sums, dominated by the calls."""
        return 250 + 0.05 * len(self.modes[0].target)


def _basis(vectors: np.ndarray | None, count: int) -> np.ndarray:
    return np.eye(count) if vectors is None else vectors
