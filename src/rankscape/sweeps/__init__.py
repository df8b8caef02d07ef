"""Sweeps: a grid of settings becomes batches, the batches become one zarr store, and nothing is lost on the way.

`grid` says which runs there are, an experiment (`simulations`, `function`) makes them, `layout` and `store` hold what
comes back, `worker` does one batch, `executors` says where, and `run.sweep` brings them together.
"""

from rankscape.sweeps.progress import Progress as Progress
from rankscape.sweeps.result import Sweep as Sweep
from rankscape.sweeps.run import sweep as sweep

__all__ = ["Progress", "Sweep", "sweep"]
