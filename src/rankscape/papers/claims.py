"""What a figure claims: a prediction beside an observation, and whether they agree."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Claim:
    """One checked sentence of a paper; `predicted` and `observed` are numbers, intervals or words."""

    name: str
    predicted: Any
    observed: Any
    holds: bool

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
    return Claim(name, list(predicted), None if observed is None else list(observed), holds)


def between(name: str, predicted: tuple[float, float], observed: float) -> Claim:
    """A number that was seen lies between two bounds.

    >>> between("steps to half of the eigenvalue", (9954, 10019), 9980).holds
    True
    """
    return Claim(name, list(predicted), observed, bool(predicted[0] <= observed <= predicted[1]))


def close(name: str, predicted: float, observed: float, tolerance: float) -> Claim:
    """Two numbers differ by no more than `tolerance`.

    >>> close("effective rank at the end", 1.6, 1.6004, tolerance=1e-2).holds
    True
    """
    return Claim(name, predicted, observed, bool(abs(predicted - observed) <= tolerance))


def ordered(name: str, predicted: str, observed: list[Any], holds: bool) -> Claim:
    """What was seen stands in the order that the sentence `predicted` says."""
    return Claim(name, predicted, observed, bool(holds))


def _end(interval: tuple[float, float | None]) -> float:
    return float("inf") if interval[1] is None else interval[1]
