"""A matrix from linear measurements of it, without a rank.

=============  ==================================================================
`estimator`    `DeepMatrixSensing`
`descent`      from a small start until the measurements are nearly met
`rank`         which of the directions that it has learned are kept
`certificate`  whether to trust the result
=============  ==================================================================
"""
