"""Faces for people who have a matrix: complete it without choosing a rank."""

from rankscape.estimators.completion import complete
from rankscape.estimators.result import CompletedMatrix

__all__ = ["CompletedMatrix", "complete"]
