"""Tables as people write them: read rightly or refused with the calls that settle it, and given back to the byte."""

import gzip
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from table_files import Made, make

from rankscape.errors import FallbackWarning, InputError
from rankscape.files import read, write

NAN = np.nan
FILL = 7.03125  # short, so that it is written as it is


def text(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# --- the generator ------------------------------------------------------------------------------------------------


def outcome(folder: Path, seed: int) -> str:
    """What became of one file: ``right``, ``refused``, or what is wrong."""
    made = make(seed)
    path = text(folder, made.content, made.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)
            table = read(path)
    except InputError as error:
        if path.name not in str(error):
            return f"an error without the file: {error}"
        return "refused though clear" if made.clear else "refused"
    labels = [
        None if names is None else [str(name) for name in names] for names in (table.row_labels, table.column_labels)
    ]
    assert (table.wide is not None) == (made.layout == "wide"), (seed, made.about)
    assert labels == [made.rows, made.columns], (seed, made.about)
    np.testing.assert_array_equal(table.dense(), made.values, err_msg=f"{seed} {made.about}")
    if made.layout == "wide":
        assert given_back(folder, made, table) == wanted(made, table), (seed, made.about)
    return "right"


def given_back(folder: Path, made: Made, table) -> bytes:
    matrix = np.where(np.isnan(made.values), FILL, made.values)
    content = write(folder / f"out-{made.name}", matrix, table).read_bytes()
    return gzip.decompress(content) if made.name.endswith(".gz") else content


def wanted(made: Made, table) -> bytes:
    fill = str(FILL).replace(".", table.wide.numerals.decimal)
    rows = zip(made.cells, np.isnan(made.values), strict=True)
    content = made.render([[fill if m else cell for cell, m in zip(*row, strict=True)] for row in rows])
    return gzip.decompress(content) if made.name.endswith(".gz") else content


def check(folder: Path, seeds: range) -> None:
    counts = Counter(outcome(folder, seed) for seed in seeds)
    assert set(counts) <= {"right", "refused", "refused though clear"}
    clear = counts["right"] + counts["refused though clear"]
    assert counts["refused though clear"] <= 0.05 * clear, counts
    assert counts["right"] > 0.7 * len(seeds), counts  # to refuse everything is no answer


def test_generated_tables_are_read_rightly_or_refused(tmp_path):
    check(tmp_path, range(300))


@pytest.mark.slow
def test_thousands_of_generated_tables(tmp_path):
    check(tmp_path, range(10_000, 15_000))
