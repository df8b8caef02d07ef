"""Least squares with levels against a general solver and a dense Jacobian: minima and numbers of parameters."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.modes import modes_of
from rankscape.solvers.least_squares.levels import Levelled, Levels, fit_with_levels

KINDS = {
    "none": Levels(),
    "row": Levels(row=True),
    "column": Levels(column=True),
    "both": Levels(row=True, column=True),
}
every_kind = pytest.mark.parametrize("levels", KINDS.values(), ids=KINDS.keys())
tall_and_wide = pytest.mark.parametrize("shape", [(20, 8), (8, 20)], ids=["tall", "wide"])


def seen(shape: tuple[int, int], levels: Levels, noise: float, rank: int = 2, seed: int = 0, weighted: bool = False):
    """A matrix with such levels, its entries, and factors near its own to start from."""
    rng = np.random.default_rng(seed)
    U, V = rng.normal(size=(shape[0], rank)), rng.normal(size=(shape[1], rank))
    W = U @ V.T + levels.row * rng.normal(size=(shape[0], 1)) + 3 * levels.column * rng.normal(size=shape[1])
    places = np.indices(shape)
    i, j = np.nonzero((places[0] + 3 * places[1]) % 7 > 0)  # a gap or two in each row and column
    weights = rng.uniform(0.5, 2, len(i)) if weighted else None
    entries = Entries(i, j, (W + noise * rng.normal(size=shape))[i, j], shape, weights)
    return W, entries, modes_of(U + 0.1 * rng.normal(size=U.shape), V + 0.1 * rng.normal(size=V.shape))


def fitted(entries: Entries, levels: Levels, start) -> Levelled:
    zero = np.zeros(entries.shape[1]), np.zeros(entries.shape[0])
    return fit_with_levels(PreparedEntries(entries, "sparse"), levels, start, *zero, 60, 1e-9)


def dense(fit: Levelled) -> np.ndarray:
    return (fit.modes.U * fit.modes.s) @ fit.modes.V.T + fit.row[:, None] + fit.column


def jacobian(fit: Levelled, levels: Levels) -> np.ndarray:
    """Of every cell with respect to every parameter, one after another."""
    (n, m), r = (len(fit.modes.U), len(fit.modes.V)), len(fit.modes.s)
    L, R, columns = fit.modes.U * fit.modes.s, fit.modes.V, []
    for place, size in (("row", n), ("column", m)):
        for at in range(size):
            along = [R[:, k] if place == "row" else L[:, k] for k in range(r)]
            along += [np.ones(m if place == "row" else n)] if getattr(levels, place) else []
            for values in along:
                D = np.zeros((n, m))
                D[(at, slice(None)) if place == "row" else (slice(None), at)] = values
                columns.append(D.ravel())
    return np.array(columns).T


@every_kind
@tall_and_wide
def test_an_exact_matrix_is_met_to_rounding(shape, levels):
    W, entries, start = seen(shape, levels, 0.0)
    fit = fitted(entries, levels, start)
    assert np.abs(dense(fit) - W).max() < 1e-11
    assert np.abs(fit.residual(PreparedEntries(entries))).max() < 1e-11
    assert np.linalg.matrix_rank(jacobian(fit, levels)) == levels.parameters(shape, 2)


@every_kind
@pytest.mark.parametrize("weighted", [False, True])
def test_with_noise_it_is_the_minimum_that_a_general_solver_finds(levels, weighted):
    shape, rank = (12, 6), 1
    _, entries, start = seen(shape, levels, 0.3, rank, weighted=weighted)
    fit = fitted(entries, levels, start)
    root = entries.root_weights

    def residual(x):
        u, v, row, column = np.split(x, np.cumsum([12, 6, 12]))
        W = np.outer(u, v) + levels.row * row[:, None] + levels.column * column
        return root * (entries.at(W) - entries.values)

    first = np.concatenate([fit.modes.U[:, 0] * fit.modes.s[0], fit.modes.V[:, 0], fit.row, fit.column])
    best = least_squares(residual, first + 0.01, xtol=1e-12, ftol=1e-14, gtol=1e-12)
    assert fit.squared == pytest.approx(2 * best.cost, rel=1e-6)
    assert float(np.sum((root * fit.residual(PreparedEntries(entries))) ** 2)) == pytest.approx(fit.squared, rel=1e-9)
