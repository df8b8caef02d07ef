"""Triplets (row, column, value) in any order, which may be more than the memory holds.

===========  ===========================================================================================
`door`       `triplets`: a folder of Parquet files, arrays in files, a Dask DataFrame
`base`       what each of them gives: names, records part by part, and where they stand
`columns`    what two of them share: three columns of Arrow's tables
`parquet`    a folder, a pattern, or one Parquet file
`npy`        three NPY files, or one of records
`frames`     a Dask DataFrame, partition by partition
`gather`     one pass for the names, one to sort: from there to a `Table` whose entries lie on disk
===========  ===========================================================================================
"""

from rankscape.files.in_parts.base import Triplets
from rankscape.files.in_parts.door import triplets

__all__ = ["Triplets", "triplets"]
