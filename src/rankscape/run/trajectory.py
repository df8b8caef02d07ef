"""WHAT comes back: a labelled record of a run, and its storage in zarr, without pickle."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.engine.base import Row
from rankscape.errors import InputError, StorageError
from rankscape.factorization import product
from rankscape.run.outcome import Outcome

if TYPE_CHECKING:
    import xarray as xr

# Version of the stored layout.
FORMAT = 1

# Dimensions of the recorded variables beyond ``step``: joint l lies between ``W_l`` and ``W_{l+1}``.
DIMENSIONS = {
    "singular_values": ("index",),
    "eigenvalues": ("mode",),
    "layer_norm": ("layer",),
    "imbalance": ("joint",),
    "margins": ("set", "margin"),
}

# Labels of the dimensions whose places have names; they are known, so they are not stored.
LABELS = {"jump_field": ["step", "from", "to"], "margin": ["balance", "rank", "norm"]}

# Names that records of the user cannot take.
RESERVED = {
    *DIMENSIONS, "loss", "ridge_penalty", "objective", "heldout_loss", "effective_rank", "stable_rank", "entropy_rank",
    "numerical_rank", "step", "index", "mode", "layer", "joint", "run", "target_eigenvalue", "outcome", "learning_rate",
    "ridge", "jumps", "up_jumps", "down_jumps", "alive_modes", "stability", "relaxed_rank", "set", "jump", *LABELS,
}  # fmt: skip

# The code of an outcome in a batch is its place in this list.
OUTCOMES = list(Outcome)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A finished run, or a batch of runs of equal shape.

    Attributes
    ----------
    dataset : xarray.Dataset
        Everything that was recorded, by step; dimensions ``step``, ``index`` (singular values, descending),
        ``mode`` (eigenvalues in the order of the target's spectrum), ``layer``, ``joint`` (the hidden space between
        two layers), ``jump`` (of a run with a monitor), and ``run`` first for a batch. Its attributes hold the
        configuration, the seed, the versions, the engine with the reason for it, and the outcome. Every variable is
        also an attribute of the trajectory.
    all_factors : list of list of array
        For each run ``[W_1, ..., W_N]`` at the end, float64 (of a diverged run: the last finite state).
    """

    dataset: "xr.Dataset"
    all_factors: list[list[np.ndarray]]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("dataset", "all_factors"):  # not set yet: while a copy is made
            raise AttributeError(name)
        if name not in self.dataset:
            raise AttributeError(f"A trajectory has no {name!r}; it recorded {', '.join(map(str, self.dataset))}.")
        return self.dataset[name]

    def __repr__(self) -> str:
        runs = f"{self.dataset.sizes['run']} runs, " if self.batched else ""
        return f"Trajectory({runs}{self.dataset.sizes['step']} records, {self.message})"

    @property
    def batched(self) -> bool:
        """Whether this is a batch."""
        return "run" in self.dataset.dims

    @property
    def factors(self) -> list[np.ndarray]:
        """``[W_1, ..., W_N]`` at the end; of a batch, see `all_factors`."""
        if self.batched:
            raise InputError("This is a batch of runs: take `all_factors[k]`, or `select(k).factors`.")
        return self.all_factors[0]

    @property
    def product(self) -> np.ndarray:
        """``W = W_N @ ... @ W_1`` at the end."""
        return product(self.factors)

    @property
    def outcome(self) -> Any:
        """How the run ended, an `Outcome`; a list of them for a batch."""
        if self.batched:
            return [OUTCOMES[code] for code in self.dataset["outcome"].values.tolist()]
        return Outcome(self.dataset.attrs["outcome"])

    @property
    def message(self) -> str:
        """How the run ended, with the step and the remedy."""
        return self.dataset.attrs["message"]

    @property
    def configuration(self) -> dict[str, Any]:
        """Everything that decided the run."""
        return json.loads(self.dataset.attrs["configuration"])

    def select(self, run: int) -> "Trajectory":
        """One run of a batch."""
        lane = self.dataset.isel(run=run).dropna("step", how="all", subset=["loss"])
        message = json.loads(self.dataset.attrs["messages"])[run]
        lane = lane.assign_attrs(outcome=str(self.outcome[run]), message=message)
        if "jumps" in lane:
            lane = lane.isel(jump=lane["jumps"].values[:, 0] >= 0)
        return Trajectory(lane.drop_vars("outcome"), [self.all_factors[run]])

    def save(self, path: str | Path) -> Path:
        """Write to a zarr store (a directory), replacing a trajectory that stood there only when all is written."""
        path = Path(path)
        if path.exists() and not _is_ours(path):
            raise InputError(f"{path} exists and is not a stored trajectory; name another path.")
        stored = self.dataset.drop_vars(LABELS, errors="ignore")
        for k, factors in enumerate(self.all_factors):
            for l, W in enumerate(factors, start=1):
                dims = [f"run{k}_width{l}", f"run{k}_width{l - 1}"]
                stored[f"run{k}_factor{l}"] = (dims, W)
        stored.attrs["rankscape_format"] = FORMAT
        stored.attrs["depths"] = [len(factors) for factors in self.all_factors]
        temporary = None
        try:
            temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
            stored.to_zarr(temporary / "new", mode="w", consolidated=False, zarr_format=3)
            _exchange(temporary / "new", path, temporary / "old")
        except OSError as error:
            raise StorageError(f"Could not write {path}: {error.strerror or error}; nothing was replaced.") from None
        finally:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Trajectory":
        """Read what `save` wrote."""
        import xarray as xr

        path = Path(path)
        if not path.exists():
            raise InputError(f"There is no trajectory at {path}.")
        try:
            stored = xr.open_zarr(path, consolidated=False, chunks=None).load()
            version = stored.attrs.pop("rankscape_format")
        except Exception as error:  # zarr and xarray raise many kinds for a broken store
            raise InputError(f"{path} is not a stored trajectory ({error}).") from None
        if version > FORMAT:
            raise InputError(f"{path} was written by a newer rankscape (format {version}); update to read it.")
        depths = stored.attrs.pop("depths")
        names = [[f"run{k}_factor{l}" for l in range(1, depth + 1)] for k, depth in enumerate(depths)]
        factors = [[np.ascontiguousarray(stored[name].values) for name in run] for run in names]
        labels = {dim: labels for dim, labels in LABELS.items() if dim in stored.dims}
        return cls(stored.drop_vars([name for run in names for name in run]).assign_coords(labels), factors)


