"""Draws of a low rank behind a link, for entries that are no numbers with Gaussian noise."""

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.models.drawn import Drawn
from rankscape.estimators.completion.models.links import Link
from rankscape.estimators.completion.settings import Settings
from rankscape.solvers.gibbs.sampler import Gibbs

# Directions that are drawn, as where noise is Gaussian.
WIDTH = 10

# Multiplications that all sweeps should take, the least and the most sweeps, and the share that is forgotten.
WORK, LEAST, MOST, BURN = 8e8, 80, 240, 1 / 4

# Draws that are kept, and numbers that they may hold. Error of votes of which 97 % are hidden with 30 and 100 draws in
# a row: .41, .38.
KEPT, ROOM = 40, 1e7

# Standard deviation of the first factors: fitted values of a link are larger than those of entries of rms 1.
START = 0.3


def draw(link: Link, seen: PreparedEntries, settings: Settings) -> Drawn:
    """One chain, of which some draws are kept."""
    random, width = np.random.default_rng(settings.seed), min(WIDTH, settings.most(seen.shape))
    gibbs = Gibbs.begin(seen, link.likelihood(seen), width, (True, True), random, START)
    sweeps = int(np.clip(WORK / gibbs.work, LEAST, MOST))
    most = int(np.clip(ROOM / (sum(seen.shape) * (width + 2)), 1, KEPT))
    kept = set(np.linspace(int(BURN * sweeps), sweeps - 1, most).astype(int).tolist())
    lefts, rights, noise = [], [], []
    for sweep in range(sweeps):
        gibbs.sweep()
        if sweep in kept:
            left, right = gibbs.joined(gibbs.left.drawn, gibbs.right.mean)
            lefts.append(left)
            rights.append(right)
            noise.append(gibbs.likelihood.variance)
    return Drawn(link, np.array(lefts), np.array(rights), np.array(noise))
