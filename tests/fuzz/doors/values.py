"""Numbers in files of eight kinds: each is read exactly as it is written, or refused; by other means than the reader's.

A case is a seed; what stands in the file is made from it, with the truth beside it: a float for each cell that may be
read (rounded once, from the exact fraction), or nothing where only refusing or a missing cell is right.
"""

import gzip
import io
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from rankscape import files
from rankscape.errors import FileFormatError, RankscapeError

from ..case import Case
from ..trial import Wrong

KINDS = ("csv", "tsv", "csv.gz", "semicolon.csv", "long.csv", "coordinate.mtx", "array.mtx", "xlsx", "parquet", "npy")

# What is no number, or none that float64 holds.
ODD = [
    "0x10", "1_000", "1.0abc", "1.5.6", "3.7E", "1e", "--1", "+-1", "1e400", "-1e999", "1e-400", "9007199254740993",
    "123456789012345678901", "18446744073709551615", "-9223372036854775807", "2020-01-01", "NaT", "1/2", "50%", "1 2",
    "inf", "-Infinity", "1e5e5", "1d5", "0b1", "1.0f", "\uff11", "1e+", "e5", ".", "+", "1..2", "1e2.5", "5-", "(5)",
    "0.0000000000000000000000000000000000000000000001e-400",
]  # fmt: skip


def make(rng: np.random.Generator) -> Case:
    """The kind and a seed."""
    return Case.of(f"{KINDS[int(rng.integers(len(KINDS)))]} {int(rng.integers(1 << 40))}")


def hand_in(case: Case, folder: Path) -> None:
    """Write the file, read it, compare."""
    kind, seed = case.text.split()
    rng = np.random.default_rng(int(seed))
    name, content, truth = MAKERS[kind](rng)
    path = folder / name
    path.write_bytes(content)
    try:
        found = files.read(path).dense()
    except RankscapeError as error:
        if not any(value is None for value in truth.ravel().tolist()):
            raise Wrong(f"a sound file is refused: {error}") from error
        if not isinstance(error, FileFormatError):
            raise Wrong(f"{type(error).__name__}: {error}") from error
        raise
    finally:
        path.unlink()
    compare(found, truth)


def compare(found: np.ndarray, truth: np.ndarray) -> None:
    """Every cell is what it should be; one that is no number may be missing."""
    if found.shape != truth.shape:
        raise Wrong(f"shape {found.shape}, not {truth.shape}")
    for at, right in np.ndenumerate(truth):
        value = found[at]
        good = np.isnan(value) if right is None or right != right else value == right
        if not good:
            raise Wrong(f"cell {at} is read as {value!r}, not {right!r}")


def number(rng: np.random.Generator, odd: float) -> tuple[str, float | None]:
    """A number as text, and the float nearest to it; with this chance something else, and nothing."""
    if rng.random() < odd:
        return ODD[int(rng.integers(len(ODD)))], None
    size = 10.0 ** int(rng.integers(-12, 13))
    plain = rng.normal() * size
    text = [
        str(int(rng.integers(-99, 100))), f"{plain:.3f}", f"{plain:.17g}", f"{plain:.4e}", f"{abs(plain):+.2E}", repr(plain),
        f"{int(rng.integers(2**53))}", f"{rng.random():.25f}", "5.", "0", "-0", f"{rng.normal()*1e300:.6e}", "007.50", "1e+05",
    ]  # fmt: skip
    text = text[int(rng.integers(len(text)))]
    return text, float(Fraction(text.rstrip(".") if "e" not in text.lower() else text))


def grid(rng: np.random.Generator, odd: float | None = None) -> tuple[list[list[str]], np.ndarray]:
    """Texts of a table, and the truth; half of the tables hold one odd cell or more."""
    shape = int(rng.integers(4, 9)), int(rng.integers(3, 7))
    chance = float(rng.choice([0.0, 0.05])) if odd is None else odd
    cells = [[number(rng, chance) for _ in range(shape[1])] for _ in range(shape[0])]
    truth = np.array([[value for _, value in row] for row in cells], dtype=object)
    return [[text for text, _ in row] for row in cells], truth


def _delimited(name: str, mark: str, pack=None, decimal: str = "."):
    def make_one(rng):
        texts, truth = grid(rng)
        if decimal == ",":  # "5," is a cell that was cut at the wrong place
            texts = [[text.removesuffix(".") if text[0] in "5" else text for text in row] for row in texts]
        header = mark.join(["name", *(f"c{k}" for k in range(truth.shape[1]))])
        lines = [mark.join([f"r{i}", *row]) for i, row in enumerate(texts)]
        content = "\n".join([header, *(line.replace(".", decimal) if decimal != "." else line for line in lines), ""])
        if mark == ";" and decimal == ",":  # at least one cell must show the mark
            content += mark.join(["last", *["0,25"] * truth.shape[1]]) + "\n"
            truth = np.vstack([truth, np.full((1, truth.shape[1]), 0.25, dtype=object)])
        data = content.encode()
        return name, data if pack is None else pack(data), truth

    return make_one


