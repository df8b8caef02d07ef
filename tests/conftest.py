"""Shared by all tests: where the helper modules lie, how hypothesis runs, and what no test may change."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # catalogue.py, reference.py and typecheck.py

import typecheck

typecheck.switch_on()

settings.register_profile("rankscape", deadline=None, derandomize=True, database=None, max_examples=15)
settings.load_profile("rankscape")


def pytest_make_parametrize_id(val, argname: str) -> str | None:
    """No bytes in a test's name: compressed ones may carry the time, and all workers must collect the same names."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every session."""
    return np.random.default_rng(20240607)


@pytest.fixture
def short_chunks(monkeypatch):
    """Chunks of 8 steps, so that a short run has many chunk ends, with a checkpoint at each of them."""
    monkeypatch.setattr("rankscape.run.simulation.CHUNK_SECONDS", 1e-9)
    monkeypatch.setattr("rankscape.run.checkpoint.INTERVAL", 0.0)


@pytest.fixture(autouse=True)
def _global_precision_flag_stays():
    """Double precision belongs to the engines: the caller's JAX flag is never touched."""
    before = "jax" in sys.modules and sys.modules["jax"].config.jax_enable_x64
    yield
    after = "jax" in sys.modules and sys.modules["jax"].config.jax_enable_x64
    assert after == before


@contextlib.contextmanager
def _fewer_draws() -> Iterator[None]:
    """Completions that decide on two splits, by chains of a few sweeps; everything else is done as always."""
    with pytest.MonkeyPatch.context() as patch:
        room = "rankscape.estimators.completion"
        for place in ("contest", "near_exact"):
            patch.setattr(f"{room}.competition.{place}.SPLITS", 2)
        patch.setattr(f"{room}.competition.contest.MORE_SPLITS", 3)
        for place in ("candidates.draws", "methods.sampled"):
            patch.setattr(f"{room}.{place}.LEAST", 20)
            patch.setattr(f"{room}.{place}.MOST", 20)
        yield


@pytest.fixture
def hasty() -> Iterator[None]:
    """For what does not depend on how good a completion is: of a small table it takes a tenth of the time."""
    with _fewer_draws():
        yield


@pytest.fixture(scope="module")
def hasty_file() -> Iterator[None]:
    """The same for all tests of a file, and for what they share."""
    with _fewer_draws():
        yield
