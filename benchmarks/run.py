"""Every speed claim, as ratios measured side by side: ``python benchmarks/run.py``."""

import engines
import entrywise
import jumps


def main() -> None:
    entrywise.main()
    engines.main()
    jumps.main()


if __name__ == "__main__":
    main()
