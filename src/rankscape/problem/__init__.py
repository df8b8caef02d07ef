"""WHAT is fitted: a loss of one matrix `W`, built from the data that people have."""

from rankscape.problem.base import AbstractProblem
from rankscape.problem.completion import Completion
from rankscape.problem.estimation import Estimation
from rankscape.problem.objective import Objective
from rankscape.problem.sensing import Sensing

__all__ = ["AbstractProblem", "Completion", "Estimation", "Objective", "Sensing"]
