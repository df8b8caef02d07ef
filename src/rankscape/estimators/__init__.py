"""Faces for people who have a matrix: complete it, denoise it, or find it from measurements, without a rank."""

import importlib
from typing import TYPE_CHECKING, Any

from rankscape.estimators.certificate import Certificate
from rankscape.estimators.completion import complete
from rankscape.estimators.result import CompletedMatrix

if TYPE_CHECKING:
    from rankscape.estimators.denoising import DeepMatrixDenoiser
    from rankscape.estimators.estimator import DeepMatrixCompletion
    from rankscape.estimators.sensing import DeepMatrixSensing

__all__ = [
    "Certificate",
    "CompletedMatrix",
    "DeepMatrixCompletion",
    "DeepMatrixDenoiser",
    "DeepMatrixSensing",
    "complete",
]

_HOME = {"DeepMatrixCompletion": "estimator", "DeepMatrixDenoiser": "denoising", "DeepMatrixSensing": "sensing"}


def __getattr__(name: str) -> Any:
    if name in _HOME:  # scikit-learn takes longer to import than most matrices to complete
        return getattr(importlib.import_module(f"rankscape.estimators.{_HOME[name]}"), name)
    raise AttributeError(f"module 'rankscape.estimators' has no attribute {name!r}")
