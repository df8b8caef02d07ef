"""``python -m fuzz``: hunt through the doors for some minutes, keep what is found, and end with 1 if anything was."""

import argparse
import math
import sys
import time

from .doors import DOORS
from .hunt import hunt


def main() -> int:
    """Hunt, and tell."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="for all doors together")
    parser.add_argument("--cases", type=int, default=None, help="of each door, instead of minutes: always the same")
    parser.add_argument("--door", action="append", choices=DOORS, help="only these")
    parser.add_argument("--seed", type=int, default=None, help="of the cases; another one each day if left out")
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    wanted = parser.parse_args()
    seed, most = wanted.seed, math.inf
    if wanted.cases is not None:
        seed, most = seed or 0, wanted.cases
    elif seed is None:
        seed = int(time.time() // 86_400)
    doors, times = wanted.door or list(DOORS), 0
    shares = {door: DOORS[door] for door in doors}
    for door in doors:
        again = hunt(door, 600.0, None)
        seconds = math.inf if wanted.cases is not None else 60 * wanted.minutes * shares[door] / sum(shares.values())
        done = hunt(door, seconds, seed, most)
        times += done.times + again.times
        print(
            f"{door:>14}: {done.tried:7,} tried, {done.answered:7,} answered, {done.refused:7,} refused, "
            f"{done.times:5,} findings in {len(done.found)} places (seed {seed})",
            flush=True,
        )
        for found in again.found.values():
            print(
                f"    again {found.came.kind} {found.came.place}: {found.came.words}\n      {_shown(found)}", flush=True
            )
        for found in done.found.values():
            where = "" if wanted.dry else f" -> {found.case.keep(door)}"
            print(
                f"    {found.came.kind} {found.came.place}: {found.came.words}\n      {_shown(found)}{where}",
                flush=True,
            )
    return int(times > 0)


def _shown(found) -> str:
    text = repr(found.case.text if found.case.name.endswith(("txt", "toml")) else found.case.content)
    return text if len(text) < 300 else text[:300] + "..."


if __name__ == "__main__":
    sys.exit(main())
