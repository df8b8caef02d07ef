"""Decompositions that do not give up."""

from typing import Any

import numpy as np


def thin_svd(matrix: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``U, s, Vt`` of a finite matrix, with as many columns of U and rows of Vt as the smaller side.

    LAPACK's quick driver (gesdd) now and then does not converge on a harmless matrix, with some BLAS kernels more often
    than with others; the slow one (gesvd) then does.

    Examples
    --------
    >>> U, s, Vt = thin_svd([[0.0, 2.0], [1.0, 0.0], [0.0, 0.0]])
    >>> U.shape, s.tolist(), Vt.shape
    ((3, 2), [2.0, 1.0], (2, 2))
    """
    try:
        return np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:
        from scipy.linalg import svd

        return svd(matrix, full_matrices=False, lapack_driver="gesvd")
