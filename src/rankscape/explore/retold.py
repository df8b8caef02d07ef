"""A run of the room `fall` in Python: with everything that was altered on the way."""

from typing import TYPE_CHECKING

from rankscape.explore.stretches import Stretch

if TYPE_CHECKING:
    from rankscape.explore.rooms.fall import FallState

# Steps of a run that has not begun.
STEPS = 100_000


def lines(state: "FallState", past: list[Stretch]) -> dict[str, str]:
    """To its last step; of a run that has not begun, the first hundred thousand steps."""
    past = past or [Stretch(STEPS, state.ridge, state.learning_rate, state.seed)]
    if state.problem == "planted":
        lab = f"rs.data.planted(seed={state.seed})"
    else:
        lab = f"rs.data.gaussian({state.n}, {state.rank}, {state.oversampling!r}, seed={state.seed})"
    python = ["import rankscape as rs", "", f"lab = {lab}", *_start(state, past[0])]
    before = None
    for stretch in past:
        python += _stretch(state, stretch, before)
        before = stretch
    python.append("print(run.dataset.singular_values.values[-1], lab.relative_error(run.product))")
    text = "\n".join(python) + "\n"
    # The command line knows files and no such matrix: there Python reads the same lines.
    return {"python": text, "shell": f"python - <<'END'\n{text}END\n"}


def _start(state: "FallState", first: Stretch) -> list[str]:
    if state.start == "gaussian":
        return ["start = rs.Gaussian(0.5)"]
    if state.problem == "planted":
        begin, near = [], f"lab.start({state.depth}, {state.width})"
    else:
        sgd = f"rs.SGD({min(first.learning_rate, 0.05)!r}, {first.ridge!r})"
        near = "begin.factors"
        begin = [
            f"begin = rs.simulate(lab.problem, {state.depth}, {state.width}, initialization=rs.Gaussian(0.5),",
            f"                    steps=1, seed={state.seed}, dynamics={sgd})",
        ]
    return [*begin, f"start = rs.Factors(rs.relax(lab.problem, {near}, {first.ridge!r}).factors)"]


def _stretch(state: "FallState", stretch: Stretch, before: Stretch | None) -> list[str]:
    if before is None:
        sizes = f"{state.depth}, {state.width}, " if state.start == "gaussian" else ""
        begin, steps = "start", stretch.end
    else:
        # Another seed is another run, from the factors of this one.
        sizes, begin = "", "run" if before.seed == stretch.seed else "rs.Factors(run.factors)"
        steps = stretch.end - before.end
    return [
        f"run = rs.simulate(lab.problem, {sizes}initialization={begin}, steps={steps:_}, seed={stretch.seed},",
        f"                  dynamics=rs.SGD({stretch.learning_rate!r}, {stretch.ridge!r}), monitor=rs.RankMonitor())",
        "print(run.jumps.values)",
    ]
