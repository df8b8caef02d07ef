"""Everything that a search tried, as arrays by name."""

from typing import Any

import numpy as np

from rankscape.estimators.completion.fits.ridge_path import Record
from rankscape.ground.labelled import Labelled


def labelled_path(records: list[Record], scale: float, attributes: dict[str, Any]) -> Labelled:
    """The records of one path; `scale` turns them into the units of the data.

    A step that was recorded twice (the end of one stage is the start of the next) keeps its last record.
    """
    unique = list({record.step: record for record in records}.values())
    width = max((len(r.singular_values) for r in unique), default=0)
    spectra = np.zeros((len(unique), width))
    for k, record in enumerate(unique):
        spectra[k, : len(record.singular_values)] = record.singular_values
    first = spectra[:, 0] if width else np.zeros(len(unique))
    effective = np.divide(spectra.sum(1), first, out=np.zeros(len(unique)), where=first > 0)
    column = lambda name: np.array([getattr(r, name) for r in unique], dtype=float)
    variables: dict[str, Any] = {
        "ridge": column("ridge"),
        "depth": np.array([r.depth for r in unique], dtype=np.int64),
        "rank": np.array([r.rank for r in unique], dtype=np.int64),
        "effective_rank": effective,
        "train_rmse": column("train_rmse") * scale,
        "heldout_rmse": column("heldout_rmse") * scale,
    }
    variables = {name: (("step",), values) for name, values in variables.items()}
    variables["phase"] = (("step",), np.array([r.phase for r in unique], dtype=np.str_))
    variables["singular_values"] = (("step", "index"), spectra * scale)
    steps = np.array([r.step for r in unique], dtype=np.int64)
    return Labelled(variables, {"step": steps, "index": np.arange(width)}, attributes)
