"""One offset: the paths tried on the training entries without it, and the candidates they give."""

from dataclasses import dataclass, field

import numpy as np

from rankscape.engine.sparse import ObservedEntries
from rankscape.estimators.baselines import Entries, Offset, fit_offset
from rankscape.estimators.path import Path, Record
from rankscape.estimators.polish import polish
from rankscape.estimators.solve import Modes, killing_ridge, starting_modes

FIRST = 0.3
"""First ridge of a falling path, as a share of the one that kills even the largest direction."""

STAGES = 16
"""Halvings of the ridge; the last leaves a relative bias near 1e-5, which the polish removes."""

RISE = 1.5
"""Factor between the ridges of a rising path."""

RISE_FROM, RISE_TO = 4.0, 3.0
"""A rising path begins this factor below and ends this factor above the best ridge of the falling ones."""

PLATEAU = 1.02
"""Held-out errors within this factor of the best are one plateau, whose highest ridge counts as the best."""

BUDGET = 1200, 6000
"""Iterations of one path after which no new stage begins: on large and on small problems."""

WORK = 3e9
"""Iterations times ``observed * width`` that decide between the two: some ten seconds."""

EXACT = 1e-3
"""Held-out error, in standard deviations of the entries, below which a fit counts as exact."""

PROMISING = 0.03
"""The same for trying the polish in the middle of a path: Gauss-Newton converges from there."""

COVERED = 0.8
"""Share of held-out entries that an exact fit has to hit: a row with fewer entries than the rank cannot be hit."""

POLISH_WORK = 3e7
"""Largest ``observed * rank^2`` that is polished: the blocks of one step then take a tenth of a second."""

POLISHED_RANKS = 3
"""Of how many ranks the best record is polished."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fit of the training entries that may be chosen; errors in the units of the data."""

    trial: "Trial"
    modes: Modes
    ridge: float
    residual: np.ndarray
    span: tuple[int, int] = (0, 0)
    polished: bool = False

    @property
    def rank(self) -> int:
        """The number of live directions."""
        return len(self.modes.s)

    @property
    def records(self) -> list[Record]:
        """The records of the path that led here."""
        return self.trial.path.records[slice(*self.span)]

    @property
    def rmse(self) -> float:
        """Root mean square of the held-out residual."""
        return float(np.sqrt(np.mean(self.residual**2)))


@dataclass(eq=False)
class Trial:
    """One offset: the entries without it, scaled to rms 1, and every candidate found."""

    offset: Offset
    scale: float
    path: Path
    spread: float
    candidates: list[Candidate] = field(default_factory=list)
    run_begins: int = 0

    @classmethod
    def begin(cls, kind: str, training: Entries, heldout: Entries, depth: int, width: int, progress) -> "Trial":
        """Fit the offset to the training entries and take it away from both parts."""
        offset = fit_offset(kind, training)
        entries, scale = centred(training, offset)
        values = (heldout.values - offset.at(heldout.rows, heldout.columns)) / scale
        path = Path(entries, (heldout.rows, heldout.columns, values), depth, width)
        trial = cls(offset, scale, path, float(training.values.std()) / scale)
        path.report = lambda record, share: progress.record(record, scale, share)
        trial.offer(Modes(np.zeros((entries.shape[0], 0)), np.zeros(0), np.zeros((entries.shape[1], 0))), np.inf)
        return trial

    @property
    def best(self) -> Candidate:
        """The candidate with the smallest held-out error."""
        return min(self.candidates, key=lambda c: c.rmse)

    def offer(
        self, modes: Modes, ridge: float, span: tuple[int, int] | None = None, polished: bool = False
    ) -> Candidate:
        """Add a candidate; `span` says which records led to it (those of the present run)."""
        residual = self.path.heldout_residual(modes) * self.scale
        span = (self.run_begins, len(self.path.records)) if span is None else span
        self.candidates.append(Candidate(self, modes, ridge, residual, span, polished))
        return self.candidates[-1]

    def fall(self, growth: bool) -> None:
        """A falling ridge from the zero-filled matrix; with `growth` it climbs from the few directions left."""
        start, top = self._start()
        ridges = FIRST * top * 0.5 ** np.arange(STAGES)
        previous: list[Record] = []

        def done(record: Record) -> bool:
            steady = bool(previous) and previous[-1].rank == record.rank
            previous.append(record)
            if not steady or record.heldout_rmse > PROMISING * self.spread:
                return False
            return self.is_exact(self.polished(record.end, record.ridge))

        self._collect(start, ridges, "climbing" if growth else "falling", growth, done)

    def rise(self) -> None:
        """A rising ridge from many directions; begins lower once more when its first stage is its best."""
        start, top = self._start()
        near = [c.ridge for c in self.candidates if c.rmse <= PLATEAU * self.best.rmse and np.isfinite(c.ridge)]
        centre = max(near, default=FIRST * top)
        for lower in (1.0, RISE_FROM):
            count = int(np.log(RISE_FROM * RISE_TO) / np.log(RISE)) + 1
            ridges = centre / RISE_FROM / lower * RISE ** np.arange(count)
            errors = [record.heldout_rmse for record in self._collect(start, ridges, "rising", False)]
            if errors[0] > min(errors):
                break

    def _start(self) -> tuple[Modes, float]:
        start = starting_modes(self.path.entries, self.path.width)
        return start, killing_ridge(float(start.s[0]), self.path.entries.shape, self.path.depth)

    def _collect(self, start: Modes, ridges: np.ndarray, direction: str, growth: bool, done=None) -> list[Record]:
        self.run_begins = len(self.path.records)
        budget = int(np.clip(WORK / (self.path.entries.count * self.path.width), *BUDGET))
        stages = self.path.run(start, ridges, direction, growth=growth, budget=budget, done=done)
        for record in stages:
            self.offer(record.end, record.ridge)
        return stages

    def polished(self, modes: Modes, ridge: float, span: tuple[int, int] | None = None) -> Candidate:
        """Remove the bias of the ridge at the rank of `modes` and offer the result."""
        free, steps, _ = polish(self.path.entries, modes)
        self.path.step += steps
        return self.offer(free, ridge, span, polished=True)

    def polish_best(self) -> None:
        """Polish the best candidate of each of a few ranks."""
        best: dict[int, Candidate] = {}
        for candidate in sorted(self.candidates, key=lambda c: c.rmse):
            best.setdefault(candidate.rank, candidate)
        affordable = [c for c in best.values() if 0 < c.rank**2 * self.path.entries.count <= POLISH_WORK]
        for candidate in affordable[:POLISHED_RANKS]:
            if not candidate.polished:
                self.polished(candidate.modes, candidate.ridge, candidate.span)

    def is_exact(self, candidate: Candidate) -> bool:
        """Whether a fit reproduces the training entries and nearly all held-out ones to `EXACT`."""
        entries, modes, limit = self.path.entries, candidate.modes, EXACT * self.spread
        rank = candidate.rank
        if not 0 < rank * (sum(entries.shape) - rank) < entries.count:
            return False
        fits = np.sqrt(np.mean(entries.residual(modes.U * modes.s, modes.V) ** 2)) < limit
        return bool(fits and np.quantile(np.abs(candidate.residual), COVERED) < limit * self.scale)


def centred(observed: Entries, offset: Offset) -> tuple[ObservedEntries, float]:
    """The entries without the offset, scaled to rms 1, and the scale (1 where nothing is left)."""
    values = observed.values - offset.at(observed.rows, observed.columns)
    scale = float(np.sqrt(np.mean(values**2))) or 1.0
    return ObservedEntries(observed.rows, observed.columns, values / scale, observed.shape), scale
