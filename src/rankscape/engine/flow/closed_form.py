"""Gradient flow of modes that evolve alone, in closed form at depth 1 and 2."""

import numpy as np

from rankscape.engine.base import Setting
from rankscape.engine.spectral import AlignedModes


def has_closed_form(setting: Setting, modes: AlignedModes) -> bool:
    """Depth 1, and depth 2: with a ridge from equal layers only."""
    return modes.multiplicity in ((1,), (2,)) or (modes.multiplicity == (1, 1) and setting.dynamics.ridge == 0)


def closed_form(modes: AlignedModes, start: np.ndarray, ridge: float, time: float) -> list[np.ndarray]:
    r"""The modes of each group when `time` has passed since they were `start`, for depth 1 and 2.

    Depth 1 is linear. At depth 2, ``s = (a + b)^2`` of the modes a, b of the two layers solves a Riccati equation,

    .. math:: \dot s = 2\lambda s - \tfrac12 s^2 + \tfrac12 \delta^2, \qquad \delta = a^2 - b^2,

    and ``(a - b)^2`` the same with :math:`-\lambda`. A ridge lowers :math:`\lambda` by :math:`2\rho` where the
    layers are equal.
    """
    target = modes.target
    if modes.multiplicity == (1,):
        (v,), decay = start, 1 + 2 * ridge
        return [v * np.exp(-decay * time) - target / decay * np.expm1(-decay * time)]
    a, b = start if len(start) == 2 else np.repeat(start, 2, axis=0)
    # (a - b)(a + b), not a^2 - b^2: nearly equal layers would lose their difference.
    shifted, delta = target - 2 * ridge, (a - b) * (a + b)
    # Neither a + b nor a - b crosses zero in finite time.
    u = np.copysign(np.sqrt(_riccati((a + b) ** 2, shifted, delta, time)), a + b)
    w = np.copysign(np.sqrt(_riccati((a - b) ** 2, -shifted, delta, time)), a - b)
    return [(u + w) / 2, (u - w) / 2][: len(start)]


def _riccati(s, lam, delta, time):
    r"""``s(t)`` of :math:`\dot s = 2\lambda s - s^2/2 + \delta^2/2`, written so that every term is nonnegative.

    With :math:`\omega = \sqrt{4\lambda^2 + \delta^2}`, ``E = exp(-omega t)``, ``psi = (1 - E) / omega`` and the
    shares ``plus, minus = (1 +- 2 lambda / omega) / 2``:

    .. math:: s(t) = \frac{2 s\,(c_+ + c_- E) + \delta^2 \psi}{s\,\psi + 2 (c_- + c_+ E)}
    """
    omega = np.hypot(2 * lam, delta)
    moving = omega > 0
    scale = np.where(moving, omega, 1.0)
    E, psi = np.exp(-omega * time), np.where(moving, -np.expm1(-omega * time) / scale, time)
    # The smaller of the two shares directly, the other as 1 minus it: 1 - 2 lambda / omega would cancel.
    smaller = np.where(moving, (delta / scale) ** 2 / (2 + 4 * np.abs(lam) / scale), 0.5)
    plus, minus = np.where(lam > 0, (1 - smaller, smaller), (smaller, 1 - smaller))
    denominator = s * psi + 2 * (minus + plus * E)
    numerator = 2 * s * (plus + minus * E) + delta**2 * psi
    # s = 0 only in a mode that stays there, and its denominator may have decayed to 0.
    return np.divide(numerator, denominator, out=np.zeros_like(s), where=s > 0)
