"""rankscape: deep matrix factorization, and the rank of the product while it is trained.

A run is a problem (what is fitted), a depth, an initialization (where it starts) and dynamics (how it moves);
`simulate` returns its trajectory, a labelled data set of spectra and ranks. `complete` fills the holes of a matrix
and lets the trajectory choose the rank.

Names are imported when they are first used, so ``import rankscape`` costs little more than NumPy.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rankscape import data as data
    from rankscape import estimators as estimators
    from rankscape import files as files
    from rankscape import papers as papers
    from rankscape import plot as plot
    from rankscape import rates as rates
    from rankscape import theory as theory
    from rankscape.dynamics import SGD as SGD
    from rankscape.dynamics import GradientDescent as GradientDescent
    from rankscape.dynamics import GradientFlow as GradientFlow
    from rankscape.dynamics import HeavyBall as HeavyBall
    from rankscape.dynamics import Nesterov as Nesterov
    from rankscape.dynamics import Optimizer as Optimizer
    from rankscape.estimators import CompletedMatrix as CompletedMatrix
    from rankscape.estimators import complete as complete
    from rankscape.factorization import compress as compress
    from rankscape.factorization import imbalance as imbalance
    from rankscape.factorization import product as product
    from rankscape.falling.annealing import Annealed as Annealed
    from rankscape.falling.annealing import anneal as anneal
    from rankscape.falling.jump_law import JumpLaw as JumpLaw
    from rankscape.falling.jump_law import jump_law as jump_law
    from rankscape.falling.jump_probability import JumpProbability as JumpProbability
    from rankscape.falling.jump_probability import jump_probability as jump_probability
    from rankscape.falling.jump_rate import JumpRate as JumpRate
    from rankscape.falling.jump_rate import estimate_jump_rate as estimate_jump_rate
    from rankscape.initialization import Balanced as Balanced
    from rankscape.initialization import Factors as Factors
    from rankscape.initialization import Gaussian as Gaussian
    from rankscape.initialization import Identical as Identical
    from rankscape.initialization import Orthogonal as Orthogonal
    from rankscape.initialization import PerturbedIdentical as PerturbedIdentical
    from rankscape.observe import effective_rank as effective_rank
    from rankscape.observe import entropy_rank as entropy_rank
    from rankscape.observe import numerical_rank as numerical_rank
    from rankscape.observe import singular_values as singular_values
    from rankscape.observe import stable_rank as stable_rank
    from rankscape.problem import Classification as Classification
    from rankscape.problem import Completion as Completion
    from rankscape.problem import DenseOperators as DenseOperators
    from rankscape.problem import Estimation as Estimation
    from rankscape.problem import FunctionOperators as FunctionOperators
    from rankscape.problem import Objective as Objective
    from rankscape.problem import PauliOperators as PauliOperators
    from rankscape.problem import RankOneOperators as RankOneOperators
    from rankscape.problem import Regression as Regression
    from rankscape.problem import Sensing as Sensing
    from rankscape.reports import report as report
    from rankscape.run.outcome import Outcome as Outcome
    from rankscape.run.schedule import Every as Every
    from rankscape.run.schedule import LogSpaced as LogSpaced
    from rankscape.run.simulation import simulate as simulate
    from rankscape.run.trajectory import Trajectory as Trajectory
    from rankscape.run.watchers.jumps import RankMonitor as RankMonitor
    from rankscape.run.watchers.stopping import AtEffectiveRank as AtEffectiveRank
    from rankscape.run.watchers.stopping import AtStep as AtStep
    from rankscape.run.watchers.stopping import OnHeldout as OnHeldout
    from rankscape.run.watchers.stopping import OnPlateau as OnPlateau
    from rankscape.solvers.descent.minima import Minimum as Minimum
    from rankscape.solvers.descent.minima import minima as minima
    from rankscape.solvers.descent.relaxation import Relaxed as Relaxed
    from rankscape.solvers.descent.relaxation import relax as relax
    from rankscape.sweeps import Sweep as Sweep
    from rankscape.sweeps import sweep as sweep

    __version__: str

_HOME = {
    "falling.annealing": ["Annealed", "anneal"],
    "dynamics": ["SGD", "GradientDescent", "GradientFlow", "HeavyBall", "Nesterov", "Optimizer"],
    "estimators": ["CompletedMatrix", "complete"],
    "factorization": ["compress", "imbalance", "product"],
    "initialization": ["Balanced", "Factors", "Gaussian", "Identical", "Orthogonal", "PerturbedIdentical"],
    "falling.jump_law": ["JumpLaw", "jump_law"],
    "falling.jump_probability": ["JumpProbability", "jump_probability"],
    "falling.jump_rate": ["JumpRate", "estimate_jump_rate"],
    "run.watchers.jumps": ["RankMonitor"],
    "observe": ["effective_rank", "entropy_rank", "numerical_rank", "singular_values", "stable_rank"],
    "run.outcome": ["Outcome"],
    "problem": [
        "Classification",
        "Completion",
        "DenseOperators",
        "Estimation",
        "FunctionOperators",
        "Objective",
        "PauliOperators",
        "RankOneOperators",
        "Regression",
        "Sensing",
    ],
    "reports": ["report"],
    "run.schedule": ["Every", "LogSpaced"],
    "run.simulation": ["simulate"],
    "run.watchers.stopping": ["AtEffectiveRank", "AtStep", "OnHeldout", "OnPlateau"],
    "solvers.descent.minima": ["Minimum", "minima"],
    "solvers.descent.relaxation": ["Relaxed", "relax"],
    "sweeps": ["Sweep", "sweep"],
    "run.trajectory": ["Trajectory"],
}
_ROOMS = ("data", "estimators", "files", "papers", "plot", "rates", "theory")
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted([*_MODULE, *_ROOMS])  # pyright: ignore[reportUnsupportedDunderAll]


if not TYPE_CHECKING:  # checkers read the imports above, and refuse a name that is not among them

    def __getattr__(name: str):
        if name == "__version__":
            from importlib.metadata import version  # takes as long as the rest of this file, so only when asked for

            value = version("rankscape")
        elif name in _MODULE:
            value = getattr(_imported(_MODULE[name]), name)
        elif name in _ROOMS:
            value = _imported(name)
        else:
            raise AttributeError(f"module 'rankscape' has no attribute {name!r}")
        globals()[name] = value
        return value


def _imported(module: str):
    """A module of ours; where it needs a part that is not installed, the error says how to get it."""
    try:
        return importlib.import_module(f"rankscape.{module}")
    except ModuleNotFoundError as error:
        from rankscape.ground.parts import missing_part

        raise missing_part(error) or error from None


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
