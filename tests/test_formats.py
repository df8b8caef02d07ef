"""A new file format is one record and one line: a toy that is registered here alone works wherever files do."""

import gzip
import json

import numpy as np
import pytest

from rankscape.cli.app import start
from rankscape.data.source import open_source
from rankscape.entries import Entries
from rankscape.errors import FileFormatError, InputError
from rankscape.files import Table, check_writable, formats, read, write
from rankscape.files.formats.base import Format
from rankscape.files.packing import content_of

pytestmark = pytest.mark.usefixtures("hasty_file")


def read_toy(path, wanted, duplicates) -> Table:
    """The shape, then one ``[row, column, value]`` a line."""
    shape, *lines = [json.loads(line) for line in content_of(path).splitlines()]

    def refuse(earlier, later):
        raise FileFormatError(f"{path}, lines {earlier + 2} and {later + 2}: the same cell")

    rows, columns, values = zip(*lines, strict=True)
    return Table(entries=Entries(rows, columns, values, shape, duplicates=duplicates, refuse=refuse), format="toy")


def write_toy(file, matrix, source, full):
    known = ~np.isnan(source.dense())
    lines = [list(matrix.shape)]
    lines += [[i, j, matrix[i, j]] for i, j in np.ndindex(matrix.shape) if full or not known[i, j]]
    file.write("\n".join(map(json.dumps, lines)).encode())


TOY = Format("toy", "Toy", ".toy", "one triplet a line", read_toy, write_toy, long=True, packed=True)
SOURCE = "[6, 5]\n" + "\n".join(
    f"[{i}, {j}, {(i + 1) * (j - 2.5)}]" for i in range(6) for j in range(5) if (i + j) % 6 != 5
)


@pytest.fixture
def toy(monkeypatch, tmp_path):
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, TOY))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "matrix.toy"
    path.write_text(SOURCE)
    return path


def test_it_is_read_there_and_written_back(toy):
    table = read(toy)
    assert (table.format, table.shape, len(table.values)) == ("toy", (6, 5), 25)
    matrix = np.arange(30.0).reshape(6, 5) / 7
    np.testing.assert_array_equal(read(write("whole.toy", matrix, table)).dense(), matrix)
    missing = read(write("missing.toy", matrix, table, full=False)).dense()
    np.testing.assert_array_equal(missing, np.where(np.isnan(table.dense()), matrix, np.nan))


def test_it_can_be_compressed_because_its_record_says_so(toy):
    path = toy.with_name("packed.toy.gz")
    path.write_bytes(gzip.compress(SOURCE.encode()))
    np.testing.assert_array_equal(read(path).dense(), read(toy).dense())
    again = write("again.toy.gz", np.ones((6, 5)), read(toy))
    assert gzip.decompress(again.read_bytes()).startswith(b"[6, 5]\n[0, 0, 1.0]\n")


def test_repeated_cells_are_settled_as_in_every_format(toy):
    toy.write_text("[1, 2]\n[0, 1, 3]\n[0, 0, 5]\n[0, 1, 7]")
    with pytest.raises(FileFormatError, match=r"matrix\.toy, lines 2 and 4: the same cell"):
        read(toy)
    assert read(toy, duplicates="mean").values.tolist() == [5.0, 5.0]
    assert read(toy, duplicates="last").values.tolist() == [5.0, 7.0]


def test_errors_and_help_name_it(toy):
    with pytest.raises(InputError, match=r"use one of \.csv \.csv\.gz .* \.mtx \.mtx\.gz \.toy \.toy\.gz"):
        check_writable("a.docx")
    with pytest.raises(InputError, match=r"or write \.csv, \.tsv, \.txt, \.xlsx, \.parquet, \.feather or \.toy"):
        write("a.npy", np.ones((6, 5)), read(toy), full=False)
    assert formats.titles(long=True).endswith(" or Toy")
    assert "``.toy .toy.gz``" in formats.listing()
    assert "one triplet a line" in formats.listing()


def test_the_command_line_completes_it(toy, capsys):
    assert (open_source(str(toy)).extension, open_source(str(toy)).stem) == (".toy", "matrix")
    assert start(["complete", str(toy), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["rank"], facts["output"]) == (1, "matrix-completed.toy")
    truth = np.outer(np.arange(1, 7), np.arange(5) - 2.5)
    np.testing.assert_allclose(read("matrix-completed.toy").dense(), truth, atol=1e-6)


def test_every_format_has_a_name_and_extensions_of_its_own():
    names = [format.name for format in formats.FORMATS]
    extensions = [extension for format in formats.FORMATS for extension in format.extensions]
    assert len(set(names)) == len(names)
    assert len(set(extensions)) == len(extensions)
    assert all(extension == extension.lower() and extension.startswith(".") for extension in extensions)
    for extension in extensions:
        assert f"``{extension}" in read.__doc__ or f" {extension}" in read.__doc__
