"""How long plateaus last: in gradient flow, and as simulated."""

import xarray as xr

from rankscape import theory
from rankscape.papers.chou2024.runs import descend, observed_plateau

# Active modes are that near to the target, relatively, and the next one that far from it.
TOLERANCE = 0.05


def until_learned(eigenvalues: tuple[float, ...], depth: int, alpha: float, learning_rate: float) -> xr.Dataset:
    """A run that is recorded densely around the edges of plateaus and ends when the last eigenvalue is learned."""
    plateaus = theory.plateaus(eigenvalues, depth, alpha, learning_rate, tolerance=TOLERANCE)
    last = theory.hitting_time(eigenvalues[-1], 0.97 * eigenvalues[-1], depth, alpha, learning_rate)
    edges = [edge for p in plateaus for edge in (p.start, p.end) if edge is not None]
    # A fifth longer, so that the last plateau is seen to hold.
    return descend(eigenvalues, depth, alpha, learning_rate, int(1.2 * last.upper), edges=edges)


def flow_length(eigenvalues: tuple[float, ...], depth: int, alpha: float, rank: int) -> float:
    """Time between the learning of one eigenvalue and the onset of the next in gradient flow; 0: no plateau."""
    learned, following = eigenvalues[rank - 1], eigenvalues[rank]
    if alpha**depth >= TOLERANCE * following:
        return 0.0
    start = theory.flow_time(learned, (1 - TOLERANCE) * learned, depth, alpha)
    return max(float(theory.flow_time(following, TOLERANCE * following, depth, alpha) - start), 0.0)


def simulated_lengths(eigenvalues: tuple[float, ...], depth: int, alpha: float, learning_rate: float) -> list[float]:
    """The same for every rank but the last, counted in a run: steps times learning rate; 0: no plateau."""
    run = until_learned(eigenvalues, depth, alpha, learning_rate)
    lengths = []
    for plateau in theory.plateaus(eigenvalues, depth, alpha, learning_rate, tolerance=TOLERANCE)[:-1]:
        seen = observed_plateau(run, plateau)
        lengths.append(0.0 if seen is None or seen[1] is None else (seen[1] - seen[0]) * learning_rate)
    return lengths
