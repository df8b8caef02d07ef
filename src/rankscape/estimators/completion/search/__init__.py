"""The search for a low rank: what is tried, in which order, and what held-out entries choose.

================  ==================================================================================================
`select`          how the rank is chosen: the order in which things are tried, on one page
`selection`       what a search has chosen, and how it is fitted once more
`units`           the search in standard units of rows or columns, where these are quantities of their own
`lines`           how unlike rows or columns are, in level and in size: what that is told from
`robust`          a second search that single wild entries cannot lead (`attempt`: one round of it; `tails`)
`own_values`      counts, answers, classes: large values that a model of their own kind foresees are not wrong
`gain`            which of two fits predicts better where held-out entries may be wrong themselves
`many_lines`      very many rows of few columns: some are searched, the others folded in
`at_scale`        very many entries of a sparse matrix: searched on a sample, fitted once as a whole
================  ==================================================================================================
"""
