"""A completion, or a fitted estimator, as an NPZ file of plain arrays and JSON: nothing in it can be executed."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np

import rankscape
from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.estimators.completion.completed.result import CompletedMatrix
from rankscape.estimators.completion.methods import named
from rankscape.estimators.completion.models.packing import pack, unpack
from rankscape.estimators.completion.ready.bounds import Bounds
from rankscape.estimators.completion.ready.names import Names
from rankscape.estimators.completion.trust.certificate import Certificate
from rankscape.ground.kinds import MODEL
from rankscape.ground.labelled import Labelled
from rankscape.ground.storage import check_readable, check_writable, replacing
from rankscape.run.outcome import Outcome

# Version of the layout of the file.
FORMAT = 6

# Names of arrays that whoever saves puts beside the completion begin with this.
BESIDE = "beside."


def save(done: CompletedMatrix, path: Path, **beside: Any) -> None:
    """Write a completion and what is to be kept beside it, arrays or JSON; the file appears whole or not at all."""
    check_writable(path, [MODEL])
    arrays: dict[str, np.ndarray] = {}
    facts = {
        "format": FORMAT,
        "version": rankscape.__version__,
        "beside": {name: value for name, value in beside.items() if not isinstance(value, np.ndarray)},
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
        "path": dict(done.path.attrs),
    }
    arrays |= {f"entries_{name}": getattr(done.observed, name) for name in ("rows", "columns", "values")}
    if done.observed.weights is not None:
        arrays["entries_weights"] = done.observed.weights
    arrays["column_errors"] = done.column_errors
    arrays |= {f"path_{name}": done.path[name] for name in [*done.path, "step"]}
    arrays |= {"bounds_low": done.bounds.low, "bounds_high": done.bounds.high}
    for axis in ("rows", "columns"):
        labels = getattr(done.names, axis)
        if labels is not None and labels.dtype.kind in "UiufM":  # of objects and tuples only a pickle could tell
            arrays[f"names_{axis}"] = labels
    arrays |= {BESIDE + name: value for name, value in beside.items() if isinstance(value, np.ndarray)}
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, facts=np.array(json.dumps(facts)), **arrays)


def load(path: Path) -> tuple[CompletedMatrix, dict[str, Any]]:
    """Read a completion, and what is kept beside it."""
    check_readable(path)
    try:
        with path.open("rb") as file:
            if not is_zipfile(file):  # NumPy would advise to unpickle it
                raise InputError(f"{path} does not hold a saved completion: it is no NPZ file.")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                arrays = dict(archive)
        facts = json.loads(str(arrays.pop("facts")))
        if facts["format"] != FORMAT:
            raise InputError(f"{path} has format {facts['format']}, this version reads {FORMAT}; fit again.")
        beside = {name.removeprefix(BESIDE): array for name, array in arrays.items() if name.startswith(BESIDE)}
        return _restored(facts, arrays), facts["beside"] | beside
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except InputError:
        raise
    except Exception as error:  # a damaged archive raises whatever its reader stumbles over
        raise InputError(f"{path} does not hold a saved completion: {error}") from error


def save_estimator(estimator: Any, path: Path) -> None:
    """Write a fitted estimator."""
    parameters = estimator.get_params() | {"clip": _plain(estimator.clip)}
    # A generator has a state that JSON cannot hold, and pickle is not opened here.
    if not isinstance(parameters["random_state"], (int, type(None))):
        raise InputError("`random_state` must be a number or None to be saved.")
    beside: dict[str, Any] = {"parameters": parameters, "dtype": str(estimator._dtype)}
    if hasattr(estimator, "feature_names_in_"):
        beside["feature_names"] = estimator.feature_names_in_.astype(np.str_)
    save(estimator.completed_, path, **beside)


def load_estimator(cls: Any, path: Path) -> Any:
    """Read a fitted estimator of this class."""
    done, beside = load(path)
    if "parameters" not in beside:
        raise InputError(f"{path} holds a completion and no estimator: read it with `CompletedMatrix.load`.")
    estimator = cls(**_parameters(beside["parameters"]))
    estimator.completed_, estimator.n_features_in_ = done, done.shape[1]
    if "feature_names" in beside:
        estimator.feature_names_in_ = beside["feature_names"].astype(object)
    return estimator._publish(beside["dtype"])


def _restored(facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> CompletedMatrix:
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
    return CompletedMatrix(
        model=unpack(facts["model"], arrays),
        low_rank=unpack(facts["low_rank"], arrays),
        calibration=unpack(facts["calibration"], arrays),
        memory=named(facts["path"]["method"]).remembered(facts["memory"]),
        path=Labelled({n: (dims[n], v) for n, v in variables.items()}, coordinates, facts["path"]),
        certificate=Certificate(**certificate),
        column_errors=arrays["column_errors"],
        observed=observed,
        used=used,
        outliers=unpack(facts["outliers"], arrays),
        bounds=Bounds(arrays["bounds_low"], arrays["bounds_high"]),
        names=Names(arrays.get("names_rows"), arrays.get("names_columns")),
        **facts["numbers"],
        **words,
    )


def _parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    clip = parameters["clip"]
    return parameters | {"clip": tuple(clip) if isinstance(clip, list) else clip}


def _plain(clip: Any) -> Any:
    """Bounds as JSON holds them."""
    if clip is None or isinstance(clip, str):
        return clip
    return [bound.tolist() if isinstance(bound, np.ndarray | np.generic) else bound for bound in clip]
