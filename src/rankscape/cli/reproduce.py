"""``rankscape reproduce``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from rankscape.cli.app import DONE, FAILED, say
from rankscape.cli.output import Speech, number, print_json, print_table


def reproduce(
    paper: str,
    /,
    *,
    figure: list[str] | None = None,
    quick: Annotated[bool, Parameter(negative="")] = False,
    seed: int = 0,
    problems: int = 1,
    publication: Annotated[bool, Parameter(negative="")] = False,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    speech: Speech | None = None,
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
    seed
        Seed of the first problem, for figures that draw problems by chance.
    problems
        So many problems with seeds from there on; each claim says in how many it holds.
    publication
        Figures for a journal: lettered panels, without title and verdicts.
    output
        Folder for PNG, PDF, data (netCDF) and claims (JSON) of each figure; by default the name of the paper.
    """
    from rankscape import papers
    from rankscape.ground.storage import check_folder
    from rankscape.papers.reproduce import shown_on

    folder = Path(paper) if output is None else output
    wanted = papers.check(paper, figure)
    # Before any work: the figures of a paper take minutes.
    check_folder(folder)
    made, speech = [], speech or Speech()
    with speech.meter() as bar:
        for result in papers.reproduce(paper, wanted, quick, shown_on(bar), seed=seed, problems=problems):
            # Each as soon as it is made: an interruption costs one figure.
            result.save(folder, publication=publication)
            made.append(result)
    held = sum(claim.holds for result in made for claim in result.claims)
    total = sum(len(result.claims) for result in made)
    print_claims(made, speech)
    if not (speech.json or speech.quiet):
        print(f"\n{held} of {total} claims hold; {len(made)} figures in {folder}/")
    if held < total:
        say(f"error: {total - held} of {total} claims do not hold.")
    return DONE if held == total else FAILED


def print_claims(made: Sequence[Any], speech: Speech) -> None:
    """Every claim of every figure, with its verdict."""
    if speech.json:
        print_json(
            {"claims": [{"figure": result.name} | claim.describe() for result in made for claim in result.claims]}
        )
        return
    rows = []
    for result in made:
        for k, claim in enumerate(result.claims):
            values = f"predicted {_text(claim.predicted)}, observed {_text(claim.observed)}"
            if claim.accepted != "as predicted":
                values += f", accepted {_text(claim.accepted)}"
            verdict = "holds" if claim.holds else "FAILS"
            if claim.problems is not None:
                verdict = f"{claim.problems[0]} of {claim.problems[1]}"
            rows.append((result.name if k == 0 else "", verdict, f"{claim.name}: {values}"))
    if not speech.quiet:
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
