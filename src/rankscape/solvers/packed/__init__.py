"""Thin factors of very many entries: variational Bayes whose sums cost little more than reading them.

Each row of a factor keeps one short record of its moments; a sum over entries is a sum of records. Rows belong to fixed
blocks, and a block to one thread, so that the result does not depend on how many there are.

===============  ==============================================================================================
`orders`         `Orders`: the entries in two orders, those that are held out at the end of each line
`dealing`        the second order of entries that do not fit the memory
`energies`       where to start, and how many directions chance does not explain
`records`        `State` and `Moments`: what is kept of the rows of a factor
`hands`          who goes through the blocks: threads, or workers elsewhere
`away`           blocks that another process updates: what it is told, and what it does
`journal`        sweeps that were made, for whoever is killed
`posterior`      `PackedPosterior`: sweeps of variational Bayes, which go on with other rows than they began with
`loops`          the compiled loops over entries,
`record_loops`   and over records
===============  ==============================================================================================
"""
