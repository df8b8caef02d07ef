"""Where a run is written: as the ending says, and never over something else without being told so."""

from pathlib import Path
from typing import TYPE_CHECKING

from rankscape.errors import InputError
from rankscape.run.exporting import FORMATS

if TYPE_CHECKING:
    from rankscape.config import SimulationConfig
    from rankscape.run.trajectory import Trajectory

STORE = ".zarr"


def check_output(path: Path, config: "SimulationConfig", force: bool) -> None:
    """Refuse an ending that says nothing, and a name under which something else stands."""
    from rankscape.ground.storage import check_writable

    endings = (STORE, *FORMATS.values())
    if path.suffix not in endings:
        raise InputError(f"--output {path}: the ending says what is written; end the name in {', '.join(endings)}.")
    if path.suffix != STORE or not path.exists():
        check_writable(path)
    if not path.exists():
        return
    if path.suffix == STORE and not (path / "zarr.json").is_file():
        raise InputError(f"--output {path} exists and is not a stored trajectory; name another path.")
    if not force and _settings(path) != config.model_dump_json():
        raise InputError(f"--output {path} exists and holds something other than this run; --force replaces it.")


def write_run(run: "Trajectory", path: Path) -> str:
    """Write the run; say where."""
    return str(run.save(path) if path.suffix == STORE else run.export(path))


def _settings(path: Path) -> str | None:
    """What made the run that a file holds, if the file says so."""
    try:
        if path.suffix == STORE:
            from rankscape.ground.durable import attributes_of

            return (attributes_of(path) or {}).get("settings")
        if path.suffix == FORMATS["netcdf"]:
            import xarray as xr

            with xr.open_dataset(path, engine="scipy") as stored:
                return stored.attrs.get("settings")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return None
