"""Bytes that were changed as files are changed: by bits, cuts, and numbers of another kind."""

import bz2
import gzip
import io
import lzma
import re
import zipfile

import numpy as np

# What stands in for a number of a text.
NUMBERS = [
    b"1,5", b"0x10", b"1_000", b"1.5.6", b"3.7E", b"1e400", b"-1e400", b"1e-400", b"nan", b"inf", b"-inf", b"NaN", b"1e",
    b"+", b"-", b"", b"9007199254740993", b"99999999999999999999999", b"1" * 5000, b"0", b"-1", b"1.", b".5", b"1d5",
    b"2147483648", b"9223372036854775808", b"1.0abc", b"\xef\xbc\x91", b"\xc2\xa01", b"1 2", b"'", b'"', b"#", b"%",
    b"1e5e5", b"--1", b"1-", b"4e307", b"\x00", b"2020-01-01", b"NaT", b"true", b"1/2", b"50%", b"1\r2", b"\xe2\x88\x921",
]  # fmt: skip
TOKEN = re.compile(rb"[0-9][0-9.eE+-]*")

PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
OPENERS = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}


def harmed(rng: np.random.Generator, content: bytes, text: bool) -> bytes:
    """The bytes after one to four changes."""
    for _ in range(int(rng.choice([1, 1, 1, 2, 4]))):
        kinds = [_flip, _set, _cut, _drop, _double, _insert] + [_number] * (6 if text else 0)
        content = kinds[int(rng.integers(len(kinds)))](rng, content) or content
    return content


def harmed_inside(rng: np.random.Generator, name: str, content: bytes) -> bytes:
    """As `harmed`, but what is in a compressed file or an archive is harmed and packed again."""
    packing = next((end for end in OPENERS if name.endswith(end)), None)
    if packing and rng.random() < 0.7:
        return PACKERS[packing](harmed(rng, OPENERS[packing](content), text=True))
    if zipfile.is_zipfile(io.BytesIO(content)) and rng.random() < 0.7:
        return _harmed_archive(rng, content)
    text = b"\0" not in content[:4096]
    return harmed(rng, content, text)


def _harmed_archive(rng: np.random.Generator, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        hit = names[int(rng.integers(len(names)))]
        for name in names:
            inside = old.read(name)
            if name == hit:
                inside = harmed(rng, inside, text=name.endswith((".xml", ".rels")))
                name = "other" + name if rng.random() < 0.05 else name
            if name != hit or rng.random() > 0.05:
                new.writestr(name, inside)
    return out.getvalue()


def _at(rng: np.random.Generator, content: bytes) -> int:
    near = len(content) if rng.random() < 0.6 else min(len(content), 200)  # headers matter more than their share
    return int(rng.integers(max(near, 1)))


def _flip(rng, content):
    if content:
        at, changed = _at(rng, content), bytearray(content)
        changed[at] ^= 1 << int(rng.integers(8))
        return bytes(changed)


def _set(rng, content):
    at, size = _at(rng, content), int(rng.choice([1, 1, 2, 4, 8]))
    value = bytes([int(rng.choice([0, 255, 127, 128, 1, 10, 32, 44]))]) * size
    return content[:at] + value + content[at + size :]


def _cut(rng, content):
    return content[: _at(rng, content)]


def _drop(rng, content):
    at = _at(rng, content)
    return content[:at] + content[at + int(rng.integers(1, 40)) :]


def _double(rng, content):
    at = _at(rng, content)
    part = content[at : at + int(rng.integers(1, 200))]
    return content[:at] + part * int(rng.choice([2, 2, 3, 50])) + content[at + len(part) :]


def _insert(rng, content):
    at = _at(rng, content)
    return content[:at] + NUMBERS[int(rng.integers(len(NUMBERS)))] + content[at:]


def _number(rng, content):
    found = list(TOKEN.finditer(content[:20_000]))
    if found:
        one = found[int(rng.integers(len(found)))]
        return content[: one.start()] + NUMBERS[int(rng.integers(len(NUMBERS)))] + content[one.end() :]
