"""What error to expect of the cells that are filled: entries held out like them, and the model's own spread."""

from dataclasses import dataclass, replace

import numpy as np

from rankscape.estimators.completion.competition.combine import Combination
from rankscape.estimators.completion.competition.contest import Contest, judges
from rankscape.estimators.completion.competition.rounds import Round, spread
from rankscape.estimators.completion.fits.fit import model_of
from rankscape.estimators.completion.models.intervals import Calibration
from rankscape.estimators.completion.ready.farther import growth
from rankscape.estimators.completion.search.selection import Selection
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final

# Standard errors by which a held-out mean square has to exceed what was expected for something to have been cut off.
CLEAR = 2.0


@final
@dataclass(frozen=True)
class Expectation:
    """Errors of observations, in standard units.

    Attributes
    ----------
    heldout, heldout_std : float
        Root mean square error on entries held out at random, and its standard error.
    trusted : float
        The first, where entries count as a robust fit weighs them: what its noise is to be compared with.
    missing, missing_std : float
        The same to be expected of the missing cells; of the held-out ones where none is missing.
    judges : int
        Different entries that were held out at random.
    calibration : Calibration, optional
        What single cells' intervals are made from.
    """

    heldout: float
    heldout_std: float
    trusted: float
    missing: float
    missing_std: float
    judges: int
    calibration: Calibration | None = None

    def mixed(self, share: float, error: float, strain: float) -> "Expectation":
        """The same where a share of the missing cells is filled with a guess of this error.

        Of the others at least the held-out error times `strain` is expected: noise is amplified so much.
        """
        missing = max(self.missing, self.heldout * strain)
        return replace(self, missing=((1 - share) * missing**2 + share * error**2) ** 0.5)


def expect(selection: Selection, combination: Combination) -> Expectation:
    r"""What the prediction misses of held-out entries, and what it will of the missing cells.

    Each set of entries imposed in the pattern of the gaps is missed by some error; their geometric mean is stated,
    because one line that runs away is one of several; and where the missing cells lie farther from what is seen, times
    what that adds (`growth`). What the low-rank fit expects of itself (its spread at the missing cells over that at the
    imposed ones) says nothing of a mean of several candidates: times its root 12 % of 43 panels and outages were off by
    more than twice, without it 7 %. Where random held-out entries are like the missing cells it is the held-out error
    times the likeness.
    """
    contest = combination.contest
    rounds = contest.imposed or contest.random
    missed = combination.imposed if contest.imposed else combination.missed
    trusted = combination.missed * np.concatenate([r.root_trust for r in contest.random])
    if contest.imposed:
        farther = growth(missed, contest.away, contest.missing_away)
        error, std = (farther * typical for typical in _typical(combination.imposed_misses))
        ratio = error / (root_mean_square(missed) or 1.0)
        found = replace(alike(combination.missed), missing=error, missing_std=std)
    else:
        ratio = contest.likeness
        found = alike(missed, ratio)
    predicted = np.concatenate([combination.predicted(r) for r in rounds])
    expected = np.concatenate([r.spread for r in rounds])
    cut = float(np.hypot(_cut(trusted, contest.random), _unseen(selection, combination)))
    found = replace(found, trusted=root_mean_square(trusted), judges=judges(contest.random))
    return replace(
        found, calibration=Calibration.of(predicted, missed, expected, ratio, _missing_spread(selection, contest), cut)
    )


def _cut(missed: np.ndarray, rounds: tuple[Round, ...]) -> float:
    """What noise and the uncertainty of the fit (`spread`) leave unexplained of the held-out errors, beyond chance."""
    excess = missed**2 - np.concatenate([r.spread for r in rounds]) ** 2
    chance = excess.std() / len(excess) ** 0.5
    # What chance may be is no part of it: where noise is strong, the whole of a small excess doubled the interval.
    return float(np.sqrt(max(excess.mean() - CLEAR * chance, 0.0)))


def _unseen(selection: Selection, combination: Combination) -> float:
    r"""What may hide under noise where no direction was found: root mean square of the largest that could not be seen.

    Of a share p of the entries of an n x m matrix with noise :math:`\sigma` a direction stands out from
    :math:`s = \sigma (n m)^{1/4} / \sqrt{p}` on (Baik et al. 2005).
    """
    final, (n, m) = selection.final, selection.split.whole.shape
    if final.rank or combination.contest.random[0].names[0] not in combination.weights:
        return 0.0
    return final.noise * (n * m) ** 0.25 / selection.split.training.count**0.5


def alike(missed: np.ndarray, likeness: float = 1.0) -> Expectation:
    """Of missing cells that are like the held-out entries, or `likeness` times as uncertain."""
    held, error = root_mean_square(missed), _error(missed)
    return Expectation(held, error, held, held * likeness, error * likeness, len(missed))


def _typical(misses: list[np.ndarray]) -> tuple[float, float]:
    """The geometric mean of the errors of several sets, and its standard error: of single ones, and among them."""
    errors = np.maximum([root_mean_square(missed) for missed in misses], 1e-300)
    error, count = float(np.exp(np.mean(np.log(errors)))), len(errors)
    among = float(np.log(errors).std(ddof=1)) * error / count**0.5 if count > 1 else 0.0
    return error, max(among, _error(np.concatenate(misses)))


def _missing_spread(selection: Selection, contest: Contest) -> float:
    if not len(contest.missing[0]):
        return _size(contest.random)
    if selection.known is not None:
        return root_mean_square(selection.known.spread_at(*contest.missing))
    return root_mean_square(spread(model_of(selection.final), selection.split.whole, *contest.missing))


def _size(rounds: tuple[Round, ...]) -> float:
    return root_mean_square(np.concatenate([r.spread for r in rounds])) or 1e-300


def _error(missed: np.ndarray) -> float:
    """Standard error of a root mean square, whatever the tails: that of the mean square over twice the root."""
    rms = root_mean_square(missed)
    return float((missed**2).std() / (2 * rms * len(missed) ** 0.5)) if rms else 0.0
