"""The fit to all entries, from the columns that a sample has shown, and what it misses of those held out."""

from dataclasses import replace

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.at_scale.rivals import something_else
from rankscape.estimators.completion.at_scale.sample import is_large
from rankscape.estimators.completion.at_scale.search import STILL, SWEEPS, Found, longer, oriented, search
from rankscape.estimators.completion.fit import Fit, choose
from rankscape.estimators.completion.methods import OFFSET, named
from rankscape.estimators.completion.methods.averaged import Averaging
from rankscape.estimators.completion.offsets import Offset
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.selection import Selection
from rankscape.estimators.completion.settings import Settings
from rankscape.estimators.completion.split import Split
from rankscape.estimators.completion.trial import Trial
from rankscape.ground.modes import modes_of
from rankscape.solvers.packed.orders import Orders
from rankscape.solvers.packed.posterior import NOISY, PackedPosterior, State


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
    return _Whole(settings, found, side).selection(split, trial)


class _Whole:
    """Fits to all entries that go on from what a sample has shown."""

    def __init__(self, settings: Settings, found: Found, side: int):
        self.settings, self.found, self.side = settings, found, side
        self.state = found.posterior.state

    def selection(self, split: Split, trial: Trial) -> Selection:
        """The better of the offset alone and of all directions, without the held-out entries and then with them."""
        orders = oriented(split.whole, split.held, self.found.offset, self.found.scale, self.side)
        first = [
            self._sweeps(orders, state) for state in (self.state.head(0), self.state)[: 1 + bool(self.state.width)]
        ]
        fits = [self._fit(posterior, judged=True) for posterior in first]
        chosen = choose(fits)
        self.state = next(p for p, fit in zip(first, fits, strict=True) if fit is chosen).state
        final = self._fit(self._sweeps(orders, self.state, everything=True))
        trial = replace(trial, fits=fits[:1])
        lines = self.found.chosen
        shown = chosen if lines is None else _part(chosen, self.side, lines)
        return Selection(lambda: final, chosen, trial, split, self.again, sample=self.found.sample, shown=shown)

    def again(self, trial: Trial, fit: Fit, entries: Entries) -> Fit:
        """Fitted to other entries, from where these ended."""
        del trial, fit
        none = np.zeros(entries.count, dtype=bool)
        orders = oriented(entries, none, self.found.offset, self.found.scale, self.side)
        return self._fit(self._sweeps(orders, self.state, everything=True))

    def _sweeps(self, orders: Orders, state: State, everything: bool = False) -> PackedPosterior:
        """Until the noise is still."""
        sides = self.found.offset.sides
        sides = (sides[1], sides[0]) if self.side else sides
        posterior = PackedPosterior(orders, state, sides, everything, self.settings.threads)
        posterior.converge(STILL, SWEEPS)
        return posterior

    def _fit(self, posterior: PackedPosterior, judged: bool = False) -> Fit:
        offset, scale = self.found.offset, self.found.scale
        factors = (posterior.right, posterior.left) if self.side else (posterior.left, posterior.right)
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
