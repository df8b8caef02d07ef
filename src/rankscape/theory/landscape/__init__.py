r"""The landscape of a product of matrices with a ridge: its minima, their ranks, and what separates them.

The objective is :math:`\frac{c}{2} \sum (W_{ij} - T_{ij})^2 + \lambda \sum_l \|W_l\|_F^2` over the observed
entries, with :math:`c = 1/m` for m of them unless a weight is given. At depth 3 or more the ridge acts on W as a
concave quasi-norm, so that minima of several ranks exist side by side, after Wang, Jacot (2024).

=====================  ========================================================================================
the ridge on W         `representation_cost`, `balanced_factors`
one mode               `critical_points`, `scalar_thresholds`, `soft_threshold`
fully observed         `local_minima`
any point              `critical_check`, `rank_floor`, `hessian`, `hessian_signature`
a path                 `rank_certificate`
entries of a matrix    `entries`
=====================  ========================================================================================

Examples
--------
>>> [m.rank for m in local_minima([3.0, 2.0, 1.0], depth=3, ridge=0.09)]
[0, 1, 2, 3]
"""

from rankscape.theory.chain import entries
from rankscape.theory.landscape.certificate import RankCertificate, rank_certificate
from rankscape.theory.landscape.cost import balanced_factors, representation_cost
from rankscape.theory.landscape.critical import CriticalCheck, critical_check, rank_floor
from rankscape.theory.landscape.hessian import HessianSignature, hessian, hessian_signature
from rankscape.theory.landscape.minima import LocalMinimum, local_minima
from rankscape.theory.landscape.scalar import (
    CriticalPoints,
    Thresholds,
    critical_points,
    scalar_thresholds,
    soft_threshold,
)

__all__ = [
    "CriticalCheck",
    "CriticalPoints",
    "HessianSignature",
    "LocalMinimum",
    "RankCertificate",
    "Thresholds",
    "balanced_factors",
    "critical_check",
    "critical_points",
    "entries",
    "hessian",
    "hessian_signature",
    "local_minima",
    "rank_certificate",
    "rank_floor",
    "representation_cost",
    "scalar_thresholds",
    "soft_threshold",
]
