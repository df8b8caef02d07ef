r"""From how many entries a row the directions of a large, sparse, noisy matrix are found, beside the limit of doing so.

Of uniformly seen entries the matrix filled with zeros shows a direction where its singular value leaves those of noise
behind (Benaych-Georges, Nadakuditi 2012). With d entries a row and c a column, rank r of equally strong directions, and
noise of :math:`\nu` times the standard deviation of the matrix, that is from :math:`\sqrt{d c} = r (1 + \nu^2)` on: the
size of the matrix is not in it.
"""

import warnings
from typing import Any

import numpy as np
import xarray as xr
from scipy.sparse import coo_array

from rankscape.errors import FallbackWarning
from rankscape.estimators import DeepMatrixCompletion
from rankscape.papers import PaperFigure
from rankscape.papers.claims import Claim
from rankscape.phases.cells import heat_map, staircase
from rankscape.phases.cells import place as place_of
from rankscape.phases.diagram import Diagram
from rankscape.plot import Panel
from rankscape.plot.panels import ACCENT

# Rows for each column, and cells that are not seen by which a completion is judged.
ROWS, JUDGED = 10, 20_000

# Times the limit from which on all directions have to be found, and errors, in standard deviations of the matrix, that
# differ by nothing but chance, and by no less than all.
CLEARLY, ALIKE, NOTHING = 3.0, 0.05, 0.95


def cell(rows: int, each: float, noise: float, rank: int, seed: int) -> dict[str, float]:
    """One Gaussian matrix of unit variance, completed; its error is one where nothing but the mean is found."""
    random, columns = np.random.default_rng(seed), rows // ROWS
    U, V = random.standard_normal((rows, rank)), random.standard_normal((columns, rank)) / rank**0.5
    place = np.unique(random.integers(0, rows * columns, int(rows * each)))
    i, j = place // columns, place % columns
    values = (U[i] * V[j]).sum(1) + noise * random.standard_normal(len(place))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)  # some rows may be empty
        seen: Any = coo_array((values, (i, j)), shape=(rows, columns))
        model = DeepMatrixCompletion(n_jobs=1).fit(seen)
    k, l = random.integers(0, rows, JUDGED), random.integers(0, columns, JUDGED)
    truth = (U[k] * V[l]).sum(1)
    error = np.sqrt(np.mean((model.predict(k, l) - truth) ** 2)) / truth.std()
    return {"error": float(error), "rank_found": float(model.rank_)}


def limit(noise: np.ndarray, rank: int) -> np.ndarray:
    """Entries a row below which spectra show no direction.

    >>> limit(np.array([0.0, 1.0]), 3).round(2)
    array([0.95, 1.9 ])
    """
    return rank * (1 + np.asarray(noise, float) ** 2) / ROWS**0.5


def draw(grid: xr.Dataset) -> PaperFigure:
    """A heat map a size: the error, by entries a row and noise."""
    rank = int(grid["rank"].item())
    grid = grid.squeeze("rank", drop=True).transpose("rows", "noise", "each", "seed")
    known = {"error": grid.error, "rank_found": grid.rank_found, "limit": ("noise", limit(grid.noise.values, rank))}
    data = xr.Dataset(known).reset_coords(drop=True)
    facts = {"rank": rank, "rows": data.rows.values.tolist(), "rows a column": ROWS, "problems": data.sizes["seed"]}
    title = "Sparse completion: what is found depends on entries a row and noise, not on the size"
    panels = [_panel(data.sel(rows=rows)) for rows in data.rows.values]
    return PaperFigure("sparse-completion", title, facts, panels, data, _claims(data, rank), columns=3)


def _panel(data: xr.Dataset) -> Panel:
    places = [place_of(data.each.values, at) for at in data.limit.values]
    line = staircase(places, "detection limit", ACCENT)
    words = ("noise over signal", "entries a row", "error over signal")
    rows = int(data.rows)
    return heat_map(f"{rows:,} x {rows // ROWS:,}", data.error.median("seed"), words, (0.0, 1.0), lines=[line])


def _claims(data: xr.Dataset, rank: int) -> list[Claim]:
    times = data.each / data.limit
    clear, below = data.where(times >= CLEARLY), data.error.where(times < 1)
    right = float((clear.rank_found == rank).where(clear.rank_found.notnull()).mean())
    error = clear.error.median("seed")
    apart = float((error.max("rows") - error.min("rows")).max())
    least = float(below.min())
    words = "below the limit: smallest error over that of the mean"
    known = [] if np.isnan(least) else [Claim(words, [NOTHING, np.inf], least, least >= NOTHING)]
    return [
        *known,
        Claim(f"from {CLEARLY:g} times the limit on: share of matrices of which all directions are found", [0.95, 1],
              right, right >= 0.95),
        Claim("there: largest difference between sizes of the error over the signal", [0, ALIKE], apart,
              apart <= ALIKE),
    ]  # fmt: skip


DIAGRAM = Diagram(
    cell,
    full={"rows": [10_000, 30_000, 100_000], "each": [1.5, 3, 5, 8, 12, 20], "noise": [0.5, 1.0, 2.0, 3.0], "rank": [3],
          "seed": range(3)},
    quick={"rows": [8_000, 16_000], "each": [1, 20], "noise": [1.0], "rank": [3], "seed": [0]},
    draw=draw,
)  # fmt: skip
