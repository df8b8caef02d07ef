"""One room for each paper, one function for each figure: simulation and theory on the same axes, claims checked.

The published settings of the figures are not used: every figure states its own.
"""

from rankscape.papers.figure import PaperFigure
from rankscape.papers.reproduce import PAPERS, check, figure_names, reproduce

__all__ = ["PAPERS", "PaperFigure", "check", "figure_names", "reproduce"]
