"""Tables of text as people write them, with what they hold: made from a seed, without any reader of tables."""

import gzip
import random
from dataclasses import dataclass, field

import numpy as np

# A separator, a decimal mark, and how thousands may be grouped there.
CUTS = [
    (",", ".", ""), ("\t", ".", ","), ("\t", ",", "."), (";", ",", "."), (";", ".", ","), ("|", ".", ","),
    (" ", ".", ""), ("::", ".", ""), (";", ",", "\u202f"), ("\t", ".", "'"),
]  # fmt: skip
WORDS = ["NA", "", "NaN", "?", "-", ".", "null", "n/a", "#N/A", "None"]
CITIES = ["Oslo", "Köln", "Paris", "Łódź", "New York", "Rio", "Málaga", "Århus"]
LATIN = [city for city in CITIES if city != "Łódź"]


@dataclass
class Made:
    """A file and the truth about it."""

    content: bytes
    layout: str
    values: np.ndarray  # of a wide table as it stands; of a long one by sorted labels
    rows: list | None
    columns: list | None
    clear: bool  # whether one reading alone is plausible, by construction
    about: str
    name: str = "a.csv"
    cells: list[list[str]] = field(default_factory=list)  # of a wide table, numbers only
    render: object = None


def make(seed: int) -> Made:
    """One file; two of seven are long tables."""
    rng = random.Random(seed)
    return _long(rng) if rng.random() < 2 / 7 else _wide(rng)


def _number(rng: random.Random, content: str, cut: tuple[str, str, str]) -> tuple[str, float]:
    mark, group = cut[1], cut[2]
    match content:
        case "ratings":
            text = str(rng.randint(1, 5))
        case "counts":
            text = str(int(rng.expovariate(1 / 300)))
        case "scientific":
            text = f"{rng.gauss(0, 1) * 10 ** rng.randint(-6, 6):.4e}"
        case "shares":
            text = f"{rng.random():.2f}"
        case "three":
            text = f"{rng.uniform(1, 9):.3f}"
        case "long":
            text = repr(rng.gauss(0, 1))
        case "grouped" if group:
            number = round(rng.uniform(0, 9e6), 2)
            whole, part = f"{number:,.2f}".split(".")
            return whole.replace(",", group) + mark + part, number
        case _:
            text = f"{rng.gauss(3, 4):.{rng.choice([1, 2, 4, 5])}f}"
    return text.replace(".", mark), float(text)


CONTENTS = ["decimals", "decimals", "ratings", "counts", "scientific", "shares", "three", "long", "grouped"]
HEADERS = ["words", "words", "words", "units", "years", "ids", "none", "doses"]
INDEXES = ["names", "names", "none", "none", "count under id", "count", "pandas", "short", "dates", "ids"]


def _quoted(text: str, separator: str, always: bool) -> str:
    special = any(mark in text for mark in (separator, '"', " " if separator == " " else separator))
    return '"' + text.replace('"', '""') + '"' if always or special else text


def _names(rng: random.Random, kind: str, m: int, cut: tuple) -> list[str] | None:
    match kind:
        case "words":
            return [f"{rng.choice(['s', 'gene ', 'Probe_', 'x'])}{k}" for k in range(m)]
        case "units":
            return [f"dose {k} (mg{cut[0]} dry)" for k in range(m)]
        case "years":
            start = rng.randint(1950, 2000)
            return [str(start + k) for k in range(m)]
        case "ids":
            return [str(x) for x in rng.sample(range(100, 99999), m)]
        case "doses":
            return [f"{0.5 * k + 0.25:g}" for k in range(m)]
    return None


