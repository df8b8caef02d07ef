"""Faces for people who have a matrix: complete it, denoise it, or find it from measurements, without a rank."""

import importlib
from typing import TYPE_CHECKING, Any

from rankscape.estimators.completion.complete import complete
from rankscape.estimators.completion.completed.result import CompletedMatrix
from rankscape.estimators.completion.trust.certificate import Certificate

if TYPE_CHECKING:
    from rankscape.estimators.completion.completed.spread import Spread
    from rankscape.estimators.completion.cost import Cost, completion_cost
    from rankscape.estimators.completion.estimator import DeepMatrixCompletion
    from rankscape.estimators.completion.schedule import Played, completion_schedule
    from rankscape.estimators.completion.validation import EntryKFold, entry_cross_validate
    from rankscape.estimators.denoising.estimator import DeepMatrixDenoiser
    from rankscape.estimators.sensing.estimator import DeepMatrixSensing

__all__ = [
    "Certificate",
    "CompletedMatrix",
    "Cost",
    "DeepMatrixCompletion",
    "DeepMatrixDenoiser",
    "DeepMatrixSensing",
    "EntryKFold",
    "Played",
    "Spread",
    "complete",
    "completion_cost",
    "completion_schedule",
    "entry_cross_validate",
]

_HOME = {
    "Cost": "completion.cost",
    "completion_cost": "completion.cost",
    "DeepMatrixCompletion": "completion.estimator",
    "DeepMatrixDenoiser": "denoising.estimator",
    "DeepMatrixSensing": "sensing.estimator",
    "EntryKFold": "completion.validation",
    "Played": "completion.schedule",
    "Spread": "completion.completed.spread",
    "completion_schedule": "completion.schedule",
    "entry_cross_validate": "completion.validation",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:  # scikit-learn takes longer to import than most matrices to complete
        return getattr(importlib.import_module(f"rankscape.estimators.{_HOME[name]}"), name)
    raise AttributeError(f"module 'rankscape.estimators' has no attribute {name!r}")
