"""One door for a matrix as people have it, and the same kind of thing back.

================  ==============================================================================================
`given`           `Given`: its entries, the names of rows and columns, and how to make one like it
`door`            `given_of`: which kind of thing it is
`arrays`          NumPy and masked arrays, lists, sparse and labelled (xarray) arrays
`frames`          pandas, polars and pyarrow frames, column by column
`columns`         what one column holds: numbers, text to be kept aside, or what is refused by name
`long`            frames with one line for each entry
`frame`           a frame that is read by position
`returning`       the same kind of thing back
================  ==============================================================================================
"""

from rankscape.entries.given.door import given_of
from rankscape.entries.given.given import Given

__all__ = ["Given", "given_of"]
