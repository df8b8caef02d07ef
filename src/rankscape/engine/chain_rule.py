r"""The products of a step: forward through the factors, and the gradient carried back to each of them.

With ``G`` the gradient of the loss at ``W = W_N ... W_1``,

.. math:: \nabla_{W_l} = (W_N \cdots W_{l+1})^T\, G\, (W_{l-1} \cdots W_1)^T .

The partial products to the right are kept from the forward pass and ``G`` is carried down to the left, so a step costs
``3(N-1)`` matrix products.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from rankscape.engine.base import Setting
from rankscape.problem import Sensing

# Of NumPy or of JAX, and of whatever JAX traces: the products are written the same.
Factors = list[Any]


def partial_products(factors: Factors) -> Factors:
    """``[W_1, W_2 W_1, ..., W_N ... W_1]``."""
    products = [factors[0]]
    for W in factors[1:]:
        products.append(W @ products[-1])
    return products


def pulled_back(factors: Factors, products: Factors, gradient: Any) -> Factors:
    """The gradient with respect to every factor, from the `gradient` with respect to the product."""
    carried, gradients = gradient, []
    for W, right in zip(reversed(factors[1:]), reversed(products[:-1]), strict=True):
        gradients.append(carried @ right.T)
        carried = W.T @ carried  # after W has used it: each gradient lies between the two sides
    return [carried, *reversed(gradients)]


def value_and_gradients(binder: Callable, arrays: Mapping[str, Any], factors: Factors) -> tuple[Any, Factors]:
    """The loss of the product and its gradient with respect to every factor, without ridge."""
    # The binder is a constant of the compiled function, the arrays are data: equal shapes compile once.
    problem, products = binder(arrays), partial_products(factors)
    gradients = pulled_back(factors, products, problem.gradient(products[-1]))
    return problem.loss(products[-1]), gradients


def products_cost(setting: Setting) -> float:
    """Rough microseconds of the products of a step, at 3e4 floating-point operations a microsecond."""
    n_in, *_ = widths = setting.widths
    return sum(6 * after * before * n_in for before, after in pairwise(widths[1:])) / 3e4


def operators_cost(setting: Setting) -> float:
    """Rough microseconds of a gradient of measurements, which waits for memory more than it computes."""
    # Applied, and back.
    return 2 * setting.problem.operators.flops() / 1e4 if isinstance(setting.problem, Sensing) else 0.0
