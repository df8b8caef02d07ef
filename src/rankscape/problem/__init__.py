"""WHAT is fitted: a loss of one matrix `W`, built from the data that people have."""

from rankscape.problem.base import AbstractProblem
from rankscape.problem.classification import Classification
from rankscape.problem.completion import Completion
from rankscape.problem.estimation import Estimation
from rankscape.problem.objective import Objective
from rankscape.problem.operators.dense import AbstractOperators, DenseOperators
from rankscape.problem.operators.functions import FunctionOperators
from rankscape.problem.operators.pauli import PauliOperators
from rankscape.problem.operators.rank_one import RankOneOperators
from rankscape.problem.regression import Regression
from rankscape.problem.samples import Samples
from rankscape.problem.sensing import Sensing

__all__ = [
    "AbstractOperators",
    "AbstractProblem",
    "Classification",
    "Completion",
    "DenseOperators",
    "Estimation",
    "FunctionOperators",
    "Objective",
    "PauliOperators",
    "RankOneOperators",
    "Regression",
    "Samples",
    "Sensing",
]
