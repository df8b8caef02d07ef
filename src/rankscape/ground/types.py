"""Array types with shapes, for signatures; checked at run time in the tests only."""

import sys
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

# Shapes are checked where the tests have switched that on, by importing jaxtyping first; nobody else waits for it.
if not TYPE_CHECKING and "jaxtyping" in sys.modules:
    from jaxtyping import Float, Integer
else:
    from typing import Annotated as Float
    from typing import Annotated as Integer

# What NumPy makes an array of. At run time NumPy's own alias would refuse tuples, and the doors check values anyway.
if TYPE_CHECKING:
    from numpy.typing import ArrayLike as ArrayLike
    from scipy.sparse import coo_array
else:
    ArrayLike = object

# A dense matrix.
Matrix: TypeAlias = Float[np.ndarray, "_ _"]

# A matrix, or a stack of them.
Matrices: TypeAlias = Float[np.ndarray, "*_ _ _"]

# Singular values or eigenvalues along the last axis.
Spectrum: TypeAlias = Float[np.ndarray, "*_ _"]

# One number for each observed entry.
EntryValues: TypeAlias = Float[np.ndarray, " observed"]

# One index for each observed entry.
Indices: TypeAlias = Integer[np.ndarray, " observed"]


class SparseMatrix(Protocol):
    """Any sparse array of SciPy: what it stores is observed."""

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)``."""
        ...

    def tocoo(self) -> "coo_array":
        """Rows, columns and values."""
        ...
