"""Measure rankscape beside other packages and print Markdown tables: ``python benchmarks/peers/run.py [--quick]``.

Each package is installed at a pinned version into an environment of its own below ``--folder``. All see the same
tasks, on one thread; CPU seconds are measured inside. One that cannot be installed is listed with the reason.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
ADAPTERS = tuple(sorted(path.stem for path in (HERE / "adapters").glob("*.py")))
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


@dataclass
class Found:
    """What came out for all packages."""

    fits: list[dict] = field(default_factory=list)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def default_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("rankscape") / "peers"


def measure(adapter: str, module: ModuleType, folder: Path, limit: float, run: Path) -> None:
    """Run one package in its environment; it reports in ``results/ADAPTER.jsonl``."""
    from install import NotInstalled, environment

    report = run / "results" / f"{adapter}.jsonl"
    try:
        python = environment(adapter, module.REQUIREMENTS, folder) if module.REQUIREMENTS else sys.executable
    except NotInstalled as error:
        report.write_text(json.dumps({"missing": module.REQUIREMENTS[0], "reason": str(error)}) + "\n")
        return
    print(f"measuring {adapter}", file=sys.stderr, flush=True)
    command = [str(python), str(HERE / "work.py"), adapter, str(run), str(limit)]
    done = subprocess.run(command, env=os.environ | ONE_THREAD, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["ended without a word"])[-1]
        with open(report, "a") as lines:
            print(json.dumps({"missing": adapter, "reason": reason}), file=lines)


def read(results: Path) -> Found:
    """Collect the reports of all packages that were measured, also by earlier commands."""
    found = Found()
    for report in sorted(results.glob("*.jsonl")):
        for line in map(json.loads, report.read_text().splitlines()):
            if "versions" in line:
                found.versions[report.stem] = line["versions"]
            elif "missing" in line:
                found.missing[line["missing"]] = line["reason"]
            else:
                found.fits.append(line)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one matrix of each kind instead of three")
    parser.add_argument("--folder", type=Path, help="for environments and results; the default is a cache folder")
    parser.add_argument(
        "--only",
        nargs="*",
        choices=ADAPTERS,
        default=ADAPTERS,
        metavar="NAME",
        help=f"measure these (again); the tables show all that were: {' '.join(ADAPTERS)}",
    )
    parser.add_argument("--limit", type=float, default=60, help="most CPU seconds of one fit (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first planted matrix")
    chosen = parser.parse_args()

    os.environ |= ONE_THREAD  # before NumPy is loaded
    sys.path.insert(0, str(HERE.parent))
    import problems
    import tables

    folder = (chosen.folder or default_folder()).absolute()
    seeds = range(chosen.seed, chosen.seed + (1 if chosen.quick else 3))
    run = folder / f"seeds-{seeds[0]}-{seeds[-1]}"
    (run / "results").mkdir(parents=True, exist_ok=True)
    problems.make(run, seeds)
    for adapter in chosen.only:
        measure(adapter, importlib.import_module(f"adapters.{adapter}"), folder, chosen.limit, run)
    print(tables.markdown(read(run / "results"), run))


if __name__ == "__main__":
    main()
