r"""How long SGD takes to lose a mode that gradient descent would keep.

The model is one mode held by one observed entry of m: the balanced chain :math:`s = y^L`. Between two draws of its
entry the ridge shrinks it; at a draw it steps towards its target a. With :math:`z = \log y`, time in epochs of m steps
and draws that arrive at rate 1 (sampling with replacement), z falls at the rate q and jumps by J:

.. math:: q = 2 \eta \lambda m, \qquad J(z) = \log\big(1 + \eta (a - s) s^{1-2/L}\big), \qquad s = e^{Lz}

Between the two roots of :math:`J = q`, the barrier and the minimum, the draws win on average; a gap between them can
still carry the mode over the barrier. Reshuffled sampling caps the gaps: then none of this applies, and no jump
is seen.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import csc_array
from scipy.sparse.linalg import spsolve
from scipy.special import lambertw

from rankscape.errors import InputError
from rankscape.ground.checks import positive
from rankscape.ground.range import within_floats
from rankscape.theory.chain import check_deep

__all__ = ["EscapeExponent", "ExitTime", "mean_exit_time", "supporting_target", "wkb_exponent"]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)
# Cells of the coarser of two grids; their difference gives the numerical error.
CELLS = 2000
# Epochs up to which the linear system resolves a mean time in double precision.
LONGEST = 1e10
ASSUMPTIONS = (
    "one balanced mode, held by one observed entry",
    "single entries drawn with replacement, many of them in an epoch",
)


@dataclass(frozen=True)
class EscapeExponent:
    """The logarithm of the mean escape time in epochs, up to a prefactor of about exp(3) to exp(4)."""

    value: float
    """S; the mean time grows like exp(S)."""
    single_gap: float
    """What one gap without any draw, long enough to fall over the barrier, would cost: an upper bound of S."""
    slope: float
    """V in S ~ V / learning_rate for small learning rates at the same ridge per epoch."""
    barrier: float
    """Singular value below which the mode is lost."""
    minimum: float
    """Singular value around which it lives."""
    assumptions: tuple[str, ...]


@within_floats
def wkb_exponent(target: float, depth: int, ridge_per_epoch: float, learning_rate: float) -> EscapeExponent:
    r"""The exponent of the mean escape time.

    .. math:: S = \int_{z_b}^{z_+} \pi(z) \, dz, \qquad 1 - q\pi = e^{-\pi J(z)}, \quad 0 < \pi \le 1/q

    Parameters
    ----------
    target : float
        :math:`a > 0`, the value of the entry that holds the mode; `supporting_target` for a mode at its minimum.
    depth : int
        :math:`L \ge 3`.
    ridge_per_epoch : float
        :math:`\lambda m`: the ridge times the number of observed entries.
    learning_rate : float
        :math:`\eta`.

    Returns
    -------
    EscapeExponent

    Raises
    ------
    InputError
        The mode has no minimum and dies at once, the learning rate is beyond stability (the limit is named), or the
        depth is below 3.

    Notes
    -----
    Derived. For modes held by many entries it gives the right order only: the bulk adapts.

    Examples
    --------
    >>> found = wkb_exponent(target=2.0, depth=3, ridge_per_epoch=0.4, learning_rate=0.1)
    >>> round(found.value, 2), round(found.single_gap, 1), round(found.slope, 2)
    (4.01, 11.3, 0.48)
    """
    chain = _chain_of(target, depth, ridge_per_epoch, learning_rate)
    L, k, q = chain.L, chain.k, chain.q
    low, high = _roots(chain.jump, chain, q)
    small_steps = _roots(chain.pull, chain, k)
    return EscapeExponent(
        value=_action(lambda z: chain.jump(z) / q, low, high) / q,
        single_gap=(high - low) / q,
        slope=_action(lambda z: chain.pull(z) / k, *small_steps) / k,
        barrier=math.exp(L * low),
        minimum=math.exp(L * high),
        assumptions=(*ASSUMPTIONS, "exponential order only"),
    )


@dataclass(frozen=True)
class ExitTime:
    """The mean time until a mode is lost."""

    epochs: float
    """Mean number of epochs, from the minimum; infinite when it is too long to be resolved, see `failed`."""
    numerical_error: float
    """How far two grids differ, relative."""
    level: float
    """The singular value at which the mode counts as lost."""
    assumptions: tuple[str, ...]
    failed: str | None = None


@within_floats
def mean_exit_time(
    target: float, depth: int, ridge_per_epoch: float, learning_rate: float, level: float | None = None
) -> ExitTime:
    r"""The mean escape time itself, from the renewal equation.

    From z the mode falls until the next draw, then jumps:

    .. math:: T(z) = \int_0^{\tau} e^{-t} \big(1 + T(z - qt + J(z - qt))\big) \, dt, \qquad \tau = (z - z_0) / q

    solved as a sparse linear system on two grids, with Richardson extrapolation.

    Parameters
    ----------
    target, depth, ridge_per_epoch, learning_rate
        As for `wkb_exponent`.
    level : float, optional
        Singular value :math:`e^{L z_0}` at which the mode counts as lost; a thousandth of the barrier when left out,
        from where it practically never returns.

    Returns
    -------
    ExitTime
        In epochs; times the number of observed entries in steps.

    Notes
    -----
    Derived; exact for the model in the limit of many entries.

    Examples
    --------
    >>> round(mean_exit_time(target=2.0, depth=3, ridge_per_epoch=0.4, learning_rate=0.2).epochs)
    176
    """
    chain = _chain_of(target, depth, ridge_per_epoch, learning_rate)
    low, high = _roots(chain.jump, chain, chain.q)
    L = chain.L
    level = math.exp(L * low) / 1000 if level is None else positive("level", level)
    bottom = math.log(level) / L
    if bottom >= high:
        raise InputError(f"`level` must lie below the minimum {math.exp(L * high):g}, got {level:g}.")
    coarse, fine = (_solve(chain, bottom, high, cells) for cells in (CELLS, 2 * CELLS))
    # Too long a time comes out of the linear system as noise, of either sign.
    if not 0 < fine < LONGEST:
        text = f"longer than {LONGEST:g} epochs, beyond double precision: see `wkb_exponent`"
        return ExitTime(math.inf, math.inf, level, ASSUMPTIONS, text)
    # Richardson: the error of the scheme is of second order in the cell.
    return ExitTime(fine + (fine - coarse) / 3, abs(fine - coarse) / fine, level, ASSUMPTIONS)


@within_floats
def supporting_target(singular_value: float, depth: int, ridge_per_epoch: float) -> float:
    r"""The target whose minimum is this singular value: :math:`a = s + 2\lambda m\, s^{2/L-1}`.

    Examples
    --------
    >>> round(supporting_target(1.6997, depth=3, ridge_per_epoch=0.4), 3)
    2.37
    """
    s, L = positive("singular_value", singular_value), check_deep(depth)
    return s + 2 * positive("ridge_per_epoch", ridge_per_epoch) * s ** (2 / L - 1)


class _Chain(NamedTuple):
    """The scalar chain; `k` is twice the ridge per epoch, `q` its product with the learning rate."""

    a: float
    L: int
    k: float
    eta: float
    q: float

    def pull(self, z):
        """What one draw adds to z, to first order and per learning rate."""
        return (self.a - np.exp(self.L * z)) * np.exp((self.L - 2) * z)

    def jump(self, z):
        """What one draw adds to z."""
        return np.log1p(self.eta * self.pull(z))

    @property
    def hill(self) -> float:
        """Where the pull is largest."""
        p = 1 - 2 / self.L
        return (math.log(p / (1 + p)) + math.log(self.a)) / self.L

    @property
    def top(self) -> float:
        """The largest z that draws can reach from below the target."""
        z = np.linspace(self.hill, math.log(self.a) / self.L, 1001)
        return float(np.max(z + self.jump(z)))


def _chain_of(target: float, depth: int, ridge_per_epoch: float, learning_rate: float) -> _Chain:
    a, L = positive("target", target), check_deep(depth)
    k, eta = 2 * positive("ridge_per_epoch", ridge_per_epoch), positive("learning_rate", learning_rate)
    chain = _Chain(a, L, k, eta, eta * k)
    if _margin(chain) <= 0:
        # The margin falls with the rate, from 1 at 0: one root, which the message names.
        limit = brentq(lambda x: _margin(chain._replace(eta=x)), 0.0, eta)
        raise InputError(f"learning rate {eta:g} is beyond stability for this target: it must be below {limit:.6g}.")
    if chain.jump(chain.hill) <= chain.q:
        raise InputError(
            f"at a ridge per epoch of {k / 2:g} a mode of target {a:g} has no minimum to escape from: it dies at once. "
            "Use a smaller ridge or learning rate."
        )
    return chain


def _margin(chain: _Chain) -> float:
    """What is left of a weight at the largest z, after the next draw pulls it back."""
    return 1 + chain.eta * float(chain.pull(chain.top))


def _roots(force: Callable, chain: _Chain, level: float) -> tuple[float, float]:
    """Barrier and minimum in z, where the force of the draws equals that of the ridge."""
    # The force has one hill: one root on its left, one on its right.
    ends = (math.log(chain.k / chain.a) / (chain.L - 2), chain.hill, math.log(chain.a) / chain.L)
    low, high = (brentq(lambda z: float(force(z)) - level, *span) for span in pairwise(ends))
    return float(low), float(high)  # pyright: ignore[reportArgumentType]


def _action(ratio: Callable, low: float, high: float) -> float:
    """The integral of x with ``1 - x = exp(-x r)``, r the ratio of the two forces."""
    z = (low + high) / 2 + (high - low) / 2 * NODES
    r = np.maximum(ratio(z), 1.0)
    # The principal branch; r > 1 everywhere between the roots.
    x = 1 + np.real(lambertw(-r * np.exp(-r))) / r
    return float((high - low) / 2 * WEIGHTS @ x)


def _solve(chain: _Chain, bottom: float, start: float, cells: int) -> float:
    """The mean time from `start`; a draw within a cell leads to the mean of what it does at both ends."""
    top = max(chain.top, math.log(chain.a) / chain.L)
    z, h = np.linspace(bottom, top, cells + 1, retstep=True)
    # No draw leads out of the grid: its top is the largest z that draws can reach.
    landing = (np.clip(z + chain.jump(z), bottom, top) - bottom) / h
    left = np.minimum(landing.astype(np.int64), cells - 1)
    share, d = landing - left, float(h) / chain.q
    stay, half = math.exp(-d), -math.expm1(-d) / 2
    point = np.arange(1, cells + 1)
    row = np.concatenate([np.arange(cells + 1), *[point] * 5])
    column = np.concatenate([np.arange(cells + 1), point - 1, left[:-1], left[:-1] + 1, left[1:], left[1:] + 1])
    weights = np.array([1 - share[:-1], share[:-1], 1 - share[1:], share[1:]]).ravel()
    value = np.concatenate([np.ones(cells + 1), np.full(cells, -stay), -half * weights])
    right = np.full(cells + 1, 2 * half)
    # At the bottom the mode is lost: no time is left.
    right[0] = 0.0
    T = np.asarray(spsolve(csc_array((value, (row, column)), shape=(cells + 1, cells + 1)), right))
    return float(np.interp(start, z, T))
