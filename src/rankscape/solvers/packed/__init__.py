"""Thin factors of very many entries: variational Bayes whose sums cost little more than reading them.

Each row of a factor keeps one short record of its moments; a sum over entries is a sum of records. Rows belong to fixed
blocks, and a block to one thread, so that the result does not depend on how many there are.

===============  ==============================================================================================
`orders`         `Orders`: the entries in two orders, those that are held out at the end of each line
`loops`          the compiled loops over them
`energies`       where to start, and how many directions chance does not explain
`posterior`      `PackedPosterior`: sweeps of variational Bayes, of which half-done ones go on with other rows
===============  ==============================================================================================
"""
