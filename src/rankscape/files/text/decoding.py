"""From bytes to text: a byte-order mark says how, else UTF-8, else Windows-1252, which is said aloud."""

import codecs
import warnings
from dataclasses import dataclass
from pathlib import Path

from rankscape.errors import FallbackWarning, FileFormatError
from rankscape.ground.kinds import BEGINNINGS

# The longer ones first: the mark of UTF-32 begins as that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
FALLBACK = "cp1252"


@dataclass(frozen=True)
class Encoding:
    """How text becomes bytes: a codec, and what stands before the text."""

    codec: str = "utf-8"
    mark: bytes = b""

    def encode(self, text: str) -> bytes:
        """The text as bytes, without the mark; what the codec cannot write becomes a question mark in no case."""
        return text.encode(self.codec)


def decode(path: Path, content: bytes) -> tuple[str, Encoding]:
    """Return the text and its encoding, or raise about the line that is no text."""
    mark, codec = next(((mark, codec) for mark, codec in MARKS if content.startswith(mark)), (b"", "utf-8"))
    encoding = Encoding(codec, mark)
    try:
        text = content[len(mark) :].decode(codec)
    except UnicodeDecodeError as error:
        if mark:
            raise FileFormatError(f"{path}: starts as {codec} text and is not: {error.reason}") from None
        text, encoding = _western(path, content, error.start), Encoding(FALLBACK)
    if "\0" in text:
        _refuse_binary(path, content)
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FileFormatError(
            f"{path}, line {line}: this is not UTF-8 text (UTF-16 without its mark, perhaps); save the file as UTF-8"
        )
    return text, encoding


def _refuse_binary(path: Path, content: bytes) -> None:
    """Raise about a file that is no text, by what it is where its beginning tells that."""
    kind = next((kind for begin, kind in BEGINNINGS if content.startswith(begin)), None)
    if kind is not None:
        raise FileFormatError(f"{path} is {kind}, not a text as its name says; give it the ending of what it is")


def _western(path: Path, content: bytes, at: int) -> str:
    _refuse_binary(path, content)
    line = content.count(b"\n", 0, at) + 1
    word = content[max(content.rfind(b"\n", 0, at) + 1, at - 12) : at + 12].split(b"\n")[0]
    try:
        text = content.decode(FALLBACK)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileFormatError(
            f"{path}, line {line}: the byte {content[error.start]:#04x} is neither UTF-8 nor Windows-1252 text; "
            "save the file as UTF-8"
        ) from None
    warnings.warn(
        f"{path}, line {line}: {word!r} is not UTF-8; the file is read as Windows-1252 (Latin-1), "
        f"{word.decode(FALLBACK, 'replace')!r} there",
        FallbackWarning,
        stacklevel=3,
    )
    return text
