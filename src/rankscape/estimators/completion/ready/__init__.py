"""Entries as people have them, made ready: what is removed first, by what they are divided, and which are held out.

================  ==================================================================================================
`names`           what rows and columns are called, and where they stand
`bounds`, `kinds` within what predictions are; real numbers, counts, answers of two kinds, or ordered levels
`offsets`         what is removed before factorizing: a mean, damped biases of rows and columns
`sizes`           how large the entries of a row or column are
`scaling`         one number for each row and column, by which entries are divided
`constants`       rows and columns of which all entries are equal
`split`           the entries in one unit, split into those that are fitted and those that judge
`gaps`            held-out entries in the pattern of the gaps
`stretches`       the same where an axis is ordered and gaps lie together along it
`farther`         what the distance of missing cells from what is seen adds to their error
`baselines`       predictions that need no factor: what a completion is judged by
================  ==================================================================================================
"""
