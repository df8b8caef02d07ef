"""Matrices in the files that people keep them in, read and written back.

===========  ===========================================================================================
`reading`    `read`: the extension says how, and an error says where
`writing`    `write`: a completed matrix, whole or not at all
`formats`    one file a format, and the list of them
`table`      `Table`: what reading gives, and how columns and labels are told
`layout`     wide or long, decided by what the columns hold
`long`       one record an entry: from three columns to entries, and back
`wide`       a column of the file for each column of the matrix
`pairs`      chosen cells, asked for by name in one table and answered in another
`dense`      from an array to entries
`sparse`     from the stored entries of a sparse matrix to entries
`arrow`      typed columns, as Parquet and Feather hold them
`text`       tables of text, record by record, always knowing on which line
`numerals`   numbers as people write them; `words`, such as those for rows, values and totals
`wanted`     what a caller settles about a file, so that its content need not be asked
`standing`   whether a table that stands where another will be written is an earlier one of it
`packing`    compressed files
`foreign`    libraries that read files, whose errors become ours; `packages` that one format needs
`in_parts`   more than the memory holds: folders of Parquet files, arrays in files, Dask DataFrames
===========  ===========================================================================================

Each format's library is imported when a file of that format is opened.
"""

from rankscape.files.in_parts import Triplets, triplets
from rankscape.files.reading import read
from rankscape.files.table import Table
from rankscape.files.writing import check_writable, has_errors, write, write_errors

__all__ = ["Table", "Triplets", "check_writable", "has_errors", "read", "triplets", "write", "write_errors"]
