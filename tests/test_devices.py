"""Batches of the matrix engine on many devices: every run keeps its bits, and every device has its share."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from rankscape.engine.lanes import filled_up, mesh_for

SCRIPT = """
import json, jax, numpy as np, rankscape as rs
from rankscape.engine import matrix

facts, shares, descend = {}, [], matrix._descend_batch
def watched(*arguments):
    moved = descend(*arguments)
    first = moved[0][0]
    shares.append([len(first.sharding.device_set), first.shape[0]])
    return moved
matrix._descend_batch = watched

rng = np.random.default_rng(3)
problems = [rs.Estimation(rng.normal(size=(6, 5))), rs.Sensing(rng.normal(size=(9, 6, 5)), rng.normal(size=9))]
for count in (3, 13):
    rates = [rs.GradientDescent(rate) for rate in np.linspace(1e-3, 1e-2, count)]
    runs = [
        rs.simulate(problem, depth=3, initialization=rs.Gaussian(0.3), dynamics=rates, seed=list(range(count)),
                    steps=100, record=[0, 100], engine="matrix")
        for problem in problems
    ]
    found = facts[count] = {"devices": jax.device_count(), "shares": shares[:], "global": jax.config.jax_enable_x64}
    found["factors"] = [[[W.tobytes().hex() for W in factors] for factors in run.all_factors] for run in runs]
    found["loss"] = [run.loss.values.tobytes().hex() for run in runs]
    shares.clear()
print(json.dumps(facts))
"""


def _on(devices: int) -> dict:
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def found() -> tuple[dict, dict]:
    """What one device and eight of them compute: a process each, for all numbers of runs."""
    return _on(1), _on(8)


@pytest.mark.parametrize("runs", [13, 3])
def test_eight_devices_give_the_bits_of_one(runs, found):
    one, eight = (facts[str(runs)] for facts in found)
    assert (one["devices"], eight["devices"]) == (1, 8)
    used = min(8, runs)
    assert all(devices == used and lanes % used == 0 and lanes >= runs for devices, lanes in eight["shares"])
    assert eight["shares"]
    assert (one["factors"], one["loss"]) == (eight["factors"], eight["loss"])


def test_one_device_needs_no_mesh():
    assert mesh_for(1) is None


def test_stacks_are_filled_up_by_their_last_run():
    (filled,) = filled_up([np.arange(10).reshape(5, 2)], 4)
    assert filled.shape == (8, 2)
    assert filled[5:].tolist() == [[8, 9]] * 3
    (same,) = filled_up([np.arange(10)], 1)
    assert same.shape == (10,)
