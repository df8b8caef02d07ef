"""How to complete: the arguments of `complete` and of `DeepMatrixCompletion`, checked once."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.estimators.completion.ready.kinds import CHOICES, REAL, Kind, ValuesChoice, check_limit, kind_of
from rankscape.estimators.completion.ready.offsets import OFFSETS, OffsetKind
from rankscape.estimators.completion.ready.scaling import SCALES, ScaleKind
from rankscape.estimators.losses import LossChoice
from rankscape.ground.checks import DEEPEST, one_of, real, share, whole
from rankscape.ground.final import final
from rankscape.ground.threads import threads_of
from rankscape.solvers.packed.hands import AbstractHands
from rankscape.solvers.packed.journal import Journal

Depth: TypeAlias = int | Literal["auto"]
OffsetChoice: TypeAlias = Literal["auto"] | OffsetKind
PathKind: TypeAlias = Literal["minima", "sgd"]
ScaleChoice: TypeAlias = Literal["auto"] | ScaleKind
OrderedAxis: TypeAlias = Literal["auto", "rows", "columns", "both"] | None

# Default largest rank: photographs keep 30 to 60 live directions, ratings under 10, and the cost grows with it.
MAX_RANK = 60

# Depths that held-out entries choose from; at the first one, ranks are sharp and minima are quick to find.
DEPTHS = 3, 2, 4

# Root mean square residual, on entries of rms 1, of an exact fit in double precision.
MET_EXACTLY = 1e-9


@final
@dataclass(frozen=True)
class Settings:
    """What a completion may try.

    Attributes
    ----------
    depth, max_rank, validation_fraction, offset, path, scale, loss, ordered, values, seed
        As in `complete`; the seed is that of the held-out split and of all draws.
    limit : float or None
        The `detection_limit` of `complete`.
    kind : Kind
        What `values` come to on the entries.
    resolution : float
        Relative precision of the data.
    threads : int
        At most so many; they change no digit.
    hands : AbstractHands, optional
        Who sweeps over very many entries; the threads without it.
    journal : Journal, optional
        Where the sweeps are written down.
    """

    depth: Depth = "auto"
    max_rank: int = MAX_RANK
    validation_fraction: float = 0.1
    offset: OffsetChoice = "auto"
    path: PathKind = "minima"
    scale: ScaleChoice = "auto"
    loss: LossChoice = "auto"
    ordered: OrderedAxis = "auto"
    values: ValuesChoice = "auto"
    limit: float | None = None
    kind: Kind = REAL
    seed: int = 0
    resolution: float = 2.2e-16
    threads: int = 1
    hands: AbstractHands | None = None
    journal: Journal | None = None

    @property
    def depths(self) -> tuple[int, ...]:
        """The depths to try; the first one climbs."""
        return DEPTHS if isinstance(self.depth, str) else (self.depth,)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The offsets to try, from simple to rich."""
        return OFFSETS if self.offset == "auto" else (self.offset,)

    @property
    def exact(self) -> float:
        """Root mean square residual, on entries of rms 1, that counts as none."""
        return max(MET_EXACTLY, min(20 * self.resolution, 1e-5))

    def knowing(self, entries: Entries) -> "Settings":
        """The same, knowing what these entries may be: values of a kind that was named have one unit, and no errors."""
        check_limit(self.limit, entries)
        kind = kind_of(self.values, entries)
        if kind.named == "real":
            return replace(self, kind=kind)
        scale = "none" if self.scale == "auto" else self.scale
        return replace(self, kind=kind, scale=scale, loss="squares" if self.loss == "auto" else self.loss)

    def most(self, shape: tuple[int, int]) -> int:
        """Most directions of a matrix of this shape."""
        return min(self.max_rank, *shape)


def settings_of(
    depth: Depth,
    max_rank: int | None,
    validation_fraction: float,
    offset: OffsetChoice,
    path: PathKind,
    scale: ScaleChoice,
    loss: LossChoice,
    ordered: OrderedAxis,
    values: ValuesChoice,
    detection_limit: float | None,
    seed: int,
    resolution: float = 2.2e-16,
    n_jobs: int | None = 1,
) -> Settings:
    """The settings of a fit, checked; `resolution` is the relative precision of the data."""
    one_of("offset", offset, ("auto", *OFFSETS))
    one_of("path", path, get_args(PathKind))
    one_of("scale", scale, ("auto", *SCALES))
    one_of("loss", loss, get_args(LossChoice))
    one_of("ordered", ordered, ("auto", "rows", "columns", "both", None))
    if path == "sgd" and loss == "robust":
        raise InputError("path='sgd' draws all entries equally often, loss='robust' weighs them: use path='minima'.")
    one_of("values", values, CHOICES)
    limit = None if detection_limit is None else real("detection_limit", detection_limit)
    if limit is not None:
        _check_limited(values, scale)
        values, scale = "real", "none"
    if isinstance(depth, str) and depth != "auto":
        raise InputError(f"`depth` must be a whole number or 'auto', got {depth!r}.")
    depth = depth if isinstance(depth, str) else whole("depth", depth, 2, DEEPEST)
    max_rank = MAX_RANK if max_rank is None else whole("max_rank", max_rank, least=1)
    seed = whole("seed", seed, least=0)
    held, resolution = share("validation_fraction", validation_fraction), float(resolution)
    how = depth, max_rank, held, offset, path, scale, loss, ordered, values, limit
    return Settings(*how, REAL, seed, resolution, threads_of(n_jobs))


def _check_limited(values: str, scale: str) -> None:
    if values not in ("auto", "real"):
        raise InputError(f"`detection_limit` is for numbers that are measured: it takes no values={values!r}.")
    if scale not in ("auto", "none"):
        raise InputError(f"`detection_limit` is one number in the units of the data: it takes no scale={scale!r}.")
