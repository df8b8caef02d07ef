"""Labelled arrays: what xarray would say of the same, and what works without it."""

import copy
import pickle

import numpy as np
import pytest

from rankscape.ground.labelled import Labelled

PATH = Labelled(
    {"spectrum": (("step", "index"), np.arange(6.0).reshape(3, 2)), "rank": (("step",), np.array([1, 2, 2]))},
    {"step": np.array([0, 5, 9]), "index": np.arange(2)},
    {"chosen": 9},
)


def test_the_data_set_holds_the_same():
    data = PATH.dataset()
    assert dict(data.sizes) == PATH.sizes
    assert set(data.dims) == set(PATH.dims)
    assert list(data.data_vars) == list(PATH)
    assert data.attrs == PATH.attrs
    for name in ("spectrum", "rank", "step"):
        assert np.array_equal(data[name], PATH[name])
        assert getattr(PATH, name) is PATH[name]
        assert name in PATH
        assert name in dir(PATH)


@pytest.mark.parametrize("where", [np.array([True, False, True]), np.array([2, 0]), np.zeros(3, dtype=bool)])
def test_a_part_is_that_of_the_data_set(where):
    assert PATH.take("step", where).dataset().identical(PATH.dataset().isel(step=where))


def test_copies_are_whole():
    for other in (copy.deepcopy(PATH), pickle.loads(pickle.dumps(PATH))):
        assert other.dataset().identical(PATH.dataset())


def test_an_unknown_name_is_answered_with_those_that_are_there():
    with pytest.raises(AttributeError, match=r"'ranks'.*step, index, spectrum, rank"):
        _ = PATH.ranks
    assert "ranks" not in PATH
    assert repr(PATH) == "Labelled(step: 3, index: 2; spectrum, rank)"
