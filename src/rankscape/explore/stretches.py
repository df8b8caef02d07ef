"""What a run of the room `fall` has been through, so that it can be made again from its address."""

from dataclasses import dataclass, replace
from itertools import pairwise

from rankscape.errors import InputError
from rankscape.explore.calls import number
from rankscape.ground.checks import positive, whole
from rankscape.ground.final import final

# Steps of a run, seeds, and stretches that an address holds.
FARTHEST, SEEDS, MOST = 10**12, 2**31, 300


@final
@dataclass(frozen=True)
class Stretch:
    """Steps of a run in which nothing was altered.

    Attributes
    ----------
    end : int
        The step at which it ends.
    ridge, learning_rate : float
        In it.
    seed : int
        Of its random numbers: another one than before is another run, from the factors where it begins.
    """

    end: int
    ridge: float
    learning_rate: float
    seed: int

    def same(self, other: "Stretch") -> bool:
        """Whether nothing was altered between them."""
        return replace(self, end=other.end) == other

    @property
    def address(self) -> str:
        """As an address has it."""
        return f"{self.end}:{self.ridge!r}:{self.learning_rate!r}:{self.seed}"


def up_to(past: list[Stretch], step: int) -> list[Stretch]:
    """The part of them before a step.

    >>> [stretch.end for stretch in up_to(stretches("5:1:1:0,9:1:2:0"), 7)]
    [5, 7]
    """
    starts = [0, *(stretch.end for stretch in past)]
    return [
        replace(stretch, end=min(stretch.end, step)) for start, stretch in zip(starts, past, strict=False)
        if start < step
    ]  # fmt: skip


def stretches(text: str) -> list[Stretch]:
    """Of an address: ``END:RIDGE:LEARNING_RATE:SEED``, with commas between stretches.

    >>> stretches("500:0.001:0.17:0")
    [Stretch(end=500, ridge=0.001, learning_rate=0.17, seed=0)]
    """
    found = [_stretch(piece) for piece in text.split(",") if piece]
    if len(found) > MOST:
        raise InputError(f"`past` holds {len(found)} stretches; at most {MOST} are made again.")
    ends = [stretch.end for stretch in found]
    if any(after <= before for before, after in pairwise(ends)):
        raise InputError(f"`past` must have stretches whose ends increase, got {', '.join(map(str, ends))}.")
    return found


def _stretch(text: str) -> Stretch:
    pieces = text.split(":")
    if len(pieces) != 4:
        raise InputError(f"`past` must hold stretches as END:RIDGE:LEARNING_RATE:SEED, got {text[:40]!r}.")
    end, ridge, rate, seed = (number("past", piece) for piece in pieces)
    return Stretch(
        whole("past", end, 1, FARTHEST), positive("past", ridge), positive("past", rate),
        whole("past", seed, 0, SEEDS),
    )  # fmt: skip
