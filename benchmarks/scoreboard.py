"""The defaults against peers, on data and masks that nobody tuned on: ``python benchmarks/scoreboard.py --help``.

The parts are in the folder of the same name; its page of contents is ``scoreboard/__init__.py``.
"""

import os
import sys
from pathlib import Path

for _library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):  # read when the library is loaded, so before NumPy is
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")  # myfm draws a bar
sys.path.insert(0, str(Path(__file__).with_suffix("")))

if __name__ == "__main__":
    from run import main

    main()
