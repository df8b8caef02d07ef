"""Down a loss with a ridge: to one minimum, or to all of them.

=====================  ==========================================================================================
`quasi_newton`         limited-memory BFGS for long vectors
`ridge_minimum`        loss plus ridge on balanced factors, and which of their directions live
`relaxation`           from any point down the gradient flow to rest
`minima`               which minima there are, by many relaxations, each with its Hessian
`stable_rate`          the largest learning rate at which SGD does not blow up
=====================  ==========================================================================================
"""
