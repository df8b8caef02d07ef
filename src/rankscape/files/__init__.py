"""Matrices in the files that people keep them in, read and written back.

===========  ===========================================================================================
`reading`    `read`: the extension says how, and an error says where
`writing`    `write`: a completed matrix, whole or not at all
`formats`    one file a format, and the list of them
`table`      `Table`: what reading gives, and how columns and labels are told
`layout`     wide or long, decided by what the columns hold
`long`       one record an entry: from three columns to entries, and back
`wide`       a column of the file for each column of the matrix
`dense`      from an array to entries
`text`       tables of text, record by record, always knowing on which line
`packing`    compressed files
`in_parts`   more than the memory holds: folders of Parquet files, arrays in files, Dask DataFrames
===========  ===========================================================================================

Each format's library is imported when a file of that format is opened.
"""

from rankscape.files.in_parts import Triplets, triplets
from rankscape.files.reading import read
from rankscape.files.table import Table
from rankscape.files.writing import check_writable, has_errors, write, write_errors

__all__ = ["Table", "Triplets", "check_writable", "has_errors", "read", "triplets", "write", "write_errors"]
