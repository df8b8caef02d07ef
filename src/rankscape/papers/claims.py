"""What a figure claims: a prediction beside an observation, what is accepted, and whether they agree."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Claim:
    """One checked sentence of a paper; `predicted` and `observed` are numbers, intervals or words.

    Attributes
    ----------
    name : str
        What is claimed.
    predicted, observed : object
        What theory says, or what is accepted where it gives an interval, and what was seen.
    holds : bool
        Whether they agree.
    accepted : object
        How far they may be apart, where it is not the prediction itself: a tolerance, an interval, or words.
    problems : (int, int), optional
        In how many of how many problems it holds, where several were tried.
    """

    name: str
    predicted: Any
    observed: Any
    holds: bool
    accepted: Any = "as predicted"
    problems: tuple[int, int] | None = None

    def describe(self) -> dict[str, Any]:
        """The claim as JSON."""
        return asdict(self)


def contains(name: str, predicted: tuple[float, float | None], observed: tuple[float, float | None] | None) -> Claim:
    """A guaranteed interval lies within the one that was seen; an end of None is open.

    >>> contains("rank-2 plateau", (3386, 5125), (3386, 5125)).holds
    True
    >>> contains("rank-2 plateau", (3386, None), (3386, 5125)).holds
    False
    """
    # A guarantee may be shorter than what is seen, and never longer.
    holds = observed is not None and observed[0] <= predicted[0] and _end(predicted) <= _end(observed)
    return Claim(name, list(predicted), None if observed is None else list(observed), holds, "lies within what is seen")


def between(name: str, predicted: tuple[float, float], observed: float) -> Claim:
    """A number that was seen lies between two bounds.

    >>> between("steps to half of the eigenvalue", (9954, 10019), 9980).holds
    True
    """
    return Claim(name, list(predicted), observed, bool(predicted[0] <= observed <= predicted[1]), list(predicted))


def close(name: str, predicted: float, observed: float, tolerance: float) -> Claim:
    """Two numbers differ by no more than `tolerance`.

    >>> close("effective rank at the end", 1.6, 1.6004, tolerance=1e-2).accepted
    '+- 0.01'
    """
    return Claim(name, predicted, observed, bool(abs(predicted - observed) <= tolerance), f"+- {tolerance:g}")


def within_factor(name: str, predicted: Sequence[float], observed: Sequence[float], factor: float) -> Claim:
    """Positive numbers agree up to a factor, each with its own.

    >>> within_factor("times", [100.0, 200.0], [150.0, 390.0], factor=2).holds
    True
    >>> within_factor("times", [100.0], [float("inf")], factor=2).holds
    False
    """
    pairs = list(zip(predicted, observed, strict=True))
    holds = bool(pairs) and all(p / factor <= o <= p * factor for p, o in pairs)
    return Claim(name, list(predicted), list(observed), holds, f"within a factor of {factor:g}")


def ordered(name: str, predicted: str, observed: list[Any], holds: bool) -> Claim:
    """What was seen stands in the order that the sentence `predicted` says."""
    return Claim(name, predicted, observed, bool(holds))


def attempted(
    name: str, predicted: Any, judge: Callable[[], tuple[Any, bool]], accepted: Any = "as predicted"
) -> Claim:
    """A claim about something that may not have happened: then nothing is observed, and it fails.

    >>> attempted("step of the jump", "before the end", lambda: ([][0], True)).holds
    False
    """
    try:
        observed, holds = judge()
    except (IndexError, ValueError, ZeroDivisionError) as missing:
        return Claim(name, predicted, f"did not happen ({missing})", False, accepted)
    return Claim(name, predicted, observed, bool(holds), accepted)


def counted(claims: Sequence[Claim]) -> Claim:
    """One claim about several problems, from the same claim about each: it holds where all do, and says how many do."""
    held = sum(claim.holds for claim in claims)
    problems = held, len(claims)
    if all(claim.problems is not None for claim in claims):  # each is about several problems already
        problems = tuple(sum(numbers) for numbers in zip(*(claim.problems or () for claim in claims), strict=True))
    return replace(
        claims[0], observed=[claim.observed for claim in claims], holds=held == len(claims), problems=problems
    )


def _end(interval: tuple[float, float | None]) -> float:
    return float("inf") if interval[1] is None else interval[1]
