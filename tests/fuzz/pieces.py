"""Values as Python text: what a function expects, and what callers give by mistake."""

import numpy as np

# What stands in for any argument.
ODD = [
    "0", "1", "-1", "2", "3", "7", "0.1", "1e-3", "1.5", "-0.5", "-0.0", "nan", "inf", "-inf", "1e308", "-1e308", "4e307",
    "5e-324", "1e-300", "1e-12", "2**53 + 1", "2**63", "2**64", "2**70", "-2**70", "10**400", "1e9", "10**9", "10**20",
    "1e20", "1e300", "None", "True", "False", "''", "'a'", "'nan'", "'1'", "b'x'", "'\\x00'", "[]", "()", "{}", "[None]",
    "[[]]", "[1.0, 2.0]", "(3.0, 1.0)", "[[1.0, 2.0], [2.0, 3.0]]", "[[1.0, 2.0], [3.0]]", "[1, [2]]", "['a', 'b']",
    "[nan, 1.0]", "[inf, 1.0]", "[1e308, 1e308]", "[5e-324]", "[0.0, 0.0]", "[-1.0]", "[1, 2, 3, 4, 5]", "[2**70]",
    "[10**400]", "[10**9]", "[1e300, 1e-300]", "range(3)", "range(10**12)", "{1: 2}", "{'a': 1}", "{1.0, 2.0}",
    "np.int64(3)", "np.int8(-1)", "np.uint64(2**64 - 1)", "np.float32(0.5)", "np.float16(2)", "np.longdouble(1.5)",
    "np.bool_(True)", "np.str_('a')", "np.array(3)", "np.array([])", "np.array([3])", "np.array('a')",
    "np.array(['a', 'b'])", "np.array(['NaT', '2020-01-01'], 'M8[s]')", "np.array([1, 2], 'm8[s]')",
    "np.datetime64('NaT')", "np.array([1, None], dtype=object)", "np.array([1j, 2])", "np.zeros((2, 0))",
    "np.zeros((0, 3))", "np.zeros((2, 2))", "np.eye(3)", "np.ones((2, 3))", "np.ones((2, 2, 2))", "np.full((2, 2), nan)",
    "np.full((3, 3), 4e307)", "np.full((3, 3), 1e-310)", "np.ma.masked", "np.ma.array([1.0, 2.0], mask=[True, False])",
    "np.arange(6).reshape(2, 3)", "np.arange(3, dtype='i1')", "np.array([2**63], dtype='u8')", "1j", "object()",
    "Ellipsis", "lambda *_: 0", "lambda W: W", "print", "int", "Exception", "Fraction(1, 3)", "Decimal('1.5')",
    "Decimal('NaN')", "datetime.date(2020, 1, 2)", "iter([1, 2])", "(k for k in [3, 1])", "memoryview(b'ab')",
    "Path('a')", "slice(2)", "NotImplemented",
]  # fmt: skip

