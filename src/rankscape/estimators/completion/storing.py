"""A fitted estimator as an NPZ file of plain arrays and JSON: nothing in it can be executed."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import rankscape
from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.estimators.completion.certificate import Certificate
from rankscape.estimators.completion.methods import named
from rankscape.estimators.completion.models.packing import pack, unpack
from rankscape.estimators.completion.result import CompletedMatrix
from rankscape.ground.storage import check_writable, replacing
from rankscape.run.outcome import Outcome

# Version of the layout of the file.
FORMAT = 4


def save(estimator: Any, path: Path) -> None:
    """Write a fitted estimator; the file appears whole or not at all."""
    check_writable(path)
    done: CompletedMatrix = estimator.completed_
    parameters = estimator.get_params()
    # A generator has a state that JSON cannot hold, and pickle is not opened here.
    if not isinstance(parameters["random_state"], (int, type(None))):
        raise InputError("`random_state` must be a number or None to be saved.")
    arrays: dict[str, np.ndarray] = {}
    facts = {
        "format": FORMAT,
        "version": rankscape.__version__,
        "parameters": parameters,
        "dtype": str(estimator._dtype),
        "shape": list(done.shape),
        "numbers": {name: getattr(done, name) for name in ("heldout_rmse", "baselines", "depth")},
        "words": {name: str(getattr(done, name)) for name in ("outcome", "method", "reason")},
        "model": pack(done.model, arrays, "model"),
        "low_rank": pack(done.low_rank, arrays, "low_rank"),
        "calibration": pack(done.calibration, arrays, "calibration"),
        "used": None if done.used is done.observed else pack(done.used, arrays, "used"),
        "outliers": pack(done.outliers, arrays, "outliers"),
        "memory": list(done.memory),
        "certificate": asdict(done.certificate),
        "path": done.path.attrs,
    }
    arrays |= {f"entries_{name}": getattr(done.observed, name) for name in ("rows", "columns", "values")}
    if done.observed.weights is not None:
        arrays["entries_weights"] = done.observed.weights
    arrays["column_errors"] = done.column_errors
    arrays |= {f"path_{name}": done.path[name].values for name in [*done.path.data_vars, "step"]}
    if hasattr(estimator, "feature_names_in_"):
        arrays["feature_names"] = estimator.feature_names_in_.astype(np.str_)
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, facts=np.array(json.dumps(facts)), **arrays)


def load(cls: Any, path: Path) -> Any:
    """Read a fitted estimator of this class."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
        facts = json.loads(str(arrays.pop("facts")))
        if facts["format"] != FORMAT:
            raise InputError(f"{path} has format {facts['format']}, this version reads {FORMAT}; fit again.")
        return _restored(cls, facts, arrays)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (KeyError, TypeError, EOFError, OSError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} does not hold a saved {cls.__name__}: {error}") from error


def _restored(cls: Any, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    shape = facts["shape"][0], facts["shape"][1]
    rows, columns, values = (arrays[f"entries_{name}"] for name in ("rows", "columns", "values"))
    certificate = facts["certificate"]
    lists = "warnings", "worse_columns", "lone_rows", "lone_columns"
    certificate |= {name: tuple(certificate[name]) for name in lists}
    words = facts["words"] | {"outcome": Outcome(facts["words"]["outcome"])}
    variables = {name.removeprefix("path_"): v for name, v in arrays.items() if name.startswith("path_")}
    step = variables.pop("step")
    coordinates = {"step": step, "index": np.arange(variables["singular_values"].shape[1])}
    dims = {name: ("step", "index") if v.ndim == 2 else ("step",) for name, v in variables.items()}
    observed = Entries(rows, columns, values, shape, arrays.get("entries_weights"))
    used = observed if facts["used"] is None else unpack(facts["used"], arrays)
    estimator = cls(**_parameters(facts["parameters"]))
    estimator.completed_ = CompletedMatrix(
        model=unpack(facts["model"], arrays),
        low_rank=unpack(facts["low_rank"], arrays),
        calibration=unpack(facts["calibration"], arrays),
        memory=named(facts["path"]["method"]).remembered(facts["memory"]),
        path=xr.Dataset({n: (dims[n], v) for n, v in variables.items()}, coordinates, facts["path"]),
        certificate=Certificate(**certificate),
        column_errors=arrays["column_errors"],
        observed=observed,
        used=used,
        outliers=unpack(facts["outliers"], arrays),
        **facts["numbers"],
        **words,
    )
    estimator.n_features_in_ = shape[1]
    if "feature_names" in arrays:
        estimator.feature_names_in_ = arrays["feature_names"].astype(object)
    return estimator._publish(facts["dtype"])


def _parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    clip = parameters["clip"]
    return parameters | {"clip": tuple(clip) if isinstance(clip, list) else clip}
