"""What rankscape says about a case: its defaults, read off the public result.

This is the only file that knows rankscape. Fields that a version does not have are None.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from measure import Measured, measured

if TYPE_CHECKING:
    from cases import MatrixCase

    from rankscape.estimators.completion.completed.result import CompletedMatrix

EXACT = 1e-5
"""Largest error of a cell, over the spread of the entries, that counts as the entry itself."""

Z95 = 1.96


def warm_up() -> None:
    """Compile what fits need: it is paid once a process, not by a case."""
    import rankscape as rs

    random = np.random.default_rng(0)
    for X in _small_kinds(random):
        _quietly(lambda X=X: rs.complete(X))


def _small_kinds(random: np.random.Generator) -> Iterator[np.ndarray]:
    """Small matrices that between them ask for every method."""
    for rank, noise, share in ((2, 0.1, 0.5), (8, 0.5, 0.3), (1, 0.0, 0.6), (3, 3.0, 0.4)):
        W = random.normal(size=(60, rank)) @ random.normal(size=(rank, 50)) + noise * random.normal(size=(60, 50))
        yield np.where(random.random(W.shape) < share, W, np.nan)
    stars = np.where(random.random((300, 200)) < 0.05, random.integers(1, 6, (300, 200)).astype(float), np.nan)
    stars[0], stars[:, 0] = 3.0, 3.0
    yield stars
    place = np.linspace(0, 1, 60)
    yield np.where(random.random((60, 60)) < 0.6, np.exp(-8 * np.abs(place[:, None] - place)), np.nan)
    walks = np.cumsum(random.normal(size=(50, 30)), 1)
    walks[:15, 20:] = np.nan
    yield walks
    table = random.normal(size=(400, 2)) @ random.normal(size=(2, 6)) + 0.3 * random.normal(size=(400, 6))
    yield np.where(random.random(table.shape) < 0.7, table * 10.0 ** np.arange(6), np.nan)
    yield np.where(random.random((80, 60)) < 0.5, random.poisson(3.0, (80, 60)).astype(float), np.nan)
    spoilt = random.normal(size=(60, 2)) @ random.normal(size=(2, 50)) + 0.1 * random.normal(size=(60, 50))
    spoilt[random.random(spoilt.shape) < 0.02] += 10
    yield np.where(random.random(spoilt.shape) < 0.6, spoilt, np.nan)


def _quietly(call: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


def completed(case: "MatrixCase", limit: float) -> dict[str, Any]:
    """Complete the matrix and compare it with the truth."""
    import rankscape as rs

    if case.told.get("intervals"):
        return _intervals(case, limit)
    fit = measured(lambda: _with_matrix(rs.complete(case.given)), limit)
    if fit.failure:
        return {"failed": fit.failure, "seconds": fit.seconds}
    done, filled = fit.answer
    facts = {"seconds": fit.seconds, "error": case.error(filled)} | said(done) | _told(case, done, filled)
    return facts | _determined(case, done, filled) | _outliers(case, done)


def _with_matrix(done: "CompletedMatrix") -> tuple["CompletedMatrix", np.ndarray]:
    return done, done.matrix


def said(done: "CompletedMatrix") -> dict[str, Any]:
    """What the result and its certificate say, in units of the data."""
    expected = getattr(done, "expected_error", None)
    return {
        "rank": int(done.rank),
        "method": done.method,
        "heldout": done.heldout_rmse,
        "expected": None if expected is None else float(expected),
        "trusted": bool(done.certificate.trusted),
        "warnings": list(done.certificate.warnings),
    }


def _told(case: "MatrixCase", done: "CompletedMatrix", filled: np.ndarray) -> dict[str, Any]:
    """The error of all hidden cells over what was said of them, in the units in which it was said."""
    sizes = _sizes(done)
    plain = float(np.sqrt(np.mean(((filled - case.truth) / sizes)[case.hidden] ** 2)))
    expected = getattr(done, "expected_error", None)
    stated = done.heldout_rmse if expected is None else float(expected)
    floor = case.floor * float(np.mean(case.unit / sizes))
    over = None if stated is None else max(plain, floor) / max(stated, floor)
    inside = case.hidden & ~case.judged
    apart = {"inside": case.error(filled, inside)} if inside.any() else {}
    return {"plain_error": plain, "over_stated": over} | apart


def _sizes(done: "CompletedMatrix") -> np.ndarray:
    """What errors are counted in where rows or columns differ in size; one elsewhere."""
    scaling = getattr(done, "scaling", None)
    if scaling is None or scaling.uniform:
        return np.ones((1, 1))
    return scaling.row[:, None] * scaling.column


def _determined(case: "MatrixCase", done: "CompletedMatrix", filled: np.ndarray) -> dict[str, Any]:
    """Where the result says which cells the entries determine: their error, and how many are wrong."""
    mask = getattr(done, "determined", None)
    off = np.abs(filled - case.truth) / np.mean(case.unit)
    facts: dict[str, Any] = {}
    if "core" in case.told:
        core = case.told["core"] & case.hidden
        facts["exact"] = bool(not core.any() or np.sqrt(np.mean(off[core] ** 2)) < EXACT)
    if mask is None or np.shape(mask) != case.shape:
        return facts
    sure = np.asarray(mask, bool) & case.hidden
    facts |= {
        "determined_share": float(sure.sum() / max(1, case.hidden.sum())),
        "determined_error": case.error(filled, sure),
        "determined_wrong": int((off[sure] > EXACT).sum()),
        "judged_determined": int((sure & case.judged).sum()),
    }
    if "core" in case.told:
        core = case.told["core"] & case.hidden
        facts["certified"] = bool(done.certificate.exact and np.asarray(mask, bool)[core].all())
    return facts


def _outliers(case: "MatrixCase", done: "CompletedMatrix") -> dict[str, Any]:
    """Of the entries that are listed as wrong: how many are, and how many of the wrong ones are listed."""
    listed, wild = getattr(done, "outliers", None), case.told.get("wild")
    if listed is None or wild is None:
        return {}
    rows, columns = (listed.rows, listed.columns) if hasattr(listed, "rows") else (listed[0], listed[1])
    hits = int(wild[rows, columns].sum())
    planted = int((wild & np.isfinite(case.given)).sum())
    return {"listed": len(rows), "listed_right": hits, "planted": planted}


def _intervals(case: "MatrixCase", limit: float) -> dict[str, Any]:
    """How often 95 % intervals hold the noise-free entry, and a new observation of it."""
    from rankscape.estimators import DeepMatrixCompletion

    i, j = np.nonzero(case.judged)
    some = np.sort(np.random.default_rng(0).permutation(len(i))[:2000])
    i, j = i[some], j[some]
    model = DeepMatrixCompletion()
    fit = measured(lambda: (model.fit(case.given), model.predict(i, j, return_std=True))[1], limit)
    if fit.failure:
        return {"failed": fit.failure, "seconds": fit.seconds}
    values, spread = fit.answer
    done = model.completed_
    facts = {"seconds": fit.seconds, "error": case.error(done.matrix)} | said(done) | _told(case, done, done.matrix)
    facts["entry"] = float(np.mean(np.abs(values - case.truth[i, j]) <= Z95 * spread))
    assert case.observed is not None
    bounds = measured(lambda: observation_bounds(model, i, j), limit)
    if bounds.answer is not None:
        low, high = bounds.answer
        fresh = case.observed[i, j]
        facts["observation"] = float(np.mean((fresh >= low) & (fresh <= high)))
        facts["width"] = float(np.mean(high - low) / np.mean(case.unit))
    return facts


def observation_bounds(model: Any, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Ends of the 95 % intervals of new observations, where this version has them."""
    interval = getattr(model, "predict_interval", None)
    return None if interval is None else interval(rows, columns)[:2]


def predicted(matrix: Any, rows: np.ndarray, columns: np.ndarray, limit: float) -> tuple[Measured, dict[str, Any]]:
    """Predictions of a sparse matrix, and what was said."""
    import rankscape as rs

    fit = measured(lambda: (lambda done: (done, done.predict(rows, columns)))(rs.complete(matrix)), limit)
    return fit, {} if fit.failure else said(fit.answer[0])


def denoised(noisy: np.ndarray, noise: float | None, limit: float) -> Measured:
    """The denoised matrix, its rank, and whether the certificate speaks against it."""
    from rankscape.estimators import DeepMatrixDenoiser

    model = DeepMatrixDenoiser(noise=noise)
    return measured(
        lambda: (model.fit_transform(noisy), int(model.rank_), bool(model.certificate_.trusted)),
        limit,
    )
