"""The command line: odd options, and TOML files of simulations and sweeps; exit codes 0, 1 for a run that failed, 2."""

import contextlib
import io
import shlex
from pathlib import Path

import numpy as np

from ..case import Case
from ..damage import harmed
from ..pieces import pick
from ..seeds import sound
from ..trial import Wrong

ODD = [
    "0", "-1", "1.5", "nan", "inf", "-inf", "1e20", "1e308", "1e-320", "1000000000", "99999999999999999999", "", " ", "a", "1,2",
    "1,,2", ",", "1:2", "0:1e-2,5:", "true", "None", "--", "-", "\u00fc", "\udcff", "a\nb", "'", '"', "../x", "/dev/null", ".",
    "table.csv", "x.npy", "x.csv.gz", "long.csv", "%s", "$(x)", "[1]", "{}", "\x00", "0x10", "1_000", "١",
]  # fmt: skip

# Sound words of each command, and options whose values are tried.
COMMANDS = {
    "complete table.csv": ["-o out.csv", "--depth 3", "--max-rank 2", "--seed 1", "--offset none", "--scale none", "--hide 0.2",
                           "--rows a", "--columns b", "--values c", "--layout wide", "--header yes", "--index no", "--decimal ,",
                           "--separator comma", "--missing x", "--format csv", "--json", "--no-figure", "--top 2", "--model m.npz",
                           "--duplicates mean", "--clip 0,1", "--report r.html", "--validation-fraction 0.2", "--loss squares"],
    "denoise whole.csv": ["-o out.csv", "--depth 3", "--noise 0.1", "--seed 1", "--json", "--no-figure", "--norm frobenius"],
    "simulate": ["--eigenvalues 2,1", "--depth 2", "--width 3", "--alpha 0.3", "--beta 0.1", "--learning-rate 0.01",
                 "--steps 20", "--record 0,10", "--seed 1", "--ridge 0.1", "--dtype float32", "--engine matrix", "--scale 0.1",
                 "--dynamics sgd", "--initialization gaussian", "--learning-rate-path 0:1e-2", "--ridge-path 0:1e-2",
                 "--target whole.csv", "--entries table.csv", "--heldout 0.1", "--momentum 0.5", "--optimizer adam",
                 "--batch-size 2", "--stop-step 5", "--stop-rank 1", "--stop-plateau 1", "--stop-every 2", "--monitor",
                 "--checkpoint c.npz", "-o run.zarr", "--config sound.toml"],
    "plateaus": ["--eigenvalues 2,1", "--depth 3", "--alpha 0.1", "--learning-rate 0.001", "--beta 0.05", "--rank 1", "--json"],
    "check": ["table.csv", "m.npz", "store"],
    "fill m.npz table.csv": ["-o out.csv"],
    "sense": ["operators.npy", "measurements.npy"],
    "cite": [], "info": [], "data list": [], "data info flower": [],
    "sweep run sound-sweep.toml": ["--workers 1", "--batch 2"],
    "sweep status store": [],
}  # fmt: skip

SIMULATION = b"""eigenvalues = [2.0, 1.0]
depth = 3
width = 4
alpha = 0.3
learning-rate = 0.01
steps = 20
record = [0, 10, 20]
seed = 3
ridge = 0.0
dtype = "float64"
"""
SWEEP = (
    SIMULATION
    + b"""store = "s.zarr"
seeds = 2
batch = 2

[over]
alpha = [0.1, 0.2]
ridge = { from = 1e-3, to = 1e-2, count = 2, spacing = "log" }
"""
)
VALUES = [
    b"1e20", b"1e308", b"-1", b"0", b"nan", b"inf", b"true", b'"a"', b"[]", b"[[]]", b"{}", b"1979-05-27T07:32:00Z", b"1_000",
    b"0xff", b"[1, 2]", b'[1, "a"]', b"10000000000", b"99999999999999999999", b"{a = 1}", b"'''x'''", b"[" * 2000, b"[" * 300 + b"]" * 300,
    b'{ from = 0, to = 1, count = 100000000 }', b"{ from = 1, to = 2, count = 1e20 }", b'{ from = -1, to = 1, count = 3, spacing = "log" }',
    b"07:32:00", b"-0.0", b"1e-320", b'"\\u0000"', b"[nan]", b"[1, 1]", b"[2.0, inf]", b"1.5",
]  # fmt: skip


