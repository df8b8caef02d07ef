"""Sweeps: a grid of settings becomes batches, the batches become one zarr store, and nothing is lost on the way.

====================  ========================================================================================
which runs            `grid` numbers them, `over` reads what a user writes, `file` a TOML file
who makes them        `experiment` is the contract; `simulations` (with `kinds`) and `function` keep it
where they are made   `executors`, `clusters`; `pool` waits for them, `dispatch` sends batches, `worker` does one
what is kept          `layout` of one run, `store` of all; `result` reads it back, `export` writes one file
who is at it          `lock` (one client at a time), `progress`
all together          `run.sweep`
something else        `hands`: a fit of very many entries, whose blocks are updated by workers
====================  ========================================================================================
"""

from rankscape.sweeps.progress import SweepProgress as SweepProgress
from rankscape.sweeps.result import Sweep as Sweep
from rankscape.sweeps.run import sweep as sweep

__all__ = ["Sweep", "SweepProgress", "sweep"]
