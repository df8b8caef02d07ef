"""Pauli operators: tensor products of the four Pauli matrices, kept real."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from rankscape.entries.checking import check_shape
from rankscape.errors import InputError
from rankscape.ground.checks import several, whole
from rankscape.ground.final import final
from rankscape.problem.operators.dense import AbstractOperators, device, scatter

# Strings on more would act on matrices of 2 GB.
MOST_QUBITS = 14


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class PauliOperators(AbstractOperators):
    r"""Pauli strings :math:`P = \sigma_1 \otimes \dots \otimes \sigma_q` on real matrices of size :math:`n = 2^q`.

    A string with an even number of Y is a real symmetric matrix and enters as it is: :math:`\langle P, W\rangle =
    \mathrm{tr}(P W)` is the expectation that quantum tomography measures on a real density matrix ``W``. One with an
    odd number of Y is imaginary and enters as ``iP``, real and antisymmetric; it sees nothing of a symmetric matrix.
    All :math:`4^q` of them are orthogonal, each of squared norm n.

    Memory is one number for each string. All coefficients of a matrix come from one product with a Hadamard matrix,
    so the work is :math:`2 n^3` however many strings there are.

    Parameters
    ----------
    strings : sequence of str
        Words of one length q in the letters I, X, Y, Z; the first letter is the most significant qubit.

    Raises
    ------
    InputError
        There is no string, lengths differ, or a letter is none of the four.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> operators = rs.PauliOperators(["II", "ZI", "XX", "YY"])
    >>> bell = np.array([[1, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1]]) / 2
    >>> operators.apply(bell)
    array([ 1.,  0.,  1., -1.])

    References
    ----------
    .. [liu2011] Liu, "Universal low-rank matrix recovery from Pauli measurements", NeurIPS 2011.
    """

    scale: float

    def __init__(self, strings: Sequence[str]):
        strings = several("strings", strings)
        if not strings:
            raise InputError("`strings` is empty; give words such as 'XIZ'.")
        length = len(strings[0]) if isinstance(strings[0], str) else 0
        codes = np.array([_code(word, length) for word in strings], dtype=np.int64)
        n = 2 ** len(strings[0])
        self._set(codes, (n, n), 1.0)

    @classmethod
    def random(
        cls, count: int, shape: tuple[int, int], seed: int = 0, normalize: bool = True, symmetric: bool = False
    ) -> "PauliOperators":
        r"""Different strings, each as likely as any other.

        Of all strings there are :math:`d = n^2`; of `symmetric` ones, with an even number of Y, :math:`d = n(n+1)/2`,
        enough for a symmetric matrix. Normalized strings carry the factor :math:`\sqrt{d/(n m)}`, with which
        :math:`E[A^* A] = I` on the matrices that the d strings span; all d of them measure without distortion.
        """
        (n, columns), count = check_shape(shape), whole("count", count, least=1)
        if n != columns or n & (n - 1) or n == 1:  # n & (n - 1) is 0 for powers of two alone
            raise InputError(
                f"Pauli strings act on square matrices whose size is a power of two, not {(n, columns)}; "
                "use Gaussian or rank-one operators, or pad the matrix with zeros."
            )
        # x and z have an even number of common bits exactly when the number of Y is even.
        codes = np.flatnonzero(_hadamard(n).reshape(-1) > 0) if symmetric else np.arange(n * n)
        if count > len(codes):
            kind = "symmetric Pauli strings" if symmetric else "Pauli strings"
            raise InputError(f"`count` is {count}, but there are only {len(codes)} {kind} for shape {(n, n)}.")
        chosen = codes[device(seed).shuffled(0, count, len(codes))]
        operators = object.__new__(cls)
        operators._set(chosen, (n, n), (len(codes) / (n * count)) ** 0.5 if normalize else 1.0)
        return operators

    def strings(self) -> list[str]:
        """The words."""
        n = self.shape[0]
        return [_word(int(code) // n, int(code) % n, n) for code in self.table]

    def apply(self, W: Any) -> Any:
        """Move ``W[i, i ^ x]`` to row x; in its Hadamard transform, the coefficients of all strings that flip x."""
        n = self.shape[0]
        i = np.arange(n)
        moved = W[i, i ^ i[:, None]]  # a string that flips the bits of x only sees entries (i, i ^ x)
        return self.scale * (_signs(n) * (moved @ _hadamard(n))).reshape(-1)[self.table]

    def adjoint(self, z: Any) -> Any:
        """The same way back: the table, its Hadamard transform, the entries at their places."""
        n = self.shape[0]
        i = np.arange(n)
        coefficients = scatter(z, self.table, n * n).reshape(n, n)
        moved = (_signs(n) * coefficients) @ _hadamard(n)
        return self.scale * moved[i[:, None] ^ i, i[:, None]]  # row x of `moved` back to (i, i ^ x)

    def largest(self) -> float:
        """All have the same."""
        return self.scale**2 * self.shape[0]

    def flops(self) -> float:
        """``2 n^3``."""
        return 2.0 * self.shape[0] ** 3


# A string is numbered n x + z: the bits of x say which qubits it flips (X, Y), those of z which get a sign (Z, Y).


def _code(word: str, length: int) -> int:
    if not isinstance(word, str) or not 1 <= len(word) <= MOST_QUBITS or set(word) - set("IXYZ"):
        raise InputError(f"{word!r} is not a Pauli string: 1 to {MOST_QUBITS} letters of I, X, Y, Z are.")
    if len(word) != length:
        raise InputError(f"The Pauli string {word!r} has {len(word)} letters, the first one has {length}.")
    flips, signs = (int("".join("01"[letter in kind] for letter in word), 2) for kind in ("XY", "ZY"))
    return (flips << length) + signs


def _word(x: int, z: int, n: int) -> str:
    return "".join("IZXY"[2 * bool(x & bit) + bool(z & bit)] for bit in (n >> k for k in range(1, n.bit_length())))


@lru_cache(maxsize=8)
def _hadamard(n: int) -> np.ndarray:
    """``(-1)^(number of common bits)``; small integers, which take on the precision of what they multiply."""
    i = np.arange(n)
    return (1 - 2 * (np.bitwise_count(i & i[:, None]) & 1)).astype(np.int8)


@lru_cache(maxsize=8)
def _signs(n: int) -> np.ndarray:
    """At (x, z): what turns the string with ``ZX`` for every Y, which is ``iY``, into P, or iP when that is real."""
    i = np.arange(n)
    return (1 - 2 * (np.bitwise_count(i & i[:, None]) // 2 & 1)).astype(np.int8)
