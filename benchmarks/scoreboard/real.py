"""Public matrices, and the patterns in which their cells are hidden."""

import importlib.util
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from cases import MatrixCase, hide

ORDERED = {
    "columns": (
        "fertility",
        "votesrepub",
        "billboard",
        "worldpop",
        "gapminder",
        "meats",
        "usincome",
        "elnino",
        "ozone",
    ),
    "rows": ("sp500", "chicago", "airtemp"),
    "both": ("jacksboro", "topobathy", "mri", "china", "flower"),
}
"""Where neighbours are alike: years, wavelengths and longitudes; days; pixels."""


class Missing(Exception):
    """A data set is not here; the message names it."""


@cache
def matrix(name: str, folder: Path | None) -> np.ndarray:
    """A data set: ``folder/NAME.npz`` (key ``A``), or what an installed package ships."""
    path = None if folder is None else folder / f"{name}.npz"
    if path is not None and path.exists():
        with np.load(path) as stored:
            return stored["A"].astype(float)
    package, load = SHIPPED.get(name, ("", None))
    if load is None or importlib.util.find_spec(package) is None:
        raise Missing(f"{name}: there is no {name}.npz in --folder" + (f", and no {package}" if package else ""))
    return load()


def case(name: str, kind: str, share: float, seed: int, folder: Path | None) -> MatrixCase:
    """Hide a share of a data set in a pattern."""
    values = matrix(name, folder)
    random = np.random.default_rng([seed, zlib.crc32(f"{name} {kind} {share}".encode())])
    axis = next((axis for axis, names in ORDERED.items() if name in names), "")
    return hide(values, MASKS[kind](random, values.shape, share), axis)


def own_units(name: str, share: float, seed: int, folder: Path | None) -> MatrixCase:
    """A table whose columns have units of their own: errors count in the spread of each column."""
    values = matrix(name, folder)
    random = np.random.default_rng([seed, zlib.crc32(f"{name} units {share}".encode())])
    mask = scattered(random, values.shape, share)
    return hide(values, mask, unit=values.std(0, keepdims=True), standardised=True)


def scattered(random: np.random.Generator, shape: tuple[int, int], share: float) -> np.ndarray:
    """Every cell by itself."""
    return random.random(shape) < share


def panel(random: np.random.Generator, shape: tuple[int, int], share: float) -> np.ndarray:
    """The last third of the columns is missing for a share of the rows."""
    n, m = shape
    mask = np.zeros(shape, bool)
    mask[_some(random, n, share), (2 * m) // 3 :] = True
    return mask


def ends(random: np.random.Generator, shape: tuple[int, int], share: float) -> np.ndarray:
    """Each row ends at a time of its own: on average a share of it is missing."""
    n, m = shape
    lost = random.uniform(0, min(1.0, 2 * share), (n, 1)) * m
    return np.arange(m) >= m - np.floor(lost)


def runs(random: np.random.Generator, shape: tuple[int, int], share: float) -> np.ndarray:
    """Each row loses one run of neighbouring columns."""
    n, m = shape
    length = max(1, int(share * m))
    begin = random.integers(0, m - length + 1, (n, 1))
    place = np.arange(m)
    return (place >= begin) & (place < begin + length)


def rows_part(random: np.random.Generator, shape: tuple[int, int], share: float) -> np.ndarray:
    """A share of the rows loses three quarters of its cells."""
    n, m = shape
    mask = np.zeros(shape, bool)
    chosen = _some(random, n, share)
    mask[chosen] = random.random((len(chosen), m)) < 0.75
    return mask


def _some(random: np.random.Generator, count: int, share: float) -> np.ndarray:
    return random.permutation(count)[: max(1, int(share * count))]


MASKS: dict[str, Callable[[np.random.Generator, tuple[int, int], float], np.ndarray]] = {
    "random": scattered,
    "panel": panel,
    "ends": ends,
    "runs": runs,
    "rows-part": rows_part,
}


def _table(name: str, **options: bool) -> Callable[[], np.ndarray]:
    def load() -> np.ndarray:
        from sklearn import datasets

        return np.asarray(getattr(datasets, f"load_{name}")(**options).data, dtype=float)

    return load


def _photograph(name: str) -> Callable[[], np.ndarray]:
    def load() -> np.ndarray:
        from sklearn.datasets import load_sample_image

        return load_sample_image(name).mean(2)[::2, ::2] / 255

    return load


def _sample(name: str, key: str) -> Callable[[], np.ndarray]:
    def load() -> np.ndarray:
        from matplotlib.cbook import get_sample_data

        return np.asarray(get_sample_data(name)[key], dtype=float)

    return load


def _scan() -> np.ndarray:
    from matplotlib.cbook import get_sample_data

    return np.frombuffer(get_sample_data("s1045.ima.gz").read(), np.uint16).reshape(256, 256).astype(float)


def _years(name: str) -> Callable[[], np.ndarray]:
    def load() -> np.ndarray:
        import statsmodels.api

        frame = getattr(statsmodels.api.datasets, name).load_pandas().data
        if name == "elnino":
            return frame.iloc[:, 1:].to_numpy(float)
        return frame[[column for column in frame.columns if str(column).isdigit()]].to_numpy(float)

    return load


SHIPPED = {
    "digits": ("sklearn", _table("digits")),
    "bcancer": ("sklearn", _table("breast_cancer")),
    "wine": ("sklearn", _table("wine")),
    "diabetes": ("sklearn", _table("diabetes", scaled=False)),
    "iris": ("sklearn", _table("iris")),
    "china": ("sklearn", _photograph("china.jpg")),
    "flower": ("sklearn", _photograph("flower.jpg")),
    "jacksboro": ("matplotlib", _sample("jacksboro_fault_dem.npz", "elevation")),
    "topobathy": ("matplotlib", _sample("topobathy.npz", "topo")),
    "mri": ("matplotlib", _scan),
    "fertility": ("statsmodels", _years("fertility")),
    "elnino": ("statsmodels", _years("elnino")),
}
