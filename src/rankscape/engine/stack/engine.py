"""The stack engine: gradient descent on measurements whose dense operators do not fit into the cache.

There, reading the operators is what a step costs, so they are read once for eight runs of a batch. The products of the
factors are JAX's, as in the matrix engine; the gradient with respect to ``W`` is the kernel's of
`gradients`, which gives every run the same bits whatever runs beside it.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import cast

import numpy as np

from rankscape.engine.base import AbstractEngine, Setting, State, check_dynamics
from rankscape.engine.chain_rule import operators_cost, partial_products, products_cost, pulled_back
from rankscape.engine.lanes import Lanes, each, on_gpu, states_of
from rankscape.engine.programs import program
from rankscape.engine.rules import RULES, descended
from rankscape.engine.stack import gradients as kernel
from rankscape.ground.double import double
from rankscape.ground.final import final
from rankscape.problem import DenseOperators, Sensing

# Bytes of operators from which on even a single run is faster here: smaller ones stay in the cache anyway.
LARGE_STACK = 32 << 20


@program("rule")
def _look(rule, lanes):
    """The partial products of all runs where their gradients are taken, and the products flattened."""
    products = each(lambda lane: partial_products(rule.look(*lane)), together=False)(lanes)
    return products, products[-1].reshape(len(products[-1]), -1)


@program("rule")
def _move(rule, lanes, products, gradients):
    """One step of all runs, from the gradients with respect to their products."""

    def run(lane):
        (moving, velocity, rates), products, gradient = lane
        point = rule.look(moving, velocity, rates)  # once more: cheaper than to hand it over
        pulled = pulled_back(point, products, gradient)
        return rule.move(lambda base: descended(base, point, pulled, rates), moving, velocity, rates)

    return each(run, together=False)((lanes, products, gradients.reshape(products[-1].shape)))


def _blocks(count: int) -> list[slice]:
    """The runs of a batch in blocks whose widths the kernel knows, the widest first."""
    blocks, start = [], 0
    while start < count:
        width = max(w for w in kernel.WIDTHS if w <= count - start)  # five runs are four and one
        blocks.append(slice(start, start + width))
        start += width
    return blocks


@final
class StackEngine(AbstractEngine):
    """Gradient descent on a `Sensing` problem with a large dense stack of operators."""

    name = "stack"
    why = "the operators exceed the cache, so one pass over them serves all runs of a batch"

    @staticmethod
    def obstacle(setting: Setting) -> str | None:
        """It needs gradient descent, dense operators that exceed the cache, and a processor."""
        wrong = check_dynamics(setting, tuple(RULES))
        if wrong is not None:
            return wrong
        if not isinstance(setting.problem, Sensing) or not isinstance(setting.problem.operators, DenseOperators):
            return "the problem has no stack of dense operators"
        if setting.problem.table.nbytes < LARGE_STACK:  # read from the cache anyway: JAX's product is faster then
            return f"its operators are smaller than {LARGE_STACK >> 20} MB and stay in the cache"
        return "a GPU takes all runs of a batch at once anyway" if on_gpu() else None

    @cached_property
    def _numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """The operators as rows and the measurements, in the precision of the run."""
        problem, dtype = cast(Sensing, self.settings[0].problem), self.settings[0].dtype
        flat = problem.table.reshape(len(problem.table), -1)
        return flat.astype(dtype, copy=False), problem.measurements.astype(dtype, copy=False)

    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """Gradient steps up to `stop`; blocks of runs go to one thread each."""
        lanes, blocks = Lanes.of(states, self.settings), _blocks(len(states))
        rule = RULES[type(self.settings[0].dynamics)]
        with double(), ThreadPoolExecutor(min(len(blocks), os.cpu_count() or 1)) as pool:
            for _ in range(states[0].step, stop):
                products, W = _look(rule, lanes)
                W = np.asarray(W)  # the kernel is numba's: here the step leaves JAX
                gradients = np.concatenate(list(pool.map(self._gradients, [W[block] for block in blocks])))
                moving, velocity = _move(rule, lanes, products, gradients)
                lanes = lanes._replace(moving=moving, velocity=velocity)
        return states_of(lanes.moving, lanes.velocity, stop, len(states))

    def _gradients(self, W: np.ndarray) -> np.ndarray:
        return kernel.gradients(*self._numbers, np.ascontiguousarray(W.T)).T

    def step_cost(self) -> float:
        """The operators, which few runs share only in part, and the products."""
        first = self.settings[0]
        return products_cost(first) + operators_cost(first) / min(len(self.settings), kernel.WIDTHS[-1])

    def record_cost(self) -> float:
        """The loss reads the operators, too."""
        return AbstractEngine.record_cost(self) + operators_cost(self.settings[0]) / 2
