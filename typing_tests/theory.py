"""Calls of theory and sweeps that type checkers must accept: any array-like, and the named unions."""

from pathlib import Path
from typing import assert_type

import numpy as np
import rankscape as rs
from rankscape import theory

SPECTRUM = (5.0, 3.0, 1.5)

# Any array-like is a spectrum; a tolerance is one number or a pair.
assert_type(theory.plateaus([5, 3], 3, 0.1, 1e-3), tuple[theory.Plateau, ...])
theory.plateaus(SPECTRUM, 3, 0.1, 1e-3, tolerance=(0.05, 0.1))
theory.plateaus(np.diag(SPECTRUM), depth=3, alpha=0.1, learning_rate=1e-3, beta=0.05)
assert_type(theory.hitting_time(5, 2.5, 3, 0.1, 1e-3), theory.HittingTime)
assert_type(theory.flow_time(5.0, 2.5, 3, 0.1), float)
assert_type(theory.critical_alpha(SPECTRUM, rank=1, depth=3), theory.CriticalAlpha)
assert_type(theory.design(SPECTRUM, rank=1, depth=3, steps=100, budget=10_000), theory.Design)
assert_type(theory.limit(SPECTRUM, 3, 0.1).matrix, np.ndarray | None)

factors = [np.eye(2)] * 3
absorption = theory.absorbing.worst_case(rank=1, depth=3, ridge=0.2, largest_value=1.0)
assert_type(absorption.rank_set.contains(factors), bool)
assert_type(theory.landscape.local_minima([3, 2, 1], depth=3, ridge=0.09), list[theory.landscape.LocalMinimum])
assert_type(theory.escape.wkb_exponent(2.0, 3, 0.4, 0.1), theory.escape.EscapeExponent)

# What is shared: names and values, a file, or a function; what is swept: lists, ranges, arrays, tables, or points.
base = {"eigenvalues": [5, 3], "learning_rate": 1e-3}
grid = rs.sweep(base, over={"alpha": [0.05, 0.1], "depth": [2, 3, 4]}, seeds=10, store="grid.zarr")
assert_type(grid, rs.Sweep)
rs.sweep(base, {"alpha": np.geomspace(0.01, 1, 5), "depth": range(2, 5)}, seeds=[1, 2], store=Path("grid.zarr"))
rs.sweep(base, {"alpha": {"from": 1e-3, "to": 1, "count": 7, "spacing": "log"}}, store="grid.zarr", workers=2)
rs.sweep("grid.toml", executor="processes")


def study(alpha: float, depth: int = 3) -> dict[str, float]:
    return {"product": alpha**depth}


rs.sweep(study, [{"alpha": 0.1}, {"alpha": 0.2}], store="grid.zarr")
