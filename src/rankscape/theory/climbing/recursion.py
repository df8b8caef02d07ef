r"""The exact scalar recursions, in NumPy and plain Python.

Gradient descent from a (perturbed) identical start keeps the target's eigenvectors, so every eigenvalue
:math:`\lambda` evolves alone. With the product's eigenvalue :math:`p`:

.. math::

    d \leftarrow d + \eta\, d^{N-1} (\lambda - p), \quad p = d^N  \qquad\text{(identical)}

    a \leftarrow a + \eta\, a^{N-2} b\, (\lambda - p), \quad
    b \leftarrow b + \eta\, a^{N-1} (\lambda - p), \quad p = a^{N-1} b  \qquad\text{(perturbed)}
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import positive
from rankscape.ground.jit import compiled
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.inputs import Start, spectrum_of, start_of, steps_of

# Numbers kept between two comparisons with the levels.
BLOCK = 1 << 16

# Steps after which it is looked whether anything still moves: an even number, because last bits may alternate.
REST = 1 << 12

# Up to so many modes plain Python floats are faster than NumPy's calls.
SINGLE = 6

# Steps times modes from which on it pays to load the compiler; fewer modes than this take NumPy as long.
WORTH, FEW = 20_000_000, 200


def advance(a, b, lam, eta: float, N: int, steps: int, out=None):
    """Take simultaneous steps of floats or arrays, the same bits for both; ``b is a`` from the identical start.

    ``out[k]`` becomes the product before the k-th of these steps. One loop without calls: it is the hot one.
    """
    same = b is a
    for k in range(steps):
        # All N factors are equal: one update serves them, and `a` and `b` stay one object to the bit.
        if same:
            q = a
            for _ in range(N - 2):
                q = q * a
            p = q * a
            a = b = a + eta * q * (lam - p)
        else:
            # a^(N-2) by multiplication: a power function would round floats and arrays differently.
            q = a if N > 2 else 1.0
            for _ in range(N - 3):
                q = q * a
            p = q * a * b
            g = eta * q * (lam - p)
            a, b = a + g * b, b + g * a
        if out is not None:
            out[k] = p
    return a, b


@compiled()
def _advance_many(a, b, lam, eta, N, steps, same):
    """As `advance`, to the bit, in place: the compiler may not contract or reorder."""
    for _ in range(steps):
        for i in range(len(lam)):
            q = a[i] if N > 2 or same else 1.0
            for _ in range(N - 2 if same else N - 3):
                q = q * a[i]
            if same:
                p = q * a[i]
                a[i] = a[i] + eta * q * (lam[i] - p)
            else:
                p = q * a[i] * b[i]
                g = eta * q * (lam[i] - p)
                a[i], b[i] = a[i] + g * b[i], b[i] + g * a[i]


def _leap(a, b, lam, eta: float, N: int, steps: int):
    """As `advance`, by compiled code."""
    same = b is a
    a = np.array(a)
    b = a if same else np.array(b)
    _advance_many(a, b, lam, eta, N, steps, same)
    return a, b


def product(a, b, N: int):
    """The product's eigenvalue ``a^(N-1) b``."""
    out = a
    for _ in range(N - 2):
        out = out * a
    return out * b


def _stepper(modes: int, steps: int) -> Callable[..., Any]:
    """What takes the steps, the same bits either way: compiled where the compiler is at hand, or worth its loading."""
    worth = steps * max(modes, FEW) > WORTH
    return _leap if worth or "numba" in sys.modules else advance


def _far(go: Callable[..., Any], a, b, lam, eta: float, N: int, steps: int):
    """As `advance`; what has come to rest, or goes to and fro in its last bits, is not followed further."""
    while steps > REST:
        before = a, b
        a, b = go(a, b, lam, eta, N, REST)
        steps = steps % REST if np.array_equal(before, (a, b)) else steps - REST
    return go(a, b, lam, eta, N, steps)


def _initial(start: Start, lam: np.ndarray):
    a = np.full(lam.shape, start.alpha)
    return (a, a) if start.beta is None else (a, np.full(lam.shape, start.alpha - start.beta))


