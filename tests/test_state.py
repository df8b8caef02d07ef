"""The state of a run: what moves, what is remembered, and that both are enough to go on."""

import numpy as np
import pytest
from catalogue import ONE_OF_EACH

from rankscape.engine import State

# By module: the tests of one case follow one another, and find what was compiled for it.
every_engine = pytest.mark.parametrize("case", ONE_OF_EACH.values(), ids=ONE_OF_EACH.keys(), scope="module")


def test_only_what_moves_can_diverge():
    """The best value that an optimizer has seen so far is infinite until it has seen one."""
    fine, gone = [np.zeros(2), np.ones((2, 2))], [np.zeros(2), np.array([[1.0, np.nan]])]
    assert State(5, fine, [np.array(np.inf)]).within(1e150)
    assert not State(5, gone).within(1e150)
    assert not State(5, fine).within(0.5)


@every_engine
def test_a_packed_state_comes_back_and_goes_on_with_the_same_bits(case, tmp_path):
    engine = case.engine_at_work()
    (state,) = engine.advance(engine.start(), 40)
    np.savez(tmp_path / "state.npz", **state.pack())
    with np.load(tmp_path / "state.npz") as file:
        again = State.unpack({name: file[name] for name in file.files})
    (one,), (other,) = engine.advance([state], 100), case.engine_at_work().advance([again], 100)
    assert (one.step, other.step) == (100, 100)
    for part in ("moving", "memory"):
        for A, B in zip(getattr(one, part), getattr(other, part), strict=True):
            assert (A.dtype, A.tobytes()) == (B.dtype, B.tobytes())
