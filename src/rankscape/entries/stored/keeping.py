"""Entries in memory, on disk."""

import numpy as np

from rankscape.entries.observed import Entries
from rankscape.entries.stored.sorting import bytes_needed
from rankscape.ground.stored import Folder, folder_of


def on_disk(entries: Entries) -> Entries:
    """The same entries mapped from files; these themselves where they are.

    >>> kept = on_disk(Entries([0, 1], [2, 0], [3.0, 5.0], (2, 3)))
    >>> kept.values.tolist(), folder_of(kept.values) is not None
    ([3.0, 5.0], True)
    """
    if folder_of(entries.values) is not None or entries.weights is not None:
        return entries
    folder = Folder()
    folder.check_space(bytes_needed(entries.count), f"Keeping {entries.count:,} entries on disk")
    made = [folder.new(entries.count, kind) for kind in (np.int32, np.int32, np.float64)]
    for part in entries.slices:
        for stored, array in zip(made, entries, strict=True):
            stored[part] = array[part]
    rows, columns, values = (stored.mapped() for stored in made)
    return Entries.sorted(rows, columns, values, entries.shape)
