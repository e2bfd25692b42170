"""The activation functions that are recognised, as modules or functions, and their derivatives φ'(z).

Where φ' follows from the output y it is taken from y, as autograd does; else from the input z.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

SELU_ALPHA = 1.6732632423543772  # Klambauer et al. 2017
SELU_SCALE = 1.0507009873554805


@dataclass(frozen=True)
class Activation:
    """One activation function.

    Attributes:
        name: as PyTorch spells the function.
        derivative: (sample of z or y, setting) -> φ' there, same shape.
        ceiling: sup |φ'|, with the default setting.
        from_input: whether `derivative` wants z; else y.
        bounded: whether it flattens on both sides, so that units can saturate.
        can_die: whether a unit can be exactly zero for every input.
        setting: name and default of the one number that changes φ', as the function spells it.
    """

    name: str
    derivative: Callable[[Tensor, float], Tensor]
    ceiling: float
    from_input: bool = False
    bounded: bool = False
    can_die: bool = False
    setting: tuple[str, float] = ("", 0.0)


def _sigmoid(y: Tensor, _: float) -> Tensor:
    return y * (1 - y)


def _tanh(y: Tensor, _: float) -> Tensor:
    return 1 - y * y


def _relu(y: Tensor, _: float) -> Tensor:
    return y.sign()  # the output is 0 or positive


def _leaky_relu(z: Tensor, slope: float) -> Tensor:
    return torch.where(z > 0, 1.0, slope)


def _elu(z: Tensor, alpha: float) -> Tensor:
    return torch.where(z > 0, 1.0, alpha * torch.exp(z.clamp(max=0)))


def _selu(z: Tensor, _: float) -> Tensor:
    return SELU_SCALE * _elu(z, SELU_ALPHA)


def _gelu(z: Tensor, tanh_form: float) -> Tensor:
    if tanh_form:
        c, k = math.sqrt(2 / math.pi), 0.044715
        t = torch.tanh(c * (z + k * z**3))
        return 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * c * (1 + 3 * k * z * z)
    return 0.5 * (1 + torch.erf(z / math.sqrt(2))) + z * torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _silu(z: Tensor, _: float) -> Tensor:
    s = torch.sigmoid(z)
    return s * (1 + z * (1 - s))


def _softplus(z: Tensor, beta: float) -> Tensor:
    return torch.sigmoid(beta * z)


SIGMOID = Activation("sigmoid", _sigmoid, 0.25, bounded=True)
TANH = Activation("tanh", _tanh, 1.0, bounded=True)
RELU = Activation("relu", _relu, 1.0, can_die=True)
LEAKY_RELU = Activation("leaky_relu", _leaky_relu, 1.0, from_input=True, setting=("negative_slope", 0.01))
ELU = Activation("elu", _elu, 1.0, from_input=True, setting=("alpha", 1.0))
SELU = Activation("selu", _selu, SELU_SCALE * SELU_ALPHA, from_input=True)
GELU = Activation("gelu", _gelu, 1.13, from_input=True, setting=("approximate", 0.0))
SILU = Activation("silu", _silu, 1.1, from_input=True)
SOFTPLUS = Activation("softplus", _softplus, 1.0, from_input=True, setting=("beta", 1.0))

FUNCTIONS: dict[Any, Activation] = {
    **dict.fromkeys((torch.sigmoid, torch.sigmoid_, Tensor.sigmoid, Tensor.sigmoid_, F.sigmoid), SIGMOID),
    **dict.fromkeys((torch.tanh, torch.tanh_, Tensor.tanh, Tensor.tanh_, F.tanh), TANH),
    **dict.fromkeys((torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, F.relu, F.relu_), RELU),
    **dict.fromkeys((F.leaky_relu, F.leaky_relu_), LEAKY_RELU),
    **dict.fromkeys((F.elu, F.elu_), ELU),
    **dict.fromkeys((torch.selu, torch.selu_, F.selu, F.selu_), SELU),
    F.gelu: GELU,
    F.silu: SILU,
    F.softplus: SOFTPLUS,
}


def setting_of(activation: Activation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> float:
    """The activation's one number, from the call that was made."""
    name, default = activation.setting
    if not name:
        return default
    given = kwargs.get(name, args[1] if len(args) > 1 else default)
    return float(given == "tanh") if isinstance(given, str) else float(given)
