"""Pictures: each is a pure "what to draw" and a thin "draw it"; they take data sets, never engines."""

from rankscape.plot.drawing import check_figure, draw, save
from rankscape.plot.images import completion_images
from rankscape.plot.onto import plot_trajectory
from rankscape.plot.panels import Band, Cells, Image, Line, Panel
from rankscape.plot.spectra import denoising_panels
from rankscape.plot.trajectory import trajectory_panels

__all__ = [
    "Band",
    "Cells",
    "Image",
    "Line",
    "Panel",
    "check_figure",
    "completion_images",
    "denoising_panels",
    "draw",
    "plot_trajectory",
    "save",
    "trajectory_panels",
]
