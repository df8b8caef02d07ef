"""A fit, as a place to go on from: in other units, and with rows that are new."""

from dataclasses import replace

import numpy as np

from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.ground.modes import modes_of


def moved(fit: Fit, old: Scaling, new: Scaling) -> Fit:
    """The same product in the units of another scaling; rows that only the new one knows are zero."""
    known, more, factor = len(old.row), len(new.row) - len(old.row), old.unit / new.unit
    left = fit.modes.U * fit.modes.s * (old.row / new.row[:known])[:, None]
    right = fit.modes.V * (old.column / new.column)[:, None]
    modes = modes_of(np.vstack([left, np.zeros((more, left.shape[1]))]), right)
    offset = fit.offset.scaled(factor)
    offset = replace(offset, row=np.append(offset.row, np.zeros(more)))
    variances = fit.variances
    if variances is not None:
        variances = variances._replace(row=np.append(variances.row, np.ones(more)))
    fit = replace(fit, scale=fit.scale * factor, noise=fit.noise * factor)
    return replace(fit, modes=modes, offset=offset, variances=variances)
