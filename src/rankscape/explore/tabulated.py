"""What the room `sweep` shows, in Python and on the command line."""

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rankscape.explore.rooms.sweep import SweepState


def lines(path: str, state: "SweepState", kind: str, recorded: bool = True) -> dict[str, str]:
    """Of a saved run; of one run of a sweep; or of the diagram, whose cells are means over the runs that are done."""
    word = shlex.quote(f"./{path}" if path.startswith("-") else path)
    if kind == "run":
        python = [f"run = rs.Trajectory.load({path!r})", "print(run.outcome, run.dataset)"]
        return _told(python, f"rankscape check {word}")
    python = [f"sweep = rs.Sweep({path!r})"]
    if state.run is not None:
        python += [f"run = sweep.dataset.isel(run={state.run}).load()", "print(run)"]
        return _told(python, f"rankscape sweep export {word} -o runs.csv")
    cells = f"sweep.dataset[{state.value!r}]"
    cells += f".isel(step={-1 - state.at})" if recorded else ""
    axes = [name for name in (state.y, state.x) if name]
    finite = '.replace([float("inf"), float("-inf")], float("nan"))'
    python += [
        'done = sweep.dataset["done"].values',
        f"table = {cells}.to_dataframe()[done]{finite}.groupby({axes!r})[{state.value!r}].mean()",
        f"print(table{'.unstack()' if state.y else ''})",
    ]
    return _told(python, f"rankscape sweep export {word} -o runs.csv")


def _told(python: list[str], shell: str) -> dict[str, str]:
    return {"python": "\n".join(["import rankscape as rs", "", *python]) + "\n", "shell": shell + "\n"}
