"""What was asked for, beside what was reached."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from plan import NOISE_OF_ENTRIES, PANELS
from standing import Standing, count
from tables import by_name, mean, number, of, table

Sections = dict[str, list[Standing]]
Reader = Callable[[Sections, Sections], "Reached"]


class Reached(NamedTuple):
    """What was measured, in words, and whether it is enough; None where nothing was measured."""

    words: str
    enough: bool | None


class Bar(NamedTuple):
    """One line: what is measured, what was asked, and how it is read off the fits."""

    what: str
    asked: str
    read: Reader


NOTHING = Reached("not measured", None)


def text(sections: Sections, before: Sections) -> str:
    """All bars; `before` holds the fits of an earlier version, if there are any."""
    rows = []
    for bar in BARS:
        words, enough = bar.read(sections, before)
        rows.append([bar.what, bar.asked, words, {True: "met", False: "NOT MET", None: "-"}[enough]])
    return table(["bar", "asked", "reached", ""], rows)


def _losses(section: str) -> Reader:
    def read(sections: Sections, before: Sections) -> Reached:
        counted = count(sections.get(section, []))
        if not counted["fits"]:
            return NOTHING
        words = ", ".join(f"{value} {what}" for what, value in counted.items())
        return Reached(words, counted["losses"] <= 6 and not counted["losses by > 10 %"])

    return read


def _largest(section: str, name: str, limit: float, middle: Callable = max) -> Reader:
    """The largest error (or the mean) over the seeds of a name."""

    def read(sections: Sections, before: Sections) -> Reached:
        fits = by_name(sections.get(section, [])).get(name, [])
        values = of(fits, "error")
        if not values:
            return NOTHING
        words = f"{middle(values):.4g} of {len(values)}" + _relative(fits, before.get(section, []))
        return Reached(words, middle(values) <= limit)

    return read


def _relative(fits: list[Standing], before: list[Standing]) -> str:
    """Beside the earlier version and the best peer on the same masks: some masks are harder than others."""
    old = {s.record["key"]: s.error for s in before if s.error}
    past = [s.error / old[s.record["key"]] for s in fits if s.error and s.record["key"] in old]
    peer = [s.ratio for s in fits if s.ratio]
    beside = {"before": past, "best peer": peer}
    shown = [f"{_middle(ratios):.3f} x {what}" for what, ratios in beside.items() if ratios]
    return f" ({', '.join(shown)})" if shown else ""


def _middle(ratios: list[float]) -> float:
    return float(np.exp(np.mean(np.log(ratios))))


def _blocks(sections: Sections, before: Sections) -> Reached:
    fits = [s for s in sections.get("blocks", []) if s.error is not None]
    if not fits:
        return NOTHING
    wrong = sum(s.silent for s in fits)
    worse = [s.over("damped bias") for s in fits]
    most = max((ratio for ratio in worse if ratio is not None), default=np.nan)
    return Reached(f"{wrong} of {len(fits)}; error at most {most:.3g} x bias model", not wrong and most <= 1.03)


def _against(peer: str, names: tuple[str, ...], limit: float) -> Reader:
    def read(sections: Sections, before: Sections) -> Reached:
        named = by_name(sections.get("real", []))
        ratios = [s.over(peer) for name in names for s in named.get(name, [])]
        ratios = [ratio for ratio in ratios if ratio is not None]
        return Reached(", ".join(map(number, ratios)), max(ratios) <= limit) if ratios else NOTHING

    return read


def _stated(sections: Sections, before: Sections) -> Reached:
    over = of(sections.get("panel", []), "over_stated")
    if not over:
        return NOTHING
    share = float(np.mean([0.5 <= ratio <= 2 for ratio in over]))
    return Reached(f"{share:.0%} of {len(over)} (from {min(over):.2g} to {max(over):.2g})", share >= 0.95)


def _improved(sections: Sections, before: Sections) -> Reached:
    old = {s.record["key"]: s.error for s in before.get("panel", [])}
    fits = [s for s in sections.get("panel", []) if s.record["name"] in {f"{name} panel 0.3" for name in PANELS}]
    ratios = [s.error / old[s.record["key"]] for s in fits if s.error and old.get(s.record["key"])]
    if not ratios:
        return Reached("needs --against", None)
    middle = _middle(ratios)
    return Reached(f"{middle:.3f}, worst {max(ratios):.3g}, of {len(ratios)}", middle <= 0.87 and max(ratios) <= 1.15)


def _certified(sections: Sections, before: Sections) -> Reached:
    exact = [s for s in sections.get("limit", []) if s.ours.get("exact")]
    if not exact:
        return NOTHING
    wrong = of(exact, "determined_wrong")
    if not wrong:
        return Reached("no mask of determined cells", False)
    share = float(np.mean([bool(s.ours.get("certified")) for s in exact]))
    return Reached(f"{sum(wrong)} cells wrong; {share:.0%} of {len(exact)} certified", not sum(wrong) and share >= 0.98)


def _exact_at_limit(sections: Sections, before: Sections) -> Reached:
    fits = by_name(sections.get("limit", [])).get("200 x 200, rank 5, 1.05x", [])
    exact = [bool(s.ours.get("exact")) for s in fits if s.ours]
    return Reached(f"{sum(exact)} of {len(exact)}", float(np.mean(exact)) >= 0.9) if exact else NOTHING


def _near_exact(sections: Sections, before: Sections) -> Reached:
    fits = sections.get("near-exact", [])
    value = mean(fits, "determined_error")
    named = "" if value is not None else " (all cells)"
    value = mean(fits, "error") if value is None else value
    return NOTHING if value is None else Reached(f"{value:.2g}{named}", value <= 0.005)


def _ratings(name: str, asked: float) -> Reader:
    def read(sections: Sections, before: Sections) -> Reached:
        fits = [s for s in by_name(sections.get("ratings", [])).get(name, []) if s.over("myfm")]
        if not fits:
            return NOTHING
        ratio = float(np.mean([s.error for s in fits]) / np.mean([s.peers["myfm"]["error"] for s in fits]))
        seconds = sum(s.ours["seconds"] for s in fits) / sum(s.peers["myfm"]["seconds"] for s in fits)
        return Reached(f"{ratio - 1:+.1%} in {seconds:.2g} x its time", ratio - 1 <= asked and seconds <= 1)

    return read


def _quick_and_good(section: str, name: str, error: float | None, seconds: float) -> Reader:
    def read(sections: Sections, before: Sections) -> Reached:
        fits = [s for s in by_name(sections.get(section, [])).get(name, []) if s.error is not None]
        if not fits:
            return NOTHING
        most, slowest = max(s.error for s in fits), max(s.ours["seconds"] for s in fits)
        old = [s.error for s in by_name(before.get(section, [])).get(name, []) if s.error is not None]
        limit = error if error is not None else 1.01 * max(old) if old else np.inf
        words = f"{most:.4g} in {slowest:.2g} s" + _relative(fits, before.get(section, []))
        return Reached(words, most <= limit and slowest <= seconds)

    return read


def _denoised(sections: Sections, before: Sections) -> Reached:
    fits = [s for s in sections.get("denoising", []) if s.ours and not s.ours.get("failed")]
    made = [s.over("optimal shrinkage, noise known") for s in fits if "sd" not in s.record["name"]]
    given = [s.ours["error_known"] / s.peers["best weights"]["error"] for s in fits if "sd" in s.record["name"]]
    if not made or not given:
        return NOTHING
    near = sum(ratio <= 1.01 for ratio in given)
    words = f"at most {max(made) - 1:+.1%}; within 1 % on {near} of {len(given)}"
    return Reached(words, max(made) <= 1.005 and near >= 0.9 * len(given))


def _worse_than_input(sections: Sections, before: Sections) -> Reached:
    fits = [s for s in sections.get("denoising", []) if s.ours and not s.ours.get("failed")]
    if not fits:
        return NOTHING
    given = sum(s.ours["error_known"] > s.ours["input"] for s in fits)
    silent = sum(s.ours["error"] > s.ours["input"] and s.ours["trusted"] for s in fits)
    return Reached(f"{given} / {silent} without a warning", not given and not silent)


def _covered(sections: Sections, before: Sections) -> Reached:
    fits = by_name(sections.get("intervals", []))
    entry = [value for name in NOISE_OF_ENTRIES if (value := mean(fits.get(name, []), "entry")) is not None]
    fresh = [value for group in fits.values() if (value := mean(group, "observation")) is not None]
    if not entry:
        return NOTHING
    words = f"{min(entry):.3f} to {max(entry):.3f}"
    if not fresh:
        return Reached(f"- / {words}", False)
    enough = _within(fresh, 0.92, 0.98) and _within(entry, 0.93, 0.97)
    return Reached(f"{min(fresh):.3f} to {max(fresh):.3f} / {words}", enough)


def _within(values: list[float], low: float, high: float) -> bool:
    return all(low <= value <= high for value in values)


def _silent(sections: Sections, before: Sections) -> Reached:
    fits = [s for group in sections.values() for s in group if s.ours.get("over_stated") is not None]
    wrong = [s for s in fits if s.silent]
    names = sorted({f"{s.record['section']}: {s.record['name']}" for s in wrong})
    shown = "; ".join(names[:12]) + (f"; and {len(names) - 12} more" if len(names) > 12 else "")
    return Reached(f"{len(wrong)} of {len(fits)}" + (f" ({shown})" if wrong else ""), not wrong) if fits else NOTHING


def _time(sections: Sections, before: Sections) -> Reached:
    fits = [s for name, group in sections.items() if name != "denoising" for s in group if s.error is not None]
    slow = [f"{s.record['name']} {s.ours['seconds']:.3g} s" for s in fits if s.overtime > 0]
    return (
        Reached(f"{len(slow)} of {len(fits)}" + (f" ({'; '.join(slow)})" if slow else ""), not slow)
        if fits
        else NOTHING
    )


BARS = [
    Bar("real fits lost to the best peer", "<= 6 by > 3 %, none by > 10 %", _losses("real")),
    Bar("synthetic fits lost to the best peer", "<= 6 by > 3 %, none by > 10 %", _losses("synthetic")),
    Bar("units: breast cancer, 30 % hidden", "<= 0.42", _largest("units", "bcancer 0.3", 0.42)),
    Bar("blocks, overlap 0 to 2: trusted where wrong; error", "0; <= bias model", _blocks),
    Bar("1 % gross errors, worst seed", "<= 0.04", _largest("outliers", "1 % gross errors", 0.04)),
    Bar("5 % gross errors, worst seed", "<= 0.06", _largest("outliers", "5 % gross errors", 0.06)),
    Bar("Student t(2), worst seed", "<= 0.11", _largest("outliers", "Student t(2)", 0.11)),
    Bar("S&P prices over KNN", "<= 0.7", _against("KNN", ("sp500 random 0.3",), 0.7)),
    Bar("Chicago and digits over KNN", "<= 1.0", _against("KNN", ("chicago random 0.3", "digits random 0.3"), 1.0)),
    Bar("elevation over interpolation", "<= 0.95", _against("interpolation", ("jacksboro random 0.5",), 0.95)),
    Bar("gaps with a pattern: true over stated error", "in [0.5, 2] on >= 95 %", _stated),
    Bar("panel gaps: error over that of --against", "mean <= 0.87, worst <= 1.15", _improved),
    Bar("exact fits: determined cells that are wrong; certified", "0; >= 98 %", _certified),
    Bar("votes, 30 % hidden", "<= 0.432", _largest("votes", "votesrepub 0.3", 0.432, middle=np.mean)),
    Bar("votes, 50 % hidden", "<= 0.468", _largest("votes", "votesrepub 0.5", 0.468, middle=np.mean)),
    Bar("votes, 80 % hidden", "<= 0.623", _largest("votes", "votesrepub 0.8", 0.623, middle=np.mean)),
    Bar("near-exact 40 x 8: error of determined cells", "<= 0.005", _near_exact),
    Bar("FilmTrust against myfm", "<= -1.0 %, no slower", _ratings("filmtrust", -0.010)),
    Bar("MovieLens small against myfm", "<= -2.0 %, no slower", _ratings("mlsmall", -0.020)),
    Bar("MovieLens 100k against myfm", "<= -1.8 %, no slower", _ratings("ml100k", -0.018)),
    Bar("100,000 x 5", "<= 0.4 s, error as --against", _quick_and_good("synthetic", "tall", None, 0.4)),
    Bar("spectra, 80 % hidden", "<= 0.0031 in <= 2 s", _quick_and_good("real", "meats random 0.8", 0.0031, 2.0)),
    Bar(
        "denoiser: estimated over optimal shrinkage; given over best weights", "<= +0.5 %; <= 1 % on 9 of 10", _denoised
    ),
    Bar("denoised worse than the input: noise given / estimated", "never / only with a warning", _worse_than_input),
    Bar("95 % intervals: observation / entry of low rank", "0.92 to 0.98 / 0.93 to 0.97", _covered),
    Bar("trusted, and the error more than twice what was stated", "0", _silent),
    Bar("200 x 200, rank 5, at 1.05x the limit: exact on the core", ">= 90 %", _exact_at_limit),
    Bar("slower than 5 x the fastest peer as accurate, and than 2 CPU s", "0", _time),
]
"""`benchmarks/completion.py` prints the bars of planted matrices, real images and the floor of noise."""
