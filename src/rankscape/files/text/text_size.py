"""What reading a text will take, said before it is taken."""

from pathlib import Path

import numpy as np

from rankscape.ground.memory import check_bytes

# Bytes that reading takes (measured, of long and wide tables): for each byte, for each of the first lines and of the
# others, and for each byte of the longest line, whose cells are compared under every separator.
BYTE, LINE, LATER, LONGEST = 4, 350, 170, 120

# Lines after which the digits of a long table are not kept.
FIRST = 5_000_000


class TextSize:
    """Lines and bytes of a text that comes in blocks; refuses at the first block with which it would not fit.

    Examples
    --------
    >>> size = TextSize(Path("a.csv"))
    >>> size.add(b"1,2")
    >>> size.longest
    3
    """

    def __init__(self, path: Path):
        self.path, self.bytes, self.lines, self.longest, self.open = path, 0, 0, 0, 0

    def add(self, block: bytes) -> None:
        """Count a block."""
        mark = b"\n" if b"\n" in block else b"\r"  # of an old Macintosh
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == mark[0])
        self.bytes += len(block)
        self.lines += len(ends)
        if len(ends):
            self.longest = max(self.longest, self.open + int(ends[0]), int(np.diff(ends).max(initial=1)) - 1)
            self.open = len(block) - int(ends[-1]) - 1
        else:
            self.open += len(block)
        self.longest = max(self.longest, self.open)
        need = BYTE * self.bytes + LINE * min(self.lines, FIRST) + LATER * max(self.lines - FIRST, 0)
        check_bytes(
            need + LONGEST * self.longest,
            f"Reading {self.path}, at least {self.lines:,} lines, the longest of {self.longest:,} characters,",
            "Split it, or save it as Parquet.",
        )
