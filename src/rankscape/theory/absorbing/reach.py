"""Proof that a lower rank can be reached, and how unlikely the proof's path is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.duplicates import row_order
from rankscape.errors import InputError
from rankscape.ground.checks import of_kind
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike, Matrix
from rankscape.theory.absorbing.rank_set import RankSet
from rankscape.theory.chain import check_entries, decay, deep_chain, imbalances, squared_norm
from rankscape.theory.landscape.scalar import scalar_thresholds

# Draws of one entry that are followed.
LONGEST = 1_000_000


@dataclass(frozen=True)
class Reachability:
    """A sequence of draws that leads into the set: its length and its probability."""

    steps: int | None
    """Draws that suffice; None when the argument does not apply, see `failed`."""
    log10_probability: float | None
    """Of drawing only such entries all the time."""
    kept: tuple[int, ...]
    """The rows or columns whose entries are drawn; for rank 0 the position of the one entry in `rows`."""
    axis: str
    """"rows", "columns" or "entry"."""
    assumptions: tuple[str, ...]
    failed: str | None = None


@within_floats
def reachability(
    rank_set: RankSet,
    factors: Sequence[ArrayLike],
    rows: ArrayLike,
    columns: ArrayLike,
    values: ArrayLike,
    learning_rate: float,
    ridge: float,
) -> Reachability:
    r"""How SGD that draws single entries with replacement can reach :math:`B_r`, with which probability at least.

    For :math:`r \ge 1`: when only entries of the r best observed rows (or columns) are drawn, a share p of all, the
    other rows of the last (columns of the first) factor, of squared norm :math:`C'`, shrink by :math:`\rho` each step,
    and the imbalance :math:`D` of now by :math:`\rho^2`; the soft rank follows after

    .. math:: T = \left\lceil \frac{1}{2 \log(1/\rho)} \log \max \Big(
              \frac{4 (C' + \sum_l \|D_l\|_*)}{\alpha \epsilon_2}, \frac{2 \max_l \|D_l\|}{\epsilon_1} \Big)
              \right\rceil, \qquad \text{probability} \ge p^T

    For :math:`r = 0`: an entry with :math:`|T_{ij}| < a_c(2\lambda)` (`scalar_thresholds`) cannot hold any mode alone.
    Drawing only it, the squared norms :math:`x_l` of what it touches (all of a layer; its row of the last, its column
    of the first) obey

    .. math:: x_l^+ \le \rho^2 x_l + \max_{A^2 \le \prod x} \Big( 2\rho\eta A (|T_{ij}| - A)
              + \eta^2 (|T_{ij}| - A)^2 \prod_{k \ne l} x_k \Big)

    and fall to zero, so that rank 0 is the ultimate absorbing state of a fixed learning rate and ridge.

    Parameters
    ----------
    rank_set, factors, rows, columns, values, learning_rate, ridge
        As for `step_certificate`; the rank of the set below all widths.

    Returns
    -------
    Reachability

    Raises
    ------
    InputError
        Widths not above the rank: every point has that rank already.

    Notes
    -----
    The statement is that of Wang, Jacot (2024); the constants are derived. An existence proof, not a rate: real jumps
    use ordinary fluctuations and come much sooner.

    Examples
    --------
    >>> import numpy as np
    >>> one = RankSet(rank=1, alpha=0.01, eps1=1e-3, eps2=0.75, C=4.0)
    >>> found = reachability(one, [np.eye(2)] * 3, [0, 0, 1], [0, 1, 1], [1.0, 0.5, 1.0], learning_rate=0.1, ridge=0.05)
    >>> found.steps, round(found.log10_probability), found.axis, found.kept
    (313, -55, 'rows', (0,))
    """
    of_kind("rank_set", rank_set, RankSet)
    W = deep_chain(factors)
    eta, lam, rho = decay(learning_rate, ridge)
    seen = check_entries(rows, columns, values, (W[-1].shape[0], W[0].shape[1]))
    width = min(min(w.shape) for w in W)
    if rank_set.rank >= width:
        raise InputError(f"rank {rank_set.rank} needs no reaching: a width of {width} allows no higher one.")
    if rank_set.rank:
        return _by_lines(rank_set, W, seen, rho)
    found = _by_entry(rank_set, W, seen, eta, lam, rho)
    given = row_order(np.asarray(rows), np.asarray(columns), seen.shape)
    return replace(found, kept=tuple(int(given[k]) for k in found.kept))


def _by_lines(rank_set: RankSet, W: list[Matrix], seen: Entries, rho: float) -> Reachability:
    """Draw from the r best observed rows or columns only."""
    r, total = rank_set.rank, len(seen.values)
    # In nuclear norm, which bounds (times 2 / alpha) by how much the soft ranks of the layers differ.
    unbalanced = sum(float(np.linalg.norm(D, "nuc")) for D in imbalances(W))
    from_balance = 2 * max(rank_set.imbalance_norms(W)) / rank_set.eps1
    options = []
    for axis, index, outer in (("rows", seen.rows, W[-1]), ("columns", seen.columns, W[0].T)):
        counts = np.bincount(index, minlength=len(outer))
        # The best observed lines: their share of the entries is raised to the power T.
        kept = np.sort(np.argsort(-counts, kind="stable")[:r])
        rest = squared_norm(np.delete(outer, kept, axis=0))
        # At least 1: a point that is inside needs no draw.
        ratio = max(4 * (rest + unbalanced) / (rank_set.alpha * rank_set.eps2), from_balance, 1.0)
        steps = math.ceil(math.log(ratio) / (2 * -math.log(rho)))
        options.append((steps * math.log10(counts[kept].sum() / total), axis, steps, tuple(map(int, kept))))
    log10, axis, steps, kept = max(options)
    assumptions = (
        "single entries drawn uniformly with replacement",
        "the steps add little imbalance of their own: sum ||D_l||_* <= alpha eps2 / 4 and ||D_l|| <= eps1 / 2, which a "
        "small learning_rate / ridge ensures; squared norms end below C",
    )
    return Reachability(steps, log10, kept, axis, assumptions)


def _by_entry(rank_set: RankSet, W: list[Matrix], seen: Entries, eta: float, lam: float, rho: float) -> Reachability:
    """Draw one small entry only: one that steps gently and lies well below the threshold."""
    sizes, limit = np.abs(seen.values), scalar_thresholds(len(W), 2 * lam).a_local
    assumptions = ("single entries drawn uniformly with replacement",)
    if sizes.min() >= limit:
        text = f"every observed entry is at least {sizes.min():g} in modulus; only one below {limit:g} kills all modes"
        return Reachability(None, None, (), "entry", assumptions, text)
    # The gentlest entry: a small force, and far enough below the threshold to lose quickly.
    force = np.sum(W[-1] ** 2, axis=1)[seen.rows] * np.sum(W[0] ** 2, axis=0)[seen.columns]
    k = int(np.argmin(np.where(sizes < limit, force / np.maximum(1 - sizes / limit, 1e-9), np.inf)))
    target = float(sizes[k])
    # A member of B_0: soft ranks, imbalances and norms are all at most a multiple of the largest squared norm.
    goal = min(rank_set.alpha * rank_set.eps2 / 2, rank_set.eps1 / math.sqrt(2), rank_set.C)
    row, column = W[-1][seen.rows[k]], W[0][:, seen.columns[k]]
    touched = [squared_norm(column), *map(squared_norm, W[1:-1]), squared_norm(row)]
    untouched = max(squared_norm(W[0]) - touched[0], squared_norm(W[-1]) - touched[-1])
    # What the entry does not touch shrinks by the ridge alone.
    fall = math.ceil(math.log(max(2 * untouched / goal, 1.0)) / (2 * -math.log(rho)))
    held = _steps_down(touched, goal / 2, target, eta, rho)
    if held is None:
        text = f"the learning rate is too large for factors of this norm, or {LONGEST} draws are too few to prove it"
        return Reachability(None, None, (k,), "entry", assumptions, text)
    steps = max(fall, held)
    return Reachability(steps, -steps * math.log10(len(seen.values)), (k,), "entry", assumptions)


def _steps_down(x: list[float], goal: float, target: float, eta: float, rho: float) -> int | None:
    """Steps until the squared norms that the entry's own row and column see are below `goal`."""
    for step in range(LONGEST):
        if max(x) <= goal:
            return step
        product = math.prod(x)
        pushes = [eta * product / value if value else 0.0 for value in x]
        # From here on a step is beyond stability, and the maximum below lies elsewhere.
        if max(pushes) >= rho:
            return None
        for l, push in enumerate(pushes):
            A = min(math.sqrt(product), target * (rho - push) / (2 * rho - push))  # where a step adds most
            x[l] = rho**2 * x[l] + eta * (target - A) * (2 * rho * A + push * (target - A))
    return None
