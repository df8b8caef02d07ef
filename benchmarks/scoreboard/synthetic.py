"""Classes of matrices whose noise-free entries are known.

Each class draws what is asked for, what is recorded of it (with noise), and where it is seen. Unless a class says
otherwise: 200 x 150, half seen, entries of spread one.
"""

import zlib
from collections.abc import Callable

import numpy as np
from cases import MatrixCase
from drawing import SHAPE, Drawn, Random, as_case, low_rank, noisy, spectrum


def case(name: str, seed: int) -> MatrixCase:
    """One draw of a class; all cells that are not seen are judged, but those of columns without entries."""
    drawn = CLASSES[name](np.random.default_rng([seed, zlib.crc32(name.encode())]))
    return as_case(drawn)


# -- gross errors and heavy tails ------------------------------------------------------------------------------------


def spoilt(share: float, noise: float = 0.1, size: float = 10.0) -> Callable[[Random], Drawn]:
    def draw(random: Random) -> Drawn:
        drawn = noisy(random, low_rank(random, 4), noise)
        wild = random.random(SHAPE) < share
        return drawn._replace(recorded=drawn.recorded + size * wild * random.choice([-1, 1], SHAPE), wild=wild)

    return draw


def student(freedom: float) -> Callable[[Random], Drawn]:
    def draw(random: Random) -> Drawn:
        truth = low_rank(random, 4)
        return Drawn(truth, truth + 0.2 * random.standard_t(freedom, SHAPE), random.random(SHAPE) < 0.5)

    return draw


# -- noise of many kinds ---------------------------------------------------------------------------------------------


def unequal_rows(random: Random) -> Drawn:
    return noisy(random, low_rank(random, 4), np.exp(random.normal(-1.5, 1, (SHAPE[0], 1))))


def proportional(random: Random) -> Drawn:
    truth = low_rank(random, 4)
    return noisy(random, truth, 0.3 * np.abs(truth))


def rounded(random: Random) -> Drawn:
    truth = low_rank(random, 4)
    return Drawn(truth, np.round(truth), random.random(SHAPE) < 0.5)


def correlated_noise(random: Random) -> Drawn:
    """Noise of a row goes on: 0.9 of it from one column to the next."""
    truth, noise = low_rank(random, 3, (150, 200)), random.normal(size=(150, 200))
    for t in range(1, 200):
        noise[:, t] = 0.9 * noise[:, t - 1] + np.sqrt(1 - 0.81) * noise[:, t]
    return Drawn(truth, truth + 0.3 * noise, random.random(truth.shape) < 0.5, "columns")


def strong_noise(random: Random) -> Drawn:
    return noisy(random, 0.35 * low_rank(random, 3, (300, 200)), 1.0)


def counts_of_rates(random: Random) -> Drawn:
    """Poisson counts whose log rate has rank 2."""
    rate = 2 * np.exp(0.6 * low_rank(random, 2))
    return Drawn(rate, random.poisson(rate).astype(float), random.random(SHAPE) < 0.5)


def counts_of_parts(random: Random) -> Drawn:
    """Poisson counts whose rate has rank 3."""
    rate = random.gamma(1.0, 1.0, (SHAPE[0], 3)) @ random.gamma(1.0, 1.0, (3, SHAPE[1]))
    return Drawn(rate, random.poisson(rate).astype(float), random.random(SHAPE) < 0.5)


def yes_or_no(random: Random) -> Drawn:
    chance = 1 / (1 + np.exp(-3 * low_rank(random, 2)))
    return Drawn(2 * chance - 1, np.where(random.random(SHAPE) < chance, 1.0, -1.0), random.random(SHAPE) < 0.5)


def signs(random: Random) -> Drawn:
    truth = np.sign(low_rank(random, 1))
    return Drawn(truth, truth, random.random(SHAPE) < 0.3)


# -- signals without a sharp rank ------------------------------------------------------------------------------------


def power(exponent: float, noise: float, share: float = 0.5) -> Callable[[Random], Drawn]:
    return lambda random: noisy(random, spectrum(random, np.arange(1.0, 151.0) ** -exponent), noise, share)


def geometric(random: Random) -> Drawn:
    return noisy(random, spectrum(random, 0.5 ** np.arange(60.0)), 1e-3, 0.4)


def smooth(random: Random) -> Drawn:
    x, y = np.linspace(0, 1, 150)[:, None], np.linspace(0, 1, 120)
    truth = 1 / (1 + (x + y) ** 2) + np.sin(6 * x * y) + np.exp(-5 * np.abs(x - y))
    return noisy(random, truth, 0.02, 0.4, "both")


def smooth_exact(random: Random) -> Drawn:
    x, y = np.linspace(0, 1, 150)[:, None], np.linspace(0, 1, 120)
    return noisy(random, 1 / (1 + x + y) + np.sin(6 * x * y), 0.0, 0.3, "both")


def clusters(random: Random) -> Drawn:
    return noisy(random, random.normal(size=(8, 100))[random.integers(0, 8, 300)], 0.3, 0.3)


def repeated_rows(random: Random) -> Drawn:
    return noisy(random, random.normal(size=(40, 60))[random.integers(0, 40, 400)], 0.0)


def squashed(random: Random) -> Drawn:
    return noisy(random, 1 / (1 + np.exp(-4 * low_rank(random, 2))), 0.02)


