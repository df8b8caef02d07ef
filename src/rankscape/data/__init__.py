"""Named real matrices, with licence, citation and provenance, and synthetic ones of which everything is known."""

from rankscape.data.catalogue import DatasetInfo
from rankscape.data.datasets import Dataset, available, info, load, names
from rankscape.data.fetching import fetch
from rankscape.data.synthetic import KnownMatrix, gaussian, heavy_tailed, planted

__all__ = [
    "Dataset", "DatasetInfo", "KnownMatrix", "available", "fetch", "gaussian", "heavy_tailed", "info", "load", "names",
    "planted",
]  # fmt: skip
