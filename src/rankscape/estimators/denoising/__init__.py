"""A noisy matrix, denoised: the trajectory says which directions, the shrinkage how much of each.

=============  =======================================================================
`estimator`    `DeepMatrixDenoiser`
`observed`     the matrix in units of its noise: what all others look at
`spectrum`     its directions
`noise`        what noise alone looks like: its law, its edge, and what chance makes of both
`level`        how much of it there is
`whitening`    rows and columns that are noisier than others
`amounts`      how much is kept of each direction
`tails`        whether single errors may be in the way
`robust`       what entries say then
`projection`   rows on the directions that were learned, new ones too
`trajectory`   descent that learns these directions, and its stop
`early_stop`   where the flow starts, what it has learned by when
`certificate`  whether to trust the result
=============  =======================================================================
"""
