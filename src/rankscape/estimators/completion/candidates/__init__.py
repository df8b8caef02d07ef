"""The catalogue of candidates: what predicts, and is no product of thin factors.

The low-rank search (`select`) comes first; where a rank is not sharp these compete with it, and held-out entries
choose or combine (`combine`).

================  ==================================================================================================
`base`            `Candidate`: the contract; a new candidate is one subclass, and one call of `register`
`gaussian`        tables of few columns, or few rows: a Gaussian with a full covariance
`near`            the mean of near rows, or of near columns
`interpolated`    ordered rows or columns: between neighbours first, then a model of what that misses
`local`           ordered rows or columns: a polynomial through the entries around a cell
`smoothed`        low rank first, then its residual between neighbours
`walking`         low rank with factors that walk along an ordered axis
`augmented`       counts, answers of two kinds, levels that have an order: draws of a low rank behind a link (`draws`)
`axes`            which axes are ordered
================  ==================================================================================================
"""

from rankscape.errors import InputError
from rankscape.estimators.completion.candidates.augmented import Answers, CountsOfRates, OrderedClasses
from rankscape.estimators.completion.candidates.base import Candidate
from rankscape.estimators.completion.candidates.gaussian import Gaussian
from rankscape.estimators.completion.candidates.interpolated import Interpolation
from rankscape.estimators.completion.candidates.local import LocalPolynomials
from rankscape.estimators.completion.candidates.near import NearColumns, NearRows
from rankscape.estimators.completion.candidates.smoothed import Smoothed
from rankscape.estimators.completion.candidates.walking import Walking

CANDIDATES: list[Candidate] = [
    Gaussian(),
    NearRows(),
    NearColumns(),
    Interpolation(),
    LocalPolynomials(),
    Smoothed(),
    Walking(),
    CountsOfRates(),
    Answers(),
    OrderedClasses(),
]


def register(candidate: Candidate) -> None:
    """Add a candidate: it competes, and certificate and reports ask it.

    Raises
    ------
    InputError
        Another candidate has this name.
    """
    if candidate.name in [known.name for known in CANDIDATES]:
        raise InputError(f"A candidate called {candidate.name!r} is registered already; choose another name.")
    CANDIDATES.append(candidate)
