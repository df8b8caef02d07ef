"""Noise: how large it is, of what shape, which entries it has spoiled, and what stands out of it.

=====================  ==========================================================================================
`median_polish`        rows and columns by their medians, and how large most residuals are
`least_magnitudes`     a linear fit that wild values cannot lead
`leverage`             how much of its own fitted value an entry decides
`noise_variances`      how noisy each row and column is
`scale_mixture`        noise of any symmetric shape, and what least squares has to weigh it by
`sign_flips`           whether a residual holds another direction
`shrinkage`            what to keep of the singular values of a noisy matrix
`stein`                what that costs, without the truth
=====================  ==========================================================================================
"""
