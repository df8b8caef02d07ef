"""Variational Bayes of two thin factors, on records (`records`): the model of `solvers.posterior`, of many entries."""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rankscape.ground.final import final
from rankscape.ground.threads import each
from rankscape.solvers.packed import record_loops
from rankscape.solvers.packed.hands import AbstractHands, Threads, Update
from rankscape.solvers.packed.journal import Journal, Place
from rankscape.solvers.packed.orders import Block, Orders
from rankscape.solvers.packed.records import Moments, State, means_of, record_size
from rankscape.solvers.posterior import FADED, FLOOR


@final
class PackedPosterior:
    r"""Gaussian factors of entries in two orders: ``y_ij = u_i . v_j + a_i + b_j + noise``.

    Parameters
    ----------
    orders : Orders
        With the mean removed, rms near 1.
    state : State
        Of the columns.
    biased : (bool, bool)
        Whether rows and whether columns have a bias.
    everything : bool
        Whether held-out entries are fitted too.
    threads : int
        At most so many; they change no digit.
    hands : AbstractHands, optional
        Who sweeps; the threads without it.

    Attributes
    ----------
    state : State
        After the last sweep.
    left : ndarray, shape (n_out, width + 1)
        Means of the rows' factors, the bias last.
    moments : Moments
        Of both sides, before the last rotation.

    Examples
    --------
    >>> from rankscape.entries import Entries
    >>> random = np.random.default_rng(0)
    >>> W = random.standard_normal((400, 2)) @ random.standard_normal((2, 300))
    >>> noisy = np.where(random.random(W.shape) < 0.2, W + 0.5 * random.standard_normal(W.shape), np.nan)
    >>> entries = Entries.from_array(noisy)
    >>> orders = Orders.of(entries, np.zeros(entries.count, bool), 0.0, 1.0)
    >>> state = State.begin(np.linalg.svd(np.nan_to_num(noisy))[2][:5].T, (np.zeros(400), np.zeros(300)))
    >>> posterior = PackedPosterior(orders, state, (False, False))
    >>> for _ in range(20):
    ...     posterior.sweep()
    >>> posterior.state.width, round(posterior.state.noise**0.5, 1)
    (2, 0.5)
    """

    def __init__(
        self,
        orders: Orders,
        state: State,
        biased: tuple[bool, bool],
        everything: bool = False,
        threads: int = 1,
        hands: AbstractHands | None = None,
    ):
        self.orders, self.state, self.biased, self.threads = orders, state, biased, threads
        self.everything, self.hands = everything, hands or Threads(threads)
        self._swept: _Swept | None = None

    @property
    def count(self) -> int:
        """Entries that are fitted."""
        return self.orders.count if self.everything else self.orders.fitted

    def sweep(self) -> None:
        """Rows, columns, noise; a rotation that decouples the directions, without those that faded; priors."""
        k, noise, sizes = self.state.width, self.state.noise, self.orders.shape
        self._swept = None  # records of two sweeps would be twice as many
        rows = self._update(0, self.state.records)
        columns = self._update(1, rows.records)
        noise = max(columns.missed / max(self.count, 1), FLOOR)
        forward, backward = _decoupling(rows.second / sizes[0], columns.second / sizes[1])
        turned = rows.rotated(forward), columns.rotated(backward)
        kept = np.min([part.certainty for part in turned], axis=0) > FADED
        forward, backward = forward[:, kept], backward[:, kept]
        spreads = [np.append(np.diag(p.second)[kept], p.bias) / size for p, size in zip(turned, sizes, strict=True)]
        found = self.hands.gather(columns.records)
        records = self._rotate(found, k, backward)
        self._swept = _Swept(self.hands, rows.records, found, k, forward)
        self.state = State(records, int(kept.sum()), (spreads[0], spreads[1]), noise)

    def converge(self, tolerance: float, most: int, patience: int = 1, journal: Journal | None = None) -> None:
        """At most so many sweeps, until the noise moves by less than this share of it and no direction dies.

        It has to be still for `patience` sweeps in turn: where it falls and then rises it stands still between. With a
        `journal` they go on where they were.
        """
        first, still = 0, 0
        if journal is not None and (place := journal.begin()) is not None:
            self.state, first, still = place
        for number in range(first, most):
            before = self.state
            if journal is not None:
                journal.keep(Place(before, number, still))
            self.sweep()
            moved = abs(self.state.noise - before.noise) > tolerance * before.noise
            still = 0 if moved or self.state.width < before.width else still + 1
            if still == patience:
                break

    def _update(self, side: int, other: Any) -> "_Updated":
        precision = 1 / np.maximum(self.state.spreads[side], FLOOR)
        update = Update(self.state.width, self.state.noise, precision, self.biased[side], self.everything)
        records, sums = self.hands.update(self.orders.sides[side], side, update, other)
        seconds, firsts, rest = (np.array(parts) for parts in zip(*sums, strict=True))
        second, first = (_mirrored(parts.sum(0)) for parts in (seconds, firsts))
        return _Updated(records, second, first, *map(float, rest.sum(0)))

    def _rotate(self, records: np.ndarray, k: int, turn: np.ndarray) -> np.ndarray:
        out, turn = np.empty((len(records), record_size(turn.shape[1])), np.float32), np.ascontiguousarray(turn)
        each(lambda b: record_loops.rotate(*b, records, k, turn, out), self.orders.sides[1].blocks(), self.threads)
        return out

    # -- what was found ------------------------------------------------------------------------------------

    @property
    def left(self) -> np.ndarray:
        """Means of the rows' factors, the bias last; zeros before the first sweep."""
        return np.zeros((self.orders.shape[0], self.state.width + 1)) if self._swept is None else self._swept.left

    @property
    def moments(self) -> Moments:
        """Of both sides, before the last rotation."""
        assert self._swept is not None
        return self._swept.moments

    @property
    def right(self) -> np.ndarray:
        """Means of the columns' factors, the bias last."""
        return means_of(self.state.records, self.state.width)

    def missed(self, side: int = 0) -> np.ndarray:
        """Held-out entries minus their means, line by line of a side."""
        order = self.orders.sides[side]
        at = np.append(0, np.cumsum(order.starts[1:] - order.middles))
        out = np.empty(int(at[-1]))
        means = np.ascontiguousarray(self.left), np.ascontiguousarray(self.right)

        def miss(block: Block) -> None:
            record_loops.missed(*block.held, means[side][block.lines], means[1 - side], at[block.lines], out)

        order.each(miss, self.threads)
        return out

    def left_over(self, least: float, beyond: float) -> tuple[float, int]:
        """Excess kurtosis of what is left of the entries that are fitted, and how many have a direction of their own.

        These have a leverage above `least`, and `beyond` the mean by so many standard deviations, in row and column.
        """
        order, other, (rows, columns, k) = *self.orders.sides, self.moments
        of_other = other.ends(self.everything) - other.starts[:-1]
        given = columns, k, self.state.noise, least, beyond, of_other

        def look(block: Block) -> tuple[float, float, int]:
            return record_loops.left_over(*block.entries(self.everything), rows[block.lines], *given)

        square, fourth, alone = np.sum(order.each(look, self.threads), axis=0)
        return float(fourth * self.count / square**2 - 3) if square > 0 else 0.0, int(alone)


