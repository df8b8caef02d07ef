"""Run-time checking of annotations, switched on for the tests: shapes by jaxtyping, everything else by beartype."""

from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is welcome where a float is expected

# Rooms behind the doors: what comes in through a door is checked there, and tested with wrong types on purpose.
ROOMS = (
    "observe", "rates", "theory", "plot", "solvers.descent.relaxation", "entries.checking", "ground.storage",
    "ground.fingerprint", "run.loop", "run.batch", "run.continuing", "run.labelling", "run.ending", "run.checkpoint",
    "run.storing", "run.trajectory", "run.watchers.base", "run.watchers.observers", "run.watchers.compression",
    "run.watchers.curvature",
    "engine.base", "engine.chain_rule", "engine.lanes", "engine.matrix", "engine.stack.engine", "engine.measurements",
    "engine.spectral", "engine.entrywise.engine", "engine.flow.engine",
)  # fmt: skip


def switch_on() -> None:
    """Check the rooms that are imported from now on (the engines' compiled functions stay as they are)."""
    install_import_hook([f"rankscape.{room}" for room in ROOMS], "typecheck.check")
