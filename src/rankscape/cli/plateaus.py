"""``rankscape plateaus``."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from rankscape.cli.output import number, print_json, print_table
from rankscape.ground.checks import listed, real, whole


def _depth(_: Any, tokens: Sequence[Any]) -> int:
    """As it was typed: without this 2.5 would become 2."""
    return whole("--depth", real("--depth", tokens[0].value), least=2)


def plateaus(
    *,
    eigenvalues: Annotated[list[str], Parameter(allow_leading_hyphen=True)],
    depth: Annotated[int, Parameter(converter=_depth)],
    alpha: float,
    learning_rate: float,
    beta: float | None = None,
    tolerance: float = 0.05,
    target_noise: float = 0.0,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Predict the steps between which each rank holds.

    Parameters
    ----------
    eigenvalues
        Of the target, as 5,3,1.5.
    depth
        Number of factors.
    alpha
        Scale of the identical start.
    learning_rate
        Step size of gradient descent.
    beta
        Perturbation of the perturbed identical start; without it the start is identical.
    tolerance
        Active modes are within this share of the smallest of them, the others below this share of the largest.
    target_noise
        Spectral norm of noise in the target that the intervals allow for.
    json
        Print JSON.
    """
    from rankscape import theory

    numbers = [real("--eigenvalues", piece) for piece in listed(eigenvalues)]
    found = theory.plateaus(numbers, depth, alpha, learning_rate, beta, tolerance, target_noise)
    if json:
        print_json({"plateaus": [_facts(plateau) for plateau in found]})
        return
    rows = [
        (
            str(p.rank),
            _interval(p),
            number(p.effective_rank),
            f"{p.deviation[0]:+.3g} .. {p.deviation[1]:+.3g}",
            p.failed or "",
        )
        for p in found
    ]
    print_table(("rank", "holds at steps", "effective rank", "certified deviation", "why not"), rows)


def _interval(plateau: Any) -> str:
    if plateau.start is None or not plateau.guaranteed:
        return "none"
    return f"{plateau.start} .. {'the end' if plateau.end is None else plateau.end}"


def _facts(plateau: Any) -> dict[str, Any]:
    names = ("rank", "start", "end", "effective_rank", "deviation", "active", "levels", "guaranteed", "failed")
    return {name: getattr(plateau, name) for name in names}