@final
class _Swept:
    """What a sweep has found of the rows, which is gathered when it is asked for."""

    def __init__(self, hands: AbstractHands, rows: Any, columns: np.ndarray, width: int, forward: np.ndarray):
        self._hands, self._rows, self._columns, self._width, self._forward = hands, rows, columns, width, forward

    @cached_property
    def moments(self) -> Moments:
        """Of both sides."""
        return Moments(self._hands.gather(self._rows), self._columns, self._width)

    @property
    def left(self) -> np.ndarray:
        """Means of the rows, rotated."""
        means = means_of(self.moments.rows, self._width)
        return np.column_stack([means[:, :-1] @ self._forward, means[:, -1]])


class _Updated(NamedTuple):
    """One side after its update: sums of ``E[x x^T]``, ``E[x] E[x]^T``, ``E[b^2]``, ``E[b]^2``, squared residuals."""

    records: Any
    second: np.ndarray
    first: np.ndarray
    bias: float
    bias_mean: float
    missed: float

    def rotated(self, turn: np.ndarray) -> "_Updated":
        """Their sums after ``turn^T x``."""
        return self._replace(second=turn.T @ self.second @ turn, first=turn.T @ self.first @ turn)

    @property
    def certainty(self) -> np.ndarray:
        """For each direction the squared mean over its variance."""
        mean = np.diag(self.first)
        return mean / np.maximum(np.diag(self.second) - mean, 1e-300)


def _mirrored(lower: np.ndarray) -> np.ndarray:
    return np.tril(lower) + np.tril(lower, -1).T


def _decoupling(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns that make the mean second moments of both sides diagonal and equal, and leave the product as it is."""
    k = len(rows)
    L = np.linalg.cholesky(rows + (1e-12 * np.trace(rows) / max(k, 1) + 1e-300) * np.eye(k))
    w, Q = np.linalg.eigh(L.T @ columns @ L)
    w, Q = np.maximum(w[::-1], 1e-30), Q[:, ::-1]
    return np.linalg.solve(L.T, Q) * w**0.25, L @ Q / w**0.25
