"""Constants for which every step stays in B_r."""

from dataclasses import dataclass

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import positive, switch
from rankscape.ground.range import within_floats
from rankscape.theory.absorbing.rank_set import UNIT, RankSet
from rankscape.theory.chain import check_deep

# The rank tolerance at which the ridge pulls the soft rank down most.
EPS2 = 0.75

# Steps in which the ridge shrinks weights by a factor e: a run that needs more gets nowhere.
LONGEST = 1e6


@dataclass(frozen=True)
class Absorption:
    """A set of low rank, and the learning rates with which no step leaves it."""

    rank_set: RankSet
    largest_learning_rate: float
    error: float
    """The bound of every residual that the constants rest on."""
    assumptions: tuple[str, ...]
    failed: str | None = None
    """Why no run can use the learning rate, or float64 the set: then single steps are to be certified."""

    @property
    def usable(self) -> bool:
        """Whether a run in float64 can take the learning rate and get anywhere."""
        return self.failed is None


@within_floats
def worst_case(
    rank: int,
    depth: int,
    ridge: float,
    largest_value: float,
    learning_rate: float | None = None,
    sharp: bool = True,
) -> Absorption:
    r"""Constants from the data alone: no step of SGD from within the set can leave it, whichever entry is drawn.

    With :math:`M = \max |T_{ij}|`: :math:`C = M^2 / (4\lambda)`, :math:`E = M + C^{L/2}`, :math:`\epsilon_2 = 3/4`. At
    depth 3 (`sharp`)

    .. math::

        \alpha = (0.69\, \lambda/E)^2, \quad \epsilon_1 = \alpha/4 \text{ (operator norm)}, \quad
        \eta \le \min\Big(\frac{0.3\,\lambda\alpha}{E^2 C^2}, \frac{0.5}{C^2}, \frac{0.05}{\lambda}\Big)

    and at any depth :math:`L \ge 3`, with :math:`q = L/2` and :math:`m = q^q / (1+q)^{q+1}`,

    .. math::

        \alpha = \Big(\frac{\lambda}{20 E m}\Big)^{2/(L-2)}, \quad
        \epsilon_1 = \min\Big(\frac{2 (\lambda\alpha/20E)^2}{L(L-1)C^{L-1}},
        \frac{\lambda\alpha^2}{20E(L-1)C^{L/2}}\Big) \text{ (Frobenius norm)}

        \eta \le \min\Big(\frac{0.1\,\lambda\alpha}{E^2 C^{L-1}}, \frac{\sqrt 2\,\lambda\epsilon_1}{E^2 C^{L-1}},
        \frac{0.5}{C^{L-1}}, \frac{1}{4\lambda}\Big)

    Every critical point of rank r or less is a member, and none of higher rank (:math:`L \le 28`).

    Parameters
    ----------
    rank, depth : int
        :math:`r \ge 0`, :math:`L \ge 3`.
    ridge : float
        :math:`\lambda > 0`.
    largest_value : float
        :math:`M > 0`, the largest modulus of an observed entry.
    learning_rate : float, optional
        Refused when it is above the limit.
    sharp : bool
        Use the sharper constants of depth 3 when the depth is 3.

    Returns
    -------
    Absorption

    Raises
    ------
    InputError
        Depth below 3, a ridge or value that is not positive, a learning rate above the limit.

    Notes
    -----
    The theorem is that of Wang, Jacot (2024); the constants are derived. They are very small: to follow a run, use
    `a_posteriori`, or `step_certificate` at each step. Beyond depth 3 no run can use them as
    long as the ridge leaves a mode alive, and `failed` says so.

    Examples
    --------
    >>> found = worst_case(rank=1, depth=3, ridge=0.1, largest_value=1.0)
    >>> print(f"{found.rank_set.C:.3g} {found.rank_set.alpha:.2g} {found.largest_learning_rate:.2g}")
    2.5 0.00019 3.8e-08
    """
    L, lam = check_deep(depth), positive("ridge", ridge)
    M = positive("largest_value", largest_value)
    with np.errstate(all="ignore"):
        # Numbers of NumPy overflow to infinity, which is refused below; those of Python would raise here.
        C = float(np.float64(M) ** 2 / (4 * lam))
        E = float(M + np.float64(C) ** (L / 2))
    why = (f"observed entries of modulus at most {M:g}", "single entries, batches or full gradients; no added noise")
    return _absorption(rank, L, lam, E, C, learning_rate, sharp, why)


