"""Linear regression and its regularisation: the baseline, ordinary least squares, ridge, and weight decay as ridge."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from trainclinic.errors import LabError

Array = NDArray[np.float64]

# Anscombe, "Graphs in Statistical Analysis", The American Statistician 27 (1973), data set I
ANSCOMBE_X = (10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0)
ANSCOMBE_Y = (8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68)

SETTLED = 1e-11  # size of the gradient, weight decay included, at which the training has converged
MOST_STEPS = 20_000


class Trained(NamedTuple):
    """What `train_linear` came to.

    Attributes:
        weights: of the layer, (features,).
        bias: of the layer.
        path: the weights before the first step and after each one, (steps + 1, features).
    """

    weights: Array
    bias: float
    path: Array


def baseline(y: ArrayLike) -> float:
    """The baseline model: the mean of the target, whatever x is; a model that does not beat it knows nothing of x.

    Args:
        y: targets, (samples,).

    Raises:
        LabError: there is no sample, or a number is not finite.
    """
    return float(_numbers("y", y, 1).mean())


def ols(x: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """Ordinary least squares with one feature: the line with the smallest sum of squared residuals.

    slope = S_xy / S_xx, intercept = ȳ − slope · x̄, where S_xy = Σ (x − x̄)(y − ȳ) and S_xx = Σ (x − x̄)².

    Args:
        x: feature, (samples,).
        y: targets, (samples,).

    Returns:
        (slope [y per x], intercept [y]).

    Raises:
        LabError: x and y do not fit each other, a number is not finite, or every x is the same.
    """
    return ridge(x, y, 0.0)


def ridge(x: ArrayLike, y: ArrayLike, alpha: float) -> tuple[float, float]:
    """Ridge regression with one feature: least squares plus alpha · slope² (Hoerl & Kennard 1970).

    slope = S_xy / (S_xx + alpha). The intercept ȳ − slope · x̄ is not penalised, so the line turns about (x̄, ȳ).

    Args:
        x: feature, (samples,).
        y: targets, (samples,).
        alpha: strength of the penalty, at least 0; 0 is ordinary least squares. The lecture's λ.

    Returns:
        (slope [y per x], intercept [y]).

    Raises:
        LabError: x and y do not fit each other, a number is not finite, alpha is negative, or every x is the same
            while alpha is 0.
    """
    weights, bias = ridge_weights(_numbers("x", x, 1)[:, None], y, alpha)
    return float(weights[0]), bias


def ridge_weights(features: ArrayLike, targets: ArrayLike, alpha: float) -> tuple[Array, float]:
    """Ridge regression with any number of features, in closed form: w = (XᵀX + alpha · I)⁻¹ Xᵀy on centred data.

    Args:
        features: (samples, features).
        targets: (samples,).
        alpha: strength of the penalty, at least 0; the bias is not penalised.

    Returns:
        (weights, (features,); bias).

    Raises:
        LabError: as `ridge`; at alpha = 0 also where a feature is a sum of others.
    """
    x, y = _pair(features, targets)
    if not 0 <= alpha < math.inf:
        raise LabError(f"alpha: expected a number from 0, got {alpha:g}; a penalty only pulls towards 0")
    centred = x - x.mean(0)
    if alpha == 0 and np.linalg.matrix_rank(centred) < x.shape[1]:
        raise LabError("x: expected features that vary, none a sum of others, got many lines that fit equally well; "
                       "take alpha above 0")  # fmt: skip
    gram = centred.T @ centred + alpha * np.eye(x.shape[1])
    weights: Array = np.linalg.solve(gram, centred.T @ (y - y.mean()))
    return weights, float(y.mean() - x.mean(0) @ weights)


def equation(slope: float, intercept: float) -> str:
    """The line as text, both numbers rounded to two decimals: "y = 0.5x + 3.0"."""
    sign = "-" if round(intercept, 2) < 0 else "+"
    return f"y = {round(float(slope), 2)}x {sign} {abs(round(float(intercept), 2))}"


def ridge_alpha(weight_decay: float, samples: int) -> float:
    """The alpha of ridge regression that weight decay is equal to, for `nn.MSELoss` over all samples at once.

    Weight decay λ adds λw to the gradient. `nn.MSELoss` is (1/n) Σ r², so at rest (2/n) Xᵀ(Xw − y) + λw = 0, which is
    (XᵀX + (nλ/2) · I) w = Xᵀy: alpha = nλ/2. (A loss with the factor ½, (1/2n) Σ r², has alpha = nλ.)

    Args:
        weight_decay: λ of `torch.optim.SGD`.
        samples: n.
    """
    return samples * weight_decay / 2


def train_linear(features: ArrayLike, targets: ArrayLike, weight_decay: float) -> Trained:
    """Train `nn.Linear` with `nn.MSELoss` and `torch.optim.SGD` on all samples at once until nothing moves any more.

    Weight decay is on the weights and not on the bias. The learning rate and the momentum are those that are best
    for a bowl of which the least and the greatest curvature are known (Polyak 1964); where it ends does not depend
    on them.

    Args:
        features: (samples, features).
        targets: (samples,).
        weight_decay: λ, at least 0.

    Raises:
        LabError: the data do not fit each other, λ is negative, or it did not converge in `MOST_STEPS` steps.
    """
    x, y = (torch.from_numpy(values) for values in _pair(features, targets))
    if not 0 <= weight_decay < math.inf:
        raise LabError(f"weight_decay: expected a number from 0, got {weight_decay:g}; 0 is no weight decay")
    least, greatest = _curvatures(x.numpy(), weight_decay)
    layer = nn.Linear(x.shape[1], 1, dtype=torch.float64)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    groups: list[dict[str, Any]] = [
        {"params": [layer.weight], "weight_decay": weight_decay},
        {"params": [layer.bias]},
    ]
    rate = 4 / (math.sqrt(greatest) + math.sqrt(least)) ** 2
    momentum = ((math.sqrt(greatest) - math.sqrt(least)) / (math.sqrt(greatest) + math.sqrt(least))) ** 2
    optimizer = torch.optim.SGD(groups, lr=rate, momentum=momentum)
    loss_fn = nn.MSELoss()
    path = [layer.weight[0].detach().numpy().copy()]
    for _ in range(MOST_STEPS):
        optimizer.zero_grad()
        loss_fn(layer(x)[:, 0], y).backward()
        pull = cast(torch.Tensor, layer.weight.grad) + weight_decay * layer.weight.detach()
        left = max(float(pull.abs().max()), float(cast(torch.Tensor, layer.bias.grad).abs()))
        optimizer.step()
        path.append(layer.weight[0].detach().numpy().copy())
        if left < SETTLED * greatest:
            return Trained(path[-1], float(layer.bias.detach()), np.array(path))
    raise LabError(f"weight_decay: expected a training that settles within {MOST_STEPS:,} steps, got one that still "
                   "moves; standardise the features or take a larger weight decay")  # fmt: skip


def _curvatures(x: Array, weight_decay: float) -> tuple[float, float]:
    """Least and greatest eigenvalue of the second derivative of the loss with its penalty."""
    augmented = np.column_stack([x, np.ones(len(x))])
    hessian = 2 * augmented.T @ augmented / len(x)
    hessian[range(x.shape[1]), range(x.shape[1])] += weight_decay
    values = np.linalg.eigvalsh(hessian)
    return max(float(values[0]), 1e-12 * float(values[-1])), float(values[-1])


def _numbers(name: str, values: ArrayLike, dimensions: int) -> Array:
    array = np.array(values, dtype=np.float64)
    if array.ndim != dimensions or not array.size:
        raise LabError(f"{name}: expected {dimensions}-dimensional data with at least one sample, got shape "
                       f"{array.shape}; reshape it")  # fmt: skip
    if not np.isfinite(array).all():
        raise LabError(f"{name}: expected finite numbers, got NaN or infinity; remove those samples")
    return array


def _pair(features: ArrayLike, targets: ArrayLike) -> tuple[Array, Array]:
    x, y = _numbers("x", features, 2), _numbers("y", targets, 1)
    if len(x) != len(y):
        raise LabError(f"x and y: expected as many targets as samples, got {len(x)} samples and {len(y)} targets; "
                       "give one y for each x")  # fmt: skip
    return x, y
