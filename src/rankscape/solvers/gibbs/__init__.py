"""Gibbs sampling of two thin factors, for entries that are mostly noise, for counts and for answers.

===============  ==============================================================================================
`sampler`        `Gibbs`: one sweep draws all rows of one side as blocks, then all of the other
`rows`           its compiled loops
`priors`         the normal-Wishart prior of a factor, its mean regressed on what is known of each row
`seen`           what is known: how many cells are seen, and which
`likelihoods`    what the entries are, as Gaussian observations: `Gaussian`, with noise of each row and column
`polya_gamma`    counts, and answers of two kinds
`bounded`        entries of which only bounds are known: ordered classes, what lies below a limit
`mean`           the mean of many draws, kept thin
===============  ==============================================================================================
"""
