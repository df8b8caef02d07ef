"""WHAT comes back: a labelled record of a run, with all that it takes to go on from its end."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.errors import InputError
from rankscape.factorization import product
from rankscape.ground import html
from rankscape.plot.onto import Interval, What, plot_trajectory
from rankscape.run.continuing import Continuation
from rankscape.run.outcome import OUTCOMES, Outcome

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes


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
    continuations : list of Continuation
        For each run the last state (of a diverged run: the last finite one), with what it takes to go on from there.
    """

    dataset: "xr.Dataset"
    continuations: list[Continuation]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("dataset", "continuations"):  # not set yet: while a copy is made
            raise AttributeError(name)
        if name not in self.dataset:
            raise AttributeError(f"A trajectory has no {name!r}; it recorded {', '.join(map(str, self.dataset))}.")
        return self.dataset[name]

    def __repr__(self) -> str:
        runs = f"{self.dataset.sizes['run']} runs, " if self.batched else ""
        return f"Trajectory({runs}{self.dataset.sizes['step']} records, {self.message})"

    def _repr_html_(self) -> str:
        data, steps = self.dataset, self.dataset.sizes["step"]
        rows = [("records", f"{steps:,}, up to step {int(data.step[-1]):,}" if steps else "none")]
        rows += [("runs", f"{data.sizes['run']:,}")] if self.batched else []
        rows += [("ended", self.message), ("engine", f"{data.attrs.get('engine')}: {data.attrs.get('engine_why')}")]
        if not self.batched and "jumps" in data:
            falls = [f"step {int(step):,}: {int(a)} to {int(b)}" for step, a, b in data.jumps.values]
            rows.append(("jumps of the rank", "; ".join(falls[: html.MOST]) or "none"))
        rows.append(("recorded", ", ".join(map(str, data.data_vars))))
        return html.facts("Run" if not self.batched else "Batch of runs", rows)

    def plot(self, ax: "Axes | None" = None, *, what: What = "rank", theory: Iterable[Interval] = ()) -> "Axes":
        """Draw one run: its rank by step, its "spectrum", or its "errors", with theory behind it.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            To draw on; new ones without it.
        what : {"rank", "spectrum", "errors"}
            What is drawn.
        theory : iterable of Plateau
            What `theory.plateaus` predicts: the guaranteed steps of each rank, as bands.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        InputError
            A batch of runs: select one.
        """
        return plot_trajectory(self.dataset, what, ax, theory)

    @property
    def batched(self) -> bool:
        """Whether this is a batch."""
        return "run" in self.dataset.dims

    @property
    def all_factors(self) -> list[list[np.ndarray]]:
        """For each run ``[W_1, ..., W_N]`` at the end, float64."""
        return [run.factors for run in self.continuations]

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
        # Steps that only other runs of the batch recorded are empty here, and so are rows that pad the jumps.
        lane = self.dataset.isel(run=run).dropna("step", how="all", subset=["loss"])
        message = json.loads(self.dataset.attrs["messages"])[run]
        lane = lane.assign_attrs(outcome=str(self.outcome[run]), message=message)
        if "jumps" in lane:
            lane = lane.isel(jump=lane["jumps"].values[:, 0] >= 0)
        return Trajectory(lane.drop_vars("outcome"), [self.continuations[run]])

    def save(self, path: str | Path) -> Path:
        """Write to a zarr store (a directory), replacing a trajectory that stood there only when all is written."""
        from rankscape.run import storing

        return storing.save(Path(path), self.dataset, self.continuations)

    def export(self, path: str | Path) -> Path:
        """Write one file for other programs, as its ending says: netCDF (.nc), or a table (.csv, .parquet).

        A table has one row a record and a numbered column for each entry of an array; netCDF has all dimensions and
        attributes. Neither can be continued: `save` keeps what that takes.
        """
        from rankscape.run.exporting import export

        return export(Path(path), self.dataset)

    @classmethod
    def load(cls, path: str | Path) -> "Trajectory":
        """Read what `save` wrote."""
        from rankscape.run import storing

        return cls(*storing.load(Path(path)))
