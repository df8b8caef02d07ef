"""Which fits there are: sections, names, seeds. Fresh masks and draws come with another first seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import denoising
import ratings
import real
import special
import synthetic
from cases import MatrixCase
from denoising import DenoisingCase
from ratings import RatingsCase

Case = MatrixCase | RatingsCase | DenoisingCase


@dataclass(frozen=True)
class Planned:
    """One fit: its place in the tables, and how to make it."""

    section: str
    name: str
    seed: int
    make: Callable[[], Case]

    def has(self, peer: str) -> bool:
        """Whether this peer is asked: some bars compare with nobody, and some with simple rules alone."""
        return self.section not in ALONE and (self.section not in RULED or peer in RULES)

    @property
    def key(self) -> str:
        """What it is stored under."""
        return f"{self.section} | {self.name} | {self.seed}"


@dataclass(frozen=True)
class Seeds:
    """Where seeds begin, and how many of each kind; without a count each section has its own."""

    first: int = 0
    count: int | None = None
    quick: bool = False

    def of(self, usual: int) -> range:
        """The seeds of a kind that usually has so many."""
        count = 1 if self.quick else usual if self.count is None else self.count
        return range(self.first, self.first + count)


REAL: list[tuple[str, str, float, int]] = [
    ("fertility", "random", 0.3, 1),
    ("fertility", "random", 0.5, 1),
    ("fertility", "random", 0.8, 1),
    ("fertility", "panel", 0.3, 1),
    ("fertility", "ends", 0.3, 1),
    ("fertility", "runs", 0.4, 1),
    ("fertility", "rows-part", 0.5, 1),
    ("votesrepub", "random", 0.1, 1),
    ("votesrepub", "random", 0.3, 1),
    ("votesrepub", "random", 0.5, 1),
    ("votesrepub", "random", 0.8, 1),
    ("votesrepub", "panel", 0.3, 1),
    ("votesrepub", "runs", 0.3, 1),
    ("gapminder", "random", 0.3, 1),
    ("gapminder", "random", 0.5, 1),
    ("gapminder", "random", 0.8, 1),
    ("gapminder", "panel", 0.5, 1),
    ("worldpop", "random", 0.3, 1),
    ("worldpop", "random", 0.8, 1),
    ("worldpop", "panel", 0.3, 1),
    ("usincome", "random", 0.3, 1),
    ("usincome", "random", 0.8, 1),
    ("usincome", "panel", 0.3, 1),
    ("usincome", "ends", 0.3, 1),
    ("elnino", "random", 0.3, 1),
    ("elnino", "random", 0.8, 1),
    ("elnino", "panel", 0.3, 1),
    ("covid", "random", 0.3, 1),
    ("covid", "random", 0.5, 1),
    ("billboard", "random", 0.1, 1),
    ("billboard", "random", 0.3, 1),
    ("meats", "random", 0.3, 1),
    ("meats", "random", 0.8, 2),
    ("meats", "runs", 0.4, 1),
    ("bfi", "random", 0.3, 1),
    ("bfi", "random", 0.5, 1),
    ("sp500", "random", 0.3, 2),
    ("chicago", "random", 0.3, 1),
    ("digits", "random", 0.3, 2),
    ("jacksboro", "random", 0.5, 1),
    ("topobathy", "random", 0.3, 1),
    ("mri", "random", 0.5, 1),
    ("ozone", "random", 0.3, 1),
    ("airtemp", "random", 0.8, 1),
    ("senate", "random", 0.5, 1),
    ("pbmc", "random", 0.3, 1),
    ("allaml", "random", 0.3, 1),
    ("nci60", "random", 0.3, 1),
]
"""Data, pattern, share, and how many masks: 51 fits."""

SYNTHETIC = {
    **dict.fromkeys(synthetic.CLASSES, 1),
    **dict.fromkeys(("Student t(2)", "1 % gross errors", "clusters", "counts, log rate", "smooth"), 3),
}
del SYNTHETIC["plain"], SYNTHETIC["power law 2, exact"], SYNTHETIC["nothing, heavy tails"]
"""Class, and how many draws: 49 fits; easy classes and those without a loss have one."""

PANELS = ("fertility", "votesrepub", "gapminder", "worldpop", "usincome", "elnino")

NOISE_OF_ENTRIES = ("plain", "rank 1", "strong noise", "unequal rows", "uneven")
"""Classes with a true low rank and independent noise: here the interval of the entry itself should cover."""

INTERVALS = (
    *NOISE_OF_ENTRIES,
    "power law 0.5",
    "counts, log rate",
    "squashed",
    "correlated noise",
    "proportional noise",
    "yes or no",
    "related columns",
)

ROBUST = ("1 % gross errors", "5 % gross errors", "Student t(2)", "1 % gross errors, else exact")


def planned(folder: Path | None, seeds: Seeds) -> Iterator[Planned]:
    """All fits, section by section."""
    for section, fits in SECTIONS.items():
        for name, seed, make in fits(folder, seeds):
            yield Planned(section, name, seed, make)


Fits = Iterator[tuple[str, int, Callable[[], Case]]]


def _real(folder: Path | None, seeds: Seeds) -> Fits:
    for name, kind, share, count in REAL:
        for seed in seeds.of(count):
            make = lambda name=name, kind=kind, share=share, seed=seed: real.case(name, kind, share, seed, folder)
            yield f"{name} {kind} {share}", seed, make


def _synthetic(folder: Path | None, seeds: Seeds) -> Fits:
    for name, count in SYNTHETIC.items():
        for seed in seeds.of(count):
            yield name, seed, lambda name=name, seed=seed: synthetic.case(name, seed)


def _units(folder: Path | None, seeds: Seeds) -> Fits:
    for name in ("bcancer", "wine", "diabetes", "iris"):
        for seed in seeds.of(3 if name == "bcancer" else 1):
            yield f"{name} 0.3", seed, lambda name=name, seed=seed: real.own_units(name, 0.3, seed, folder)


def _blocks(folder: Path | None, seeds: Seeds) -> Fits:
    for overlap in (0, 1, 2):
        for noise in (0.0, 0.05):
            for seed in seeds.of(3):
                make = lambda overlap=overlap, noise=noise, seed=seed: special.blocks(overlap, noise, seed)
                yield f"overlap {overlap}, noise {noise}", seed, make


def _outliers(folder: Path | None, seeds: Seeds) -> Fits:
    for name in ROBUST:
        for seed in seeds.of(3):
            yield name, seed + 100, lambda name=name, seed=seed: synthetic.case(name, seed + 100)


def _votes(folder: Path | None, seeds: Seeds) -> Fits:
    for share in (0.3, 0.5, 0.8):
        for seed in seeds.of(4):
            make = lambda share=share, seed=seed: real.case("votesrepub", "random", share, seed + 100, folder)
            yield f"votesrepub {share}", seed, make


def _near_exact(folder: Path | None, seeds: Seeds) -> Fits:
    for seed in seeds.of(5):
        yield "40 x 8, rank 3 and 5", seed, lambda seed=seed: special.near_exact(seed)


def _ratings(folder: Path | None, seeds: Seeds) -> Fits:
    for name in ("filmtrust", "mlsmall", "ml100k"):
        for seed in seeds.of(3):
            yield name, seed, lambda name=name, seed=seed: _split(name, seed, folder)


def _split(name: str, seed: int, folder: Path | None) -> RatingsCase:
    path = None if folder is None else folder / f"{name}.npz"
    if path is None or not path.exists():
        raise real.Missing(f"{name}: there is no {name}.npz in --folder")
    return ratings.split(path, 0.1, seed)


def _panel(folder: Path | None, seeds: Seeds) -> Fits:
    for kind in ("panel", "ends"):
        for name in PANELS:
            for seed in seeds.of(2):
                make = lambda name=name, kind=kind, seed=seed: real.case(name, kind, 0.3, seed + 100, folder)
                yield f"{name} {kind} 0.3", seed, make


def _limit(folder: Path | None, seeds: Seeds) -> Fits:
    for factor in (1.02, 1.05, 1.1, 1.2):
        for shape, rank in (((200, 200), 5), ((150, 100), 8)):
            for seed in seeds.of(2):
                make = lambda f=factor, shape=shape, rank=rank, seed=seed: special.at_limit(f, shape, rank, seed)
                yield f"{shape[0]} x {shape[1]}, rank {rank}, {factor}x", seed, make


def _intervals(folder: Path | None, seeds: Seeds) -> Fits:
    for name in INTERVALS:
        for seed in seeds.of(2):
            yield name, seed, lambda name=name, seed=seed: _with_intervals(name, seed + 200)


def _with_intervals(name: str, seed: int) -> MatrixCase:
    case = synthetic.case(name, seed)
    case.told["intervals"] = True
    return case


def _denoising(folder: Path | None, seeds: Seeds) -> Fits:
    for seed in seeds.of(1):
        for name, make in denoising.gaussian(seed):
            yield name, seed, make
        for name in DENOISED:
            for level in (0.02, 0.1, 0.5):
                make = lambda name=name, level=level, seed=seed: _noisy(name, level, seed, folder)
                yield f"{name}, noise {level} sd", seed, make


DENOISED = ("mri", "jacksboro", "china", "flower", "meats", "allaml", "nci60", "digits", "pbmc", "gapminder")


def _noisy(name: str, level: float, seed: int, folder: Path | None) -> DenoisingCase:
    values = real.matrix(name, folder)
    return denoising.real(values[::10] if name == "allaml" else values, level, seed)


ALONE, RULED, RULES = ("outliers", "limit", "intervals"), ("blocks",), ("column mean", "bias", "damped bias")
"""Sections that ask no peer; those that ask simple rules alone; and these rules."""

SECTIONS: dict[str, Callable[[Path | None, Seeds], Fits]] = {
    "real": _real,
    "synthetic": _synthetic,
    "units": _units,
    "blocks": _blocks,
    "outliers": _outliers,
    "votes": _votes,
    "near-exact": _near_exact,
    "ratings": _ratings,
    "panel": _panel,
    "limit": _limit,
    "intervals": _intervals,
    "denoising": _denoising,
}
