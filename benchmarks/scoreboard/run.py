"""The command: measure what is missing, print what is there."""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

import bars
import tables
from measure import measured
from peers import PEERS, warm_up
from plan import Case, Planned, Seeds, planned
from real import Missing
from standing import Standing
from store import Record, Store

OURS_LIMIT = 180.0
"""CPU seconds after which a fit of ours is given up."""

LARGE = (
    "nci60",
    "sp500",
    "allaml",
    "pbmc",
    "digits",
    "mlsmall",
    "ml100k",
    "airtemp",
    "tall",
    "wide",
    "meats random 0.8",
)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="scoreboard.py", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="NPZ files of public matrices (key A) and ratings (i, j, v)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="sections or fits whose name holds this")
    parser.add_argument("--seeds", type=int, metavar="N", help="seeds of each kind; every section has its usual count")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed: fresh masks and draws")
    parser.add_argument("--quick", action="store_true", help="one seed of each kind, without large matrices")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where results are kept; peers are measured once")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--ours", action="store_true", help="measure rankscape alone, and take the peers from --json")
    what.add_argument("--peers", action="store_true", help="measure peers alone; needs no rankscape")
    what.add_argument("--tables", action="store_true", help="measure nothing, print what --json holds")
    parser.add_argument("--again", action="store_true", help="measure peers again that --json holds already")
    parser.add_argument("--limit", type=float, default=10.0, metavar="S", help="CPU seconds of one fit of a peer")
    parser.add_argument("--against", type=Path, metavar="FILE", help="results of an earlier version, for bars that ask")
    parser.add_argument("--bars", action="store_true", help="print the bars only, not the tables")
    return parser.parse_args()


DESCRIPTION = """The defaults against peers, on data and masks that nobody tuned on.

Peers may live in an environment without rankscape, and rankscape in one without them:
  peers/bin/python benchmarks/scoreboard.py --folder DATA --json results.json --peers
  python benchmarks/scoreboard.py --folder DATA --json results.json --ours

Packages that are not installed and data that are not there are named, and left out."""


def main() -> None:
    """Measure and print."""
    chosen = arguments()
    seeds = Seeds(chosen.first, chosen.seeds, chosen.quick)
    fits = [fit for fit in planned(chosen.folder, seeds) if _wanted(fit, chosen.only, chosen.quick)]
    store = Store(chosen.json)
    if not chosen.tables:
        if not chosen.ours:
            print("".join(f"not installed: {package}\n" for package in _absent()), end="", file=sys.stderr)
            warm_up()
        if not chosen.peers:
            import ours

            ours.warm_up()
        for fit in fits:
            _measure(fit, store, chosen)
    sections = _sections(store, fits)
    before = _sections(Store(chosen.against), fits) if chosen.against else {}
    for name, standings in sections.items() if not chosen.bars else ():
        title, show = tables.SECTIONS[name]
        print(f"\n### {title}\n\n{show(standings)}")
    print(f"\n### Bars\n\n{bars.text(sections, before)}")


def _wanted(fit: Planned, only: list[str], quick: bool) -> bool:
    if quick and any(name in fit.name for name in LARGE):
        return False
    return not only or any(part == fit.section or part in fit.name for part in only)


def _absent() -> list[str]:
    return [package for package in dict.fromkeys([*(peer.package for peer in PEERS), "myfm"]) if not find_spec(package)]


def _measure(fit: Planned, store: Store, chosen: argparse.Namespace) -> None:
    try:
        case = fit.make()
    except Missing as absent:
        print(f"not measured: {absent}", file=sys.stderr)
        return
    facts = {"section": fit.section, "name": fit.name, "seed": fit.seed, "shape": case.shape, "floor": case.floor}
    record = store.record(fit.key, case.digest, **facts)
    if not chosen.peers:
        record["ours"] = case.ours(OURS_LIMIT)
    if not chosen.ours:
        _measure_peers(fit, case, record, chosen)
    store.save()
    print(_progress(Standing(record)), file=sys.stderr, flush=True)


def _measure_peers(fit: Planned, case: Case, record: Record, chosen: argparse.Namespace) -> None:
    absent = {peer.name for peer in PEERS if not peer.installed} | ({"myfm"} if not find_spec("myfm") else set())
    for name, call in case.candidates().items():
        # One that failed is tried again, another version may do better; one that took too long is not.
        old = record["peers"].get(name, {})
        done = "error" in old or old.get("failed", "").startswith("over")
        if name in absent or not fit.has(name) or (done and not chosen.again):
            continue
        answer, seconds, failure = measured(call, chosen.limit)
        found = {"failed": failure} if failure else {"error": case.error(answer)}
        record["peers"][name] = {"seconds": seconds} | found


def _progress(s: Standing) -> str:
    ours = (
        f"ours {tables.number(s.error)} in {tables.number(s.ours.get('seconds'))} s" if s.ours else "ours not measured"
    )
    peer = f"{s.best} {tables.number(s.peers[s.best]['error'])}" if s.best else "no peer"
    failed = f", failed: {s.ours['failed']}" if s.ours.get("failed") else ""
    return f"{s.record['key']}: {ours}, {peer}, ratio {tables.number(s.ratio)}{failed}"


def _sections(store: Store, fits: list[Planned]) -> dict[str, list[Standing]]:
    """What is stored of the fits that were asked for, section by section."""
    sections: dict[str, list[Standing]] = {}
    for fit in fits:
        if fit.key in store.records:
            sections.setdefault(fit.section, []).append(Standing(store.records[fit.key]))
    return sections
