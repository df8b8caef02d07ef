r"""Annealing: a large ridge and noise first, then less and less, and read the rank at the end.

A large ridge lets only the modes live that the data hold up most; noise kills those that hang on few entries; and what
is dead stays dead while the ridge falls. So the rank comes from above and from below to that of the data. This is the
algorithm that Wang, Jacot (2024) imply.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.dynamics import SGD
from rankscape.errors import InputError, RankscapeWarning
from rankscape.factorization import product
from rankscape.falling import concerns
from rankscape.ground.checks import positive, several, shown, switch, whole
from rankscape.initialization import AbstractInitialization, Factors, Gaussian
from rankscape.observe import spectrum_of_factors
from rankscape.problem import Completion
from rankscape.run.settings import plan
from rankscape.run.simulation import simulate
from rankscape.run.trajectory import Trajectory
from rankscape.run.watchers.jumps import Jump, RankMonitor, jump_variables
from rankscape.solvers.descent.relaxation import Relaxed, relax
from rankscape.solvers.descent.stable_rate import with_stable_rate

if TYPE_CHECKING:
    import xarray as xr

# ``ridge * m`` of the stages, for entries of root mean square 1.
RIDGES = (0.3, 0.1, 0.03, 0.01, 0.003)


@dataclass(frozen=True, eq=False)
class Annealed:
    """The end of an annealing, in the units of the data.

    Attributes
    ----------
    factors : list of array
        ``[W_1, ..., W_N]`` at a stationary point of the last ridge.
    rank : int
        The number of singular values above half of the floor of stationary points.
    path : xarray.Dataset
        A row a stage: ``ridge_m`` and ``learning_rate`` (for entries of root mean square 1; NaN for gradient descent),
        ``steps``, ``loss``, ``alive_modes``, ``singular_values``, and ``heldout_loss`` where entries are held out.
    jumps : xarray.DataArray
        (step, from, to) of every mode that died or came alive under SGD, counted from the first stage on.
    components : int
        Parts of the graph of rows and columns that observed entries connect; between two parts nothing is known.
    converged : bool
        Whether the last descent reached its tolerance.
    concerns : tuple of str
        The warnings that were issued.
    """

    factors: list[np.ndarray] = field(repr=False)
    rank: int
    path: "xr.Dataset" = field(repr=False)
    jumps: "xr.DataArray" = field(repr=False)
    components: int
    converged: bool
    concerns: tuple[str, ...]

    @property
    def matrix(self) -> np.ndarray:
        """The completed matrix."""
        return product(self.factors)


def anneal(
    problem: Completion,
    depth: int | None = None,
    width: int | Sequence[int] | None = None,
    *,
    method: str = "sgd",
    ridges: Sequence[float] = RIDGES,
    epochs: float = 700,
    learning_rate: float = 0.1,
    replacement: bool = True,
    initialization: AbstractInitialization | None = None,
    scale: bool = True,
    seed: int = 0,
) -> Annealed:
    r"""Complete a matrix at the smallest rank that fits, by letting the ridge fall in stages.

    Each stage runs SGD on single entries with one ridge; the last is followed by gradient descent to a stationary point
    of :math:`f + \lambda \sum_l \|W_l\|_F^2`, where the rank is read. A stage that blows up is run again with half the
    learning rate. With ``method="gd"`` every stage is such a descent: on generic data this does as well; only minima
    that are robust, as those of `rankscape.data.planted`, need the noise.

    Parameters
    ----------
    problem : Completion
        The observed entries.
    depth : int, optional
        Number of factors, 3 if left out; below 3 dead modes come back.
    width : int or sequence of int, optional
        Hidden widths, above the rank that is expected; 20 if left out, or as many as the matrix has.
    method : {"sgd", "gd"}
        What runs in the stages.
    ridges : sequence of float
        ``ridge * m`` of the stages, falling, for entries of root mean square 1. The first must let all true modes grow.
    epochs : float
        Length of a stage, in passes over the m entries.
    learning_rate : float
        Of SGD, to begin with, for entries of root mean square 1.
    replacement : bool
        False draws reshuffled epochs, in which no mode is ever forgotten for long enough to die.
    initialization : Gaussian, Factors, ..., optional
        Where to start, in the units of the scaled entries; ``Gaussian(0.5)`` if left out.
    scale : bool
        Divide the entries by their root mean square. False takes `ridges` and `learning_rate` for the entries as given.
    seed : int
        Decides every random number.

    Raises
    ------
    InputError
        The problem is no completion, depth 1, an unknown method, ridges that are not positive and falling, all zeros.
    RunFailed
        SGD blows up at every learning rate.

    Warns
    -----
    RankscapeWarning
        Wherever the result will not be what annealing promises: depth 2, reshuffling, too little noise, a first ridge
        that kills true modes, a rank that fills the width, a graph of entries in several parts, rows without entries.

    Examples
    --------
    >>> import rankscape as rs
    >>> lab = rs.data.gaussian(n=20, rank=2, oversampling=2.5)
    >>> end = rs.anneal(lab.problem, width=6, epochs=50)
    >>> end.rank, end.path.alive_modes.values.tolist(), lab.relative_error(end.matrix) < 0.05
    (2, [3, 2, 2, 2, 2, 2], True)

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to low
       rank", ICLR 2024.
    """
    _check(problem, method)
    scale, replacement = switch("scale", scale), switch("replacement", replacement)
    if width is None and not isinstance(initialization, Factors):
        width = min(20, *problem.shape)
    start = Gaussian(0.5) if initialization is None else initialization
    ridge_m, seed = _falling(ridges), whole("seed", seed, 0, 2**63)
    unit = _unit(problem) if scale else 1.0
    scaled = _scaled(problem, unit)
    stages = _Stages(problem, scaled, unit)
    now = plan(scaled, depth, width, start, SGD(learning_rate), seed).engine.settings[0].initial_factors()
    components, found = concerns.components(problem), concerns.before(scaled, now, method, replacement, ridge_m[0])
    if components > 1:
        found.append(f"The observed entries fall into {components} unconnected parts: between them nothing is known.")
    rate, steps = positive("learning_rate", learning_rate), max(1, round(positive("epochs", epochs) * stages.m))
    end: Relaxed | None = None
    for k, ridge in enumerate(ridge_m):
        if method == "sgd":
            # Another seed for each stage: with the same one all stages would draw the same entries in the same order.
            now, rate = stages.sgd(now, ridge, rate, steps, replacement, seed + k)
        # SGD goes on from where its noise has left it; only the last minimum is asked for.
        if method == "gd" or k == len(ridge_m) - 1:
            end = stages.descend(now, ridge)
            now = end.factors
    assert end is not None
    found += concerns.after(stages.rows, end, min(W.shape[0] for W in now[:-1]), method)
    for concern in found:
        warnings.warn(concern, RankscapeWarning, stacklevel=2)
    jumps = jump_variables([stages.jumps], batched=False)["jumps"]
    factors = stages.in_units(now)
    return Annealed(factors, end.rank, stages.path(), jumps, components, end.converged, tuple(found))


class _Stages:
    """Runs the stages one after the other and keeps a row of each."""

    def __init__(self, problem: Completion, scaled: Completion, unit: float):
        self.problem, self.scaled, self.unit, self.m = problem, scaled, unit, len(problem.values)
        self.rows: list[dict[str, Any]] = []
        self.jumps: list[Jump] = []
        self.step = 0

    def sgd(
        self, factors: list[np.ndarray], ridge_m: float, rate: float, steps: int, replacement: bool, seed: int
    ) -> tuple[list[np.ndarray], float]:
        """One stage of SGD, with half the rate until it does not blow up; the factors and the rate."""

        def stage(rate: float) -> Trajectory:
            dynamics = SGD(rate, ridge_m / self.m, replacement=replacement)
            return simulate(
                self.scaled, initialization=Factors(factors), dynamics=dynamics, steps=steps, record=[steps],
                seed=seed, monitor=RankMonitor(), throw=True,
            )  # fmt: skip

        run, rate = with_stable_rate(stage, rate, instead="method='gd'")
        # A stage counts its steps from 0, the path counts them from the first stage on.
        self.jumps += [Jump(self.step + s, a, b) for s, a, b in run.jumps.values.tolist()]
        self._keep(run.factors, ridge_m, rate, steps, int(run.alive_modes[-1]))
        return run.factors, rate

    def descend(self, factors: list[np.ndarray], ridge_m: float) -> Relaxed:
        """Gradient descent to a stationary point."""
        end = relax(self.scaled, factors, ridge_m / self.m)
        self._keep(end.factors, ridge_m, np.nan, end.steps, end.rank)
        return end

    def in_units(self, factors: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The factors in the units of the data."""
        # The product carries the unit, so each of its N factors carries the N-th root.
        return [W * self.unit ** (1 / len(factors)) for W in factors]

    def _keep(self, factors: Sequence[np.ndarray], ridge_m: float, rate: float, steps: int, rank: int) -> None:
        own = self.in_units(factors)
        row = {"ridge_m": ridge_m, "learning_rate": rate, "steps": steps, "alive_modes": rank}
        row |= {"loss": self.problem.loss_of_factors(own), "singular_values": spectrum_of_factors(own)}
        heldout = self.problem.heldout_loss_of_factors(own)
        self.rows.append(row if heldout is None else row | {"heldout_loss": heldout})
        self.step += steps

    def path(self) -> "xr.Dataset":
        """The rows as a data set."""
        import xarray as xr

        dims = {name: ("stage", "index") if name == "singular_values" else ("stage",) for name in self.rows[0]}
        columns = {name: (dims[name], np.array([row[name] for row in self.rows])) for name in dims}
        stages, index = np.arange(1, len(self.rows) + 1), np.arange(1, min(self.problem.shape) + 1)
        return xr.Dataset(columns, coords={"stage": stages, "index": index})


def _check(problem: Any, method: str) -> None:
    if not isinstance(problem, Completion):
        raise InputError(f"`anneal` needs a Completion, got {type(problem).__name__}.")
    if not isinstance(method, str) or method not in ("sgd", "gd"):
        raise InputError(
            f"`method` must be 'sgd' or 'gd', got {shown(method)}. Noise that does not vanish on dead modes, as that "
            "of AdamW or isotropic noise, wakes them up again, so annealing with it promises nothing."
        )


def _falling(ridges: Sequence[float]) -> list[float]:
    numbers = [positive("ridges", ridge) for ridge in several("ridges", ridges)]
    if not numbers or any(a <= b for a, b in pairwise(numbers)):
        raise InputError(f"`ridges` must be positive and falling, at least one, got {shown(ridges)}.")
    return numbers


def _unit(problem: Completion) -> float:
    unit = float(np.sqrt(np.mean(problem.values**2)))
    if unit == 0:
        raise InputError("Every observed entry is 0: there is nothing to fit.")
    return unit


def _scaled(problem: Completion, unit: float) -> Completion:
    """The training entries over their unit, without looking at them a second time."""
    entries = problem.entries.with_values(problem.values / unit)
    return Completion.of(entries, problem.row_labels, problem.column_labels)