def _long(rng):
    texts, truth = grid(rng)
    cells = [f"u{i},m{j},{texts[i][j]}" for i, j in np.ndindex(truth.shape)]
    return "long.csv", "\n".join(["user,movie,rating", *cells, ""]).encode(), truth


def _coordinate(rng):
    texts, truth = grid(rng)
    texts = [
        [text[1:] if text[:1] == "+" and text[1:2].isdigit() else text for text in row] for row in texts
    ]  # a sign that SciPy's reader refuses
    cells = [f"{i + 1} {j + 1} {texts[i][j]}" for i, j in np.ndindex(truth.shape)]
    head = f"%%MatrixMarket matrix coordinate real general\n{truth.shape[0]} {truth.shape[1]} {truth.size}\n"
    end = "\n" if rng.random() < 0.5 else ""
    return "c.mtx", (head + "\n".join(cells) + end).encode(), truth


def _array(rng):
    texts, truth = grid(rng)
    texts = [[text[1:] if text[:1] == "+" and text[1:2].isdigit() else text for text in row] for row in texts]
    cells = [texts[i][j] for j in range(truth.shape[1]) for i in range(truth.shape[0])]
    head = f"%%MatrixMarket matrix array real general\n{truth.shape[0]} {truth.shape[1]}\n"
    return "a.mtx", (head + "\n".join(cells) + "\n").encode(), truth


SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
    '.main+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="a" Type="{RELATED}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{RELATED}"><sheets><sheet name="s" sheetId="1" r:id="a"/>'
    "</sheets></workbook>",
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="a" '
    f'Type="{RELATED}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def _workbook(rng):
    texts, truth = grid(rng)
    named = [["name", *(f"c{k}" for k in range(truth.shape[1]))], *([f"r{i}", *row] for i, row in enumerate(texts))]
    rows = []
    for i, row in enumerate(named, start=1):
        cells = []
        for j, text in enumerate(row):
            place = f"{chr(65 + j)}{i}"
            words = i == 1 or j == 0 or rng.random() < 0.1  # a number may be kept as text
            inside = (
                f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'
                if words
                else f'<c r="{place}"><v>{text}</v></c>'
            )
            cells.append(inside)
        rows.append(f'<row r="{i}">{"".join(cells)}</row>')
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, part in PARTS.items():
            archive.writestr(name, part)
        archive.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{SHEET}"><sheetData>{"".join(rows)}</sheetData></worksheet>'
        )
    return "book.xlsx", out.getvalue(), truth


def _typed(rng, shape: tuple[int, int]) -> tuple[np.ndarray, list[float | None]]:
    """A column or matrix of one type, and what its cells are."""
    kind = str(rng.choice(["f8", "f4", "f2", "i8", "u8", "i4", "u1", "i2", "b1"]))
    if kind[0] == "f":
        array = (rng.normal(size=shape) * 10.0 ** int(rng.integers(-3, 4))).astype(kind)
    elif kind == "b1":
        array = rng.random(shape) < 0.5
    else:
        info = np.iinfo(kind)
        wide = rng.random() < 0.4
        low, high = (info.min, info.max) if wide else (max(info.min, -99), min(info.max, 99))
        array = rng.integers(low, high, size=shape, dtype=kind, endpoint=True)
    exact = [Fraction(value) if kind[0] == "f" else Fraction(int(value)) for value in array.ravel().tolist()]
    return array, [float(x) if Fraction(float(x)) == x and (kind[0] == "f" or abs(x) <= 2**53) else None for x in exact]


def _npy(rng):
    array, truth = _typed(rng, (5, 4))
    out = io.BytesIO()
    np.save(out, array)
    return "a.npy", out.getvalue(), np.array(truth, dtype=object).reshape(5, 4)


def _parquet(rng):
    import pyarrow as pa
    from pyarrow import parquet

    made = [_typed(rng, (6, 1)) for _ in range(6)]
    numbers = [(array, truth) for array, truth in made if array.dtype != bool] or [(np.arange(6.0), list(range(6)))]
    numbers = (numbers * 6)[:6]  # of three columns it could not tell what they are
    out = io.BytesIO()
    table = {"name": [f"r{i}" for i in range(6)], **{f"c{k}": array.ravel() for k, (array, _) in enumerate(numbers)}}
    parquet.write_table(pa.table(table), out)
    return "a.parquet", out.getvalue(), np.array([truth for _, truth in numbers], dtype=object).T


MAKERS = {
    "csv": _delimited("a.csv", ","),
    "tsv": _delimited("a.tsv", "\t"),
    "csv.gz": _delimited("a.csv.gz", ",", gzip.compress),
    "semicolon.csv": _delimited("b.csv", ";", None, ","),
    "long.csv": _long,
    "coordinate.mtx": _coordinate,
    "array.mtx": _array,
    "xlsx": _workbook,
    "parquet": _parquet,
    "npy": _npy,
}
