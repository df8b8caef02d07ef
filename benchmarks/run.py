"""Every speed claim, as ratios measured side by side: ``python benchmarks/run.py``."""

import engines
import entrywise
import jumps
import regression


def main() -> None:
    entrywise.main()
    engines.main()
    jumps.main()
    regression.main()


if __name__ == "__main__":
    main()