def make(rng: np.random.Generator) -> Case:
    """Words, or a file of settings."""
    if rng.random() < 0.5:
        return Case.of(_words(rng), "words.txt")
    name, content = ("simulate.toml", SIMULATION) if rng.random() < 0.5 else ("sweep.toml", SWEEP)
    for _ in range(int(rng.integers(1, 4))):
        lines = content.split(b"\n")
        at = int(rng.integers(len(lines)))
        if b"=" in lines[at] and rng.random() < 0.8:
            lines[at] = lines[at].split(b"=")[0] + b"= " + VALUES[int(rng.integers(len(VALUES)))]
            content = b"\n".join(lines)
        else:
            content = harmed(rng, content, text=True)
    return Case(name, content)


def _words(rng: np.random.Generator) -> str:
    command = pick(rng, sorted(COMMANDS))
    options = COMMANDS[command]
    words = shlex.split(command)
    chosen = [option for option in options if rng.random() < min(1.0, 3 / max(len(options), 1))]
    if command in ("simulate", "plateaus"):
        chosen = [*options[:4], *chosen]
    hit = int(rng.integers(max(len(chosen), 1)))
    for k, option in enumerate(chosen):
        name, *value = option.split(" ", 1)
        if k == hit and value:
            value = [pick(rng, ODD)]
        words += [name, *value]
    if rng.random() < 0.1:
        words.insert(int(rng.integers(len(words) + 1)), pick(rng, ODD))
    return shlex.join(words)


def hand_in(case: Case, folder: Path) -> None:
    """Run the command in a folder with a few sound files."""
    from rankscape.cli.app import start

    _furnish(folder)
    if case.name == "words.txt":
        words = shlex.split(case.text)
    else:
        (folder / case.name).write_bytes(case.content)
        words = ["simulate", "--config", case.name] if case.name == "simulate.toml" else ["sweep", "run", case.name]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = start(words)
    said = err.getvalue()
    if code not in (0, 1, 2) or "Traceback" in said or ("unexpected" in said.split("\n")[0] and "defect" in said):
        raise Wrong(f"exit {code}: {said[-400:]}")
    errors = [line for line in said.split("\n") if line.startswith("error: ")]
    if code == 1 and not errors and "diverged" not in said:
        raise Wrong(f"exit 1 without an error: {said[-300:]}")
    if code == 2 and len(errors) != 1:
        raise Wrong(f"exit 2 with {len(errors)} errors: {said[-300:]}")
    if code == 1 and ("memory" in said or "OSError" in said):
        raise Wrong(f"exit 1 for bad input: {said[-300:]}")


def _furnish(folder: Path) -> None:
    if (folder / "table.csv").exists():
        return
    rows = [",".join([f"r{i}", *("" if (i + j) % 4 == 0 else str(i * j + 1) for j in range(5))]) for i in range(8)]
    (folder / "table.csv").write_text("\n".join([",a,b,c,d,e", *rows, ""]))
    (folder / "whole.csv").write_text("".join(",".join(str(i * j + 0.5) for j in range(5)) + "\n" for i in range(6)))
    (folder / "long.csv").write_bytes(sound()["long.csv"])
    (folder / "x.npy").write_bytes(sound()["f8.npy"])
    (folder / "x.csv.gz").write_bytes(sound()["long.csv.gz"])
    (folder / "sound.toml").write_bytes(SIMULATION)
    (folder / "sound-sweep.toml").write_bytes(SWEEP)
