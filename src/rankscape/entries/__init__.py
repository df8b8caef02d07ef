"""The entries of a matrix that are seen: one type, from a file to a completed matrix.

================  ==============================================================================================
`observed`        `Entries`: positions, values, weights; checked, sorted and merged once, read-only
`labelled`        what holds entries and the names of their rows and columns: a file, a data set
`prepared`        `PreparedEntries`: the same, ready for many evaluations of a loss and its gradient
`loops`           the compiled loops behind it
`checking`        kind, length and range of what people give
`duplicates`      the one sort, and positions that are given twice
`hashed`          the loops that choose entries by a hash
`heldout`         which entries are held out, by a hash that no order can change
`stored`          entries that are more than the memory holds, sorted and mapped
`given`           one door for a matrix as people have it, and the same kind of thing back
================  ==============================================================================================
"""

from rankscape.entries.observed import Entries

__all__ = ["Entries"]
