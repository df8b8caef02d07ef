"""How much of its own fitted value an entry decides: near one where a direction serves this entry alone."""

import numpy as np

from rankscape.ground.arrays import fixed
from rankscape.ground.jit import compiled

_loop = compiled()


@_loop
def _forms(groups, inverses, others, factor, out):
    width = factor.shape[1]
    for e in range(len(groups)):
        total = 0.0
        for a in range(width):
            part = 0.0
            for b in range(width):
                part += inverses[groups[e], a, b] * factor[others[e], b]
            total += factor[others[e], a] * part
        out[e] = total


@_forms.few()
def _forms_few(groups, inverses, others, factor, out):
    x = factor[others]
    np.einsum("ea,eab,eb->e", x, inverses[groups], x, out=out)


def leverages(groups: np.ndarray, inverses: np.ndarray, others: np.ndarray, factor: np.ndarray) -> np.ndarray:
    r"""``x^T A^-1 x`` of each entry, shape (m,): of weight one, its leverage in the least squares fit of its group.

    With x the row of the other side's factor and ``A = sum w x x^T`` over the group (plus a ridge, if there was one),
    the weight of an entry times this number is the derivative of its fitted value with respect to itself; over a group
    these add up to at most the number of directions. Of an entry that was not fitted it is the variance of what is
    predicted there, in units of the noise.

    Parameters
    ----------
    groups : ndarray of int, shape (m,)
        The row (or the column) of each entry.
    inverses : ndarray, shape (groups, k, k)
        ``A^-1`` of each of them.
    others : ndarray of int, shape (m,)
        The column (or the row) of each entry.
    factor : ndarray, shape (others, k)
        Thin factor of that side.

    Examples
    --------
    >>> A = np.array([[[4.0]]])                                     # four entries, all with x = 1
    >>> leverages(np.zeros(4, int), np.linalg.inv(A), np.zeros(4, int), np.ones((1, 1)))
    array([0.25, 0.25, 0.25, 0.25])

    References
    ----------
    .. [hoaglin1978] Hoaglin, Welsch, "The hat matrix in regression and ANOVA", The American Statistician 32 (1978).
    """
    out = np.empty(len(groups))
    _forms(
        fixed(groups, np.int64), fixed(inverses, np.float64), fixed(others, np.int64), fixed(factor, np.float64), out
    )
    return out


@_loop
def _traces(groups, inverses, others, across, width, out):
    for e in range(len(groups)):
        total = 0.0
        for a in range(width):
            for b in range(width):
                total += inverses[groups[e], a, b] * across[others[e], a, b]
        out[e] = total


@_traces.few()
def _traces_few(groups, inverses, others, across, width, out):
    np.einsum("eab,eab->e", inverses[groups][:, :width, :width], across[others][:, :width, :width], out=out)


def overlaps(
    groups: np.ndarray, inverses: np.ndarray, others: np.ndarray, across: np.ndarray, width: int
) -> np.ndarray:
    r"""``tr(A^-1 B^-1)`` over the first `width` coordinates, shape (m,): of the errors of both sides at once.

    Where u has covariance ``A^-1`` and v has ``B^-1``, independent, it is the variance of ``du . dv``.

    Parameters
    ----------
    groups, others : ndarray of int, shape (m,)
        The row and the column of each entry.
    inverses, across : ndarray, shape (rows, k, k) and (columns, l, l)
        ``A^-1`` and ``B^-1``; of each the first `width` coordinates are common.
    width : int
        Number of common coordinates.

    Examples
    --------
    >>> A = np.array([[[0.5]]])
    >>> overlaps(np.zeros(2, int), A, np.zeros(2, int), 4 * A, 1)
    array([1., 1.])
    """
    out = np.empty(len(groups))
    _traces(
        fixed(groups, np.int64), fixed(inverses, np.float64), fixed(others, np.int64), fixed(across, np.float64),
        width, out,
    )  # fmt: skip
    return out
