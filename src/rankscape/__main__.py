"""``python -m rankscape``."""

from rankscape.cli import main

main()
