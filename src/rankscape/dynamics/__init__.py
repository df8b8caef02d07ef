"""HOW it moves: one frozen setting for each update rule, one file each.

============  ==============================================================================================
`descent`     `GradientDescent`
`momentum`    `HeavyBall` and `Nesterov`, which remember how they moved
`flow`        `GradientFlow`, its limit for small steps
`sgd`         `SGD`, which draws entries or measurements
`optimizer`   `Optimizer`, any of optax
`base`        what they share: numbers checked once, rates that change with the step
============  ==============================================================================================
"""

from rankscape.dynamics.base import AbstractDynamics
from rankscape.dynamics.descent import GradientDescent
from rankscape.dynamics.flow import GradientFlow
from rankscape.dynamics.momentum import HeavyBall, Nesterov
from rankscape.dynamics.optimizer import Optimizer
from rankscape.dynamics.sgd import SGD

__all__ = ["SGD", "AbstractDynamics", "GradientDescent", "GradientFlow", "HeavyBall", "Nesterov", "Optimizer"]
