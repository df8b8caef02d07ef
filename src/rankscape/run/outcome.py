"""How a run can end: one name, and the remedy in its text."""

from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """The named ends of a run; each member is a plain string, and `remedy` says what to do next.

    Examples
    --------
    >>> from rankscape import Outcome
    >>> Outcome.DIVERGED == "diverged"
    True
    >>> Outcome("finished").remedy
    'Nothing to do: all steps were taken.'
    """

    FINISHED = "finished"
    """All steps were taken."""
    CONVERGED = "converged"
    """The gradient fell below the tolerance before the last step."""
    STOPPED = "stopped"
    """A stopping rule was met."""
    DIVERGED = "diverged"
    """A value became infinite or NaN."""
    STEP_LIMIT = "step_limit"
    """The solver stopped at its limit before it converged."""

    @property
    def good(self) -> bool:
        """Whether the result can be used as it is."""
        return self in (Outcome.FINISHED, Outcome.CONVERGED, Outcome.STOPPED)

    @property
    def remedy(self) -> str:
        """What to do next, in one sentence."""
        return _REMEDIES[self]


# The code of an outcome in a batch is its place in this list; stored trajectories rely on the order.
OUTCOMES = list(Outcome)

_REMEDIES = {
    Outcome.FINISHED: "Nothing to do: all steps were taken.",
    Outcome.CONVERGED: "Nothing to do: the gradient vanished to within the tolerance.",
    Outcome.STOPPED: "Nothing to do: the stopping rule was met.",
    Outcome.DIVERGED: "Lower the learning rate, or start from a smaller initialization.",
    Outcome.STEP_LIMIT: "Allow more iterations, or accept the result with its reported errors.",
}


class End(NamedTuple):
    """How a run ended before its last step; the step is counted from where the call of `simulate` began."""

    outcome: str
    step: int
    reason: str = ""
