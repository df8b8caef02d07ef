"""Array types with shapes, for signatures; checked at run time in the tests only."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Integer

# A dense matrix.
Matrix: TypeAlias = Float[np.ndarray, "_ _"]

# A matrix, or a stack of them.
Matrices: TypeAlias = Float[np.ndarray, "*_ _ _"]

# Singular values or eigenvalues along the last axis.
Spectrum: TypeAlias = Float[np.ndarray, "*_ _"]

# One number for each observed entry.
Entries: TypeAlias = Float[np.ndarray, " observed"]

# One index for each observed entry.
Indices: TypeAlias = Integer[np.ndarray, " observed"]
