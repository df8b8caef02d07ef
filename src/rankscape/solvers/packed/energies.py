r"""Where the factors of sparse, noisy entries begin, and how many directions chance does not explain.

The leading singular vectors of zero-filled entries are those of rows and columns that are seen often, or are loud: at
few entries a row they drown what all rows share. So each entry is divided by the energies of its lines first,

.. math:: S_{ij} = \frac{y_{ij}}{\sqrt{(r_i + \bar r)(c_j + \bar c)}},\qquad
          r_i = \sum_j y_{ij}^2,\quad c_j = \sum_i y_{ij}^2 ,

and is compared with itself under random signs: they destroy what is of low rank and leave every energy as it is, so
that the same division normalises both.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rankscape.ground.final import final
from rankscape.solvers.packed import loops
from rankscape.solvers.packed.orders import Block, Orders

# Multiplications from both sides: after 4 the overlap with the true directions at 6 entries a row was .41, after 20
# .84.
STEPS, NULL_STEPS = 20, 30

# Vectors beyond those asked for, and those of the random signs: what lies just behind the last slows it down.
MORE, NULL = 6, 4

# Margin over the largest singular value under random signs, times n^(-2/3) of the shorter side: the scale on which the
# largest singular values of noise differ (Tracy, Widom).
MARGIN = 2.0


class Beginning(NamedTuple):
    """Directions of the columns, the strongest first.

    Attributes
    ----------
    vectors : ndarray, shape (n_in, k)
        Means of the columns' factors, but for their size.
    sizes : ndarray, shape (k,)
        Singular values, over the largest under random signs.
    beyond_chance : int
        How many are larger than random signs explain.
    """

    vectors: np.ndarray
    sizes: np.ndarray
    beyond_chance: int


def beginning(orders: Orders, biases: tuple[np.ndarray, np.ndarray], width: int, threads: int = 1) -> Beginning:
    """The `width` leading directions of what `biases` leave of the entries that are not held out.

    Examples
    --------
    >>> from rankscape.entries import Entries
    >>> random = np.random.default_rng(0)
    >>> W = random.standard_normal((400, 2)) @ random.standard_normal((2, 300)) + random.standard_normal((400, 300))
    >>> entries = Entries.from_array(np.where(random.random(W.shape) < 0.1, W, np.nan))
    >>> orders = Orders.of(entries, np.zeros(entries.count, bool), 0.0, 1.0)
    >>> beginning(orders, (np.zeros(400), np.zeros(300)), 8).beyond_chance
    2
    """
    matrix = _Normalised.of(orders, biases, threads)
    width = min(width, *orders.shape)
    vectors, sizes = _leading(matrix, min(width + MORE, *orders.shape), STEPS, flip=False)
    chance = _leading(matrix, min(NULL, *orders.shape), NULL_STEPS, flip=True)[1][0]
    sizes = sizes[:width] / max(float(chance), 1e-300)
    count = int((sizes > 1 + MARGIN * min(orders.shape) ** (-2 / 3)).sum())
    return Beginning(vectors[:, :width] * matrix.roots[1][:, None], sizes, count)


@final
@dataclass(frozen=True, eq=False)
class _Normalised:
    """The matrix S; `roots` are one over the square roots of the energies."""

    orders: Orders
    biases: tuple[np.ndarray, np.ndarray]
    roots: tuple[np.ndarray, np.ndarray]
    threads: int

    @classmethod
    def of(cls, orders: Orders, biases: tuple[np.ndarray, np.ndarray], threads: int) -> "_Normalised":
        roots = []
        for s, order in enumerate(orders.sides):
            energies, here, other = np.empty(order.lines), biases[s], biases[1 - s]

            def add(block: Block, energies: np.ndarray = energies, here=here, other=other) -> None:
                loops.squares(*block.entries(False), here[block.lines], other, energies[block.lines])

            order.each(add, threads)
            roots.append(1 / np.sqrt(energies + max(float(energies.mean()), 1e-300)))
        return cls(orders, biases, (roots[0], roots[1]), threads)

    def times(self, table: np.ndarray, side: int, flip: bool) -> np.ndarray:
        """``S`` (side 0) or ``S^T`` (1) times a table, under random signs or not."""
        order = self.orders.sides[side]
        out = np.empty((order.lines, table.shape[1]), np.float32)
        scaled = (table * self.roots[1 - side][:, None]).astype(np.float32)
        here, other, signs = self.biases[side], self.biases[1 - side], (side + 1) * flip

        def multiply(block: Block) -> None:
            given = *block.entries(False), here[block.lines], other, signs, scaled
            loops.multiply(block.first, *given, out[block.lines])

        order.each(multiply, self.threads)
        return out * self.roots[side][:, None]


def _leading(matrix: _Normalised, width: int, steps: int, flip: bool) -> tuple[np.ndarray, np.ndarray]:
    """Leading right singular vectors and values, by block power steps."""
    start = np.random.default_rng(0).standard_normal((matrix.orders.shape[1], width))
    vectors = np.linalg.qr(start)[0]
    for _ in range(steps):
        vectors = np.linalg.qr(matrix.times(matrix.times(vectors, 0, flip), 1, flip))[0]
    gram = matrix.times(vectors, 0, flip)
    squares, turn = np.linalg.eigh(gram.T @ gram)
    return vectors @ turn[:, ::-1], np.sqrt(np.maximum(squares[::-1], 0.0))
