"""Decompositions that do not give up."""

import numpy as np
import pytest

from rankscape.estimators import complete
from rankscape.ground.linalg import thin_svd


def refuse(*_, **__):
    raise np.linalg.LinAlgError("SVD did not converge")


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (1, 4)])
def test_the_slow_driver_takes_over(rng, shape, monkeypatch):
    A = rng.standard_normal(shape)
    expected = thin_svd(A)
    monkeypatch.setattr(np.linalg, "svd", refuse)
    U, s, Vt = thin_svd(A)
    np.testing.assert_allclose(s, expected[1], rtol=1e-12)
    np.testing.assert_allclose((U * s) @ Vt, A, atol=1e-12)
    assert U.shape == expected[0].shape
    assert Vt.shape == expected[2].shape


def test_a_completion_outlives_a_decomposition_that_fails(rng, monkeypatch):
    W = rng.standard_normal((20, 2)) @ rng.standard_normal((2, 15))
    seen = np.where(rng.random(W.shape) < 0.7, W, np.nan)
    monkeypatch.setattr(np.linalg, "svd", refuse)
    done = complete(seen)
    assert done.rank == 2
    np.testing.assert_allclose(done.fitted, W, atol=1e-8)