@within_floats
def a_posteriori(
    rank: int,
    depth: int,
    ridge: float,
    error: float,
    norm: float,
    learning_rate: float | None = None,
    sharp: bool = True,
) -> Absorption:
    r"""The same constants from bounds that hold along a trajectory.

    As long as no residual exceeds :math:`E` and no squared norm :math:`\|W_l\|_F^2` exceeds :math:`C`, no step can
    break the conditions on balance and rank.

    Parameters
    ----------
    rank, depth, ridge, learning_rate, sharp
        As for `worst_case`.
    error, norm : float
        :math:`E` and :math:`C`.

    Returns
    -------
    Absorption

    Examples
    --------
    >>> found = a_posteriori(rank=1, depth=3, ridge=0.1, error=1.0, norm=1.0)
    >>> round(found.rank_set.alpha, 6), round(found.largest_learning_rate, 6)
    (0.004761, 0.000143)
    """
    L, lam = check_deep(depth), positive("ridge", ridge)
    E, C = positive("error", error), positive("norm", norm)
    why = (f"residuals of modulus at most {E:g} and squared norms at most {C:g} along the whole trajectory",)
    return _absorption(rank, L, lam, E, C, learning_rate, sharp, why)


def _absorption(rank, L, lam, E, C, learning_rate, sharp, why) -> Absorption:
    # The sharper constants are proved for three layers only.
    sharp = switch("sharp", sharp) and L == 3
    with np.errstate(all="ignore"):
        alpha, eps1, eta = map(float, (_depth_three if sharp else _any_depth)(L, lam, np.float64(E), np.float64(C)))
    # Written so that NaN is refused as well.
    if not (min(alpha, eps1, eta, C) > 1e-300 and max(alpha, C) < 1e300):
        raise InputError(
            f"the constants leave the range of floating point (ridge {lam:g}, C = {C:.3g}); "
            "follow the run with `step_certificate` instead."
        )
    if learning_rate is not None and positive("learning_rate", learning_rate) > eta:
        raise InputError(
            f"absorption is proved for learning rates up to {eta:.3g}, got {learning_rate:g}: lower it, raise the "
            "ridge, or certify single steps with `step_certificate`."
        )
    rank_set = RankSet(rank, alpha, eps1, EPS2, C, "operator" if sharp else "frobenius")
    return Absorption(rank_set, eta, E, why, _unusable(L, lam, rank_set, eta))


def _unusable(L: int, lam: float, rank_set: RankSet, eta: float) -> str | None:
    """Why the constants are no tool for a run, although the theorem holds."""
    instead = "certify single steps with `step_certificate`, whose identities are exact"
    if 2 * eta * lam * LONGEST < 1:
        return f"no usable rate: at depth {L} absorption is proved for learning rates up to {eta:.2g} only; {instead}"
    # A step adds imbalance of the order of its rounding, and the ridge removes 4 eta lambda of it.
    kept = UNIT * rank_set.C * max(8.0, 1 / (4 * eta * lam))
    if rank_set.eps1 <= kept:
        return f"real numbers only: eps1 = {rank_set.eps1:.2g} is below what rounding leaves, {kept:.2g}; {instead}"
    return None


def _depth_three(L: int, lam: float, E: np.float64, C: np.float64) -> tuple:
    # Balance within alpha/4 keeps |v h W u| below 0.65 sqrt(alpha), and 0.65 * 0.69 < 1/2, the pull at eps2.
    alpha = (0.69 * lam / E) ** 2
    return alpha, alpha / 4, min(0.3 * lam * alpha / (E * C) ** 2, 0.5 / C**2, 0.05 / lam)


def _any_depth(L: int, lam: float, E: np.float64, C: np.float64) -> tuple:
    q = L / 2
    # q^q / (1+q)^(1+q) is the maximum of x^q (1 - x), the largest push on a mode; 20 leaves room for imbalance.
    alpha = (lam / (20 * E * q**q / (1 + q) ** (q + 1))) ** (2 / (L - 2))
    P = C ** (L - 1)
    eps1 = min(2 * (lam * alpha / (20 * E)) ** 2 / (L * (L - 1) * P), lam * alpha**2 / (20 * E * (L - 1) * C**q))
    eta = min(0.1 * lam * alpha / (E**2 * P), 2**0.5 * lam * eps1 / (E**2 * P), 0.5 / P, 1 / (4 * lam))
    return alpha, eps1, eta
