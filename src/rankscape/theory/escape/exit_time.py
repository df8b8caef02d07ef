"""The mean escape time itself, for the model."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array
from scipy.sparse.linalg import spsolve

from rankscape.errors import InputError
from rankscape.ground.checks import positive
from rankscape.ground.range import within_floats
from rankscape.theory.escape.exponent import wkb_exponent
from rankscape.theory.escape.holders import Holders, obstacle
from rankscape.theory.escape.scalar import ASSUMPTIONS, Chain, chain_of, roots

# Cells of the coarser of two grids; their difference gives the numerical error.
CELLS = 2000
# Epochs up to which the linear system resolves a mean time in double precision.
LONGEST = 1e10


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
    """Why there is no time, or why the model is not known to be about the mode in question."""


@within_floats
def mean_exit_time(
    target: float,
    depth: int,
    ridge_per_epoch: float,
    learning_rate: float,
    level: float | None = None,
    holders: Holders | None = None,
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
    holders : Holders, optional
        Of the mode in question. The time is always that of the model; `failed` says when the model is not about the
        mode, or when nobody asked.

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
    chain = chain_of(target, depth, ridge_per_epoch, learning_rate)
    low, high = roots(chain)
    L = chain.L
    level = math.exp(L * low) / 1000 if level is None else positive("level", level)
    bottom = float(np.log(level)) / L
    if bottom >= high:
        raise InputError(f"`level` must lie below the minimum {math.exp(L * high):g}, got {level:g}.")
    # The time exceeds exp(S): where that is too long already, the linear system would be singular.
    beyond = wkb_exponent(target, depth, ridge_per_epoch, learning_rate).value > math.log(LONGEST)
    coarse, fine = (math.inf if beyond else _solve(chain, bottom, high, cells) for cells in (CELLS, 2 * CELLS))
    # Too long a time comes out of the linear system as noise, of either sign.
    if not 0 < fine < LONGEST:
        text = f"longer than {LONGEST:g} epochs, beyond double precision: see `wkb_exponent`"
        return ExitTime(math.inf, math.inf, level, ASSUMPTIONS, text)
    # Richardson: the error of the scheme is of second order in the cell.
    error, failed = abs(fine - coarse) / fine, obstacle(holders, learning_rate)
    return ExitTime(fine + (fine - coarse) / 3, error, level, ASSUMPTIONS, failed)


def _solve(chain: Chain, bottom: float, start: float, cells: int) -> float:
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
