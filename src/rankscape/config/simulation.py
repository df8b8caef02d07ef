"""A simulation as a flat configuration: the same names in a TOML file, on the command line, and in Python."""

import warnings
from typing import TYPE_CHECKING, Any

from rankscape.config.fields import Fields
from rankscape.config.watching import STOPS, monitor_of, stop_of
from rankscape.errors import FallbackWarning, InputError, did_you_mean

if TYPE_CHECKING:
    from rankscape.dynamics import AbstractDynamics
    from rankscape.initialization import AbstractInitialization
    from rankscape.problem import AbstractProblem
    from rankscape.run.trajectory import Trajectory


class SimulationConfig(Fields):
    """The settings of a run, and what they make: problem, start, dynamics, trajectory.

    What is made is imported where it is made: to parse a command must not load an engine.

    Examples
    --------
    >>> config = SimulationConfig(eigenvalues=[2.0, 1.0], depth=3, alpha=0.1)
    >>> config.problem().shape, config.steps
    ((2, 2), 10000)
    """

    def problem(self) -> "AbstractProblem":
        """The problem that the configuration names: exactly one of eigenvalues, target and entries."""
        from rankscape.problem import Completion, Estimation

        given = [name for name in ("eigenvalues", "target", "entries") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise InputError(
                f"Give exactly one of --eigenvalues, --target and --entries, as options or in the file; found {found}."
            )
        self.check_use()
        if self.eigenvalues is not None:
            return Estimation(eigenvalues=self.eigenvalues)
        from rankscape.data.source import open_source

        if self.target is not None:
            table = open_source(str(self.target)).table
            # A file of entries would be read as a target with holes, and a hole is not a zero.
            if len(table.values) < table.shape[0] * table.shape[1]:
                raise InputError(f"--target {self.target} has missing entries; give it as --entries instead.")
            return Estimation(table.dense())
        table = open_source(str(self.entries), rows=self.rows, columns=self.columns, values=self.values).table
        problem = Completion.of_entries(table.entries)
        # The seed of the run decides what is held out, too: one number repeats all of it.
        return problem.split(self.heldout, self.seed) if self.heldout else problem

    def check_use(self) -> None:
        """SGD needs entries; settings that the run does not look at are named in a warning."""
        if self.dynamics == "sgd" and self.entries is None:
            raise InputError("--dynamics sgd draws observed entries: give --entries, not --eigenvalues or --target.")
        used = {
            **dict.fromkeys(("rows", "columns", "values", "heldout"), self.entries is not None),
            **dict.fromkeys(("batch_size", "replacement"), self.dynamics == "sgd"),
            "optimizer": self.dynamics == "optimizer",
            "stop_every": any(getattr(self, name) is not None for name in STOPS[1:]),
            "momentum": self.dynamics in ("heavy-ball", "nesterov"),
            "alpha": self.initialization in ("identical", "perturbed-identical"),
            "beta": self.initialization == "perturbed-identical",
            "scale": self.initialization in ("gaussian", "orthogonal"),
        }
        # Only what was given: defaults that have no effect are no mistake.
        idle = [f"--{name.replace('_', '-')}" for name in used if name in self.model_fields_set and not used[name]]
        if idle:
            warnings.warn(f"{', '.join(idle)}: without effect in this run.", FallbackWarning, stacklevel=3)

    def run(self, **options: Any) -> "Trajectory":
        """Simulate; `options` go to `rankscape.simulate`."""
        from rankscape.run.simulation import simulate

        run = simulate(
            self.problem(),
            self.depth,
            self.width,
            initialization=self.make_initialization(),
            dynamics=self.make_dynamics(),
            stop=stop_of(self),
            monitor=monitor_of(self),
            **{name: getattr(self, name) for name in ("steps", "record", "seed", "dtype", "engine", "compress_width")},
            **options,
        )
        # So that a file of it can say whether it holds this run or another.
        run.dataset.attrs["settings"] = self.model_dump_json()
        return run

    def make_initialization(self) -> "AbstractInitialization":
        """Where it starts."""
        from rankscape import initialization

        match self.initialization:
            case "identical":
                return initialization.Identical(self.alpha)
            case "perturbed-identical":
                return initialization.PerturbedIdentical(self.alpha, self.beta)
            case "gaussian":
                return initialization.Gaussian(self.scale)
            case "orthogonal":
                return initialization.Orthogonal(self.scale)

    def make_dynamics(self) -> "AbstractDynamics":
        """How it moves."""
        from rankscape import dynamics

        rate, ridge = self._rate("learning_rate"), self._rate("ridge")
        match self.dynamics:
            case "gradient-descent":
                return dynamics.GradientDescent(rate, ridge)
            case "heavy-ball":
                return dynamics.HeavyBall(rate, self.momentum, ridge)
            case "nesterov":
                return dynamics.Nesterov(rate, self.momentum, ridge)
            case "gradient-flow":
                return dynamics.GradientFlow(rate, ridge)
            case "sgd":
                return dynamics.SGD(rate, ridge, self.batch_size, self.replacement)
            case "optimizer":
                return dynamics.Optimizer(self._transformation(), ridge)

    def _rate(self, name: str) -> Any:
        """A number, or the path of numbers that was given in its place."""
        stages = getattr(self, f"{name}_path")
        if stages is None:
            return getattr(self, name)
        if name in self.model_fields_set:
            raise InputError(f"--{name.replace('_', '-')} and its path exclude each other; a path begins at step 0.")
        from rankscape.rates import piecewise

        return piecewise({int(step): float(value) for step, _, value in (stage.partition(":") for stage in stages)})

    def _transformation(self) -> Any:
        """The optimizer of optax, by its name."""
        import inspect

        import optax

        takes_rate = lambda f: (
            inspect.isfunction(f) and next(iter(inspect.signature(f).parameters), "") == "learning_rate"
        )
        names = [name for name, function in vars(optax).items() if takes_rate(function)]
        if self.optimizer not in names:
            near = did_you_mean(self.optimizer, names) or f"; there are {', '.join(sorted(names))}."
            raise InputError(f"--optimizer {self.optimizer}: optax has no optimizer of this name{near}")
        if self.learning_rate_path is not None:
            raise InputError("--learning-rate-path is for other dynamics: optimizers of optax take one rate.")
        return getattr(optax, self.optimizer)(self.learning_rate)