def seasons(random: Random) -> Drawn:
    """Eighty stations: a level, a trend, and a season with a height and a delay of its own."""
    day = np.arange(365) / 365
    level, trend, height, delay = random.normal(size=(4, 80, 1))
    truth = level + trend * day + (1 + 0.3 * height) * np.sin(2 * np.pi * (day - 30 / 365 * delay))
    return noisy(random, truth, 0.1, 0.3, "columns")


def moving_peaks(random: Random) -> Drawn:
    place = np.arange(100)
    truth = np.exp(-0.5 * ((place - random.uniform(20, 80, (200, 1))) / 4) ** 2)
    return noisy(random, truth, 0.01, 0.4, "columns")


def full_rank(random: Random) -> Drawn:
    return noisy(random, random.normal(size=(60, 40)), 0.0, 0.7)


def nothing(random: Random) -> Drawn:
    return noisy(random, np.zeros(SHAPE), 1.0, 0.3)


def nothing_heavy(random: Random) -> Drawn:
    return Drawn(np.zeros(SHAPE), random.standard_t(2.5, SHAPE), random.random(SHAPE) < 0.3)


def a_constant(random: Random) -> Drawn:
    return noisy(random, np.full(SHAPE, 7.0), 1.0, 0.3)


# -- low rank with a difficulty --------------------------------------------------------------------------------------


def plain(random: Random) -> Drawn:
    return noisy(random, low_rank(random, 4), 0.3)


def rank_one(random: Random) -> Drawn:
    return noisy(random, low_rank(random, 1), 0.3, 0.1)


def rank_fifty(noise: float) -> Callable[[Random], Drawn]:
    return lambda random: noisy(random, low_rank(random, 50, (200, 200)), noise, 0.7)


def ill_conditioned(random: Random) -> Drawn:
    return noisy(random, spectrum(random, 10.0 ** -np.arange(6)), 0.0, 0.3)


def constant_columns(random: Random) -> Drawn:
    truth = low_rank(random, 2, (200, 40))
    truth[:, :10] = 5.0 * np.arange(10)
    return noisy(random, truth, 0.05 * (np.arange(40) >= 10), 0.4)


def units(random: Random) -> Drawn:
    """Twenty columns of sizes from 0.01 to 1000, each with an offset of ten times its size."""
    size = 10.0 ** np.linspace(-2, 3, 20)
    return noisy(random, (low_rank(random, 3, (300, 20)) + 10) * size, 0.1 * size, 0.6)


def uneven(random: Random) -> Drawn:
    """Few rows and columns have most of the entries."""
    truth = low_rank(random, 4, (300, 200))
    popular = 0.02 * random.pareto(1.2, (300, 1)) * random.pareto(1.2, 200)
    return noisy(random, truth, 0.1)._replace(seen=random.random(truth.shape) < np.clip(0.03 + popular, 0, 0.9))


def missing_by_value(random: Random) -> Drawn:
    truth = low_rank(random, 3)
    return noisy(random, truth, 0.1)._replace(seen=random.random(SHAPE) < np.where(truth > 0, 0.1, 0.6))


def two_blocks(rank: int, noise: float) -> Callable[[Random], Drawn]:
    def draw(random: Random) -> Drawn:
        drawn = noisy(random, low_rank(random, rank, (120, 100)), noise, 0.6)
        inside = (np.arange(120) < 60)[:, None] == (np.arange(100) < 50)
        return drawn._replace(seen=drawn.seen & inside)

    return draw


def tall(random: Random) -> Drawn:
    return noisy(random, low_rank(random, 2, (100_000, 5)), 0.1, 0.7)


def wide(random: Random) -> Drawn:
    return noisy(random, low_rank(random, 2, (5, 100_000)), 0.1, 0.7)


def related_columns(random: Random) -> Drawn:
    return noisy(random, random.normal(size=(5000, 8)) @ random.normal(size=(8, 8)), 0.0, 0.7)


CLASSES: dict[str, Callable[[Random], Drawn]] = {
    "1 % gross errors": spoilt(0.01),
    "5 % gross errors": spoilt(0.05),
    "1 % gross errors, else exact": spoilt(0.01, noise=0.0),
    "Student t(2)": student(2),
    "Student t(3)": student(3),
    "plain": plain,
    "unequal rows": unequal_rows,
    "proportional noise": proportional,
    "correlated noise": correlated_noise,
    "rounded": rounded,
    "strong noise": strong_noise,
    "counts, log rate": counts_of_rates,
    "counts of parts": counts_of_parts,
    "yes or no": yes_or_no,
    "signs, exact": signs,
    "power law 0.5": power(0.5, 0.1, 0.7),
    "power law 2, exact": power(2.0, 0.0),
    "geometric": geometric,
    "smooth": smooth,
    "smooth, exact": smooth_exact,
    "clusters": clusters,
    "repeated rows, exact": repeated_rows,
    "squashed": squashed,
    "seasons": seasons,
    "moving peaks": moving_peaks,
    "full rank": full_rank,
    "nothing": nothing,
    "nothing, heavy tails": nothing_heavy,
    "a constant": a_constant,
    "rank 1": rank_one,
    "rank 50, exact": rank_fifty(0.0),
    "rank 50": rank_fifty(0.1),
    "ill-conditioned, exact": ill_conditioned,
    "constant columns": constant_columns,
    "units": units,
    "uneven": uneven,
    "missing by value": missing_by_value,
    "two blocks": two_blocks(3, 0.05),
    "two blocks, exact": two_blocks(2, 0.0),
    "tall": tall,
    "wide": wide,
    "related columns": related_columns,
}
