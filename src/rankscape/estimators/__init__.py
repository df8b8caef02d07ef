"""Faces for people who have a matrix: complete it without choosing a rank."""

from typing import TYPE_CHECKING, Any

from rankscape.estimators.certificate import Certificate
from rankscape.estimators.completion import complete
from rankscape.estimators.result import CompletedMatrix

if TYPE_CHECKING:
    from rankscape.estimators.estimator import DeepMatrixCompletion

__all__ = ["Certificate", "CompletedMatrix", "DeepMatrixCompletion", "complete"]


def __getattr__(name: str) -> Any:
    if name == "DeepMatrixCompletion":  # scikit-learn takes longer to import than most matrices to complete
        from rankscape.estimators.estimator import DeepMatrixCompletion

        return DeepMatrixCompletion
    raise AttributeError(f"module 'rankscape.estimators' has no attribute {name!r}")
