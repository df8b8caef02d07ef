"""One fit of one offset to one set of entries, and what it says of them.

================  ==================================================================================================
`fit`             what was fitted, by which method, and its error on what it did not see
`trial`           one offset on one set of entries: what the methods work on, and the fits that they offer
`ridge_path`      the minima of a falling ridge, one after another (`path`: everything that a search tried)
`jumping`         SGD on single entries in the place of descent: it leaves minima of too high a rank
`going_on`        an earlier fit as the start of another, in other units
`known`           what is known of very many entries once they were fitted
`left_over`       what a fit leaves of all entries: how large, how heavy the tails
`lone_lines`      rows and columns that a direction serves for themselves
`parts`           parts of the matrix that no entry connects, and the directions that they share
`determination`   which cells the entries determine
================  ==================================================================================================
"""
