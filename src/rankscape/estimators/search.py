"""Which offset, which path, which rank: tried on the training entries, decided by the held-out ones."""

from typing import Any

import numpy as np

from rankscape.estimators.baselines import Entries
from rankscape.estimators.trial import Candidate, Trial

NEARLY_EXACT = 0.1
"""Error of the first falling path, in standard deviations, below which nothing is taken away before factorizing."""


def search(
    training: Entries, heldout: Entries, kinds: tuple[str, ...], depth: int, width: int, progress: Any
) -> tuple[Candidate, bool]:
    """Try offsets, directions and the polish; the candidate that held-out entries choose, and whether it is exact.

    `progress` has ``begin(phase, share, fresh)`` and ``record(record, scale, share)``. `kinds` go from simple to rich.
    """
    trials: list[Trial] = []
    for kind in kinds:
        progress.begin(f"offset {kind}", 0.2 / len(kinds), fresh=True)
        trials.append(Trial.begin(kind, training, heldout, depth, width, progress))
        trials[-1].fall(growth=False)
        if (found := _exact(trials[-1])) is not None:
            return found, True
    trial = _choose_offset(trials, float(training.values.std()))
    progress.begin("climbing", 0.3, fresh=True)
    trial.fall(growth=True)
    if _exact(trial) is not None and trial is not trials[0]:
        trials[0].fall(growth=True)  # an exact fit without an offset has a rank that means more
        trial = trials[0] if _exact(trials[0]) is not None else trial
    if (found := _exact(trial)) is None:
        progress.begin("rising", 0.3)
        trial.rise()
        progress.begin("polishing", 0.05)
        trial.polish_best()
        found = _exact(trial)
    return (found, True) if found is not None else (choose(trial.candidates), False)


def _choose_offset(trials: list[Trial], spread: float) -> Trial:
    """Among the offsets that tie with the best: the one of smallest rank, then the simplest.

    No offset at all when the entries are nearly fitted without: an exactly low-rank matrix of badly conditioned
    spectrum is not yet exact here, and keeps its rank only when nothing is taken away.
    """
    if trials[0].best.rmse < NEARLY_EXACT * spread:
        return trials[0]
    best = min((t.best for t in trials), key=lambda c: c.rmse)
    return min((t for t in trials if _ties(t.best, best)), key=lambda t: choose(t.candidates).rank)


def _exact(trial: Trial) -> Candidate | None:
    exact = [c for c in trial.candidates if c.polished and trial.is_exact(c)]
    return min(exact, key=lambda c: (c.rank, c.rmse), default=None)


def choose(candidates: list[Candidate]) -> Candidate:
    """The smallest rank (of which the best) that is not worse than the best by more than one standard error.

    The standard error is that of the mean *paired* difference of squared held-out residuals, so what is hard for
    both does not count.
    """
    best = min(candidates, key=lambda c: c.rmse)
    near = [c for c in candidates if _ties(c, best)]
    rank = min(c.rank for c in near)
    return min((c for c in near if c.rank == rank), key=lambda c: c.rmse)


def _ties(candidate: Candidate, best: Candidate) -> bool:
    difference = candidate.residual**2 - best.residual**2
    if len(difference) < 2:
        return not difference.mean() > 0
    return bool(difference.mean() <= difference.std(ddof=1) / np.sqrt(len(difference)))
