"""One offset: the fits tried on entries without it, and the candidates they give."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.baselines import Offset
from rankscape.estimators.completion.candidate import Candidate
from rankscape.estimators.completion.methods.climb import Climbed, climb, exact_fit
from rankscape.estimators.completion.methods.jumping import SGDJumps
from rankscape.estimators.completion.methods.path import Minimum, Path, Record, root_mean_square
from rankscape.estimators.completion.methods.penalised import find_minima
from rankscape.estimators.completion.methods.posterior import Posterior
from rankscape.estimators.completion.methods.sampling import average_of_draws
from rankscape.estimators.completion.methods.solve import Modes, leading_modes
from rankscape.estimators.completion.options import Options

# Sweeps that turn a least squares fit into the most probable one under its noise.
SHRINKING = 8

# Directions that averaging starts with: ratings keep a few, photographs and gene expression about 30.
WIDTHS = 16, 40, 60

# Sweeps of averaging at most; held-out entries stop them earlier.
SWEEPS = 12

# Factor by which the last sweep lowers the held-out error when averaging has not converged.
STILL = 0.97

# Sweep after which held-out entries are first asked.
FIRST_LOOK = 4

# First noises of averaging, as a share of the entries' rms: a low one keeps more directions alive. Both are tried.
QUIET = 0.2, 0.45

# Share of the entries' mean square that is noise, beyond which draws are averaged.
NOISY = 0.5

# Directions of the sampler.
DRAWN_WIDTH = 6

# Sweeps of the sampler on training entries, and on all.
DRAWS = 50, 80

# Noise of an average, as a share of the entries' rms, below which its directions may lead to an exact fit.
NEARLY_EXACT = 0.1

# First sweeps of the sampler, which are forgotten.
BURN = 15

# Most numbers that the covariances of a posterior may hold.
MEMORY = 4e7


@dataclass(eq=False)
class Trial:
    """One kind of offset on one set of entries.

    Attributes
    ----------
    kind : str
        Of the offset.
    offset : Offset
        Fitted to the entries.
    scale : float
        Of the entries without it.
    path : Path
        Those entries, and the records.
    weights : ndarray
        Roots of the weights of the held-out entries.
    candidates : list of Candidate
        Found so far.
    """

    kind: str
    offset: Offset
    scale: float
    path: Path
    weights: np.ndarray
    candidates: list[Candidate] = field(default_factory=list)

    @classmethod
    def begin(cls, offset: Offset, training: Entries, heldout: Entries, options: Options, progress: Any) -> "Trial":
        """Take an offset, fitted to the training entries, away from both parts."""
        entries, scale = centred(training, offset)
        values = (heldout.values - offset.at(heldout.rows, heldout.columns)) / scale
        jump = SGDJumps(entries, options.seed) if options.path == "sgd" else None
        path = Path(entries, (heldout.rows, heldout.columns, values), options.depths[0], jump)
        path.report = lambda record, share: progress.record(record, scale, share)
        weights = np.ones(len(values)) if heldout.weights is None else np.sqrt(heldout.weights)
        trial = cls(offset.kind, offset, scale, path, weights)
        none = Modes(np.zeros((entries.shape[0], 0)), np.zeros(0), np.zeros((entries.shape[1], 0)))
        trial._offer("offset", none, offset, scale)
        return trial

    def _offer(self, method: str, modes: Modes, offset: Offset, noise: float, **facts) -> Candidate:
        rows, columns, _ = self.path.heldout
        residual = self.path.heldout_residual(modes.U * modes.s, modes.V) * self.scale
        residual += offset.at(rows, columns) - self.offset.at(rows, columns)
        facts |= {"residual": residual * self.weights}
        self.candidates.append(Candidate(method, modes, offset, self.scale, noise, **facts))
        return self.candidates[-1]

    # -- one best pair of factors --------------------------------------------------------------------------

    def climb(self, width: int, exact: float) -> Climbed:
        """Find the rank that the entries determine; offer what was found on the way."""
        found = climb(self.path, width, exact)
        for fit in found.fits:
            self.shrink(fit, found.exact)
        return found

    def settle(self, found: Candidate, exact: float) -> Candidate | None:
        """An exact fit from the directions that averaging found, if its noise is small enough to hope for one."""
        if not found.rank or found.noise > NEARLY_EXACT * found.scale:
            return None
        fit = exact_fit(self.path, found.modes, exact)
        if fit is None:
            return None
        self.path.record(fit.modes, 0.0, "climbing")
        return self.shrink(fit, True)

    def shrink(self, fit, exact: bool) -> Candidate:
        """A least squares fit under the ridge that its noise asks for."""
        facts = dict(exact=exact, converged=fit.converged, known=(fit.rows, fit.columns))
        if exact:
            return self._offer("climbed", fit.modes, self.offset, fit.noise * self.scale, **facts)
        posterior = Posterior(self.path.entries, fit.modes, fit.noise)
        for _ in range(SHRINKING):
            posterior.average()
        return self._offer("climbed", posterior.live, self.offset, posterior.noise**0.5 * self.scale, **facts)

    # -- the mean of many ----------------------------------------------------------------------------------

    def posterior(self, modes: Modes, noise: float) -> tuple[Posterior, Offset]:
        """A posterior of the entries, which fits its own biases when the offset has some; and its fixed offset."""
        entries, offset = self.path.entries, self.offset
        if not any(offset.sides):
            return Posterior(entries, modes, noise), offset
        row, column = offset.row / self.scale, offset.column / self.scale
        whole = entries.with_values(entries.values + row[entries.rows] + column[entries.columns])
        first = tuple(b if has else None for b, has in zip((row, column), offset.sides, strict=True))
        return Posterior(whole, modes, noise, first), replace(offset, row=0 * row, column=0 * column)

    def average(self, width: int, quiet: float, sweeps: int | None = None) -> Candidate:
        """Variational Bayes from `width` directions and a noise of `quiet`.

        Held-out entries say when to stop, unless `sweeps` are given.
        """
        entries = self.path.entries
        modes = leading_modes(entries, entries.values, self._affordable(width))
        posterior, offset = self.posterior(modes, quiet * root_mean_square(entries.values))
        best, before, worse, start = None, np.inf, 0, dict(width=width, quiet=quiet)
        for sweep in range(1, (sweeps or SWEEPS) + 1):
            posterior.average()
            self.path.step += 1
            if sweep < (sweeps or FIRST_LOOK):
                continue
            live, noise = posterior.live, posterior.noise**0.5
            biased = self._with(offset, posterior.biases)
            found = self._offer("averaged", live, biased, noise * self.scale, **start, sweeps=sweep)
            self.note(found, "averaging")
            if best is None or found.rmse < best.rmse or sweeps:
                best, before = found, np.inf if best is None else best.rmse
                continue
            worse += 1
            if worse > 1:
                break
        assert best is not None
        self.candidates = [c for c in self.candidates if (c.width, c.quiet) != (width, quiet)]
        self.candidates.append(replace(best, converged=best.sweeps < SWEEPS or best.rmse > STILL * before))
        return self.candidates[-1]

    def sample(self, width: int, seed: int) -> Candidate:
        """The mean of Gibbs draws."""
        entries = self.path.entries
        draws = DRAWS[not len(self.weights)]
        modes = leading_modes(entries, entries.values, self._affordable(min(DRAWN_WIDTH, width)))
        posterior, offset = self.posterior(modes, root_mean_square(entries.values))
        random = np.random.default_rng(seed)

        def watch() -> None:
            self.path.step += 1
            if self.path.records:
                self.path.report(self.path.records[-1], 1.0)

        modes, biases, noise = average_of_draws(posterior, random, draws, BURN, watch)
        offset = self._with(offset, biases)
        return self._offer("sampled", modes, offset, noise**0.5 * self.scale, sweeps=draws)

    # -- the minimum of one ridge --------------------------------------------------------------------------

    def penalise(self, width: int, depths: tuple[int, ...]) -> None:
        """Offer the best minima of the ridge that were met, and of each depth those where all directions start."""
        find_minima(self.path, self._affordable(width), depths)
        for found in self.path.minima.values():
            self.offer_minimum(found, found.heldout_rmse * self.scale)

    def offer_minimum(self, found: Minimum, noise: float, converged: bool = True) -> Candidate:
        """What is left unexplained is measured on entries that were not fitted: those that were are shrunk."""
        facts = dict(ridge=found.ridge, depth=found.depth, converged=converged)
        return self._offer("penalised", found.modes, self.offset, noise, **facts)

    def note(self, candidate: Candidate, phase: str) -> None:
        """A record of a candidate, with its own biases."""
        held = candidate.rmse / self.scale if len(candidate.residual) else float("nan")
        errors = root_mean_square(self.residual(candidate)), held
        record = Record(self.path.step, 0.0, candidate.rank, candidate.modes.s, *errors, phase)
        self.path.records.append(record)
        self.path.report(record, 0.0)

    def residual(self, candidate: Candidate) -> np.ndarray:
        """Prediction minus value of the entries, which are scaled to rms 1."""
        entries, modes = self.path.entries, candidate.modes
        shift = candidate.offset.at(entries.rows, entries.columns) - self.offset.at(entries.rows, entries.columns)
        return entries.residual(modes.U * modes.s, modes.V) + shift / self.scale

    def _with(self, offset: Offset, biases: tuple[np.ndarray, ...]) -> Offset:
        row, column = (b * self.scale for b in biases)
        return replace(offset, row=offset.row + row, column=offset.column + column)

    def _affordable(self, width: int) -> int:
        """Directions that the entries can determine and the memory can hold."""
        size, count = sum(self.path.entries.shape), self.path.entries.count
        return max(1, min(width, count // size, int((MEMORY / size) ** 0.5)))


def centred(observed: Entries, offset: Offset) -> tuple[PreparedEntries, float]:
    """The entries without the offset, scaled to rms 1, and the scale (1 where nothing is left)."""
    values = observed.values - offset.at(observed.rows, observed.columns)
    scale = root_mean_square(values) or 1.0
    return observed.with_values(values / scale).prepared(), scale
