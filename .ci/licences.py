"""Print the licence of each component of a CycloneDX bill; end with 1 where one names none, or one that binds users."""

import json
import re
import sys
from pathlib import Path

# A library under Apache-2.0 cannot bring these along: who uses it would have to publish, or to ask.
BINDING = re.compile(r"\bA?GPL\b|\bSSPL\b|Affero|GNU General Public|Commons Clause|Proprietary", re.IGNORECASE)


def licence_of(component: dict) -> str:
    """Its identifiers, names or expression; where there is none, the first line of what it says instead."""
    named, texts = [], []
    for entry in component.get("licenses", []):
        licence = entry.get("license", {})
        name = entry.get("expression") or licence.get("id") or licence.get("name", "")
        if not name.startswith("declared license"):  # the tool's own words around a text
            named.append(name.removeprefix("License :: OSI Approved :: "))
        elif "encoding" not in licence["text"]:
            texts[:0] = licence["text"]["content"].strip().splitlines()[:1]
        else:
            texts.append(name.removeprefix("declared "))
    return " | ".join(dict.fromkeys(named)) or " | ".join(texts[:1])


def main(path: str) -> int:
    """The table, and what is wrong with it."""
    components = json.loads(Path(path).read_text(encoding="utf-8"))["components"]
    rows = [(c["name"], c["version"], licence_of(c)) for c in sorted(components, key=lambda c: c["name"].lower())]
    for name, version, licence in rows:
        print(f"{name} {version}: {licence or 'none named'}")
    wrong = [name for name, _, licence in rows if not licence or BINDING.search(licence)]
    if wrong or not rows:
        print(f"look at the licences of {', '.join(wrong) or 'nothing: the bill is empty'}", file=sys.stderr)
    return int(bool(wrong) or not rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
