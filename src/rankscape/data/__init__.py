"""Named real matrices, with licence, citation and provenance: some at once, some after ``rankscape data fetch``."""

from rankscape.data.catalogue import DatasetInfo
from rankscape.data.datasets import Dataset, available, info, load, names
from rankscape.data.fetching import fetch

__all__ = ["Dataset", "DatasetInfo", "available", "fetch", "info", "load", "names"]
