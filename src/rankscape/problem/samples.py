"""Samples: losses that see a matrix through what it makes of vectors, one at a time."""

from typing import NamedTuple

import numpy as np


class Samples(NamedTuple):
    r"""What SGD over samples reads: the error of each sample is a function of ``W x`` alone.

    The gradient of one sample with respect to ``W`` is :math:`e\,x^\top`, with :math:`z = W x` and

    ==================  ==================================================================
    ``"regression"``    :math:`e = z - y`
    ``"projection"``    :math:`e = (a^\top z - t)\,a`
    ``"logistic"``      :math:`e = -t / (1 + \exp(t z))`, one output
    ``"exponential"``   :math:`e = -t \exp(-t z)`, one output
    ==================  ==================================================================

    Attributes
    ----------
    inputs : array of shape (P, n_in)
        The vectors x, one a row.
    outputs : array of shape (P, n_out)
        The vectors y, or a.
    numbers : array of shape (P,)
        The numbers t.
    error : str
        Which of the four.
    weight : float
        SGD follows `weight` times the mean over its batch: 1 where the loss is a mean, P where it is a sum.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> samples = rs.Regression(np.eye(3), np.ones((3, 2))).samples
    >>> samples.error, samples.inputs.shape, samples.outputs.shape
    ('regression', (3, 3), (3, 2))
    """

    inputs: np.ndarray
    outputs: np.ndarray
    numbers: np.ndarray
    error: str
    weight: float
