"""Proof that a descent path cannot end below a rank."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rankscape.entries.checking import check_shape
from rankscape.errors import InputError
from rankscape.ground.arrays import as_array
from rankscape.ground.checks import several, shown, whole
from rankscape.ground.memory import check_bytes
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.chain import check_entries, weight_of
from rankscape.theory.landscape.cost import representation_cost


@dataclass(frozen=True, eq=False)
class RankCertificate:
    """Lower bounds of the loss over all matrices of rank below 1, 2, 3, ...: what a path below one of them keeps."""

    bounds: np.ndarray
    r"""``bounds[r - 1]`` is :math:`LB_r`, a lower bound of the loss over all matrices of rank r - 1 or less."""
    blocks: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    """The fully observed blocks, (rows, columns), that the bounds rest on."""
    assumptions: tuple[str, ...]

    def rank(self, objective: float) -> int:
        """The rank that a descent path keeps from where its objective (loss plus ridge) is this low: its limit has
        at least this rank.
        """
        return int(np.sum(float(objective) < self.bounds))

    def largest_ridge(self, rank: int, fit: ArrayLike, depth: int) -> float:
        r"""Below this ridge some point certifies `rank`: the balanced factors of `fit`, a matrix that fits the data.

        .. math:: \lambda < LB_r \Big/ \Big(L \sum_i s_i(B)^{2/L}\Big)
        """
        r = whole("rank", rank, least=1)
        if r > len(self.bounds) or self.bounds[r - 1] == 0:
            most = int(np.sum(self.bounds > 0))
            raise InputError(f"these blocks certify no rank above {most}, but rank {r} was asked for.")
        return float(self.bounds[r - 1] / representation_cost(fit, depth))


@within_floats
def rank_certificate(
    rows: ArrayLike,
    columns: ArrayLike,
    values: ArrayLike,
    shape: tuple[int, int],
    weight: float | None = None,
    blocks: Sequence[tuple[ArrayLike, ArrayLike]] | None = None,
    rank: int = 1,
) -> RankCertificate:
    r"""Bounds that certify: once the objective is below :math:`LB_r`, a descent path ends at rank r or more.

    .. math:: LB_r = \frac{c}{2} \sum_b \sum_{k \ge r} s_k(T_{R_b S_b})^2
              \le \inf \{ C(A) : \operatorname{rank} A < r \}

    over fully observed blocks :math:`R_b \times S_b` that share no entry; one block, the whole target, when all of it
    is observed (then the bound is attained). The objective decreases along gradient flow, and along gradient descent
    with a stable step; its limit has a loss below :math:`LB_r`.

    Parameters
    ----------
    rows, columns, values : array_like of shape (m,)
        The observed entries.
    shape : (int, int)
        Of the whole matrix.
    weight : float, optional
        Weight of one squared residual; :math:`1/m` when left out.
    blocks : sequence of (rows, columns), optional
        Fully observed blocks that share no entry. When left out they are searched: every row in turn, those with most
        entries first, starts a block; the row that keeps most columns joins, as long as `rank` columns remain; the
        best of these blocks for :math:`LB_{rank}` is taken and its entries are used up.
    rank : int
        The rank that the search should certify.

    Returns
    -------
    RankCertificate

    Raises
    ------
    InputError
        A block with an unobserved entry, or blocks that share one.

    Notes
    -----
    The statement for gradient flow is that of Wang, Jacot (2024); the computable bounds are derived. It is about paths,
    not about the landscape: at depth 3 or more, rank 0 is always a local minimum.

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.theory.landscape import entries
    >>> target = np.diag([3.0, 2.0, 1.0])
    >>> certificate = rank_certificate(*entries(target), shape=(3, 3))
    >>> certificate.bounds.round(6).tolist()
    [0.777778, 0.277778, 0.055556]
    >>> certificate.rank(0.05), certificate.rank(0.1)
    (3, 2)
    >>> round(certificate.largest_ridge(3, fit=target, depth=3), 6)
    0.003968
    """
    n_out, n_in = check_shape(shape)
    seen = check_entries(rows, columns, values, (n_out, n_in))
    r, c = whole("rank", rank, least=1, most=min(n_out, n_in)), weight_of(weight, len(seen.values))
    check_bytes(16 * n_out * n_in, f"The whole matrix, {n_out:,} x {n_in:,},", "Give a part of it.")
    T = seen.dense()
    if blocks is None:
        # The search uses entries up, and so does the sum below: each needs its own.
        chosen = _search(T.copy(), r)
    else:
        chosen = [(_indices(R, n_out), _indices(S, n_in)) for R, S in map(_pair, several("blocks", blocks))]
    bounds = np.zeros(min(n_out, n_in))
    for R, S in chosen:
        tail = c / 2 * _tails(_take(T, R, S))
        bounds[: len(tail)] += tail
    return RankCertificate(
        bounds,
        tuple((tuple(map(int, R)), tuple(map(int, S))) for R, S in chosen),
        ("the objective decreases along the path: gradient flow, or gradient descent with a stable step",),
    )


def _pair(block: object) -> list:
    pair = several("blocks", block)
    if len(pair) != 2:
        raise InputError(f"A block is a pair (rows, columns), got {len(pair)} parts.")
    return pair


def _indices(given: object, size: int) -> np.ndarray:
    """The rows or the columns of a block."""
    index = np.atleast_1d(as_array(given, "blocks"))
    if index.dtype.kind not in "iu" or not index.size or len(np.unique(index)) < index.size:
        raise InputError(f"a block needs rows and columns, whole numbers without repetition, got {shown(given)}.")
    if index.ndim != 1 or index.min() < 0 or index.max() >= size:
        raise InputError(f"a block reaches outside 0 .. {size - 1}: {shown(given)}.")
    return index


def _take(T: np.ndarray, R: np.ndarray, S: np.ndarray) -> np.ndarray:
    """A block of T, used up so that no later block shares its entries."""
    where = np.ix_(R, S)
    block = T[where]
    if np.isnan(block).any():
        raise InputError("every block must be fully observed and share no entry with another.")
    T[where] = np.nan
    return block


def _tails(block: np.ndarray) -> np.ndarray:
    """``sum over k >= r of s_k^2`` for r = 1, 2, ...; singular values at rounding level are zero."""
    s = np.linalg.svd(block, compute_uv=False)
    # Left in, rounding would certify a full rank for every block.
    s[s <= np.finfo(float).eps * max(block.shape) * s[0]] = 0.0
    return np.cumsum(s[::-1] ** 2)[::-1]


def _search(T: np.ndarray, r: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Disjoint blocks, greedily; `T` is used up."""
    if not np.isnan(T).any():
        return [(np.arange(T.shape[0]), np.arange(T.shape[1]))]
    chosen = []
    # Rows with most entries first: they start the largest blocks.
    for seed in np.argsort(-np.sum(~np.isnan(T), axis=1), kind="stable"):
        R, S = _grow(T, int(seed), r)
        if len(R):
            _take(T, R, S)
            chosen.append((R, S))
    return chosen


def _grow(T: np.ndarray, seed: int, r: int) -> tuple[np.ndarray, np.ndarray]:
    """From one row: add the row that keeps most columns; the best block for rank r met on the way."""
    there = ~np.isnan(T)
    R, S, best, found = [seed], there[seed], 0.0, (np.zeros(0, np.int64), np.zeros(0, np.int64))
    while S.sum() >= r:
        # With fewer than r rows a block has no r-th singular value.
        if len(R) >= r and (gain := _tails(T[np.ix_(R, S)])[r - 1]) > best:
            best, found = gain, (np.sort(R), np.flatnonzero(S))
        # How many of the columns so far each row would keep.
        shared = there @ S.astype(np.int64)
        shared[R] = 0
        if not shared.any():
            break
        R = [*R, int(np.argmax(shared))]
        S = S & there[R[-1]]
    return found
