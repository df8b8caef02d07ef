"""How a completion was found: its low-rank fit, the method and its words, and the way there."""

from abc import ABC
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rankscape.estimators.completion.methods import named
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.models.scaled import Scaled
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.ground.labelled import Labelled
from rankscape.ground.modes import Modes, balanced_factors
from rankscape.plot.onto import What, plot_trajectory
from rankscape.solvers.noise.noise_variances import Variances

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class AbstractFound(ABC):
    """The low-rank part of a completed matrix."""

    low_rank: LowRank
    model: Scaled
    depth: int
    method: str
    memory: NamedTuple
    path: Labelled
    baselines: dict[str, float]

    @property
    def rank(self) -> int:
        """The number of live directions."""
        return len(self.low_rank.modes.s)

    @cached_property
    def modes(self) -> Modes:
        """Of the low-rank fit without its offset."""
        return self._standard.modes

    @property
    def singular_values(self) -> np.ndarray:
        """Of the low-rank fit, descending."""
        return self.modes.s

    @property
    def removed(self) -> Offset:
        """The offset of the low-rank fit."""
        return self._standard.offset

    @property
    def noise(self) -> float:
        """What the low-rank fit leaves unexplained."""
        return self._standard.noise

    @property
    def variances(self) -> Variances | None:
        """Of rows and columns."""
        return self.low_rank.variances

    @cached_property
    def _standard(self) -> LowRank:
        return self.low_rank.scaled(self.model.scaling.unit)

    @property
    def offset(self) -> str:
        """What was removed before factorizing, in words."""
        return self.removed.words

    @property
    def how(self) -> str:
        """How the method comes to its rank, in a sentence or two."""
        return named(self.method).how

    @property
    def sharp(self) -> bool:
        """Whether the rank is a number of directions that are there or not, and not a matter of degree."""
        return named(self.method).sharp

    @property
    def wary(self) -> bool:
        """Whether few entries for each parameter would be a reason for doubt."""
        return named(self.method).wary

    @property
    def references(self) -> tuple[str, ...]:
        """Keys of the bibliography for the method (`rankscape cite KEY`)."""
        return named(self.method).references

    @cached_property
    def trajectory(self) -> Labelled:
        """The `path` as one walks it: without minima that were only compared, and its steps counted anew.

        Of the starts "all at once" it keeps the one that was chosen, if one was.
        """
        path = self.path
        compared = path.phase == "all at once"
        mine = compared & named(path.attrs["method"]).walked(path, self.memory)
        begins = np.flatnonzero(np.diff(mine, prepend=False) & mine)  # of each start at this ridge; the last one counts
        mine[: begins[-1] if len(begins) else 0] = False
        compared &= ~mine
        # Steps are counted anew without those that were only compared, as one would walk to the choice.
        walked = np.diff(path.step, prepend=0)
        walked[1:][compared[:-1]] = 1
        steps = np.cumsum(walked[~compared])
        kept = path.take("step", ~compared)
        chosen = {"chosen": int(steps[-1]) if len(steps) else 0}
        return replace(kept, coordinates={**kept.coordinates, "step": steps}, attrs={**kept.attrs, **chosen})

    @cached_property
    def factors(self) -> list[np.ndarray]:
        """Balanced factors ``[W_1, ..., W_L]`` of the low-rank fit; their product plus its offset is `fitted` where
        nothing else predicts.
        """
        return balanced_factors(self.modes, [self.rank] * (self.depth - 1))

    def plot(self, ax: "Axes | None" = None, *, what: What = "errors") -> "Axes":
        """Draw how the search went: its errors by step, its "rank", or its "spectrum".

        Parameters
        ----------
        ax : matplotlib Axes, optional
            To draw on; new ones without it.
        what : {"errors", "rank", "spectrum"}
            What is drawn.

        Returns
        -------
        matplotlib Axes
        """
        named = {name.replace("_", " "): error for name, error in self.baselines.items()}
        return plot_trajectory(self.trajectory, what, ax, references=named if what == "errors" else None)
