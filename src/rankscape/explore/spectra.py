"""The spectrum of a real matrix, for the room `climb`: found in a process of its own, as its file is from outside."""

from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from rankscape.errors import InputError
from rankscape.explore.calls import MOST, Frame
from rankscape.explore.reading import called

# Cells of a matrix that is decomposed here, and digits of its values.
LARGEST, DIGITS = 16_000_000, 6


def spectrum(_: Connection, source: str, name: str, model: bool) -> Iterator[Frame]:
    """One frame: the values, the largest first, and what they are in words."""
    with called(source, name):
        matrix = _matrix(source, model)
    values, kind, shape = spectrum_of(matrix)
    shown = [float(f"{value:.{DIGITS}g}") for value in values[:MOST]]
    words = f"{Path(name).name}, {shape[0]:,} × {shape[1]:,}: its {len(values):,} {kind}"
    if len(values) > MOST:
        words += f", of which the {MOST} largest are taken"
    if min(shown) < 0:
        words += "; negative ones are learned from a perturbed start only, so give β a value"
    yield Frame("spectrum", {"eigenvalues": shown, "words": f"{words}."})


def spectrum_of(matrix: np.ndarray) -> tuple[np.ndarray, str, tuple[int, ...]]:
    """Eigenvalues of a symmetric matrix, else singular values, the largest in size first; and which they are.

    >>> spectrum_of(np.array([[0.0, 2.0], [2.0, 0.0]]))[:2]
    (array([ 2., -2.]), 'eigenvalues')
    """
    if matrix.shape[0] == matrix.shape[1] and np.allclose(matrix, matrix.T, rtol=1e-10, atol=1e-12 * _size(matrix)):
        values = np.linalg.eigvalsh(matrix)[::-1]
        return values[np.argsort(-np.abs(values), kind="stable")], "eigenvalues", matrix.shape
    return np.linalg.svd(matrix, compute_uv=False), "singular values", matrix.shape


def _size(matrix: np.ndarray) -> float:
    return float(np.abs(matrix).max())


def _matrix(source: str, model: bool) -> np.ndarray:
    if model:
        from rankscape.estimators.completion.completed.tabled import load_model

        done, _ = load_model(Path(source))
        _check_size(done.shape)
        return done.matrix
    from rankscape.data.source import open_source

    table = open_source(source).table
    _check_size(table.shape)
    holes = table.shape[0] * table.shape[1] - table.entries.count
    if holes:
        raise InputError(
            f"{holes:,} of its cells are missing, and a spectrum needs all: complete the table first, in the room "
            "“Complete”, save the model, and take that."
        )
    return table.entries.dense()


def _check_size(shape: tuple[int, int]) -> None:
    if shape[0] * shape[1] > LARGEST:
        raise InputError(
            f"The matrix has {shape[0] * shape[1]:,} cells; the spectrum of up to {LARGEST:,} is found on the page. "
            "Find it with NumPy, and type its largest values."
        )
