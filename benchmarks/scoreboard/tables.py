"""What is printed for each section, as Markdown."""

from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np
from standing import Standing, count

Rows = Iterable[list[str]]


def table(head: list[str], rows: Rows) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def number(value: float | None) -> str:
    """Three digits, or a dash."""
    return "-" if value is None else f"{value:.3g}"


def by_name(standings: list[Standing]) -> dict[str, list[Standing]]:
    """The seeds of each name together, in the order of the plan."""
    groups = defaultdict(list)
    for standing in standings:
        groups[standing.record["name"]].append(standing)
    return dict(groups)


def of(standings: list[Standing], field: str) -> list[float]:
    """A field of ours, where it was measured."""
    return [s.ours[field] for s in standings if s.ours.get(field) is not None]


def mean(standings: list[Standing], field: str) -> float | None:
    """Its mean; None without any."""
    values = of(standings, field)
    return float(np.mean(values)) if values else None


def _against_peers(standings: list[Standing]) -> str:
    """Each fit, the worst first."""
    ordered = sorted(standings, key=lambda s: -(float("inf") if s.ratio is None else s.ratio))
    head = ["fit", "seed", "shape", "ours", "best peer", "ratio", "CPU s ours / peer", "rank, method", "true / stated"]
    counted = ", ".join(f"{value} {what}" for what, value in count(standings).items())
    return table([*head, "certificate"], map(_line, ordered)) + f"\n{counted}\n"


def _line(s: Standing) -> list[str]:
    record, ours = s.record, s.ours
    peer = s.peers.get(s.best or "", {})
    return [
        record["name"],
        str(record["seed"]),
        " x ".join(map(str, record["shape"])),
        ours.get("failed") or number(s.error),
        f"{s.best} {number(peer.get('error'))}",
        number(s.ratio),
        f"{number(ours.get('seconds'))} / {number(peer.get('seconds'))}" + (" !" if s.overtime > 0 else ""),
        f"{ours.get('rank', '-')} {ours.get('method', '')}",
        number(ours.get("over_stated")),
        _verdict(s),
    ]


def _verdict(s: Standing) -> str:
    if not s.ours:
        return "not measured"
    if s.silent:
        return "TRUSTED, WRONG"
    return "trust" if s.ours.get("trusted") else f"{len(s.ours.get('warnings', ()))} warning(s)"


def _means(*columns: tuple[str, str]) -> Callable[[list[Standing]], str]:
    """One line for each name: means over seeds of fields of ours, worst errors, and peers."""

    def section(standings: list[Standing]) -> str:
        rows = [
            [name, str(len(group)), *(number(mean(group, field)) for _, field in columns), *_peers(group)]
            for name, group in by_name(standings).items()
        ]
        return table(["fits", "seeds", *(title for title, _ in columns), "best peer", "its error"], rows)

    return section


def _peers(group: list[Standing]) -> list[str]:
    """The peer that is best on average over the seeds."""
    shared = set.intersection(*(set(s.peers) for s in group)) if group else set()
    errors = {name: float(np.mean([s.peers[name]["error"] for s in group])) for name in shared}
    best = min(errors, key=errors.__getitem__, default=None)
    return [best or "-", number(errors[best]) if best else "-"]


def _blocks(standings: list[Standing]) -> str:
    rows = []
    for name, group in by_name(standings).items():
        bias = [s.peers["damped bias"]["error"] for s in group if "damped bias" in s.peers]
        across, inside = of(group, "error"), of(group, "inside")
        trusted = sum(bool(s.ours.get("trusted")) for s in group)
        rows.append([name, _each(across), _each(inside), _each(bias), str(trusted), str(sum(s.silent for s in group))])
    return table(["blocks", "error across", "inside", "damped bias across", "trusted", "of them wrong"], rows)


def _each(values: list[float]) -> str:
    return ", ".join(map(number, values)) or "-"


