"""A noisy matrix, denoised by stopping early: the noise level chooses the plateau."""
