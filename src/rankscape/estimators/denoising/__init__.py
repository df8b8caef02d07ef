"""A noisy matrix, denoised by stopping early: the noise level chooses the plateau.

=============  ==================================================================
`estimator`    `DeepMatrixDenoiser`
`noise`        the level of the noise, and the threshold of a direction above it
`early_stop`   where the flow starts, when it stops, what it has learned by then
`certificate`  whether to trust the result
=============  ==================================================================
"""