def _outliers(standings: list[Standing]) -> str:
    rows = []
    for name, group in by_name(standings).items():
        errors = of(group, "error")
        listed, right, planted = (sum(of(group, field)) for field in ("listed", "listed_right", "planted"))
        found = f"{right / listed:.2f} / {right / planted:.2f}" if listed and planted else "-"
        ranks = ", ".join(str(s.ours.get("rank", "-")) for s in group)
        trusted = str(sum(bool(s.ours.get("trusted")) for s in group))
        shown = [number(np.median(errors)), number(max(errors))] if errors else ["-", "-"]
        rows.append([name, str(len(group)), *shown, ranks, found, trusted, number(mean(group, "seconds"))])
    head = ["class", "seeds", "median error", "worst", "ranks", "listed: precision / recall", "trusted", "CPU s"]
    return table(head, rows)


def _panel(standings: list[Standing]) -> str:
    rows = [
        [
            s.record["name"],
            str(s.record["seed"]),
            number(s.error),
            number(s.ours.get("over_stated")),
            "expected error" if s.ours.get("expected") is not None else "held-out error",
            f"{s.best} {number(s.peers[s.best]['error']) if s.best else '-'}",
            number(s.ours.get("seconds")),
            _verdict(s),
        ]
        for s in standings
    ]
    head = ["fit", "seed", "ours", "true / stated", "stated as", "best peer", "CPU s", "certificate"]
    return table(head, rows)


def _limit(standings: list[Standing]) -> str:
    rows = []
    for name, group in by_name(standings).items():
        exact = [s for s in group if s.ours.get("exact")]
        certified = sum(bool(s.ours.get("certified")) for s in exact)
        wrong = of(exact, "determined_wrong")
        lying = sum(bool(s.ours.get("trusted")) and not s.ours.get("exact") for s in group)
        counts = (len(group), len(exact), certified, sum(wrong) if wrong else "-", lying)
        rows.append([name, *map(str, counts), number(mean(group, "seconds"))])
    head = ["entries over the limit", "fits", "exact on the core", "certified", "determined cells that are wrong"]
    return table([*head, "trusted, not exact", "CPU s"], rows)


def _denoising(standings: list[Standing]) -> str:
    rows = []
    for s in standings:
        shrunk, weights = (
            s.peers.get(name, {}).get("error") for name in ("optimal shrinkage, noise known", "best weights")
        )
        errors = [s.ours.get(field) for field in ("input", "error", "error_known")]
        over = [number(_over(a, b)) for a, b in ((errors[1], shrunk), (errors[2], weights))]
        said = "-" if not s.ours else "trust" if s.ours.get("trusted") else "warns"
        rows.append([s.record["name"], *map(number, errors), number(shrunk), number(weights), *over, said])
    head = ["case", "input", "noise estimated", "noise known", "optimal shrinkage", "best weights"]
    return table([*head, "estimated / shrinkage", "known / best weights", "certificate"], rows)


def _over(a: float | None, b: float | None) -> float | None:
    return None if a is None or not b else a / b


SECTIONS: dict[str, tuple[str, Callable[[list[Standing]], str]]] = {
    "real": ("Real matrices, errors over the spread of all entries", _against_peers),
    "synthetic": ("Synthetic classes, errors of the noise-free entries", _against_peers),
    "units": ("Columns in different units, errors in the spread of each column", _against_peers),
    "blocks": ("Two blocks that share few rows", _blocks),
    "outliers": ("Gross errors and heavy tails, fresh draws", _outliers),
    "votes": ("Small tables, means of masks", _means(("error", "error"), ("CPU s", "seconds"))),
    "near-exact": (
        "Near-exact 40 x 8",
        _means(
            ("error", "error"),
            ("of determined cells", "determined_error"),
            ("share determined", "determined_share"),
            ("CPU s", "seconds"),
        ),
    ),
    "ratings": ("Ratings, a tenth hidden", _against_peers),
    "panel": ("Gaps with a pattern: the error that was stated", _panel),
    "limit": ("Exact entries near the information limit", _limit),
    "intervals": (
        "95 % intervals: share that is covered",
        _means(
            ("noise-free entry", "entry"), ("new observation", "observation"), ("width", "width"), ("error", "error")
        ),
    ),
    "denoising": ("Denoising", _denoising),
}
