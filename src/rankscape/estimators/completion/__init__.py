"""Completing a matrix without a rank.

================================  ==============================================================================
`complete`, `estimator`           the two doors, one of them with the manners of scikit-learn
`inputs`, `fitting`               from what people have to entries; split, search, fit to all, report
`options`, `search`               what may be tried, in which order, and what held-out entries choose
`trial`, `candidate`              one offset with its fits; one fit with its held-out error
`refitting`                       the fit that was chosen, once more: on all entries
`methods`                         how entries are fitted: the ridge path, the climb, averages, draws
`baselines`                       what needs no factor: offsets to remove first, and rules to be judged by
`result`, `certificate`           what comes back, and whether to trust it
`uncertainty`, `storing`          standard errors of single values; files without pickle
`progress`                        what is told meanwhile
================================  ==============================================================================
"""
