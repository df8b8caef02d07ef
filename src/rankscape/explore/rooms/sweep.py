"""A sweep as a diagram of two hyperparameters, and each of its runs; or one run that was saved."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rankscape import theory
from rankscape.errors import InputError, RankscapeError
from rankscape.explore.calls import Call, Frame, Room, State
from rankscape.explore.opened import Opened
from rankscape.explore.pivot import pivot, sampled
from rankscape.explore.tabulated import lines
from rankscape.ground.checks import one_of
from rankscape.ground.final import final
from rankscape.theory.climbing.stopping import effective_rank_of

# Seconds between two looks at a store that is being filled.
LOOK = 2.0

# Curves of a run, points of a curve, and cells beside which theory is computed.
CURVES, POINTS, PREDICTED = 60, 800, 400

# What theory of identical starts needs to know, by the names of a configuration.
CLIMBING = {"alpha", "depth", "learning_rate", "beta"}


@final
@dataclass(frozen=True)
class SweepState(State):
    """What is shown.

    Attributes
    ----------
    x, y, value : str
        Names of the axes and of what colours the cells; empty for the first ones.
    at : int, optional
        Which record of a run, counted from the last one back: 0 is the end.
    run : int, optional
        Whose curves are shown.
    """

    x: str = ""
    y: str = ""
    value: str = ""
    at: int = 0
    run: int | None = None


@final
class Runs(Room):
    """The diagram, again whenever runs have come; the curves of a run."""

    name = "sweep"
    title = "Runs"
    sentence = "A sweep as a diagram of two of its axes, and the curves of each run; or a single run."
    state = SweepState

    def frames(self, state: SweepState, call: Call, opened: Opened) -> Iterator[Frame]:
        """Of what was named at the start."""
        if opened.kind == "run":
            words = {"words": str(opened.content.outcome)}
            yield _curves(opened.content.dataset, words | lines(str(opened.path), state, opened.kind))
            return
        if opened.kind != "sweep":
            yield Frame("empty")
            return
        sweep = opened.content
        code = lines(str(opened.path), state, opened.kind)
        if state.run is not None:
            yield _cell(sweep, state.run, code)
            return
        before = None
        while not call.stopped:
            now = sweep.status()
            if (now.done, now.state) != before:
                before = now.done, now.state
                yield from _diagram(sweep, state, now, str(opened.path))
            if now.state == "finished":
                return
            call.wait(LOOK)


def _diagram(sweep: Any, state: SweepState, now: Any, path: str) -> Iterator[Frame]:
    status = {"runs": now.runs, "done": now.done, "failed": now.failed, "state": now.state}
    axes = list(sweep.axes.values())
    data = sweep.dataset
    values = [
        name for name in data.data_vars if set(data[name].dims) <= {"run", "step"} and data[name].dtype.kind in "fiu"
    ]
    if not values or not axes:
        yield Frame("diagram", status | {"axes": axes, "values": values})
        return
    x, y = _chosen(state, axes)
    value = state.value or ("effective_rank" if "effective_rank" in values else values[0])
    one_of("value", value, values)
    cells = data[value]
    steps = int(cells.sizes.get("step", 1))
    at = max(0, steps - 1 - state.at)
    numbers = np.asarray(cells[:, at] if "step" in cells.dims else cells, dtype=float)
    done = np.asarray(data["done"], dtype=bool)
    columns = [np.asarray(data[name]) for name in ((x, y) if y else (x,))]
    grid, edges, runs, sampling = sampled(*pivot(np.where(done, numbers, np.nan), columns), (x, y))
    if value == "effective_rank" and grid.size > PREDICTED:
        sampling.append(f"Theory stands beside up to {PREDICTED} cells.")
    shown = {
        "x": x, "y": y, "value": value, "xs": [str(v) for v in edges[0]], "ys": [str(v) for v in edges[1]],
        "runs_of": runs.tolist(), "axes": axes, "values": values, "records": steps,
        "step": int(data["step"].values[at]) if "step" in cells.dims else None,
        "sampling": " ".join(sampling), "averaged": [name for name in axes if name not in (x, y)],
    }  # fmt: skip
    code = lines(path, replace(state, x=x, y=y, value=value), "sweep", "step" in cells.dims)
    yield Frame("diagram", status | shown | code, {"grid": grid})
    predicted = _predicted(sweep, data, x, y, edges, shown["step"]) if value == "effective_rank" else None
    if predicted is not None:
        yield Frame("theory", {}, {"grid": predicted})


def _chosen(state: SweepState, axes: list[str]) -> tuple[str, str]:
    """The axes of the picture; the second is empty where runs differ in one thing only."""
    for name, given in (("x", state.x), ("y", state.y)):
        if given:
            one_of(name, given, axes)
    x = state.x or next(name for name in axes if name != state.y)
    y = state.y or next((name for name in axes if name != x), "")
    if x == y:
        raise InputError(f"`x` and `y` are both {x!r}: choose two axes.")
    return x, y


def _predicted(sweep: Any, data: Any, x: str, y: str, edges: list[np.ndarray], step: int | None) -> np.ndarray | None:
    """The effective rank that the recursion of single eigenvalues has there; None where it does not hold."""
    names = {name: called for called, name in sweep.axes.items()}
    base = data.attrs["configuration"]["base"]
    start = base.get("initialization", "identical")
    plain = start in ("identical", "perturbed") and base.get("dynamics") == "gradient-descent" and not base.get("ridge")
    if step is None or not plain or base.get("eigenvalues") is None or edges[0].size * edges[1].size > PREDICTED:
        return None
    if not {names.get(name, name) for name in sweep.axes.values()} <= CLIMBING:
        return None
    grid = np.full((len(edges[1]), len(edges[0])), np.nan)
    for row, column in np.ndindex(*grid.shape):
        here = base | {names[x]: edges[0][column]} | ({names[y]: edges[1][row]} if y else {})
        try:
            beta = float(here["beta"]) if start == "perturbed" else None
            path = theory.eigenvalue_path(
                here["eigenvalues"], int(here["depth"]), float(here["alpha"]), float(here["learning_rate"]), [step],
                beta,
            )  # fmt: skip
        except (RankscapeError, TypeError, KeyError):
            continue
        grid[row, column] = effective_rank_of(path)[0]
    return grid


def _cell(sweep: Any, run: int, code: dict[str, str]) -> Frame:
    data = sweep.dataset
    if run >= data.sizes["run"]:
        raise InputError(f"`run` is {run}; the sweep has {data.sizes['run']:,} runs.")
    one = data.isel(run=run).load()
    where = ", ".join(f"{name} = {one[name].item()}" for name in sweep.axes.values())
    if not bool(one["done"]):
        return Frame("curves", {"words": f"Run {run} ({where}) is not made yet.", "run": run})
    return _curves(one, {"words": f"Run {run}: {where}. {one['message'].item()}", "run": run} | code)


def _curves(data: Any, facts: dict[str, Any]) -> Frame:
    """Singular values, or else whatever has steps, and the effective rank."""
    if "step" not in data.dims:
        numbers = {
            name: float(data[name])
            for name in data.data_vars
            if data[name].ndim == 0 and data[name].dtype.kind in "fiu"
        }
        return Frame("curves", facts | {"numbers": numbers})
    steps = np.asarray(data["step"])
    kept = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), POINTS)).astype(int))
    arrays = {"steps": steps[kept]}
    for name in ("eigenvalues", "singular_values"):
        if name in data and data[name].dims == ("step", data[name].dims[-1]):
            arrays["values"] = np.asarray(data[name])[kept, :CURVES].T
            facts = facts | {"drawn": name.replace("_", " ")}
            break
    if "effective_rank" in data:
        arrays["rank"] = np.asarray(data["effective_rank"])[kept]
    return Frame("curves", facts, arrays)
