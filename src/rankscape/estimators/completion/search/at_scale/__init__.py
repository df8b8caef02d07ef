"""Very many entries of a sparse matrix: searched on a sample of bounded size, fitted once as a whole.

What decides (the offset, how many directions, how much is noise, whether anything but a low rank with noise predicts)
is asked of the fullest lines. From the columns found there the whole is fitted by variational Bayes, on the training
entries until the noise is still, then on all. Where a sample shows that something else is called for, nothing is
claimed here, and the search goes its usual way.

===============  ==============================================================================================
`sample`         which entries are so many, and which of them are searched
`rivals`         what else might predict: asked of a sample
`search`         the offset and the directions that a sample shows
`whole`          the fit to all entries, and what it has missed
===============  ==============================================================================================
"""

from rankscape.estimators.completion.search.at_scale.whole import select_at_scale

__all__ = ["select_at_scale"]
