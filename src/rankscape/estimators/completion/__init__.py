"""Completing a matrix without a rank.

================================  ==============================================================================
`complete`, `estimator`           the two doors, one of them with the manners of scikit-learn (`fitted`)
`inputs`, `settings`, `split`     what people give: entries, arguments, and which entries are held out
`select`                          how the rank is chosen: the order in which things are tried, on one page
`methods`                         how entries are fitted: one contract, one file a method
`trial`, `fit`                    one offset on one set of entries; one fit with its held-out error
`ridge_path`, `jumping`           the minima of a falling ridge, and SGD in the place of descent
`offsets`, `baselines`            what needs no factor: offsets to remove first, and rules to be judged by
`fitting`, `result`, `cells`      from entries to what comes back, and what is asked of it cell by cell
`names`, `bounds`                 what rows and columns are called; within what predictions are
`scoring`, `validation`           errors of entries that are hidden; folds of entries
`certificate`, `cautions`         whether to trust it, and what speaks against it
`uncertainty`, `intervals`        standard errors of single values, and between which they lie
`storing`, `progress`             files without pickle; what is told meanwhile
================================  ==============================================================================
"""
