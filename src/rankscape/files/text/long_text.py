"""Long tables of text: a fast reader where Apache Arrow is there, and a slow one that knows on which line it stands.

Arrow handles twenty million lines in seconds but cannot say where something is wrong. Whenever it stumbles, the slow
one reads the file again, and either names the place or accepts what it finds.
"""

from collections.abc import Callable
from itertools import islice

import numpy as np

from rankscape.errors import FileFormatError
from rankscape.files.numerals import Numerals, may_lose
from rankscape.files.table import Key, Long, numbers_or_text
from rankscape.files.text.dialect import plain
from rankscape.files.text.odd import why
from rankscape.files.text.records import Body
from rankscape.files.wanted import BLANKS
from rankscape.ground.numbers import EXACT

Places = tuple[int, int, int]

# A character that stands in no text, for separators of two.
UNIT = "\x1f"

# Records up to which the digits of the values are kept as they were written.
KEPT = 5_000_000


def lines_of(body: Body, first: int, second: int) -> str:
    """Say on which lines two records of the body start."""
    line_of = {record: k + 1 for record, (k, _) in enumerate(body.records()) if record in (first, second)}
    return f"lines {line_of[first]} and {line_of[second]}"


def slow(body: Body, numerals: Numerals, places: Places, names: tuple[str, str, str]) -> Long:
    """Read record by record, and raise at the first cell that cannot be used."""
    found: tuple[list, list, list] = [], [], []
    digits: list[str] = []
    for k, unit in body.records():
        cells = body.cells(k, unit)
        for column, at, convert in zip(found, places, (_label, _label, _value), strict=True):
            try:
                column.append(convert(plain(cells[at]), numerals))
            except ValueError as error:
                where = f"{body.path}, line {k + 1}, column {body.name(at)}"
                raise FileFormatError(f"{where}: {_repeated(body, cells) or error}") from None
        digits.append(plain(cells[places[2]]))
    rows, columns, values = found
    if not rows:
        raise FileFormatError(f"{body.path} holds a header and no entries")
    kept = np.array(digits, dtype=np.str_) if len(digits) <= KEPT else None
    return Long(_encoded(rows, names[0]), _encoded(columns, names[1]), np.array(values, dtype=np.float64), kept)


def _encoded(texts: list[str], name: str) -> Key:
    labels, codes = np.unique(np.array(texts, dtype=np.str_), return_inverse=True)
    return Key(codes, numbers_or_text(labels.tolist(), name))


def _repeated(body: Body, cells: list[str]) -> str:
    same = body.header and [plain(cell) for cell in cells] == body.header
    return f"{plain(cells[-1])!r}: this line is the header once more; delete it" if same else ""


def _label(text: str, numerals: Numerals) -> str:
    if not text:
        raise ValueError("the cell is empty; every line needs a row and a column")
    return text


def _value(text: str, numerals: Numerals) -> float:
    number = numerals.value(text)
    if number is None or numerals.lost(text):
        raise ValueError(why(text, numerals))
    return number


def fast(body: Body, content: Callable[[], str], numerals: Numerals, places: Places) -> Long | None:
    """Read with Arrow; None where it is not installed, or anything is odd enough to need the slow reader.

    Parameters
    ----------
    content
        Gives the text below the header.
    """
    try:
        import pyarrow as pa
    except ImportError:
        return None
    if body.dialect.separator == BLANKS:
        return None
    try:
        rows, columns, texts = _arrow_columns(body, content(), numerals, places)
        numbers = _floats(texts, numerals)
    except (pa.ArrowException, OSError, EOFError, UnicodeError):
        return None
    # An empty cell is NaN here, and so is the word "nan".
    if np.count_nonzero(~np.isfinite(numbers)) != texts.null_count or rows.null_count or columns.null_count:
        return None
    names = [body.header[at] if body.header else str(at + 1) for at in places]
    row_key, column_key = _key(rows, names[0]), _key(columns, names[1])
    if not len(numbers) or row_key is None or column_key is None or _may_lose(numbers, texts):
        return None
    kept = np.array(texts.fill_null("").to_pylist(), dtype=np.str_) if len(numbers) <= KEPT else None
    return Long(row_key, column_key, numbers, kept)


def _arrow_columns(body: Body, text: str, numerals: Numerals, places: Places) -> list:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    mark = body.dialect.separator
    if len(mark) > 1:
        if UNIT in text:
            raise UnicodeError
        text, mark = text.replace(mark, UNIT), UNIT
    # Keys come as text in a dictionary: what a label is gets decided once, on the labels, not cell by cell.
    key = pa.dictionary(pa.int32(), pa.string())
    used = [str(at) for at in places]
    table = arrow_csv.read_csv(
        pa.BufferReader(text.encode()),
        read_options=arrow_csv.ReadOptions(
            column_names=[str(at) for at in range(body.width)],
            block_size=1 << 24,
        ),
        parse_options=arrow_csv.ParseOptions(delimiter=mark, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=used,
            column_types=dict(zip(used, (key, key, pa.string()), strict=True)),
            null_values=sorted(numerals.missing),
            strings_can_be_null=True,
        ),
    )
    return [table[used[0]], table[used[1]], table[used[2]]]


def _floats(texts, numerals: Numerals) -> np.ndarray:
    import pyarrow as pa
    from pyarrow import compute

    if numerals.decimal == ",":
        texts = compute.replace_substring(texts, ",", ".")  # pyright: ignore
    return texts.cast(pa.float64()).to_numpy()


def _may_lose(numbers: np.ndarray, texts) -> bool:
    from pyarrow import compute

    small = numbers == 0
    odd = (np.abs(numbers) >= EXACT) | small
    if not odd.any():
        return False
    some = compute.unique(texts.filter(odd)).to_pylist()  # pyright: ignore
    return any(len(text) > 1 for text in some) and may_lose(numbers, "\n".join(some))


def _key(column, name: str) -> Key | None:
    whole = column.unify_dictionaries().combine_chunks()
    texts = [text.strip() for text in whole.dictionary.to_pylist()]
    if not all(texts):
        return None
    return Key(whole.indices.to_numpy(), numbers_or_text(texts, name))


def first_cells(body: Body, places: list[int], count: int) -> tuple[list[list[str]], list[int]]:
    """What the first cells of some columns say, and on which lines they stand."""
    found: list[list[str]] = [[] for _ in places]
    lines = []
    for k, unit in islice(body.records(), count):
        cells = body.cells(k, unit)
        lines.append(k)
        for column, place in zip(found, places, strict=True):
            column.append(plain(cells[place]))
    return found, lines
