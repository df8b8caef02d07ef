"""Parts that minimise: what completion, sensing, annealing and phase diagrams share.

=====================  ==========================================================================================
`levenberg`            damped least squares, once; the next three supply their step
`variable_projection`  least squares at a known rank, one thin factor eliminated
`gauss_newton`         the same for large matrices, by conjugate gradients
`fixed_rank`           the same through any linear measurements, in the tangent space
`least_squares`        which of the first two, on the part of a matrix that its entries determine
`ridge_minimum`        loss plus ridge on balanced factors, and which of their directions live
`quasi_newton`         limited-memory BFGS for long vectors
`posterior`            two thin factors with their uncertainty: variational Bayes
`packed`               the same of very many entries, in threads
`gibbs`                the same by draws, for noise of many kinds
`full_covariance`      rows drawn from one Gaussian, parts of them unseen: expectation maximisation
`filling`              the loops behind it: gaps filled by what is expected there
`near_rows`            rows that are most alike, and what they predict for one another
`between`              along an ordered axis, what lies between two entries
`order`                whether an axis is ordered
`random_walk`          thin factors that walk along an ordered axis
`conditioning`         many small normal equations at once
`new_rows`             rows that no fit has seen, given the other side
`median_polish`        rows and columns by their medians, and how large most residuals are
`scale_mixture`        noise of any symmetric shape, and what least squares has to weigh it by
`leverage`             how much of its own fitted value an entry decides
`noise_variances`      how noisy each row and column is
`shrinkage`            what to keep of the singular values of a noisy matrix
`stein`                what that costs, without the truth
`sign_flips`           whether a residual holds another direction
`relaxation`           from any point down the gradient flow to rest
`minima`               which minima there are, by many relaxations, each with its Hessian
`stable_rate`          the largest learning rate at which SGD does not blow up
=====================  ==========================================================================================
"""
