"""The catalogue of completion methods, simplest first: on a tie of held-out errors the simpler one is taken.

================  ==============================================================================================
`base`            `Method`: the contract; a new method is one subclass, and one call of `register`
`offset`          no direction at all, what every other method has to beat
`climbed`         one best pair of factors: a falling ridge, least squares, parallel analysis (`exactness`, `shaken`)
`joint`           levels and directions together, by least squares: for tables with hardly any noise (`ladder`)
`averaged`        the mean of many directions: variational Bayes
`penalised`       the minimum at a low ridge, at several depths
`sampled`         the mean of draws: Gibbs sampling, for noise and for slow spectra
================  ==============================================================================================
"""

from rankscape.errors import InputError
from rankscape.estimators.completion.methods.averaged import Averaged
from rankscape.estimators.completion.methods.base import Method
from rankscape.estimators.completion.methods.climbed import CLIMBED
from rankscape.estimators.completion.methods.joint import JOINT
from rankscape.estimators.completion.methods.offset import OFFSET
from rankscape.estimators.completion.methods.penalised import Penalised
from rankscape.estimators.completion.methods.sampled import SAMPLED

# Averages and low ridges are equally rich: between them the smaller rank counts.
METHODS: list[Method] = [OFFSET, CLIMBED, JOINT, Averaged(), Penalised(), SAMPLED]


def register(method: Method) -> None:
    """Add a method: selection tries it, and certificate, reports and saving ask it.

    Raises
    ------
    InputError
        Another method has this name.
    """
    if method.name in [known.name for known in METHODS]:
        raise InputError(f"A method called {method.name!r} is registered already; choose another name.")
    # The offset stays first, whatever a method claims; the sort is stable: of equally rich ones the earlier one too.
    METHODS[1:] = sorted([*METHODS[1:], method], key=lambda known: known.richness)


def named(name: str) -> Method:
    """The method of this name.

    Raises
    ------
    InputError
        No method has this name: a file may come from a program that registered one of its own.
    """
    for method in METHODS:
        if method.name == name:
            return method
    known = ", ".join(repr(method.name) for method in METHODS)
    raise InputError(f"There is no completion method {name!r} (there are {known}); register it before it is used.")
