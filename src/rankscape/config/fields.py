"""Names, types, bounds and help of a simulation's settings: the options of the command line, the keys of a file."""

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from rankscape.files.formats import titles
from rankscape.ground.checks import DEEPEST, MOST_STEPS, listed

# People type 5,3,1.5; a TOML file has a list.
Floats = Annotated[list[float], BeforeValidator(listed)]
Steps = Annotated[list[int], BeforeValidator(listed)]


def _stages(value: Any) -> Any:
    """Pieces ``step:value`` of a path, as people type them; a TOML file may have pairs."""
    pairs = [f"{p[0]}:{p[1]}" if isinstance(p, list | tuple) and len(p) == 2 else p for p in value or ()]
    return listed(value if isinstance(value, str) else pairs)


def _stage(text: str) -> str:
    step, colon, value = text.partition(":")
    if not colon or not step.strip().isdigit() or not 0 <= float(value) < math.inf:
        raise ValueError("Must be STEP:VALUE, as 0:1e-3,1000:1e-4")
    return text


Stages = Annotated[list[Annotated[str, AfterValidator(_stage)]], BeforeValidator(_stages)]


class Fields(BaseModel):
    """What `rankscape simulate` needs; every value can stand in a TOML file or be given as an option."""

    # Frozen, because runs are batched and cached by what they are set to; a misspelled name is an error, not a default.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    eigenvalues: Floats | None = Field(None, description="Diagonal target, as 5,3,1.5.")
    target: Path | None = Field(None, description=f"Fully observed target: a {titles(long=False)} file.")
    entries: str | None = Field(None, description="Completion: a name from `rankscape data`, or a file of entries.")
    rows: str | None = Field(None, description="Column of a long file that names the row.")
    columns: str | None = Field(None, description="Column of a long file that names the column.")
    values: str | None = Field(None, description="Column of a long file that holds the value.")
    heldout: float = Field(0.0, ge=0, lt=1, description="Share of the entries held out of training.")
    depth: int = Field(3, ge=1, le=DEEPEST, description="Number of factors.")
    width: int | None = Field(
        None, ge=1, description="Hidden width; as wide as the larger outer dimension if left out."
    )
    initialization: Literal["identical", "perturbed-identical", "gaussian", "orthogonal"] = Field(
        "identical", description="How the factors start."
    )
    alpha: float = Field(0.1, gt=0, description="Scale of the (perturbed) identical start.")
    beta: float = Field(0.05, gt=0, description="Perturbation of the perturbed identical start.")
    scale: float = Field(0.1, gt=0, description="Scale of the gaussian or orthogonal start.")
    dynamics: Literal["gradient-descent", "heavy-ball", "nesterov", "gradient-flow", "sgd", "optimizer"] = Field(
        "gradient-descent", description="How the factors move."
    )
    learning_rate: float = Field(
        1e-3, gt=0, description="Step size of one update of all factors; time of one step for gradient-flow."
    )
    learning_rate_path: Stages | None = Field(None, description="Learning rate from each step on, as 0:1e-2,500:1e-3.")
    optimizer: str = Field("adam", description="Name of an optimizer of optax, for the dynamics of this name.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Share of the last movement that heavy-ball, nesterov keep.")
    ridge: float = Field(0.0, ge=0, description="Factor of the sum of squared Frobenius norms of the factors.")
    ridge_path: Stages | None = Field(None, description="Ridge from each step on, as 0:1e-3,1000:1e-5.")
    batch_size: int = Field(1, ge=1, description="Entries in one step of SGD.")
    replacement: bool = Field(True, description="Draw entries with replacement; otherwise reshuffled epochs.")
    steps: int = Field(10_000, ge=0, le=MOST_STEPS, description="Number of steps.")
    record: Steps | None = Field(None, description="Steps to record, as 0,10,1000; a schedule if left out.")
    seed: int = Field(0, ge=0, le=2**64 - 1, description="Decides every random number.")
    dtype: Literal["float64", "float32"] = Field("float64", description="Precision.")
    engine: Literal["auto", "spectral", "matrix", "entrywise", "flow", "stack", "measurements"] = Field(
        "auto", description="Which engine computes."
    )
    compress_width: bool = Field(False, description="Drop hidden directions that died (depth 3 and more).")
    stop_step: int | None = Field(None, ge=0, description="Stop at this step.")
    stop_effective_rank: float | None = Field(None, gt=0, description="Stop when the effective rank has risen to this.")
    stop_rank: int | None = Field(None, ge=1, description="Stop at the step that theory names for this rank.")
    stop_plateau: int | None = Field(None, ge=1, description="Stop on the first, second, ... plateau of the rank.")
    stop_heldout: float | None = Field(
        None, ge=0, description="Stop when the held-out loss is worse than its best by more than this part of it."
    )
    stop_every: int | None = Field(None, ge=1, description="Steps between two looks of a stopping rule.")
    monitor: bool = Field(False, description="Stamp every change of the rank with its step.")
