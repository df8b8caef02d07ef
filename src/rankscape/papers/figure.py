"""A reproduced figure: what it shows, the data behind it, the settings, and the claims that were checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rankscape import plot
from rankscape.ground.as_json import as_json
from rankscape.ground.storage import check_folder, check_writable, replacing
from rankscape.papers.claims import Claim

if TYPE_CHECKING:
    import xarray as xr


def verdict(claim: Claim) -> str:
    """One line about a claim: whether it holds, and what was accepted."""
    held = "holds" if claim.holds else "FAILS"
    if claim.problems is not None:
        held = f"holds in {claim.problems[0]} of {claim.problems[1]} problems"
    accepted = _words(claim.predicted) if claim.accepted == "as predicted" else _words(claim.accepted)
    return f"{held}: {claim.name} (accepted: {accepted})"


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_words, value)) + "]"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "open" if value is None else str(value)


@dataclass(frozen=True, eq=False)
class PaperFigure:
    """One figure of a paper, made with settings of our own that it states.

    Attributes
    ----------
    name : str
        Its name on the command line and of its files.
    title : str
        One sentence: what it shows.
    settings : mapping
        Every number that decided it, as JSON.
    parts : sequence of Panel or Image
        What is drawn.
    data : xarray.Dataset
        What was plotted.
    claims : sequence of Claim
        What was checked.
    columns : int
        Panels a row.
    """

    name: str
    title: str
    settings: Mapping[str, Any]
    parts: Sequence[plot.Panel | plot.Image]
    data: "xr.Dataset"
    claims: Sequence[Claim]
    columns: int = 3

    @property
    def holds(self) -> bool:
        """Whether all claims hold."""
        return all(claim.holds for claim in self.claims)

    def describe(self) -> dict[str, Any]:
        """Title, settings and claims as JSON."""
        claims = [claim.describe() for claim in self.claims]
        return {"figure": self.name, "title": self.title, "settings": dict(self.settings), "claims": claims}

    def save(self, folder: str | Path, publication: bool = False) -> list[Path]:
        """Write ``name.png``, ``name.pdf``, ``name.nc`` (netCDF) and ``name.json`` into a folder, made if needed.

        The verdicts stand below the panels, with what was accepted; `publication` leaves them and the title to the
        caption, and gives the panels letters.
        """
        folder = Path(folder)
        check_folder(folder)
        for ending in (".nc", ".json"):
            check_writable(folder / f"{self.name}{ending}")
        drawing = plot.draw(self.parts, columns=self.columns, title="" if publication else self.title,
                            notes=() if publication else [verdict(claim) for claim in self.claims],
                            letters=publication)  # fmt: skip
        paths = [plot.save(drawing, folder / f"{self.name}.png")]
        drawing.set_layout_engine("none")  # it is laid out, and doing so again takes as long as drawing
        paths.append(plot.save(drawing, folder / f"{self.name}.pdf"))
        paths.append(folder / f"{self.name}.nc")
        with replacing(paths[-1]) as file:
            file.write(bytes(self.data.to_netcdf(engine="scipy")))
        paths.append(folder / f"{self.name}.json")
        with replacing(paths[-1]) as file:
            file.write((as_json(self.describe()) + "\n").encode())
        return paths
