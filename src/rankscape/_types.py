"""Array types with shapes, for signatures; checked at run time in the tests only."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Integer

Matrix: TypeAlias = Float[np.ndarray, "_ _"]
"""A dense matrix."""

Matrices: TypeAlias = Float[np.ndarray, "*_ _ _"]
"""A matrix, or a stack of them."""

Spectrum: TypeAlias = Float[np.ndarray, "*_ _"]
"""Singular values or eigenvalues along the last axis."""

Entries: TypeAlias = Float[np.ndarray, " observed"]
"""One number for each observed entry."""

Indices: TypeAlias = Integer[np.ndarray, " observed"]
"""One index for each observed entry."""
