"""A sweep as its store: labelled data, a grid, progress."""

from pathlib import Path
from typing import TYPE_CHECKING

from rankscape.errors import InputError, StorageError
from rankscape.ground import html
from rankscape.ground.checks import path_of
from rankscape.ground.durable import FILES, SEAL
from rankscape.sweeps.progress import SweepProgress, look
from rankscape.sweeps.store import Store

if TYPE_CHECKING:
    import xarray as xr


class Sweep:
    """The runs in a store, finished or not.

    Attributes
    ----------
    path : Path
        The zarr store.
    """

    def __init__(self, path: str | Path):
        self.path = path_of("path", path)
        self._store = Store(path)

    def __repr__(self) -> str:
        now = self.status()
        return f"Sweep({now.runs} runs, {now.done} done, {now.failed} failed)"

    def _repr_html_(self) -> str:
        now = self.status()
        rows = [
            ("runs", f"{now.runs:,}: {now.done:,} done, {now.failed:,} of them ended badly, {now.left:,} left"),
            ("state", now.state if now.owner is None else f"{now.state}, {now.owner}"),
            ("differ in", ", ".join(self.axes)),
            ("store", str(self.path)),
        ]
        return html.facts("Sweep", rows)

    @property
    def axes(self) -> dict[str, str]:
        """The names in which runs differ, and what each is called in the data set."""
        return self._store.attributes["axes"]

    @property
    def batch(self) -> int:
        """Runs in a batch."""
        return self._store.batch

    @property
    def dataset(self) -> "xr.Dataset":
        """All runs along ``run``, hyperparameters as coordinates, read from the store where they are looked at.

        Raises
        ------
        StorageError
            Files of the store are not those that were written. Damaged runs are made again by the same sweep.
        """
        import xarray as xr

        self._store.check_layout()
        if broken := self._store.damaged():
            runs = ", ".join(map(self._store.span, broken[:5]))
            raise StorageError(
                f"{self.path} is damaged: files of {len(broken)} batch(es) (runs {runs}) are not those that were "
                "written. The same sweep makes these again, and nothing else."
            )
        # No consolidated metadata: they would be stale while the store is being filled.
        data = xr.open_zarr(self.path, consolidated=False, chunks=None)
        data.attrs = {name: value for name, value in data.attrs.items() if name not in (FILES, SEAL)}
        texts = {name: array.astype(object) for name, array in data.variables.items() if array.dtype.kind == "T"}
        order = [*self._store.attributes["layout"]["variables"], "outcome", "message", "done"]
        return data.assign({name: (array.dims, array) for name, array in texts.items()})[order]

    def unstack(self) -> "xr.Dataset":
        """The grid: one dimension for each name in which runs differ; combinations that were not run are NaN."""
        data, names = self.dataset.load(), list(self.axes.values())
        others = [name for name, c in data.coords.items() if c.dims == ("run",) and name not in names]
        shared = {name: data[name].values[0] for name in others if len(set(data[name].values.tolist())) == 1}
        data = data.drop_vars(others)
        try:
            grid = data.set_index(run=names).unstack("run") if names[1:] else data.swap_dims(run=names[0])
        except ValueError as error:
            raise InputError(f"The runs of {self.path} do not make a grid: {error}.") from None
        return grid.assign_coords(shared).transpose(*names, ...)

    def status(self) -> SweepProgress:
        """Runs done, failed and left, rate and time left, whoever fills the store."""
        return look(self.path)

    def export(self, path: str | Path, format: str | None = None) -> Path:
        """Write all runs to one file: "netcdf", "csv" or "parquet", by default from the ending of the name."""
        from rankscape.sweeps.export import export

        return export(self, Path(path), format)
