"""Warnings before a run: what is easily got wrong about a setting."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from rankscape.ground.checks import positive
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.climbing.critical import critical_alpha
from rankscape.theory.climbing.flow_time import time_to
from rankscape.theory.climbing.step_limit import too_large
from rankscape.theory.inputs import Start, alike, spectrum_of, start_of

# Steps that are worth a warning.
LONG = 10_000_000

# Ranks whose critical scale is computed.
RANKS = 8


@dataclass(frozen=True)
class Finding:
    """One thing to know about a setting."""

    name: str
    """A short name, for filtering."""
    severity: str
    """"warning": the run will not do what is usually wanted; "note": it will look surprising."""
    message: str


@dataclass(frozen=True)
class Case:
    """What the checks look at: start, eigenvalues and learning rate, checked once."""

    start: Start
    lam: np.ndarray
    eta: float


@within_floats
def diagnose(
    eigenvalues: ArrayLike, depth: int, alpha: float, learning_rate: float, beta: float | None = None
) -> tuple[Finding, ...]:
    r"""What is easily got wrong about a setting, in words and numbers; warnings first.

    Parameters
    ----------
    eigenvalues, depth, alpha, learning_rate, beta
        :math:`\lambda_i, N, \alpha, \eta, \beta`, as in `plateaus`.

    Returns
    -------
    tuple of Finding

    Notes
    -----
    Derived; the setting is that of Chou, Gieshoff, Maly, Rauhut (2024).

    Examples
    --------
    >>> for finding in diagnose([5.0, 3.0, -1.0], depth=3, alpha=0.1, learning_rate=1e-3):
    ...     print(finding.severity, finding.name)
    warning unreachable
    warning broken symmetry
    note initial decrease
    note final decrease
    note slow decay
    """
    case = Case(
        start_of(depth, alpha, beta), spectrum_of(eigenvalues, learnable=True), positive("learning_rate", learning_rate)
    )
    found = [Finding(name, severity, text) for check in (*_WARNINGS, *_NOTES) for severity, name, text in check(case)]
    return tuple(sorted(found, key=lambda finding: finding.severity != "warning"))


_Texts = Iterator[tuple[str, str, str]]


def _step(s: Case) -> _Texts:
    text = too_large(s.start, s.lam, s.eta)
    if text is not None:
        yield "warning", "step too large", text


def _unreachable(s: Case) -> _Texts:
    count = int(np.sum(s.lam < 0))
    if s.start.beta is None and count:
        yield (
            "warning",
            "unreachable",
            f"{count} negative eigenvalue(s) go to 0: the identical start learns the positive part only; give `beta`",
        )


def _plateaus(s: Case) -> _Texts:
    if s.start.beta is not None:
        return
    lam = np.sort(s.lam[s.lam > 0])[::-1]
    for L in range(1, min(RANKS, lam.size - 1) + 1):
        if alike(lam[L - 1], lam[L]):
            yield "note", "cluster", f"eigenvalue {lam[L]:g} is degenerate: its modes are learned at once, no rank {L}"
            continue
        critical = critical_alpha(s.lam, L, s.start.depth).alpha
        if critical is None or s.start.alpha > critical:
            size = "no representable alpha" if critical is None else f"alpha <= {critical:.4g}"
            yield "warning", "no plateau", f"rank {L} has no plateau at alpha = {s.start.alpha:g}: it needs {size}"


def _late(s: Case) -> _Texts:
    lam = s.lam[s.lam != 0] if s.start.beta is not None else s.lam[s.lam > s.start.product]
    if not lam.size:
        return
    steps = time_to(s.start, lam, lam / 2) / s.eta
    late = np.flatnonzero(np.isfinite(steps) & (steps > LONG))
    if late.size:
        i = late[np.argmax(steps[late])]
        yield (
            "warning",
            "late",
            f"eigenvalue {lam[i]:g} reaches half of its target only after {steps[i]:.3g} steps: for depth "
            f"{s.start.depth} the time grows like alpha^-{max(s.start.depth - 2, 0)}; take a larger alpha",
        )


def _symmetry(s: Case) -> _Texts:
    N = s.start.depth
    lost, kept = -s.lam[s.lam < 0], s.lam[s.lam > 0]
    if s.start.beta is not None or N == 2 or not lost.size or not kept.size:
        return
    # Linearised at the limit: how fast a part grows that mixes the two eigenvectors.
    growth = float(np.max(kept ** (1 - 2 / N) * (lost.max() - kept)))
    if growth > 0:
        tail = f"grow like exp({growth * s.eta:.3g} k) from rounding near the limit"
    else:
        tail = "stay small here, because every learned eigenvalue exceeds the negative ones in modulus"
    yield (
        "warning",
        "broken symmetry",
        f"a run with full matrices in a rotated basis leaves the exact dynamics: parts that mix negative and positive "
        f"eigenvectors {tail}; keep indefinite targets on the spectral engine",
    )


def _initial(s: Case) -> _Texts:
    if s.start.beta == s.start.alpha:
        yield (
            "note",
            "zero start",
            "beta = alpha: W(0) = 0, its effective rank is undefined, and negative eigenvalues are learned as fast as "
            "positive ones of the same modulus",
        )
    elif s.lam.size > 1:
        yield (
            "note",
            "initial decrease",
            f"the effective rank starts at {s.lam.size} (the start is a multiple of the identity) and falls to near 1 "
            "before it rises",
        )


def _final(s: Case) -> _Texts:
    if s.start.beta is None and np.any(s.lam <= 0):
        yield (
            "note",
            "final decrease",
            "eigenvalues <= 0 decay slowly to 0, so the effective rank falls again at the end of the run",
        )
    if s.start.beta not in (None, s.start.alpha) and np.any(s.lam < 0):
        yield (
            "note",
            "crossing zero",
            "modes of negative eigenvalues pass through 0: the effective rank turns more than once (it uses |p|)",
        )


def _floor(s: Case) -> _Texts:
    floor = s.start.alpha**s.start.depth
    low = s.lam[(s.lam > 0) & (s.lam <= floor)]
    if low.size:
        yield (
            "note",
            "below the start",
            f"{low.size} positive eigenvalue(s) up to {low.max():g} lie below alpha^N = {floor:g}: they are approached "
            "from above and never make a plateau",
        )


def _decay(s: Case) -> _Texts:
    N = s.start.depth
    if s.start.beta is None and N > 2 and np.any(s.lam < 0):
        yield (
            "note",
            "slow decay",
            f"negative eigenvalues decay only like k^-{N / (N - 2):.3g}: do not stop on ||W - limit||",
        )
    elif s.start.beta is None and np.any(s.lam == 0):
        yield "note", "slow decay", f"zero eigenvalues decay only like k^-{N / (2 * N - 2):.3g}"
    elif s.start.beta is not None and np.any(s.lam == 0):
        rate = s.eta * s.start.imbalance ** (N - 1)
        yield "note", "slow decay", f"zero eigenvalues decay by a factor 1 - {rate:.3g} a step in the end"


def _bottleneck(s: Case) -> _Texts:
    start = s.start
    if start.beta in (None, start.alpha) or not np.any(s.lam < 0):
        return
    lam = float(s.lam.min())
    negative, positive_one = time_to(start, np.array([lam, -lam]), np.array([lam, -lam]) / 2) / s.eta
    yield (
        "note",
        "bottleneck",
        f"eigenvalue {lam:g} must pass through 0 and is half learned after about {negative:.3g} steps, one of "
        f"{-lam:g} after {positive_one:.3g}; halving beta costs a factor up to 2^{(start.depth - 2) / 2:g}",
    )


_WARNINGS: tuple[Callable[[Case], _Texts], ...] = (_step, _unreachable, _plateaus, _late, _symmetry)
_NOTES: tuple[Callable[[Case], _Texts], ...] = (_initial, _final, _floor, _decay, _bottleneck)
