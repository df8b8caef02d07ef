"""Files of every format, harmed: read in whole, or refused with the place."""

from pathlib import Path

import numpy as np

from rankscape import files
from rankscape.errors import FileFormatError

from ..case import Case
from ..damage import harmed_inside
from ..seeds import sound
from ..trial import Wrong


def make(rng: np.random.Generator) -> Case:
    """A sound file, harmed."""
    known = sorted(sound())
    name = known[int(rng.integers(len(known)))]
    content = harmed_inside(rng, name, sound()[name])
    if rng.random() < 0.02:  # what another extension says
        name = "a." + known[int(rng.integers(len(known)))].split(".", 1)[1]
    return Case(name, content)


def hand_in(case: Case, folder: Path) -> None:
    """Read it; every entry is a finite number inside the matrix."""
    path = folder / case.name
    path.write_bytes(case.content)
    try:
        table = files.read(path)
    except FileFormatError as error:
        if "not foreseen" in str(error):
            raise Wrong(str(error)) from error.__cause__
        raise
    finally:
        path.unlink()
    seen = table.entries
    if not len(seen.values) or not np.isfinite(seen.values).all():
        raise Wrong(f"entries {seen.values[:5]}")
    for indices, size in zip((seen.rows, seen.columns), seen.shape, strict=True):
        if indices.min() < 0 or indices.max() >= size:
            raise Wrong(f"an index outside of {seen.shape}")
