"""A simulation as a flat configuration: the same names in a TOML file, on the command line, and in Python."""

import tomllib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from rankscape.errors import FallbackWarning, InputError, did_you_mean
from rankscape.ground.checks import listed

if TYPE_CHECKING:
    from rankscape.dynamics import AbstractDynamics
    from rankscape.initialization import AbstractInitialization
    from rankscape.problem import AbstractProblem
    from rankscape.run.trajectory import Trajectory


Floats = Annotated[list[float], BeforeValidator(listed)]
Steps = Annotated[list[int], BeforeValidator(listed)]


class SimulationConfig(BaseModel):
    """What `rankscape simulate` needs; every value can stand in a TOML file or be given as an option."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    eigenvalues: Floats | None = Field(None, description="Diagonal target, as 5,3,1.5.")
    target: Path | None = Field(None, description="Fully observed target: a NPY, NPZ or Matrix Market file.")
    entries: str | None = Field(None, description="Completion: a name from `rankscape data`, or a file of entries.")
    rows: str | None = Field(None, description="Column of a long file that names the row.")
    columns: str | None = Field(None, description="Column of a long file that names the column.")
    values: str | None = Field(None, description="Column of a long file that holds the value.")
    heldout: float = Field(0.0, ge=0, lt=1, description="Share of the entries held out of training.")
    depth: int = Field(3, ge=1, description="Number of factors.")
    width: int | None = Field(
        None, ge=1, description="Hidden width; as wide as the larger outer dimension if left out."
    )
    initialization: Literal["identical", "perturbed-identical", "gaussian", "orthogonal"] = Field(
        "identical", description="How the factors start."
    )
    alpha: float = Field(0.1, gt=0, description="Scale of the (perturbed) identical start.")
    beta: float = Field(0.05, gt=0, description="Perturbation of the perturbed identical start.")
    scale: float = Field(0.1, gt=0, description="Scale of the gaussian or orthogonal start.")
    dynamics: Literal["gradient-descent", "gradient-flow", "sgd"] = Field(
        "gradient-descent", description="How the factors move."
    )
    learning_rate: float = Field(
        1e-3, gt=0, description="Step size of one update of all factors; time of one step for gradient-flow."
    )
    ridge: float = Field(0.0, ge=0, description="Factor of the sum of squared Frobenius norms of the factors.")
    batch_size: int = Field(1, ge=1, description="Entries in one step of SGD.")
    replacement: bool = Field(True, description="Draw entries with replacement; otherwise reshuffled epochs.")
    steps: int = Field(10_000, ge=0, description="Number of steps.")
    record: Steps | None = Field(None, description="Steps to record, as 0,10,1000; a schedule if left out.")
    seed: int = Field(0, ge=0, description="Decides every random number.")
    dtype: Literal["float64", "float32"] = Field("float64", description="Precision.")
    engine: Literal["auto", "spectral", "matrix", "entrywise", "flow", "stack", "measurements"] = Field(
        "auto", description="Which engine computes."
    )
    compress_width: bool = Field(False, description="Drop hidden directions that died (depth 3 and more).")

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
            if len(table.values) < table.shape[0] * table.shape[1]:
                raise InputError(f"--target {self.target} has missing entries; give it as --entries instead.")
            return Estimation(table.dense())
        table = open_source(str(self.entries), rows=self.rows, columns=self.columns, values=self.values).table
        problem = Completion(table.rows, table.columns, table.values, table.shape)
        return problem.split(self.heldout, self.seed) if self.heldout else problem

    def check_use(self) -> None:
        """SGD needs entries; settings that the run does not look at are named in a warning."""
        if self.dynamics == "sgd" and self.entries is None:
            raise InputError("--dynamics sgd draws observed entries: give --entries, not --eigenvalues or --target.")
        used = {
            **dict.fromkeys(("rows", "columns", "values", "heldout"), self.entries is not None),
            **dict.fromkeys(("batch_size", "replacement"), self.dynamics == "sgd"),
            "alpha": self.initialization in ("identical", "perturbed-identical"),
            "beta": self.initialization == "perturbed-identical",
            "scale": self.initialization in ("gaussian", "orthogonal"),
        }
        idle = [f"--{name.replace('_', '-')}" for name in used if name in self.model_fields_set and not used[name]]
        if idle:
            warnings.warn(f"{', '.join(idle)}: without effect in this run.", FallbackWarning, stacklevel=3)

    def run(self, **options: Any) -> "Trajectory":
        """Simulate; `options` go to `rankscape.simulate`."""
        from rankscape.run.simulation import simulate

        return simulate(
            self.problem(),
            self.depth,
            self.width,
            initialization=self.make_initialization(),
            dynamics=self.make_dynamics(),
            **{name: getattr(self, name) for name in ("steps", "record", "seed", "dtype", "engine", "compress_width")},
            **options,
        )

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

        match self.dynamics:
            case "gradient-descent":
                return dynamics.GradientDescent(self.learning_rate, self.ridge)
            case "gradient-flow":
                return dynamics.GradientFlow(self.learning_rate, self.ridge)
            case "sgd":
                return dynamics.SGD(self.learning_rate, self.ridge, self.batch_size, self.replacement)


def read_toml(path: Path) -> dict[str, Any]:
    """The keys of a TOML file, hyphens allowed for underscores, refused when unknown."""
    try:
        keys = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid TOML: {error}.") from None
    known = SimulationConfig.model_fields
    settings = {}
    for key, value in keys.items():
        name = key.replace("-", "_")
        if name not in known:
            raise InputError(f"{path}: unknown key {key!r}{did_you_mean(name, known) or '.'}")
        if name in settings:
            raise InputError(f"{path}: {name} is given twice, with a hyphen and with an underscore.")
        if isinstance(value, bool) != (known[name].annotation is bool):
            raise InputError(f"{path}: {name} = {str(value).lower()}: true and false are for switches, and only they.")
        settings[name] = value
    return settings


def make_config(settings: dict[str, Any], where: str) -> SimulationConfig:
    """A checked configuration; `where` names the file or the command line in the error."""
    try:
        return SimulationConfig(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{where}: {first['loc'][0]} = {first['input']!r}: {first['msg']}.") from None