def _index(rng: random.Random, kind: str, n: int, latin: bool) -> tuple[str, list[str]] | None:
    match kind:
        case "names":
            cities = LATIN if latin else CITIES
            return rng.choice(["gene", "", "sample_id", "who"]), [f"{rng.choice(cities)} {k}" for k in range(n)]
        case "count under id":
            return rng.choice(["id", "ID", "patient_id"]), [str(k + 1) for k in range(n)]
        case "count":
            return "thing", [str(k + 1) for k in range(n)]
        case "pandas":
            return "", [str(k) for k in range(n)]
        case "short":
            return "", [f"r{k}" for k in range(n)]
        case "dates":
            return "date", [f"2021-{1 + k // 28:02d}-{1 + k % 28:02d}" for k in range(n)]
        case "ids":
            return "user_id", [str(x) for x in rng.sample(range(1000, 9999), n)]
    return None


def _wide(rng: random.Random) -> Made:
    cut = rng.choice(CUTS)
    separator = cut[0]
    n, m = rng.randint(5, 40), rng.randint(2, 12)
    content, header, index = rng.choice(CONTENTS), rng.choice(HEADERS), rng.choice(INDEXES)
    latin = rng.random() < 0.15 and cut[2] != "\u202f"
    if header == "doses" and m < 3:
        header = "words"  # two decimal names over decimals cannot be told from data
    names, labels = _names(rng, header, m, cut), _index(rng, index, n, latin)
    if separator == "::" and labels:
        labels = labels[0], [label.replace(":", "") for label in labels[1]]
    if index == "short" and names is None:
        labels = None
    missing = rng.choice([word for word in WORDS if word or separator != " "])
    share = rng.choice([0.0, 0.1, 0.3])
    cells, values = [], np.full((n, m), np.nan)
    for i in range(n):
        line = []
        for j in range(m):
            if rng.random() < share and i != j % n:
                line.append(missing)
            else:
                text, values[i, j] = _number(rng, content, cut)
                line.append(text)
        cells.append(line)
    always = separator != "::" and rng.random() < 0.1
    aside = rng.randint(0, m) if rng.random() < 0.2 else None
    words = [rng.choice(["red", "green", "blue and", "x y"]) for _ in range(n)]
    quoted_comma = separator == "," and cut[1] == ","

    newline = rng.choice(["\n", "\n", "\r\n"])
    top = rng.choice(["", "", "", f"# made by hand, 3 of 4{newline}"])
    if separator == ";" and rng.random() < 0.1:
        top = f"sep=;{newline}"
    last = rng.choice([newline, newline, "", newline * 2])
    codec, mark = ("cp1252", b"") if latin else rng.choice([("utf-8", b""), ("utf-8", b""), ("utf-8", b"\xef\xbb\xbf")])
    if not latin and rng.random() < 0.05:
        codec, mark = "utf-16-le", b"\xff\xfe"

    def put(text: str) -> str:
        return _quoted(text, separator, always)

    def render(numbers: list[list[str]]) -> bytes:
        lines = []
        if names is not None:
            line = [put(name) for name in names]
            if aside is not None:
                line.insert(aside, put("colour"))
            if labels is not None and index != "short":
                line.insert(0, put(labels[0]) if separator != " " or labels[0] else '""')
            lines.append(separator.join(line))
        for i, row in enumerate(numbers):
            line = [f'"{cell}"' if always or quoted_comma or (separator in cell and cell) else cell for cell in row]
            if aside is not None:
                line.insert(aside, put(words[i]))
            if labels is not None:
                line.insert(0, put(labels[1][i]))
            lines.append(separator.join(line))
        return mark + (top + newline.join(lines) + last).encode(codec)

    marks = [cell for line in cells for cell in line if cell != missing]
    settled = content not in ("three",) or separator == ","
    clear = settled and _clear_names(header, index, labels, names, content, m, n)
    if m + (labels is not None) + (aside is not None) in (3, 4):
        clear = clear and content not in ("ratings", "counts")
    if m < 3 and names is not None and header in ("years", "ids", "doses"):
        clear = False
    if aside is not None and labels is None and aside == 0:
        clear = False
    del marks
    about = f"{cut!r} {content} header={header} index={index} missing={missing!r} aside={aside} {n}x{m} {codec} {top!r}"
    made = Made(render(cells), "wide", values, None if labels is None else labels[1], names, clear, about, cells=cells)
    made.render = lambda numbers: render(numbers)
    made.name = _name(rng, separator)
    if rng.random() < 0.05:
        made.name += ".gz"
        plain, made.content = made.render, gzip.compress(made.content)
        made.render = lambda numbers: gzip.compress(plain(numbers))
    return made


