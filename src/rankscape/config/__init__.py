"""A simulation in names and values.

==============  ======================================================================
`fields`        which names there are, with types, bounds and help
`simulation`    what they make: `SimulationConfig`
`watching`      when a run stops, and what watches it
`reading`       from a TOML file or a mapping: `read_toml`, `load_toml`, `make_config`
==============  ======================================================================
"""

from rankscape.config.reading import load_toml, make_config, read_toml
from rankscape.config.simulation import SimulationConfig
from rankscape.config.watching import WATCHING

__all__ = ["WATCHING", "SimulationConfig", "load_toml", "make_config", "read_toml"]
