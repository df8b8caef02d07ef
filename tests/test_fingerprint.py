"""Digests of functions change when what they compute may have changed, and only then."""

import types

import pytest

import rankscape as rs
from rankscape.errors import CheckpointMismatch
from rankscape.ground.fingerprint import of_function

SOURCE = """
import math
from dataclasses import dataclass
from functools import partial, wraps

SCALE = 2.0
TABLE = {"one": [1, 2]}
calls = 0

@dataclass
class Model:
    power: int = 2
    def value(self, x):
        return x ** self.power

def shift(x):
    return x + 1

def helper(x):
    global calls
    calls += 1
    return shift(x) * SCALE

def bystander(x):
    return 7 * x

def cell(x: float):
    inner = lambda y: helper(y) + TABLE["one"][0]
    return inner(math.sin(x)) + Model().value(x)

def recursive(x):
    return recursive(x - 1) if x > 0 else helper(x)

class Callable:
    def __call__(self, x):
        return helper(x)

given = partial(cell, x=3)
called = Callable()
"""


def module(old: str = "", new: str = "") -> types.ModuleType:
    """The module above with one thing changed."""
    assert old in SOURCE
    made = types.ModuleType("users_experiment")
    exec(compile(SOURCE.replace(old, new) if old else SOURCE, "users_experiment.py", "exec"), made.__dict__)
    return made


CHANGES = {
    "helper of a helper": ("x + 1", "x + 2"),
    "constant": ("SCALE = 2.0", "SCALE = 3.0"),
    "table": ("[1, 2]", "[3, 2]"),
    "method": ("x ** self.power", "x * self.power"),
    "default of a class": ("power: int = 2", "power: int = 3"),
    "function of a library": ("math.sin", "math.cos"),
    "inner function": ("helper(y) +", "helper(y) -"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_function_uses_changes_its_digest(change):
    assert of_function(module().cell) != of_function(module(*change).cell)


@pytest.mark.parametrize("name", ["cell", "recursive", "given", "called"])
def test_the_same_code_has_the_same_digest(name):
    first, again = module(), module()
    before = of_function(getattr(first, name))
    first.cell(0.5)  # counts its calls
    commented = module("def bystander(x):\n    return 7 * x", "# nothing that it uses\n")
    digests = {of_function(getattr(other, name)) for other in (first, again, commented)}
    assert digests == {before}


def test_arguments_that_were_given_count():
    assert of_function(module().given) != of_function(module("x=3", "x=4").given)


def test_code_of_rankscape_is_told_by_its_version():
    made, other = module(), module("x + 1", "x + 2")
    for one in (made.cell, other.cell):
        one.__module__ = "rankscape.phases.made_up"
    assert of_function(made.cell) == of_function(other.cell)


def test_a_store_is_refused_when_a_helper_of_its_function_has_changed(tmp_path):
    store = tmp_path / "grid.zarr"
    rs.sweep(module().cell, {"x": [1.0, 2.0]}, store=store)
    rs.sweep(module().cell, {"x": [1.0, 2.0]}, store=store)
    with pytest.raises(CheckpointMismatch, match="code was"):
        rs.sweep(module("x + 1", "x + 2").cell, {"x": [1.0, 2.0]}, store=store)
