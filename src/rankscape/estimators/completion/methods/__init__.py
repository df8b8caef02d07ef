"""How the observed entries are fitted, once an offset is gone.

================================  ==============================================================================
`path`, `solve`, `quasi_newton`   the minima of a ridge, which ones are alive, and how they are found
`jumping`                         SGD in the place of descent
`climb`, `chance`                 directions added while the residual holds more than chance explains
`polish`                          least squares at the rank found, by `projection` or, at size, `gauss_newton`
`penalised`                       minima of a low ridge as they are, at several depths
`posterior`, `sampling`           the mean of many directions (variational Bayes), and of draws (Gibbs)
`unequal`                         noise that differs from row to row and from column to column
`conditioning`, `folding`         one side of the factors given the other
================================  ==============================================================================
"""
