"""How many steps of a live run make its next picture."""

import numpy as np

from rankscape.ground.final import final

# Pictures a second, steps of the first one at the most, and seconds that any may take, whatever is asked for: what is
# altered meanwhile waits no longer than that.
PICTURES, FIRST, PATIENCE = 8, 1000, 1.0


@final
class Pace:
    """As many as are asked for, or as fit between two pictures; learned from those that were taken.

    Attributes
    ----------
    asked : int
        Steps of a picture; 0 leaves them to the machine.

    Examples
    --------
    A machine of 80,000 steps a second makes eight pictures of 10,000 steps each:

    >>> pace = Pace(0)
    >>> for _ in range(10):
    ...     pace.took(steps := pace.steps, steps / 80_000)
    >>> pace.steps
    10001
    """

    def __init__(self, asked: int):
        self.asked = asked
        self._fitting = self._most = FIRST

    @property
    def steps(self) -> int:
        """Of the next picture."""
        return min(self.asked or self._fitting, self._most)

    @property
    def fitting(self) -> int:
        """Of the next picture where nobody waits for what is asked, as in a run that is made again."""
        return min(self._fitting, self._most)

    def took(self, steps: int, seconds: float) -> None:
        """Learn from a picture of that many steps; by a factor of two at once, as the first ones are not typical."""
        speed = steps / max(seconds, 1e-9)
        self._most = _towards(self._most, PATIENCE * speed)
        self._fitting = _towards(self._fitting, speed / PICTURES)


def _towards(now: int, goal: float) -> int:
    return int(np.clip(goal, now / 2, 2 * now)) + 1