# What the arguments of this name expect.
FITS = {
    "depth": ["1", "2", "3", "4", "5", "12", "999", "1000", "1001", "np.int64(3)"],
    "width": ["2", "3", "5", "[3]", "[3, 3]", "None"],
    "alpha": ["0.1", "0.5", "0.9", "1e-3", "1.2", "2.0", "1e-8", "1e-80", "[0.1, 0.2]", "np.float64(0.3)"],
    "beta": ["None", "None", "0.05", "0.1", "1e-9"],
    "learning_rate": ["0.01", "1e-3", "1e-6", "0.2", "1.0", "1e-300", "1e300"],
    "eigenvalues": ["[5.0, 3.0, 1.5]", "[2.0]", "[3.0, -1.0]", "np.diag([3.0, 1.0])", "[1e-9, 1e9]", "[2.0, 2.0]", "[0.0, 1.0]"],
    "singular_values": ["[5.0, 3.0]", "[1.0]", "[0.0]", "[1e-9, 1e9]"],
    "eigenvalue": ["2.0", "-1.0", "0.5", "0.0", "1e9"],
    "singular_value": ["2.0", "0.5", "1e-9"],
    "target": ["[[2.0, 0.5], [0.5, 1.0]]", "np.ones((2, 3))", "3.0", "1.0", "[3.0, 1.0]", "np.diag([3.0, 1.0])"],
    "matrix": ["[[2.0, 0.5], [0.5, 1.0]]", "np.ones((2, 3))", "[[1.0, nan], [2.0, 3.0]]"],
    "level": ["1.0", "0.5", "1.9", "2.0", "None", "-0.5"],
    "time": ["1.0", "[0.0, 1.0, 10.0]", "1e6", "0"],
    "times": ["[0.0, 1.0]", "[0.0]", "[0.5, 1.0, 100.0]", "1.0", "[0.0, 1e9]"],
    "steps": ["100", "[0, 10, 100]", "10_000", "0", "[5]"],
    "budget": ["1000", "10_000", "1_000_000"],
    "rank": ["1", "2", "3"],
    "ridge": ["0.0", "0.01", "0.1", "1e-6", "10.0"],
    "ridge_per_epoch": ["0.01", "0.1", "1.0"],
    "weight": ["None", "1.0", "0.25"],
    "kappa": ["0.1", "1.0"],
    "tolerance": ["0.05", "(0.05, 0.1)", "1e-7", "0.5"],
    "length": ["0.0", "10.0", "1e6"],
    "beta_ratio": ["None", "0.5", "1.0"],
    "target_noise": ["0.0", "0.1"],
    "effective_rank": ["None", "1.5"],
    "max_steps": ["1000", "100_000"],
    "method": ["'bounds'", "'exact'", "'flow'"],
    "kind": ["'monotone'", "'convergent'", "'a'"],
    "start": ["[np.eye(2), np.eye(2)]", "np.eye(2)", "[np.ones((2, 3)), np.ones((2, 2))]"],
    "gradient": ["lambda W: W", "lambda W: W - 1.0", "np.ones((2, 3))", "np.eye(3)", "lambda W: None", "lambda W: 1 / 0"],
    "factors": ["[np.eye(3), np.eye(3), np.eye(3)]", "[np.ones((2, 3)), np.ones((2, 2)), np.ones((3, 2))]", "[0.5 * np.ones((3, 3))] * 4"],
    "rows": ["[0, 1, 2]", "[0, 0, 1]", "np.array([0, 1])", "[0]"],
    "columns": ["[0, 1, 2]", "[0, 1, 1]", "np.array([0, 1])", "[0]"],
    "values": ["[1.0, 2.0, 3.0]", "[1.0, 2.0]", "[1.0]"],
    "row": ["0", "1"],
    "column": ["0", "1"],
    "value": ["1.0", "-2.0"],
    "shape": ["(3, 3)", "(2, 2)", "(10**9, 10**9)", "(3,)"],
    "blocks": ["None", "[([0], [0])]", "[([0, 1], [0, 1])]"],
    "rank_set": ["theory.absorbing.RankSet(1, 0.1, 0.01, 0.01, 10.0)"],
    "eps1": ["0.01", "0.1"],
    "eps2": ["0.01", "0.1"],
    "C": ["1.0", "10.0"],
    "balance_norm": ["'operator'", "'frobenius'"],
    "error": ["0.1", "1.0"],
    "norm": ["1.0", "3.0"],
    "gradient_norm": ["0.1", "1.0"],
    "largest_value": ["1.0", "5.0"],
    "sharp": ["True", "False"],
    "x": ["[0.1, 2.0]", "0.5"],
    "rtol": ["1e-8"],
    "atol": ["1e-10"],
}  # fmt: skip


def pick(rng: np.random.Generator, values: list[str]) -> str:
    """One of them."""
    return values[int(rng.integers(len(values)))]


def argument(rng: np.random.Generator, name: str, odd: float) -> str:
    """A value for an argument of this name; with this chance one that was not expected, also inside a list."""
    if rng.random() >= odd and name in FITS:
        return pick(rng, FITS[name])
    if rng.random() < 0.15:
        return f"[{', '.join(pick(rng, ODD) for _ in range(rng.integers(1, 4)))}]"
    return pick(rng, ODD)


def call(rng: np.random.Generator, function: str, parameters: dict[str, bool]) -> str:
    """A call; of each parameter whether it must be given."""
    odd = float(rng.choice([0.0, 0.15, 0.5]))
    given = [name for name, needed in parameters.items() if needed or rng.random() < 0.4]
    hit = {given[int(rng.integers(len(given)))]} if given else set()  # one at least
    words = [f"{name}={argument(rng, name, 1.0 if name in hit and odd else odd)}" for name in given]
    return f"{function}({', '.join(words)})"


def names() -> dict[str, object]:
    """What the text of a call may use."""
    import datetime
    from decimal import Decimal
    from fractions import Fraction
    from pathlib import Path

    import rankscape as rs
    from rankscape import theory

    known = {"np": np, "rs": rs, "theory": theory, "nan": np.nan, "inf": np.inf, "datetime": datetime}
    return known | {"Decimal": Decimal, "Fraction": Fraction, "Path": Path}
