"""What the figures share: a run from a (perturbed) identical start, and how plateaus are read off it."""

from collections.abc import Iterable

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers.claims import Claim, contains
from rankscape.plot import Band
from rankscape.theory import Plateau

# Steps around a predicted edge that are all recorded, so that the edge that is seen is exact.
WINDOW = 12


def descend(
    eigenvalues: Iterable[float],
    depth: int,
    alpha: float,
    learning_rate: float,
    steps: int,
    beta: float | None = None,
    edges: Iterable[int] = (),
    records: int = 400,
) -> xr.Dataset:
    """Gradient descent on a diagonal target, recorded at log-spaced steps and densely around the `edges`."""
    grid = np.unique(np.geomspace(1, steps, records).round().astype(int))
    windows = [np.arange(edge - WINDOW, edge + WINDOW + 1) for edge in edges]
    record = np.unique(np.concatenate([[0], grid, *windows]))
    start = rs.Identical(alpha) if beta is None else rs.PerturbedIdentical(alpha, beta)
    run = rs.simulate(
        rs.Estimation(eigenvalues=list(eigenvalues)), depth=depth, initialization=start,
        dynamics=rs.GradientDescent(learning_rate), steps=steps, record=record[(record >= 0) & (record <= steps)],
    )
    return run.dataset


def edges_of(plateaus: Iterable[Plateau]) -> list[int]:
    """The steps at which guaranteed plateaus begin and end."""
    return [edge for p in plateaus if p.guaranteed for edge in (p.start, p.end) if edge is not None]


def observed_plateau(run: xr.Dataset, plateau: Plateau) -> tuple[int, int | None] | None:
    """First and last recorded step at which the active modes are learned and the others small; None: never."""
    p, target = run.eigenvalues.values, run.target_eigenvalue.values
    eps, small = plateau.levels
    active = np.isin(np.arange(target.size), plateau.active)
    learned = (np.abs(p - target)[:, active] <= eps).all(axis=1)
    quiet = (np.abs(p)[:, ~active] <= small).all(axis=1)
    inside = np.flatnonzero(learned & quiet)
    if not inside.size:
        return None
    steps = run.step.values
    # Still inside at the last record: the end was not seen.
    last = None if inside[-1] == steps.size - 1 else int(steps[inside[-1]])
    return int(steps[inside[0]]), last


def plateau_claims(run: xr.Dataset, plateaus: Iterable[Plateau], where: str) -> list[Claim]:
    """Each guaranteed plateau lies within the one that was seen, and the effective rank keeps its bounds there."""
    claims = []
    for p in plateaus:
        if not p.guaranteed:
            continue
        assert p.start is not None
        claims.append(contains(f"{where}: rank-{p.rank} plateau", (p.start, p.end), observed_plateau(run, p)))
        during = run.effective_rank.sel(step=slice(p.start, p.end)).values
        low, high = (p.effective_rank + deviation for deviation in p.deviation)
        seen = [float(during.min()), float(during.max())]
        holds = bool(low - 1e-12 <= seen[0] and seen[1] <= high + 1e-12)
        claims.append(Claim(f"{where}: effective rank on the rank-{p.rank} plateau", [low, high], seen, holds))
    return claims


def bands(plateaus: Iterable[Plateau]) -> list[Band]:
    """The guaranteed plateaus to shade."""
    return [
        Band(float(p.start), float("inf") if p.end is None else float(p.end), str(p.rank))
        for p in plateaus
        if p.guaranteed and p.start is not None
    ]
