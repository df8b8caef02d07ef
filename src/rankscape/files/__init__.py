"""Matrices in the files that people keep them in: CSV, TSV, Parquet, NPY, NPZ, Matrix Market; read and written back.

Each format's library is imported when a file of that format is opened.
"""

from rankscape.files.reading import read
from rankscape.files.table import Table
from rankscape.files.writing import check_writable, write

__all__ = ["Table", "check_writable", "read", "write"]
