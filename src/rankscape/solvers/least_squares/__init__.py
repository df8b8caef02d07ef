"""Least squares at a known rank.

=====================  ==========================================================================================
`levenberg`            damped least squares, once; the next four supply their step
`variable_projection`  one thin factor eliminated
`gauss_newton`         the same for large matrices, by conjugate gradients
`levels`               with levels of rows and columns, fitted jointly
`fixed_rank`           through any linear measurements, in the tangent space
`known_rank`           which of the first two, on the part of a matrix that its entries determine
`new_rows`             rows that no fit has seen, given the other side
`determined`           which cells the entries determine
=====================  ==========================================================================================
"""
