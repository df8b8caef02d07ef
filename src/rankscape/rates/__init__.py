r"""HOW a rate changes: paths of a ridge or a learning rate, piecewise constant in the step.

A dynamics takes a path wherever it takes a number:

>>> import rankscape as rs
>>> rs.SGD(learning_rate=0.1, ridge=rs.rates.geometric(1e-3, 1e-5, stages=3, length=1000)).at(1500)
SGD(learning_rate=0.1, ridge=0.0001, batch_size=1, replacement=True)

Steps and plain ridges are what engines count in. People think in epochs and, because the loss of a completion is a
mean over its m observed entries, in ``ridge * m``: what one entry has to pay for all of the weights. `convert` goes
from one to the other, and always says how:

>>> import numpy as np
>>> problem = rs.Completion.from_array(np.eye(2))                                   # m = 4
>>> path = rs.rates.geometric(0.3, 0.003, stages=2, length=50)
>>> rs.rates.convert(path, problem, value="ridge * m", time="epochs")
Path(starts=(0, 200), values=(0.075, 0.00075), period=None)
"""

from rankscape.rates.curvature import Curvature
from rankscape.rates.path import Path, geometric, periodic, piecewise, pulse
from rankscape.rates.units import convert

__all__ = ["Curvature", "Path", "convert", "geometric", "periodic", "piecewise", "pulse"]
