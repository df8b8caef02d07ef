"""When a run of a configuration stops, and what watches it."""

from typing import TYPE_CHECKING

from rankscape.errors import InputError

if TYPE_CHECKING:
    from rankscape.config.fields import Fields
    from rankscape.run.watchers.jumps import RankMonitor
    from rankscape.run.watchers.stopping import AbstractRule
    from rankscape.theory.climbing.stopping import StoppingRule

# The wishes, of which a run has one.
STOPS = ("stop_step", "stop_effective_rank", "stop_rank", "stop_plateau", "stop_heldout")

# What only a single run has: a sweep makes each of its runs to the last step.
WATCHING = (*STOPS, "stop_every", "monitor")


def stop_of(config: "Fields") -> "AbstractRule | StoppingRule | None":
    """The stopping rule of a configuration, if it has one."""
    from rankscape.run.watchers.stopping import AtEffectiveRank, AtStep, OnHeldout, OnPlateau

    given = [name for name in STOPS if getattr(config, name) is not None]
    if len(given) > 1:
        names = " and ".join("--" + name.replace("_", "-") for name in given)
        raise InputError(f"A run stops for one reason: give {names} one at a time.")
    if config.stop_step is not None:
        return AtStep(config.stop_step)
    if config.stop_effective_rank is not None:
        return AtEffectiveRank(config.stop_effective_rank, every=config.stop_every)
    if config.stop_plateau is not None:
        return OnPlateau(config.stop_plateau, every=config.stop_every)
    if config.stop_heldout is not None:
        return OnHeldout(config.stop_heldout, every=config.stop_every)
    return None if config.stop_rank is None else _by_theory(config, config.stop_rank)


def monitor_of(config: "Fields") -> "RankMonitor | None":
    """The rank monitor, if it is wanted."""
    from rankscape.run.watchers.jumps import RankMonitor

    return RankMonitor() if config.monitor else None


def _by_theory(config: "Fields", rank: int) -> "StoppingRule":
    """The step for a rank, as theory knows it: for a diagonal target, an identical start and gradient descent."""
    from rankscape.theory import stopping_rule

    starts = {"identical": None, "perturbed-identical": config.beta}
    known = config.initialization in starts and config.dynamics == "gradient-descent" and not config.ridge
    if config.eigenvalues is None or not known or config.ridge_path or config.learning_rate_path:
        raise InputError(
            "--stop-rank asks theory, which knows --eigenvalues, an identical start and gradient descent without a "
            "ridge; --stop-effective-rank and --stop-plateau look at the run."
        )
    beta = starts[config.initialization]
    return stopping_rule(config.eigenvalues, config.depth, config.alpha, config.learning_rate, rank=rank, beta=beta)
