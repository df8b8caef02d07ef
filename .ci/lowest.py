"""Print the lowest versions that pyproject.toml allows of what rankscape, its parts and its tests need, one a line."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
extras = project["project"]["optional-dependencies"]
lines = [*project["project"]["dependencies"], *extras["simulate"], *extras["files"]]
lines += [line for line in project["dependency-groups"]["test"] if isinstance(line, str)]
for line in lines:
    if line.startswith(("ipykernel", "nb")):  # the notebook is no part of the short run
        continue
    name, lowest = re.match(r"([\w.-]+)>=([\d.]+)", line).groups()
    print(f"{name}=={lowest}")
