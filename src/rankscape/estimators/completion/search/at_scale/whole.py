"""The fit to all entries, from the columns that a sample has shown, and what it misses of those held out."""

from dataclasses import replace

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.fits.fit import Fit, choose
from rankscape.estimators.completion.fits.known import Known
from rankscape.estimators.completion.fits.left_over import ALONE, BEYOND, excess_kurtosis
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.methods import OFFSET, named
from rankscape.estimators.completion.methods.averaged import Averaging
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.ready.baselines import column_means
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.at_scale.rivals import something_else
from rankscape.estimators.completion.search.at_scale.sample import is_large
from rankscape.estimators.completion.search.at_scale.search import STILL, SWEEPS, Found, longer, oriented, search
from rankscape.estimators.completion.search.selection import Selection
from rankscape.estimators.completion.search.tails import HEAVY
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.modes import modes_of
from rankscape.solvers.packed.orders import Orders
from rankscape.solvers.packed.posterior import PackedPosterior
from rankscape.solvers.packed.records import NOISY, State

# The same as `STILL` where there are levels alone: they are only compared with.
LEVELS_STILL = 1e-3


def select_at_scale(split: Split, settings: Settings, meter: Meter) -> Selection | None:
    """What a sample decides, fitted to all; None where entries are few, or a sample calls for something else."""
    if not is_large(split, settings):
        return None
    meter.begin("a sample of the entries")
    found, side = search(split, settings, settings.threads), longer(split)
    trial = Trial.begin(found.offset, found.sample.training, found.sample.heldout, settings, meter)
    OFFSET.fit(trial)
    if found.posterior.state.width and something_else(found, trial, found.posterior.missed(side), settings):
        return None
    meter.begin("all entries, from the sample")
    lines, whole = found.chosen, _Whole(settings, found, side)
    del found  # its entries and records are of no more use
    return whole.selection(split, trial, lines)


class _Whole:
    """Fits to all entries that go on from what a sample has shown."""

    def __init__(self, settings: Settings, found: Found, side: int):
        self.threads, self.side = settings.threads, side
        self.hands, self.journal = settings.hands, settings.journal
        self.offset, self.scale, self.state = found.offset, found.scale, found.posterior.state
        rows, columns = found.offset.sides
        self.sides = (columns, rows) if side else (rows, columns)

    def selection(self, split: Split, trial: Trial, lines: np.ndarray | None) -> Selection | None:
        """The better of the offset alone and of all directions, without the held-out entries and then with them.

        None where either have heavy tails, or a direction serves a single entry. The sample had these `lines`.
        """
        orders = oriented(split.whole, split.held, self.offset, self.scale, self.side, self.threads)
        found = [self._first(orders, self.state.head(0), LEVELS_STILL)]
        if self.state.width:
            found.append(self._first(orders, self.state, STILL))
        fits = [fit for fit, _ in found]
        chosen = choose(fits)
        self.state = next(state for fit, state in found if fit is chosen)
        last = self._sweeps(orders, self.state, self.sides, everything=True)
        final, moments, (kurtosis, alone) = self._fit(last), last.moments, last.left_over(ALONE, BEYOND)
        if alone or max(kurtosis, excess_kurtosis(chosen.residual)) >= HEAVY:
            return None
        moments = moments.transposed() if self.side else moments
        shown = chosen if lines is None else _part(chosen, self.side, lines)
        facts = self._levels(orders, split), (moments, final.scale, final.noise)
        known = Known(trial.entries.count, shown, kurtosis, *facts[0], *facts[1])
        return Selection(lambda: final, chosen, replace(trial, fits=fits[:1]), split, self.again, known=known)

    def again(self, trial: Trial, fit: Fit, entries: Entries) -> Fit:
        """Fitted to other entries, from where these ended."""
        del trial, fit
        none = np.zeros(entries.count, dtype=bool)
        orders = oriented(entries, none, self.offset, self.scale, self.side, self.threads)
        return self._fit(self._sweeps(orders, self.state, self.sides, everything=True))

    def _first(self, orders: Orders, state: State, still: float) -> tuple[Fit, State]:
        """The training entries alone, and the error on the others."""
        posterior = self._sweeps(orders, state, self.sides, still=still)
        return self._fit(posterior, judged=True), posterior.state

    def _levels(self, orders: Orders, split: Split) -> tuple[dict[str, float], np.ndarray, Offset, float]:
        """Errors of means and levels on held-out entries, the means, and levels of all entries with what they leave."""
        held, means, state = split.heldout, column_means(split.whole, split.heldout), self.state.head(0)
        posterior = self._sweeps(orders, state, (True, True), still=LEVELS_STILL)
        baselines = {
            "column_mean": root_mean_square(means[held.columns] - held.values),
            "row_column_bias": self.scale * root_mean_square(posterior.missed(self.side)),
        }
        level = self._fit(self._sweeps(orders, posterior.state, (True, True), everything=True, still=LEVELS_STILL))
        return baselines, means, replace(level.offset, kind="row+column"), level.noise

    def _sweeps(
        self, orders: Orders, state: State, sides: tuple[bool, bool], everything: bool = False, still: float = STILL
    ) -> PackedPosterior:
        """Until the noise is still."""
        posterior = PackedPosterior(orders, state, sides, everything, self.threads, self.hands)
        posterior.converge(still, SWEEPS, journal=self.journal)
        return posterior

    def _fit(self, posterior: PackedPosterior, judged: bool = False) -> Fit:
        offset, scale, left, right = self.offset, self.scale, posterior.left, posterior.right
        factors = (right, left) if self.side else (left, right)
        modes = modes_of(*(factor[:, :-1] for factor in factors))
        row, column = (factor[:, -1] * scale for factor in factors)
        biased = Offset(offset.kind, offset.mean, row, column)
        residual = -scale * posterior.missed(self.side) if judged else np.zeros(0)
        noise = scale * posterior.state.noise**0.5
        if not posterior.state.width:
            return Fit(OFFSET, modes, biased, scale, noise, residual)
        memory = Averaging(posterior.state.width, NOISY**0.5)
        return Fit(named("averaged"), modes, biased, scale, noise, residual, memory)


def _part(fit: Fit, side: int, lines: np.ndarray) -> Fit:
    """A fit as some lines of a side see it."""
    modes, offset = fit.modes, fit.offset
    if side:
        return replace(fit, modes=modes._replace(V=modes.V[lines]), offset=replace(offset, column=offset.column[lines]))
    return replace(fit, modes=modes._replace(U=modes.U[lines]), offset=replace(offset, row=offset.row[lines]))
