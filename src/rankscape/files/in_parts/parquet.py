"""Triplets in Parquet files: one, or all of a folder or of a pattern."""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError
from rankscape.files.arrow import is_number
from rankscape.files.foreign import reading
from rankscape.files.in_parts.base import PART, SHARE, Triplets, check_seen
from rankscape.files.in_parts.columns import InColumns, Piece
from rankscape.files.packages import needs
from rankscape.files.table import choose_columns
from rankscape.files.wanted import Wanted
from rankscape.ground import kinds
from rankscape.ground.final import final

if TYPE_CHECKING:
    import pyarrow as pa

KIND = "Parquet file"


def files_of(source: str) -> list[Path]:
    """The Parquet files of a folder, with those below, or of a pattern; in the order of their names.

    Raises
    ------
    InputError
        There is none.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        found = [p for p in path.rglob("*.parquet") if not any(n[0] in "._" for n in p.relative_to(path).parts)]
    else:
        found = [path] if path.is_file() else [Path(name) for name in glob.glob(str(path), recursive=True)]
    if (
        path.is_file()
        and path.suffix.lower() != ".parquet"
        and kinds.kind_of(path) in ("a text", "an archive of arrays")
    ):
        raise InputError(
            f"{source} is no Parquet file: read it first, `table = rankscape.files.read({source!r})`, and complete "
            "`rankscape.Completion.of(table.entries, table.row_labels, table.column_labels)`"
        )
    found = sorted(p for p in found if p.is_file())
    if not found:
        raise InputError(
            f"{source} holds no Parquet files (*.parquet): give their folder, or a pattern like 'a/*.parquet'"
        )
    return found


@final
class Groups(InColumns):
    """Some groups of rows of a file; so many records came before them."""

    def __init__(self, path: Path, names: tuple[str, str, str], groups: list[int], before: int):
        # Workers have a directory of their own.
        self.path, self.names, self.groups, self.before = path.absolute(), names, groups, before
        self.where = str(path)

    def tables(self, names: Sequence[str]) -> Iterator[Piece]:
        """Batch by batch."""
        import pyarrow as pa
        from pyarrow import parquet

        before = self.before
        check_seen(self.path)
        with reading(self.path, KIND):
            file = parquet.ParquetFile(self.path, pre_buffer=False)
            batches = file.iter_batches(PART, row_groups=self.groups, columns=list(names), use_threads=False)
        with file:
            while (batch := _next(self.path, batches)) is not None:
                yield self.where, before, pa.table(batch)
                before += len(batch)


@final
class InParquet(Triplets):
    """Typed columns; every file has to have them, of the same types."""

    format = "parquet"

    def __init__(self, source: str, wanted: Wanted, duplicates: Duplicates):
        self.source, self.duplicates, self._files = source, duplicates, files_of(source)
        needs("pyarrow", self._files[0])
        first = self._files[0]
        schema = _schema(first)
        self.names = _chosen(first, schema, wanted)
        self._kinds = _kinds_of(schema, self.names)
        self._count = sum(self._checked(path) for path in self._files)

    @property
    def count(self) -> int:
        """As the files say."""
        return self._count

    def shares(self) -> list[Groups]:
        """Of each file its groups of rows, some at a time."""
        return [share for path in self._files for share in self._groups(path)]

    def _groups(self, path: Path) -> Iterator[Groups]:
        from pyarrow import parquet

        with reading(path, KIND):
            facts = parquet.read_metadata(path)
            sizes = [facts.row_group(k).num_rows for k in range(facts.num_row_groups)]
        begin, before = 0, 0
        for end in range(1, len(sizes) + 1):
            count = sum(sizes[begin:end])
            if count >= SHARE or end == len(sizes):
                yield Groups(path, self.names, list(range(begin, end)), before)
                begin, before = end, before + count

    def _checked(self, path: Path) -> int:
        """Records of a file, whose columns are looked at."""
        schema = _schema(path)
        for name in self.names:
            if name not in schema.names:
                raise FileFormatError(
                    f"{path} has no column {name!r}, as {self._files[0].name} has: it has {', '.join(schema.names)}"
                )
        for name, found in _kinds_of(schema, self.names).items():
            kind = self._kinds[name]
            if found != kind:
                raise FileFormatError(
                    f"{path}, column {name!r}: holds {found}, and {kind} in {self._files[0].name}: write all files "
                    "with the same types"
                )
        from pyarrow import parquet

        with reading(path, KIND):
            return parquet.read_metadata(path).num_rows


def _next(path: Path, batches: Any) -> "pa.RecordBatch | None":
    with reading(path, KIND):
        batch = next(batches, None)
        if batch is not None:
            batch.validate(full=True)
        return batch


def _schema(path: Path) -> "pa.Schema":
    from pyarrow import parquet

    with reading(path, KIND):
        return parquet.read_schema(path)


def _chosen(path: Path, schema: "pa.Schema", wanted: Wanted) -> tuple[str, str, str]:
    rows, columns, values = choose_columns(path, schema.names, wanted)
    return schema.names[rows], schema.names[columns], schema.names[values]


def _kinds_of(schema: "pa.Schema", names: Sequence[str]) -> dict[str, str]:
    """What three columns hold. Values may be whole numbers in one file and not in the next, as pandas writes them."""
    kinds = {name: kind_of(schema.field(name).type) for name in names}
    return {name: "numbers" if name == names[2] and k == "whole numbers" else k for name, k in kinds.items()}


def kind_of(kind: "pa.DataType") -> str:
    """What a column holds, as far as names and values of several files have to agree."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if any(getattr(pa.types, test)(kind) for test in ("is_string", "is_large_string", "is_string_view")):
        return "text"
    if pa.types.is_integer(kind):
        return "whole numbers"
    return "numbers" if is_number(kind) else str(kind)
