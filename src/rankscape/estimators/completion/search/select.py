"""How the rank is chosen: offsets, methods, held-out entries, and the choice once more on all entries.

In this order, and nowhere else:

0. Of very many rows, or columns, the search sees some (`many_lines`); the others are folded in at the end.
1. A fit from before is tried first, where there is one (`before`).
2. Many rounded entries that are mostly noise have no sharp rank: draws suffice there (`sampled.suffices`). Elsewhere
   the simplest offset is taken away, because an exact rank means most there; then the richest that held-out entries
   support (`_offsets`).
3. On each, every method that is `wanted`, simplest first. A fit that is exact ends the search: chance cannot do that.
   Where the training entries are a few too few for an exact fit, all entries are tried at once.
4. What the methods found may still lead to an exact fit (`settle`).
5. Held-out entries choose: the simplest fit that is hardly worse than the best (`fit.choose`).
6. Rows and columns count by their own noise where held-out entries prefer that.
7. The choice is fitted once more, to all entries.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.choice import ties
from rankscape.estimators.completion.fits.fit import Fit, choose
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.methods import METHODS
from rankscape.estimators.completion.methods.base import Method
from rankscape.estimators.completion.methods.sampled import SAMPLED, rounded
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.ready.offsets import Offset, fit_offset
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.at_scale import select_at_scale
from rankscape.estimators.completion.search.many_lines import grow, sample_of
from rankscape.estimators.completion.search.selection import Selection
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.memory import check_bytes
from rankscape.ground.stored import folder_of

# Held-out error without an offset, over what the offset leaves of the entries, below which nothing is taken away.
NEXT_TO_NOTHING = 0.1

# Bytes for each entry, where all of them are searched.
SEARCHED = 150


def select(
    split: Split,
    settings: Settings,
    meter: Meter,
    before: Fit | None = None,
    all_at_once: bool = True,
    thorough: bool = True,
) -> Selection:
    """Try offsets and methods, and choose.

    Without `all_at_once` an exact fit to all entries is not tried: another split has tried that. Without `thorough` no
    costly method is.
    """
    large = select_at_scale(split, settings, meter) if before is None else None
    if large is not None:
        return large
    if folder_of(split.whole.values) is not None:
        count = split.whole.count
        remedy = "Only many entries of a sparse matrix are searched on a sample."
        check_bytes(SEARCHED * count, f"A search among all {count:,} entries", remedy)
    sample = sample_of(split, settings)
    if sample is not None:
        found = grow(_select(_Search(sample, settings, meter, thorough), None, all_at_once), split)
        if found is not None:
            return found
    return _select(_Search(split, settings, meter, thorough), before, all_at_once)


def _select(search: "_Search", before: Fit | None, all_at_once: bool) -> Selection:
    split = search.split
    if before is not None:
        trial = search.trial(fit_offset(before.offset.kind, split.training), split.training, split.heldout)
        # It must still hold on these entries: a fit that was exact and no longer is starts a new search.
        again = trial.again(before)
        if again.converged and (again.exact or not before.exact):
            return search.finish(trial, again)
    trials = list(search.offsets())
    for trial in trials:
        for method in search.methods(trial):
            method.fit(trial)
            if trial.fits[-1].exact:
                return search.finish(trial, trial.fits[-1])
            if all_at_once and trial.simpler is None and method.may_be_exact(trial, split.whole.count):
                whole = search.on_all(trial, method)
                if whole is not None:
                    return whole
    for method in METHODS:
        exact = method.settle(trials[-1])
        if exact is not None:
            return search.finish(trials[-1], exact)
    chosen = choose([fit for trial in trials for fit in trial.fits])
    trial = next(trial for trial in trials if chosen in trial.fits)
    return search.finish(trial, search.by_own_noise(trial, chosen), tuple(trials))


@dataclass(frozen=True, eq=False)
class _Search:
    """The steps of `select`, with what all of them need."""

    split: Split
    settings: Settings
    meter: Meter
    thorough: bool

    def trial(self, offset: Offset, fitted: Entries, judging: Entries, **place) -> Trial:
        """A trial with the offset alone as its first fit."""
        trial = Trial.begin(offset, fitted, judging, self.settings, self.meter, **place)
        METHODS[0].fit(trial)
        return trial

    def offsets(self) -> Iterator[Trial]:
        """A trial of the simplest offset, and one of the richest that held-out entries support."""
        training, heldout = self.split.training, self.split.heldout
        offsets = [fit_offset(kind, training) for kind in self.settings.kinds]
        left = [heldout.root_weights * (offset.of(heldout) - heldout.values) for offset in offsets]
        best = min(left, key=root_mean_square)
        supported = next(k for k, residual in enumerate(left) if ties(residual**2, best**2))
        if rounded(self.split.observed):
            self.meter.begin(SAMPLED.phase)
            noisy = self.trial(offsets[supported], training, heldout)
            if SAMPLED.suffices(noisy):
                yield noisy
                return
        first = self.trial(offsets[0], training, heldout, richest=not supported)
        yield first
        if supported:
            yield self.trial(offsets[supported], training, heldout, simpler=first)

    def methods(self, trial: Trial) -> Iterator[Method]:
        """The methods to try, one after another: what one finds decides which of the later ones are wanted."""
        self.meter.fresh()
        if trial.simpler is not None:
            trial.climb = trial.simpler.climb
        for method in METHODS[1:]:
            if (method.costly and not self.thorough) or (method.sharp and self._nothing_left(trial)):
                continue
            if method.wanted(trial):
                self.meter.begin(method.phase.format(offset=trial.offset.named))
                yield method

    def _nothing_left(self, trial: Trial) -> bool:
        """Whether the simpler offset led so near an exact fit that this one, alone, does not come near."""
        if trial.simpler is None:
            return False
        # On exact low ranks the richer offset only adds noise of its own.
        best = min(trial.simpler.fits, key=lambda fit: fit.rmse)
        near = ties(trial.fits[0].residual ** 2, best.residual**2)
        # Of the spread of entries about their levels, which may be far larger than it where columns have units.
        return best.rmse < NEXT_TO_NOTHING * trial.scale and not near

    def on_all(self, trial: Trial, method: Method) -> Selection | None:
        """An exact fit to all entries at once; nothing is left over then to measure its error by."""
        self.meter.begin("an exact fit to all entries", fresh=True)
        whole = self.whole(trial)
        method.fit(whole)
        exact = whole.fits[-1]
        return Selection(lambda: exact, exact, whole, self.split, self.again, judged=False) if exact.exact else None

    def by_own_noise(self, trial: Trial, chosen: Fit) -> Fit:
        """The chosen fit with each row's and column's own noise, if held-out entries prefer that."""
        if not chosen.rank or not chosen.method.weighs:
            return chosen
        self.meter.begin("the noise of rows and columns")
        again = trial.again(replace(chosen, variances=trial.variances_of(chosen)))
        return again if again.rmse < chosen.rmse else chosen

    def finish(self, trial: Trial, chosen: Fit, trials: tuple[Trial, ...] = ()) -> Selection:
        """The choice, to be fitted once more to all entries."""

        def refit() -> Fit:
            self.meter.begin("the choice once more, on all entries")
            return self.whole(trial).again(chosen)

        return Selection(refit, chosen, trial, self.split, self.again, trials)

    def again(self, trial: Trial, fit: Fit, entries: Entries) -> Fit:
        """A fit once more, on other entries, of which none is held out."""
        return self.whole(trial, entries).again(fit)

    def whole(self, trial: Trial, entries: Entries | None = None) -> Trial:
        """The same kind of offset on all entries (or on others): nothing is left to judge by."""
        entries = self.split.whole if entries is None else entries
        nothing = entries.part(np.zeros(entries.count, dtype=bool))
        return self.trial(fit_offset(trial.offset.kind, entries), entries, nothing)
