"""When one eigenvalue of the product reaches a level."""

import math
from dataclasses import dataclass, replace

import numpy as np

from rankscape.ground.checks import one_of, positive, real, whole
from rankscape.ground.range import MOST_STEPS, within_floats
from rankscape.theory.climbing.bounds import ASSUMPTIONS, passage
from rankscape.theory.climbing.flow_time import goal, reach, time_to
from rankscape.theory.climbing.recursion import first_passage
from rankscape.theory.climbing.rounding import BEYOND
from rankscape.theory.climbing.step_limit import warn_if_too_large
from rankscape.theory.inputs import Start, start_of


@dataclass(frozen=True)
class HittingTime:
    """The first step at which an eigenvalue is at a level or past it: ``lower <= T <= upper``, in steps."""

    lower: int | float
    """Guaranteed; 0 when nothing better is known."""
    upper: int | float
    """Guaranteed; infinite when the level is never reached, or when no bound applies."""
    estimate: int | float
    """The best single number of the method; infinite when the level is never reached."""
    method: str
    assumptions: tuple[str, ...]
    failed: str | None = None
    """Why a bound is not available; None when all went well."""


@within_floats
def hitting_time(
    eigenvalue: float,
    level: float,
    depth: int,
    alpha: float,
    learning_rate: float,
    beta: float | None = None,
    method: str = "bounds",
    max_steps: int = 10_000_000,
) -> HittingTime:
    r"""The first step at which the product's eigenvalue is at a level or past it, on the way to its limit.

    With the flow time t and :math:`h(d) = d^{N-1}(\lambda - d^N)`, from the identical start

    .. math:: T \approx \left\lceil \frac{t}{\eta} + \frac12 \ln \frac{h(d_*)}{h(\alpha)} \right\rceil,
              \qquad d_* = \text{level}^{1/N}

    Parameters
    ----------
    eigenvalue : float
        :math:`\lambda`, of the target.
    level : float
        Of the product's eigenvalue, e.g. ``0.95 * eigenvalue``.
    depth, alpha, learning_rate, beta
        :math:`N, \alpha, \eta, \beta`; `beta` is None for the identical start.
    method : {"bounds", "exact", "predict", "flow"}
        "bounds": a proven interval, and the prediction within it.
        "exact": the recursion itself, ``lower = upper = estimate``; cost grows with T.
        "predict": the same record, its estimate the point: no error is stated beside that of the proven interval.
        "flow": ``t / learning_rate`` rounded up; a proven upper bound when p falls from the identical start.
    max_steps : int
        Where "exact" gives up.

    Returns
    -------
    HittingTime

    Warns
    -----
    RankscapeWarning
        The learning rate is above the monotone limit; names it and what happens there.

    Notes
    -----
    All bounds are derived; the recursions are those of Chou, Gieshoff, Maly, Rauhut (2024).

    Examples
    --------
    >>> time = hitting_time(0.5, 0.475, depth=3, alpha=0.1, learning_rate=1e-3)
    >>> time.lower, time.upper, time.estimate
    (20542, 20542, 20542)
    >>> hitting_time(-1.0, -0.5, depth=3, alpha=0.1, learning_rate=1e-3).failed
    'the level -0.5 is never reached: the eigenvalue goes from 0.001 to 0'
    """
    start, lam, level = start_of(depth, alpha, beta), real("eigenvalue", eigenvalue), real("level", level)
    eta, most = positive("learning_rate", learning_rate), whole("max_steps", max_steps, 1, MOST_STEPS)
    one_of("method", method, ("exact", "bounds", "predict", "flow"))
    past, never = reach(start, np.array(lam), np.array(level))
    if past:
        return HittingTime(0, 0, 0, method, start.assumptions)
    large = warn_if_too_large(start, np.array([lam]), eta)
    if never and large is None:
        end = float(goal(start, np.array(lam)))
        text = f"the level {level:g} is never reached: the eigenvalue goes from {start.product:g} to {end:g}"
        return HittingTime(math.inf, math.inf, math.inf, method, start.assumptions, text)
    if never and method != "exact":  # too large a step may overshoot
        return HittingTime(0, math.inf, math.inf, method, start.assumptions, large)
    return _METHODS[method](start, lam, level, eta, most, large)


def _exact(start: Start, lam: float, level: float, eta: float, most: int, large: str | None) -> HittingTime:
    T = int(first_passage(start, np.array([lam]), np.array([level]), eta, most)[0])
    assumptions = (*start.assumptions, "the recursion in float64")
    if T < 0:
        failed = large or f"not reached within max_steps = {most}"
        return HittingTime(0 if large else most + 1, math.inf, math.inf, "exact", assumptions, failed)
    return HittingTime(T, T, T, "exact", assumptions)


def _bounds(start: Start, lam: float, level: float, eta: float, most: int, large: str | None) -> HittingTime:
    found = passage(start, np.array([lam]), np.array([level]), eta)
    lower, upper, guess = (_whole(x[0]) for x in (found.lower, found.upper, found.estimate))
    failed = None
    if found.lost[0]:
        failed = BEYOND
    elif not found.certified[0]:
        failed = large or "the step is too large for the bounds; take method='exact' or a smaller learning rate"
    assumptions = (*start.assumptions, *ASSUMPTIONS[start.beta is not None])
    # The prediction is not proven, so it gives way to the bounds.
    return HittingTime(lower, upper, min(max(guess, lower), upper), "bounds", assumptions, failed)


def _predict(start: Start, lam: float, level: float, eta: float, most: int, large: str | None) -> HittingTime:
    found = _bounds(start, lam, level, eta, most, large)
    order = "estimate of second order in the learning rate, without a stated error; it gives way to the bounds"
    return replace(found, method="predict", assumptions=(*found.assumptions, order))


def _flow(start: Start, lam: float, level: float, eta: float, most: int, large: str | None) -> HittingTime:
    T = _whole(np.ceil(time_to(start, np.array([lam]), np.array([level]))[0] / eta))
    # From above every Euler step covers at least the way of the flow.
    falls = start.beta is None and lam < start.product and large is None
    failed = None if falls else large or "the flow alone bounds gradient descent only when p falls (identical start)"
    return HittingTime(0, T if falls else math.inf, T, "flow", (*start.assumptions, "gradient flow"), failed)


_METHODS = {"exact": _exact, "bounds": _bounds, "predict": _predict, "flow": _flow}


def _whole(x: float) -> int | float:
    return int(x) if math.isfinite(x) else math.inf
