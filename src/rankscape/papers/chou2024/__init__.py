"""Gradient descent climbs: figures about Chou, Gieshoff, Maly, Rauhut (2024).

Each function simulates, predicts, and checks one against the other; `FIGURES` names them for the command line.
"""

from collections.abc import Callable

from rankscape.papers.chou2024.climbing import effective_rank, eigenvalues
from rankscape.papers.chou2024.denoising import correlation, denoising, photograph
from rankscape.papers.chou2024.depths import depth
from rankscape.papers.chou2024.negative import negative_eigenvalues
from rankscape.papers.chou2024.random_start import random_start
from rankscape.papers.chou2024.rates import learning_rate
from rankscape.papers.chou2024.sensing import sensing
from rankscape.papers.chou2024.start_scale import alpha
from rankscape.papers.chou2024.stochastic import sgd
from rankscape.papers.chou2024.times import time_bounds
from rankscape.papers.figure import PaperFigure

FIGURES: dict[str, Callable[..., PaperFigure]] = {
    "eigenvalues": eigenvalues,
    "effective-rank": effective_rank,
    "alpha": alpha,
    "depth": depth,
    "learning-rate": learning_rate,
    "negative-eigenvalues": negative_eigenvalues,
    "time-bounds": time_bounds,
    "denoising": denoising,
    "photograph": photograph,
    "correlation": correlation,
    "sensing": sensing,
    "random-start": random_start,
    "sgd": sgd,
}
