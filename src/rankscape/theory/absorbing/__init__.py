r"""Sets of low rank that SGD with a ridge enters and never leaves.

At depth 3 or more the noise of SGD vanishes on a dead mode faster than the pull of the ridge, so that the sets
:math:`B_0 \subset B_1 \subset \dots` of points of approximate rank r are absorbing: ranks fall, one way only. After
Wang, Jacot (2024), with explicit constants.

===================  ==========================================================================================
the sets             `RankSet`, `soft_rank`, `soft_count`
constants            `worst_case`, `a_posteriori`
one step             `step_certificate`; `batch_gradient`, `imbalance_after`, `norms_after`, `norm_bounds`,
                     `soft_rank_bounds`
many steps           `reachability`
===================  ==========================================================================================

Examples
--------
>>> import numpy as np
>>> absorption = worst_case(rank=1, depth=3, ridge=0.2, largest_value=1.0)
>>> absorption.rank_set.contains([np.diag([1.0, 0.0])] * 3)
True
"""

from rankscape.theory.absorbing.constants import Absorption, a_posteriori, worst_case
from rankscape.theory.absorbing.identities import (
    batch_gradient,
    imbalance_after,
    norm_bounds,
    norms_after,
    soft_rank_bounds,
)
from rankscape.theory.absorbing.rank_set import Margins, RankSet
from rankscape.theory.absorbing.reach import Reachability, reachability
from rankscape.theory.absorbing.soft import soft_count, soft_rank
from rankscape.theory.absorbing.step import StepCertificate, step_certificate

__all__ = [
    "Absorption",
    "Margins",
    "RankSet",
    "Reachability",
    "StepCertificate",
    "a_posteriori",
    "batch_gradient",
    "imbalance_after",
    "norm_bounds",
    "norms_after",
    "reachability",
    "soft_count",
    "soft_rank",
    "soft_rank_bounds",
    "step_certificate",
    "worst_case",
]
