"""``rankscape data list|show|fetch``."""

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from rankscape.cli.app import COMMANDS, say
from rankscape.cli.output import print_facts, print_json, print_table

if TYPE_CHECKING:
    from rankscape.data import DatasetInfo

app = App(name="data", help=COMMANDS["data"])

Json = Annotated[bool, Parameter(negative="")]


@app.command(name="list")
def list_(*, json: Json = False) -> None:
    """List the named data sets.

    Parameters
    ----------
    json
        Print JSON.
    """
    from rankscape import data

    infos = [data.info(name) for name in data.names()]
    if json:
        print_json({"datasets": [_facts(info) for info in infos]})
        return
    rows = [
        (
            i.name,
            f"{i.shape[0]} x {i.shape[1]}",
            f"{i.observed:,}",
            "here" if data.available(i.name) else "fetch",
            i.title,
        )
        for i in infos
    ]
    print_table(("name", "shape", "observed", "where", "what"), rows)
    print("\n`rankscape data show NAME` prints its terms and citation.")
    print("`rankscape data fetch NAME` brings it here.")


@app.command
def show(name: str, /, *, json: Json = False) -> None:
    """Print what is known about a data set: shape, terms, citation, provenance.

    Parameters
    ----------
    name
        A name from `rankscape data list`.
    json
        Print JSON.
    """
    from rankscape import data

    facts = _facts(data.info(name))
    if json:
        print_json(facts)
        return
    facts["shape"] = "{} x {}".format(*facts["shape"])
    print_facts([(key, str(value)) for key, value in facts.items() if value is not None])


@app.command
def fetch(name: str, /, *, force: Annotated[bool, Parameter(negative="")] = False, json: Json = False) -> None:
    """Bring a data set onto this machine: prints its terms, verifies its hash, keeps it in the user's cache.

    Parameters
    ----------
    name
        A name from `rankscape data list`.
    force
        Fetch it again.
    json
        Print JSON.
    """
    from rankscape import data

    info = data.info(name)
    if not json:
        print_facts([("data set", info.title), ("terms", info.licence), ("cite", info.citation)])
    # What a dependency ships is here already.
    path = None if info.offline else data.fetch(name, force=force, progress=say)
    if json:
        print_json(_facts(info) | {"path": path})
    else:
        print(f"{name} is here: {path or info.source}")


def _facts(info: "DatasetInfo") -> dict[str, Any]:
    from dataclasses import asdict

    from rankscape import data

    return asdict(info) | {"available": data.available(info.name)}
