"""Tables whose columns are quantities of their own, though no size says so: each kind both ways round."""

import numpy as np
import pytest

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators.completion.search.units import units_of

SEEDS = range(3)


def holes(X: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return np.where(random.random(X.shape) < 0.2, np.nan, X)


def scores(seed: int) -> np.ndarray:
    """Sizes differ less than fiftyfold, and the large columns foretell each other: their noise is no larger."""
    random = np.random.default_rng(seed)
    levels = np.array([6.0, 17.0, 35.0, 35.0, 457.0, 508.0, 966.0])
    own = random.normal(size=(50, 4)) + 0.9 * (good := random.normal(size=(50, 1)))
    verbal, maths = (34 * (good[:, 0] + 0.3 * random.normal(size=50)) for _ in range(2))
    return levels + np.column_stack([own * [1.4, 2.2, 6.0, 20.0], verbal, maths, verbal + maths])


def answers(seed: int) -> np.ndarray:
    """Sixteen yes or no, and a count whose size is ten times theirs: one of many, which no quantile shows."""
    random = np.random.default_rng(seed)
    lean = random.normal(size=(400, 2)) @ random.normal(size=(2, 16)) + 0.3 * random.normal(size=(400, 16))
    yes = (lean > 0.3).astype(float)
    return np.column_stack([random.poisson(np.exp(lean[:, 0] / 2 + 1.7)), yes])


def counted(seed: int) -> np.ndarray:
    """Counts of hundreds and thousands beside what they are counts of: from 0 to 100."""
    random = np.random.default_rng(seed)
    score = np.arange(101.0)
    bell = 0.2 + np.exp(-(((score[:, None] - random.uniform(60, 70, 5)) / 15) ** 2))
    return np.column_stack([score, random.poisson(3000 * bell * random.gamma(9, 1 / 9, bell.shape))])


def towns(seed: int) -> np.ndarray:
    """Inhabitants and how close they live, ten thousand times as many in some as in others; and where that is."""
    random = np.random.default_rng(seed)
    people = np.exp(9 + 2 * random.normal(size=(200, 1)) + 0.1 * random.normal(size=(200, 6)).cumsum(1))
    where = random.normal(size=(200, 2)) * [2.0, 4.0] + [44.0, -80.0]
    change = 0.1 * random.normal(size=(200, 5))
    return np.column_stack([where, people, people[:, :4] / np.exp(5 + random.normal(size=(200, 1))), change])


@pytest.mark.parametrize("made", [scores, counted])
@pytest.mark.parametrize("seed", [0, 2])
def test_entries_tell_where_sizes_do_not(made, seed):
    """In standard deviations of a column nothing is missed by far: the small ones are not lost."""
    X = made(seed)
    Y = holes(X, np.random.default_rng(seed + 10))
    hidden, size = np.isnan(Y), X.std(0)
    done = rs.complete(Y, seed=0)
    turned = rs.complete(Y.T.copy(), seed=0)
    assert (done.certificate.units, turned.certificate.units) == (
        "standard deviations of their column", "standard deviations of their row"
    )  # fmt: skip
    for matrix in (done.matrix, turned.matrix.T):
        error = [np.sqrt(np.mean(((matrix - X) / size)[hidden[:, j], j] ** 2)) for j in range(X.shape[1])]
        assert max(error) < 2.0
        assert np.sqrt(np.mean(np.square(error))) < 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_one_column_of_many_is_noticed(seed):
    X = holes(answers(seed), np.random.default_rng(seed))
    assert units_of("auto", Entries.from_array(X)).rival == "column"
    assert units_of("auto", Entries.from_array(X.T)).rival == "row"


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_have_units_where_nearly_all_columns_say_so(seed):
    """Divided by their rows as well, the places of small towns would count for nothing, and be missed by far."""
    X = holes(towns(seed), np.random.default_rng(seed))
    for Y, kind in ((X, "column"), (X.T, "row"), (X[:, 2:12], "both"), (X[:, 2:12].T, "both")):
        assert units_of("auto", Entries.from_array(Y)).kind == kind
