"""Completing a matrix without a rank.

The front of the room holds the two doors and the way from entries to what comes back; each room behind it uses those
above it in this table:

================================  ==============================================================================
`complete`, `estimator`           the two doors, one of them with the manners of scikit-learn (`fitted`)
`inputs`, `settings`              what people give: entries, and how they want them completed
`fitting`                         from entries to what comes back, each step once
`censoring`                       the other way, below a detection limit
`scoring`, `validation`           errors of entries that are hidden; folds of entries
`at_work`, `progress`             where the sweeps run; what is told meanwhile
`cost`, `schedule`                what sweeps over very many entries cost; the same, played task by task
`ready/`                          entries made ready: names, offsets, units, and which are held out
`models/`                         what predicts every cell, with standard errors and intervals
`fits/`                           one fit of one offset to one set of entries
`methods/`                        how entries are fitted: one contract, one file a method
`search/`                         how the rank is chosen
`candidates/`                     what predicts, and is no product of thin factors
`competition/`                    which of them held-out entries choose, or combine
`trust/`                          the certificate, and what speaks against a completion
`completed/`                      what comes back
================================  ==============================================================================
"""