def _clear_names(header: str, index: str, labels, names, content: str, m: int, n: int) -> bool:
    """Whether names and index can be told by what they are."""
    if index == "count" or (index in ("pandas", "count under id", "ids") and names is None):
        return False
    if index == "short" and names is not None and header in ("years", "ids", "doses"):
        return labels is not None
    if header in ("years", "ids"):
        # Over decimals no first line is whole numbers alone; over others it may be data, unless a corner tells.
        corner = labels is not None and (
            labels[0] in ("gene", "id", "ID", "sample_id", "patient_id", "user_id", "date", "")
        )
        return (content in ("decimals", "scientific", "long", "grouped") and m > 2) or corner
    if header == "doses":
        return labels is not None and labels[0] in ("gene", "sample_id", "date", "")
    return True


def _name(rng: random.Random, separator: str) -> str:
    if separator == "\t":
        return rng.choice(["a.tsv", "a.txt", "a.csv", "a.data"])
    return rng.choice(["a.csv", "a.csv", "a.txt"]) if separator in ",;|" else rng.choice(["a.txt", "a.dat"])


def _long(rng: random.Random) -> Made:
    cut = rng.choice(CUTS)
    separator = cut[0]
    n, m = rng.randint(8, 25), rng.randint(8, 25)
    text = rng.random() < 0.5
    rows = [f"u{k}" if text else str(k + 1) for k in range(n)]
    columns = [f"{rng.choice(['item', 'm'])}-{k}" if text else str(10 * k + 3) for k in range(m)]
    cells = rng.sample([(i, j) for i in range(n) for j in range(m)], max(n * m // 2, 40))
    cells.sort() if rng.random() < 0.3 else None
    content = rng.choice(["ratings", "decimals", "shares", "long"])
    header = rng.choice([None, ("user", "item", "rating"), ("a", "b", "c"), ("userId", "movieId", "rating")])
    stamp = rng.random() < 0.3 and (header is None or header[2] == "rating")
    missing = rng.choice([word for word in WORDS if word or separator != " "])
    share = rng.choice([0.0, 0.1])
    dense = np.full((n, m), np.nan)
    lines = [] if header is None else [separator.join([*header, *(["timestamp"] if stamp else [])])]
    for i, j in cells:
        word, number = _number(rng, content, cut)
        if rng.random() < share:
            word = missing
        else:
            dense[i, j] = number
        lines.append(separator.join([rows[i], columns[j], word, *([str(880_000_000 + 7 * i + j)] if stamp else [])]))
    order = lambda labels: np.argsort(np.array([int(x) if x.isdigit() else x for x in labels]))
    seen_rows, seen_columns = sorted({i for i, _ in cells}), sorted({j for _, j in cells})
    by_row = [i for i in order(rows).tolist() if i in set(seen_rows)]
    by_column = [j for j in order(columns).tolist() if j in set(seen_columns)]
    newline = rng.choice(["\n", "\r\n"])
    repeated = len(seen_rows) < len(cells) and len(seen_columns) < len(cells)
    about = f"long {cut!r} {content} header={header} text={text} stamp={stamp} missing={missing!r}"
    return Made(
        (newline.join(lines) + newline).encode(), "long", dense[np.ix_(by_row, by_column)],
        [rows[i] for i in by_row], [columns[j] for j in by_column], repeated, about, _name(rng, separator),
    )  # fmt: skip
