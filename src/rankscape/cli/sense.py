"""``rankscape sense``."""

import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter, validators

from rankscape.cli.output import Speech, check_files, number
from rankscape.errors import FileFormatError, InputError, did_you_mean
from rankscape.ground.storage import check_readable

if TYPE_CHECKING:
    from rankscape.problem import DenseOperators, RankOneOperators


def sense(
    source: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    figure: Path | None = None,
    operators: str = "operators",
    measurements: str = "measurements",
    depth: Annotated[int, Parameter(validator=validators.Number(gte=2))] = 3,
    alpha: Annotated[float, Parameter(validator=validators.Number(gt=0))] = 0.1,
    initialization: Literal["gaussian", "identical"] = "gaussian",
    validation_fraction: Annotated[float, Parameter(validator=validators.Number(gt=0, lt=1))] = 0.1,
    max_steps: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 1500,
    seed: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 0,
    force: Annotated[bool, Parameter(negative="")] = False,
    speech: Speech | None = None,
) -> None:
    """Find a matrix from linear measurements of it; no rank is asked.

    Parameters
    ----------
    source
        An NPZ file: `operators` of shape (m, rows, columns), or `left` (m, rows) and `right` (m, columns) of rank-one
        operators, and `measurements` of shape (m,).
    output
        File for the matrix (NPY or another format). Default: here, named after the source.
    figure
        Draw spectrum, rank and errors of the descent to this file (PNG, PDF or SVG).
    operators
        Name of the array of operators.
    measurements
        Name of the array of measurements.
    depth
        Number of factors.
    alpha
        Scale of the start.
    initialization
        How the factors start: at random, or as multiples of the identity, for symmetric positive matrices.
    validation_fraction
        Share of the measurements held out to judge by.
    max_steps
        Most steps of descent.
    seed
        Decides the random start and which measurements are held out.
    force
        Replace files that are there already.
    """
    from rankscape import files
    from rankscape.entries import Entries
    from rankscape.estimators import DeepMatrixSensing
    from rankscape.files.standing import check_free, check_marked
    from rankscape.plot import check_figure

    family, y = _read(source, operators, measurements)
    if output is not None:
        check_free(output, force=force)
    output = files.check_writable(output or Path(f"{source.stem}-sensed.npy"))
    check_files({"the source itself": source}, {"--output": output, "--figure": figure})
    if figure is not None:
        check_figure(figure)
        check_marked(figure, force=force)
    settings: dict[str, Any] = {
        "alpha": alpha,
        "initialization": initialization,
        "validation_fraction": validation_fraction,
    }
    model = DeepMatrixSensing(depth, **settings, max_iter=max_steps, random_state=seed).fit(family, y)

    files.write(output, model.matrix_, files.Table(entries=Entries.from_array(model.matrix_), format="npy"))
    if figure is not None:
        from rankscape import plot

        descent = model.path_.dataset().drop_dims("rank")  # the fits that were compared have no step
        plot.save(plot.draw(plot.trajectory_panels(descent), title=f"{source.stem}: rank {model.rank_}"), figure)
    facts = _facts(model, source, len(y), output, figure)
    (speech or Speech()).say(lambda: facts, lambda: _rows(model, facts))


def _read(path: Path, operators: str, measurements: str) -> "tuple[DenseOperators | RankOneOperators, np.ndarray]":
    """The family of operators and the measurements, out of the arrays of an NPZ file."""
    from rankscape.problem import DenseOperators, RankOneOperators

    check_readable(path)
    try:
        with path.open("rb") as file, zipfile.ZipFile(file), np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (AttributeError, EOFError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{path} is not an NPZ file of plain arrays ({error}).") from None
    if measurements not in arrays:
        raise _without(path, measurements, arrays, "--measurements")
    if operators in arrays:
        return DenseOperators(arrays[operators]), arrays[measurements]
    if {"left", "right"} <= set(arrays):
        return RankOneOperators(arrays["left"], arrays["right"]), arrays[measurements]
    raise _without(path, operators, arrays, "--operators")


def _without(path: Path, name: str, arrays: dict[str, np.ndarray], option: str) -> InputError:
    found = ", ".join(map(repr, arrays)) or "nothing"
    return InputError(
        f"{path} has no array {name!r}; it holds {found}: name one with {option}{did_you_mean(name, arrays)}"
    )


def _facts(model: Any, source: Path, count: int, output: Path, figure: Path | None) -> dict[str, Any]:
    certificate = model.certificate_
    return {
        "source": str(source),
        "shape": list(model.matrix_.shape),
        "measurements": count,
        "rank": model.rank_,
        "heldout_rmse": certificate.heldout_rmse,
        "baseline_rmse": certificate.baseline_rmse,
        "singular_values": model.singular_values_,
        "stop_step": model.stop_step_,
        "outcome": str(model.outcome_),
        "certificate": asdict(certificate) | {"words": str(certificate)},
        "output": str(output),
        "figure": None if figure is None else str(figure),
    }


def _rows(model: Any, facts: dict[str, Any]) -> list[tuple[str, str]]:
    """The table for people."""
    rows = [
        (
            "measurements",
            f"{facts['source']}, {facts['measurements']:,} of a matrix {' x '.join(map(str, facts['shape']))}",
        ),
        ("rank found", str(facts["rank"])),
        ("held-out RMSE", number(facts["heldout_rmse"])),
        ("  least norm", number(facts["baseline_rmse"])),
        ("trust", str(model.certificate_)),
        ("outcome", facts["outcome"]),
        ("written", facts["output"]),
    ]
    return rows if facts["figure"] is None else [*rows, ("picture", facts["figure"])]
