"""Loops that are said twice, compiled and in NumPy for few numbers: both say the same."""

import subprocess
import sys
from collections import Counter
from copy import deepcopy

import numpy as np
import pytest

import rankscape as rs
from rankscape.ground import jit
from rankscape.solvers.least_squares.variable_projection import assemble
from rankscape.solvers.neighbours.random_walk import _solve_chain

# One call of so many is compared.
SOME = 17


def _low_rank(rng, rows, columns, rank):
    return rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns))


def _seen(rng, share, X):
    return np.where(rng.random(X.shape) < share, X, np.nan)


TABLES = {
    "a rank and noise": lambda rng: _low_rank(rng, 60, 40, 3) + 0.1 * rng.normal(size=(60, 40)),
    "exact": lambda rng: _low_rank(rng, 50, 30, 2),
    "mostly noise": lambda rng: _low_rank(rng, 40, 30, 2) + 2 * rng.normal(size=(40, 30)),
    "levels": lambda rng: _low_rank(rng, 40, 8, 3) + 1,
    "an order": lambda rng: np.cumsum(rng.normal(size=(50, 12)), axis=0),
    "wrong entries": lambda rng: _low_rank(rng, 60, 40, 3) + 0.2 * rng.standard_t(2, size=(60, 40)),
    "few are seen": lambda rng: _seen(rng, 0.2, _low_rank(rng, 60, 40, 3) + 0.1 * rng.normal(size=(60, 40))),
    "constant columns": lambda rng: np.tile(rng.normal(size=15), (20, 1)) + (np.arange(20)[:, None] == 3),
}


def _holes(name, seed=0):
    rng = np.random.default_rng(seed)
    X = TABLES[name](rng)
    X[rng.random(X.shape) < 0.25] = np.nan
    return X


def _loops():
    """Every loop of the library that has a form in NumPy."""
    modules = [module for name, module in sys.modules.items() if name.startswith("rankscape.")]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, jit.Loop)}
    return {loop for loop in found if loop.of_few is not None}


def _twice(monkeypatch):
    """Make every call both ways and compare; gives the loops that were compared."""
    compared, call = Counter(), jit.Loop.__call__

    def both(loop, *arguments):
        compared[loop] += 1
        if loop.of_few is not None and compared[loop] % SOME == 1:
            compiled, plain = deepcopy(arguments), deepcopy(arguments)
            # Rows that hardly determine their factor lose most digits in normal equations: these have a test below.
            if loop is assemble:
                return call(loop, *arguments)
            pairs = [(loop.dispatcher(*compiled), loop.of_few(*plain)), *zip(compiled, plain, strict=True)]
            if loop is _solve_chain:  # its blocks are spent
                pairs = pairs[2:]
            for one, other in pairs:
                if one is not None:
                    _alike(one, other, loop.__name__, 1e-13 * _largest(arguments))
        return call(loop, *arguments)

    monkeypatch.setattr(jit.Loop, "__call__", both)
    return compared


def _largest(arguments):
    """What rounding is a share of: differences of these numbers may be small."""
    floats = [a[np.isfinite(a)] for a in arguments if getattr(a, "dtype", None) == np.float64]
    return max(np.abs(array).max(initial=0.0) for array in floats) if floats else 0.0


def _alike(one, other, name, rounding):
    one, other = np.asarray(one), np.asarray(other)
    if one.dtype.kind in "iub":
        np.testing.assert_array_equal(one, other, err_msg=name)
    elif one.size and np.isfinite(one).any():
        size = np.abs(one[np.isfinite(one)]).max()
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7 * size + rounding, err_msg=name)


@pytest.fixture(scope="module")
def completions():
    """Of each table, and the loops that were compared meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        compared = _twice(patch)
        return {name: rs.complete(_holes(name)) for name in TABLES}, set(compared)


def test_both_forms_of_a_loop_agree_wherever_a_fit_calls_them(completions):
    assert _loops() <= completions[1]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("levels", [False, True])
def test_normal_equations_are_assembled_alike(weighted, levels, monkeypatch):
    monkeypatch.setattr("rankscape.solvers.least_squares.variable_projection.PART", 2_000)  # several parts
    rng = np.random.default_rng(0)
    n, r, free = 20, 3, 3 - levels
    counts = np.array([0, 1, 3, 4, 12, 20, 0, *rng.integers(8, 20, 30)])
    columns = np.concatenate([np.sort(rng.choice(n, count, replace=False)) for count in counts]).astype(np.int32)
    weights = rng.uniform(0.5, 2, len(columns)) if weighted else np.zeros(0)
    given = np.append(0, np.cumsum(counts)), columns, rng.normal(size=len(columns)), weights, rng.normal(size=(n, r))
    level, moving = rng.normal(size=n) if levels else np.zeros(0), free + levels
    found = []
    for form in (assemble.dispatcher, assemble.of_few):
        out = np.zeros((len(counts), r)), np.zeros((n * moving, n * moving)), np.zeros(n * moving)
        total = form(*given, level, free, *out)
        found.append((total, out[0][counts >= r], np.tril(out[1]), out[2]))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_fit_does_not_depend_on_what_was_called_before(completions):
    for name in reversed(TABLES):
        first, again = completions[0][name], rs.complete(_holes(name))
        np.testing.assert_array_equal(first.matrix, again.matrix, err_msg=name)
        assert first.heldout_rmse == again.heldout_rmse, name


def test_outside_of_a_task_loops_are_compiled(monkeypatch):
    loop = next(iter(_loops()))
    monkeypatch.setattr(loop, "of_few", lambda *_: pytest.fail("NumPy was asked"))
    monkeypatch.setattr(loop, "dispatcher", lambda *_: "compiled")
    assert loop(np.zeros(1)) == "compiled"


def test_within_a_task_a_loop_is_compiled_where_it_is_called_often_or_with_much(monkeypatch):
    loop = jit.compiled()(lambda x: "compiled")
    monkeypatch.setattr(loop, "dispatcher", loop.py_func)
    loop.few(limit=10)(lambda x: "in NumPy")
    with jit.begin_in_numpy():
        assert loop(np.zeros(11)) == "compiled"
        said = [loop(np.zeros(10)) for _ in range(jit.CALLS + 2)]
        assert said == ["in NumPy"] * jit.CALLS + ["compiled"] * 2
        with jit.begin_in_numpy():  # what begins within a task is part of it
            assert loop(np.zeros(10)) == "compiled"
    with jit.begin_in_numpy(), jit.begin_in_numpy(False):
        assert loop(np.zeros(10)) == "compiled"
    with jit.begin_in_numpy():  # another task begins anew
        assert loop(np.zeros(10)) == "in NumPy"


def _without_numba(*command):
    code = (
        "import sys; from rankscape.cli.app import start; "
        f"assert start({list(map(str, command))!r}) == 0; assert 'numba' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert not done.returncode, done.stderr


def test_a_small_table_is_completed_without_numba(tmp_path):
    table, model = tmp_path / "table.csv", tmp_path / "model.npz"
    np.savetxt(table, _holes("a rank and noise"), delimiter=",", fmt="%.5g")
    files = "--model", model, "--standard-errors", tmp_path / "errors.csv", "--report", tmp_path / "page.html"
    _without_numba("complete", table, "-o", tmp_path / "out.csv", "--no-figure", *files)
    _without_numba("fill", model, table, "-o", tmp_path / "new.csv")
