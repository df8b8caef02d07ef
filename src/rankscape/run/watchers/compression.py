"""Hidden directions that died are dropped on the way, so that the rest of the run costs what its rank costs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rankscape.engine import AbstractEngine, Setting
from rankscape.errors import InputError
from rankscape.factorization import compress
from rankscape.ground.final import final
from rankscape.run.watchers.base import AbstractWatcher, Look, Memory, RunState

if TYPE_CHECKING:
    import xarray as xr


@final
class WidthCompression(AbstractWatcher):
    """Narrows the factors of a single run at chunk ends, and keeps a line for each time."""

    name: ClassVar[str] = "compress_width"

    def __init__(self, settings: Sequence[Setting], engine: str):
        first = settings[0]
        # Where dead directions may come back, or are not kept at all, a narrower run would be another run.
        obstacles = {
            "a batch": len(settings) > 1,
            "the spectral engine": engine == "spectral",
            f"{type(first.dynamics).__name__}, whose memory belongs to the wider factors": first.dynamics.inertia,
            f"depth {first.depth} (dead directions grow back)": first.depth < 3,
            "float32 (dead directions stop near 5e-6)": first.dtype != "float64",
        }
        for obstacle, there in obstacles.items():
            if there:
                raise InputError(f"`compress_width` is not for {obstacle}; leave it out.")

    def begin(self, now: Look, kept: Memory | None) -> Memory:
        """No event yet."""
        return {"events": []}

    def pause(self, now: RunState, engine: AbstractEngine, step: int, last: bool) -> None:
        """Drop what died; at the end the factors stay as wide as they are."""
        if last:  # nothing is left to be saved by it
            return
        before = engine.factors(now.states[0])
        after, discarded = compress(before)
        narrow, wide = [W.shape[0] for W in after[:-1]], [W.shape[0] for W in before[:-1]]
        if narrow != wide:
            now.states[0] = engine.begin(engine.settings[0], after, now.states[0].step)
            event = f"step {step}: hidden widths {wide} -> {narrow}, discarded {discarded:.1e}"
            now.memories[0][self.name]["events"].append(event)

    def label(self, dataset: "xr.Dataset", memories: Sequence[Memory]) -> "xr.Dataset":
        """The events become an attribute."""
        return dataset.assign_attrs(events=memories[0].get("events", []))

    def describe(self) -> bool:
        """That widths are compressed."""
        return True
