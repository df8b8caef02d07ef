"""From the values that came back to Markdown tables."""

import platform
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from task import NOISE_FREE, NOISY, RANK_OF_REAL_DATA, Task

if TYPE_CHECKING:
    from run import Found

BOUNDS = 1.0, 5.0
"""Of a rating: everything that is predicted is clipped to them."""

Cells = dict[str, list[str]]


def markdown(found: "Found", folder: Path) -> str:
    """All tables, one below the other."""
    scored = [line | _score(line, folder) for line in found.fits]
    parts = [
        "### Planted, no noise\n",
        _planted(scored, "planted", NOISE_FREE),
        "### Planted, noise 0.1\n",
        _planted(scored, "noisy", NOISY, _floors(folder)),
        "### Photograph, half of the pixels hidden\n",
        _real(scored, "photograph", {"RMSE": "error"}),
        "### MovieLens 100k, a tenth of the ratings held out\n",
        _real(scored, "ratings", {"RMSE": "error", "pairs in order": "ordered"}),
        "### Versions\n",
        _versions(found),
    ]
    return "\n".join(parts)


def _score(line: dict, folder: Path) -> dict:
    """Relative error of a planted matrix, RMSE of real data; of ratings also the share of pairs in the right order."""
    task = Task.load(folder / "tasks" / f"{line['task']}.npz")
    score = {"kind": task.kind, "setting": line["task"].rsplit("-", 1)[0]}
    if "failed" in line:
        return score
    found = np.load(folder / "results" / f"{line['values']}.{line['task']}.npy")
    truth = _truth(task.name, folder)["values"]
    if not np.isfinite(found).all():
        return score | {"failed": "not finite"}
    if task.kind == "ratings":
        score["ordered"] = f"{ordered_pairs(task.asked_rows, truth, found):.1%}"
        found = np.clip(found, *BOUNDS)
    if line["scores"]:
        return score | {"error": None}
    scale = np.sqrt(np.mean(truth**2)) if task.kind in ("planted", "noisy") else 1.0
    return score | {"error": float(np.sqrt(np.mean((found - truth) ** 2)) / scale)}


def _truth(name: str, folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "truth" / f"{name}.npz") as stored:
        return dict(stored)


def ordered_pairs(rows: np.ndarray, truth: np.ndarray, found: np.ndarray) -> float:
    """Of all pairs in the same row with different true values, the share that is ordered rightly; ties count half."""
    right = pairs = 0.0
    order = np.argsort(rows, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(rows[order])) + 1):
        higher = truth[group][:, None] > truth[group]
        sign = np.sign(found[group][:, None] - found[group])
        right, pairs = right + (higher * (sign + 1) / 2).sum(), pairs + higher.sum()
    return float(right / pairs)


def _planted(scored: list[dict], kind: str, shares: tuple[float, ...], floors: dict[str, float] | None = None) -> str:
    lines = [line for line in scored if line["kind"] == kind]
    settings = [f"{kind}-{round(100 * share)}" for share in shares]
    rows = []
    for method, mine in _by_method(lines).items():
        cells = [_errors([line for line in mine if line["setting"] == setting]) for setting in settings]
        rows.append([method, _rank(mine), *cells, _seconds(mine)])
    if floors:
        rows.append(["floor: least squares from the truth", "told", *(f"{floors[s]:.4f}" for s in settings), ""])
    return _table(["method", "rank", *(f"{share:.0%} seen" for share in shares), "CPU s"], rows)


def _floors(folder: Path) -> dict[str, float]:
    errors = defaultdict(list)
    for path in folder.glob("truth/noisy-*.npz"):
        truth = _truth(path.stem, folder)
        errors[path.stem.rsplit("-", 1)[0]].append(
            np.linalg.norm(truth["floor"] - truth["values"]) / np.linalg.norm(truth["values"])
        )
    return {setting: float(np.median(values)) for setting, values in errors.items()}


def _real(scored: list[dict], kind: str, columns: dict[str, str]) -> str:
    lines = [line for line in scored if line["kind"] == kind]
    if not lines:
        return "Not measured: the data is not here.\n"
    rows = []
    for method, mine in _by_method(lines).items():
        cells = [mine[0].get("failed") or _plain(mine[0][name]) for name in columns.values()]
        rank = f"told {RANK_OF_REAL_DATA}" if mine[0]["told"] else "not told"
        rows.append([method, rank, *cells, _seconds(mine)])
    return _table(["method", "rank", *columns, "CPU s"], rows)


def _by_method(lines: list[dict]) -> dict[str, list[dict]]:
    """Methods that are not told a rank first; within each half, the smallest error first."""
    methods = defaultdict(list)
    for line in lines:
        methods[line["method"]].append(line)

    def place(item: tuple[str, list[dict]]) -> tuple[bool, float]:
        errors = [line.get("error") for line in item[1]]
        return item[1][0]["told"], float(np.mean([np.inf if e is None else np.log10(e + 1e-16) for e in errors]))

    return dict(sorted(methods.items(), key=place))


def _errors(lines: list[dict]) -> str:
    """The median over the matrices, and the worst one where it is more than three times larger."""
    failed = [line["failed"] for line in lines if "failed" in line]
    if failed:
        return failed[0]
    if not lines:
        return "not run"
    errors = [line["error"] for line in lines]
    median, worst = float(np.median(errors)), max(errors)
    return _number(median) + (f" ({_number(worst)})" if worst > 3 * median else "")


def _number(value: float) -> str:
    return f"{value:.1e}" if value < 1e-3 else f"{value:.4f}" if value < 0.1 else f"{value:.3f}"


def _plain(value: float | str | None) -> str:
    return "-" if value is None else value if isinstance(value, str) else f"{value:.4f}"


def _rank(lines: list[dict]) -> str:
    return ("told" if lines[0]["told"] else "not told") + (", one matrix" if lines[0]["slow"] else "")


def _seconds(lines: list[dict]) -> str:
    """The median over all fits of the line, and the slowest one where it is more than twice that."""
    seconds = [line["seconds"] for line in lines]
    median, most = float(np.median(seconds)), max(seconds)
    if most < 0.01:
        return "< 0.01"
    return f"{median:.2g}" + (f" ({most:.2g})" if most > 2 * median else "")


def _versions(found: "Found") -> str:
    rows = [
        [name, ", ".join(f"{what} {number}" for what, number in all_.items())] for name, all_ in found.versions.items()
    ]
    rows += [[name, f"not measured: {reason}"] for name, reason in found.missing.items()]
    measured = f"Measured on {date.today().isoformat()} with Python {platform.python_version()}, one thread."
    return _table(["adapter", "versions"], rows) + f"\n{measured}\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