def _is_ours(path: Path) -> bool:
    """Whether a zarr store at `path` was written by `Trajectory.save`."""
    try:
        return "rankscape_format" in json.loads((path / "zarr.json").read_text())["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _exchange(new: Path, path: Path, old: Path) -> None:
    """Move `new` to `path`; what stood there comes back if that fails."""
    if not path.exists():
        new.rename(path)
        return
    path.rename(old)
    try:
        new.rename(path)
    except OSError:
        old.rename(path)
        raise


def to_dataset(steps: np.ndarray, records: Sequence[Mapping[int, Mapping[str, Any]]], batched: bool) -> "xr.Dataset":
    """Stack the records of each run along ``step`` (and ``run``); steps that a run did not reach are NaN."""
    import xarray as xr

    first = next((record for lane in records for record in lane.values()), {})  # empty: diverged at once
    tables = _tables(steps, records)
    variables = {}
    for name in first:
        value = first[name]
        stack = np.full((len(records), len(steps), *np.shape(value)), np.nan)
        for columns, rows, runs, places in tables:
            stack[runs, places] = columns[name][rows]
        whole = np.issubdtype(np.asarray(value).dtype, np.integer) and not np.isnan(stack).any()
        stack = stack.astype(np.int64) if whole else stack
        dims = ("step", *DIMENSIONS.get(name, tuple(f"{name}_{d}" for d in range(np.ndim(value)))))
        variables[name] = (("run", *dims), stack) if batched else (dims, stack[0])
    dataset = xr.Dataset(variables, coords={"step": steps})
    for dim in ("index", "mode", "layer", "joint", "run", "set"):
        if dim in dataset.dims:
            dataset = dataset.assign_coords({dim: np.arange(dataset.sizes[dim]) + (dim != "run")})
    return dataset.assign_coords({dim: labels for dim, labels in LABELS.items() if dim in dataset.dims})


def _tables(steps: np.ndarray, records: Sequence[Mapping[int, Mapping[str, Any]]]) -> list[tuple]:
    """Columns, and which of their rows belong to which runs and steps; records measured together stay together."""
    place = {step: k for k, step in enumerate(steps.tolist())}
    shared: dict[int, tuple[dict[str, np.ndarray], list[tuple[int, int, int]]]] = {}
    tables = []
    for run, lane in enumerate(records):
        alone = []
        for step, record in lane.items():
            if isinstance(record, Row):
                table = shared.setdefault(id(record.columns), (record.columns, []))
                table[1].append((record.place, run, place[step]))
            else:
                alone.append((record, place[step]))
        if alone:
            columns = {name: np.array([record[name] for record, _ in alone]) for name in alone[0][0]}
            tables.append((columns, np.arange(len(alone)), run, [at for _, at in alone]))
    return tables + [(columns, *np.array(where).T) for columns, where in shared.values()]


def jump_variables(jumps: Sequence[Sequence[Sequence[int]]], batched: bool) -> dict[str, "xr.DataArray"]:
    """The jumps of each run, (step, from, to), padded with -1 to the longest run, and how many go up and down."""
    import xarray as xr

    table = np.full((len(jumps), max(map(len, jumps)), 3), -1, dtype=np.int64)
    for row, lane in zip(table, jumps, strict=True):
        row[: len(lane)] = np.reshape(lane, (-1, 3))
    up, down = (table[..., 2] > table[..., 1]).sum(1), (table[..., 2] < table[..., 1]).sum(1)
    named = {"jumps": table, "up_jumps": up, "down_jumps": down}
    dims = {"jumps": ("run", "jump", "jump_field"), "up_jumps": ("run",), "down_jumps": ("run",)}
    arrays = {name: xr.DataArray(array, dims=dims[name]) for name, array in named.items()}
    arrays["jumps"] = arrays["jumps"].assign_coords(jump_field=LABELS["jump_field"])
    return arrays if batched else {name: array.isel(run=0) for name, array in arrays.items()}