@within_floats
def factor_path(
    eigenvalues: ArrayLike, depth: int, alpha: float, learning_rate: float, steps: ArrayLike, beta: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    r"""The factors' eigenvalues after the given numbers of steps, exactly.

    Parameters
    ----------
    eigenvalues : array_like of shape (modes,)
        Eigenvalues :math:`\lambda_i` of the target.
    depth, alpha, learning_rate, beta
        :math:`N, \alpha, \eta, \beta`; `beta` is None for the identical start.
    steps : int or array_like of int
        Numbers of steps to report, in increasing order.

    Returns
    -------
    a, b : ndarray of shape (steps, modes)
        The ``depth - 1`` equal factors and the perturbed one (equal to `a` for the identical start).

    Raises
    ------
    InputError
        A bad number, or a learning rate so large that the recursion overflows.

    Notes
    -----
    Follows from the gradient of Chou, Gieshoff, Maly, Rauhut (2024).

    Examples
    --------
    >>> a, b = factor_path([-2.0], depth=2, alpha=0.5, learning_rate=0.01, steps=1000, beta=0.2)
    >>> a.round(4).tolist(), b.round(4).tolist()
    ([[1.4415]], [[-1.3874]])
    """
    start, lam, eta = start_of(depth, alpha, beta), spectrum_of(eigenvalues), positive("learning_rate", learning_rate)
    stops = steps_of(steps)
    (a, b), at, out = _initial(start, lam), 0, []
    go = _stepper(lam.size, max(stops, default=0))
    with np.errstate(over="ignore", invalid="ignore"):
        for stop in stops:
            a, b = _far(go, a, b, lam, eta, start.depth, stop - at)
            # Kept as they are: `advance` makes new arrays and does not write into old ones.
            out.append((a, b))
            at = stop
    if not all(np.all(np.isfinite(factor)) for pair in out for factor in pair):
        raise InputError(f"the recursion overflows within {at} steps at learning rate {eta:g}: see `step_limit`.")
    return np.array([pair[0] for pair in out]), np.array([pair[1] for pair in out])


@within_floats
def eigenvalue_path(
    eigenvalues: ArrayLike, depth: int, alpha: float, learning_rate: float, steps: ArrayLike, beta: float | None = None
) -> np.ndarray:
    r"""The product's eigenvalues :math:`p_i = a_i^{N-1} b_i` after the given numbers of steps, exactly.

    Parameters and errors are those of `factor_path`.

    Returns
    -------
    ndarray of shape (steps, modes)

    Examples
    --------
    >>> eigenvalue_path([2.0, -2.0], depth=3, alpha=0.5, learning_rate=0.01, steps=[1, 10]).round(6).tolist()
    [[0.128549, 0.121058], [0.166963, 0.092262]]
    """
    a, b = factor_path(eigenvalues, depth, alpha, learning_rate, steps, beta)
    return product(a, b, depth)


def first_passage(start: Start, lam: np.ndarray, level: np.ndarray, eta: float, most: int) -> np.ndarray:
    """First step at which each mode is at its level or past it, seen from the start; -1 after `most` steps."""
    lam, level = np.broadcast_arrays(np.asarray(lam, dtype=np.float64), np.asarray(level, dtype=np.float64))
    if lam.size <= SINGLE:
        pairs = zip(lam.ravel().tolist(), level.ravel().tolist(), strict=True)
        return np.array([_passage(start, *pair, eta, most) for pair in pairs]).reshape(lam.shape)
    return _passages(start, lam.ravel(), level.ravel(), eta, most).reshape(lam.shape)


def _passage(start: Start, lam: float, level: float, eta: float, most: int) -> int:
    """One mode, in plain Python floats."""
    N = start.depth
    a, b = start.alpha, start.alpha - (start.beta or 0.0)
    b = a if start.beta is None else b
    up, k = level > product(a, b, N), 0
    while k <= most:
        # In blocks, so that the loop of `advance` need not compare.
        block, before = [0.0] * min(REST, most + 1 - k), (a, b)
        a, b = advance(a, b, lam, eta, N, len(block), block)
        for j, p in enumerate(block):
            if (p >= level) if up else (p <= level):
                return k + j
        if (a, b) == before:
            return -1  # at rest before the level
        k += len(block)
    return -1


def _passages(start: Start, lam: np.ndarray, level: np.ndarray, eta: float, most: int) -> np.ndarray:
    """Many modes together, compared a block of steps at a time; modes that arrived are dropped."""
    N = start.depth
    out, left = np.full(lam.shape, -1), np.arange(lam.size)
    (a, b), k = _initial(start, lam), 0
    # Modes that fall are mirrored, so that one comparison serves both ways.
    sign = np.where(level > product(a, b, N), 1.0, -1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        while left.size and k <= most:
            rows = min(max(16, BLOCK // left.size), most + 1 - k)
            block = np.empty((rows, left.size))
            a, b = advance(a, b, lam[left], eta, N, rows, block)
            past = (block - level[left]) * sign[left] >= 0
            hit = past.any(axis=0)
            out[left[hit]] = k + past.argmax(axis=0)[hit]
            k += rows
            same = b is a
            a = a[~hit]
            # One object stays one object, or the next block would take the slower branch.
            b = a if same else b[~hit]
            left = left[~hit]
    return out
