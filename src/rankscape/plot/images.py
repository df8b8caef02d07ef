"""A completed photograph: what was seen, what was filled in, what it really is."""

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.arrays import real_array
from rankscape.ground.checks import shown
from rankscape.plot.panels import Image


def completion_images(seen: np.ndarray, completed: np.ndarray, truth: np.ndarray | None) -> list[Image]:
    """The pictures to show for a completed image: NaN in `seen` marks the hidden pixels.

    Examples
    --------
    >>> seen = np.array([[0.0, np.nan], [0.5, 1.0]])
    >>> [image.title for image in completion_images(seen, np.nan_to_num(seen), None)]
    ['given', 'completed']
    """
    for name, matrix in (("seen", seen), ("completed", completed), ("truth", truth)):
        if matrix is not None and real_array(matrix, name).ndim != 2:
            raise InputError(f"`{name}` must be a matrix, got {shown(matrix)}.")
    basis = seen if truth is None else truth
    limits = float(np.nanmin(basis)), float(np.nanmax(basis))
    images = [Image("given", seen, limits), Image("completed", completed, limits)]
    if truth is not None:
        images.append(Image("truth", truth, limits))
    return images
