"""``rankscape reproduce``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from rankscape.cli.app import DONE, FAILED, say
from rankscape.cli.output import meter, number, print_json, print_table


def reproduce(
    paper: str,
    /,
    *,
    figure: list[str] | None = None,
    quick: Annotated[bool, Parameter(negative="")] = False,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Make the figures of a paper and check their claims.

    Parameters
    ----------
    paper
        chou2024: gradient descent climbs. wang2024: ranks fall, one way only.
    figure
        Make this figure only; may be given several times. An unknown name prints those that exist.
    quick
        Fewer runs and coarser curves.
    output
        Folder for PNG, PDF, data (netCDF) and claims (JSON) of each figure; by default the name of the paper.
    json
        Print the claims as JSON.
    """
    from rankscape import papers
    from rankscape.ground.storage import check_folder

    folder = Path(paper) if output is None else output
    wanted = papers.check(paper, figure)
    # Before any work: the figures of a paper take minutes.
    check_folder(folder)
    made = []
    with meter() as bar:
        for done, result in enumerate(papers.reproduce(paper, wanted, quick), start=1):
            # Each as soon as it is made: an interruption costs one figure.
            result.save(folder)
            made.append(result)
            bar.update(done / len(wanted), figure=result.name)
    if json:
        print_json({"claims": [{"figure": r.name} | claim.describe() for r in made for claim in r.claims]})
    else:
        print_claims(made)
    held = sum(claim.holds for result in made for claim in result.claims)
    total = sum(len(result.claims) for result in made)
    if not json:
        print(f"\n{held} of {total} claims hold; {len(made)} figures in {folder}/")
    if held < total:
        say(f"error: {total - held} of {total} claims do not hold.")
    return DONE if held == total else FAILED


def print_claims(made: Sequence[Any]) -> None:
    """Every claim of every figure, with its verdict."""
    rows = []
    for result in made:
        for k, claim in enumerate(result.claims):
            values = f"predicted {_text(claim.predicted)}, observed {_text(claim.observed)}"
            verdict = "holds" if claim.holds else "FAILS"
            rows.append((result.name if k == 0 else "", verdict, f"{claim.name}: {values}"))
    print_table(("figure", "verdict", "claim"), rows)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(v) for v in value) + "]"
    # Intervals come as lists, and their open end as None.
    if isinstance(value, float):
        return number(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "open" if value is None else str(value)
