"""Parts that minimise or average: what completion, sensing, annealing and phase diagrams share.

=====================  ==========================================================================================
`conditioning`         many small normal equations at once: most rooms use it
`least_squares`        at a known rank
`descent`              down a loss with a ridge, to one minimum or to all of them
`posterior`            two thin factors with their uncertainty: variational Bayes
`filling`              gaps in rows of one Gaussian, filled by what is expected there
`full_covariance`      rows drawn from one Gaussian, parts of them unseen: expectation maximisation
`gibbs`                two thin factors by draws, for noise of many kinds
`packed`               variational Bayes of very many entries, in threads
`neighbours`           what lies near: rows that are alike, and ordered axes
`noise`                how large and of what shape it is, and what stands out of it
=====================  ==========================================================================================

In this order: each uses those before it.
"""
