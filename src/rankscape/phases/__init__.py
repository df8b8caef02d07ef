"""Phase diagrams: a function of one cell, swept over a grid into a store that survives, one figure with its data.

Each diagram has a file: the cell, the grids, and the drawing with what theory predicts on top. `diagram` knows them all
and makes them; `methods` and `baselines` are what the two recovery diagrams compare.
"""

from rankscape.phases.diagram import DIAGRAMS as DIAGRAMS
from rankscape.phases.diagram import Diagram as Diagram
from rankscape.phases.diagram import check as check
from rankscape.phases.diagram import phase_diagram as phase_diagram

__all__ = ["DIAGRAMS", "Diagram", "check", "phase_diagram"]
