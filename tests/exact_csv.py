"""Numbers of a CSV file to the last digit, whatever the version of pandas."""

from pathlib import Path
from typing import Any

import pandas as pd

# Before 3.1 the reader was off by a last digit unless told; from then on it warns of being told.
TOLD: dict[str, Any] = (
    {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}
)


def read_csv(path: Path | str) -> pd.DataFrame:
    """The table."""
    return pd.read_csv(path, **TOLD)
