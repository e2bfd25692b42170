"""Activation functions with their derivatives, and what a chain of them leaves of a gradient.

Every function takes an array of any shape (or a number) and returns float64 of that shape; input and output have no
unit. At a kink the derivative is that of the left side, as PyTorch has it: ReLU'(0) = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainclinic.errors import LabError

Array = npt.NDArray[np.float64]
STEEPEST_SIGMOID = 0.25  # σ'(0) = σ(0) (1 − σ(0)) = ½ · ½
FLAT = 0.1  # of the steepest slope: below it a unit counts as saturated (sigmoid |z| > 3.64, tanh |z| > 1.82)
SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717  # Klambauer et al. 2017


def sigmoid(x: npt.ArrayLike) -> Array:
    """σ(x) = 1 / (1 + e^(−x)), written with tanh so that no x overflows.

    Raises:
        LabError: `x` is not numbers; the same holds for every function here.
    """
    return 0.5 * (1 + np.tanh(0.5 * _numbers(x)))


def sigmoid_derivative(x: npt.ArrayLike) -> Array:
    """σ'(x) = σ(x) (1 − σ(x)): at most 0.25, at x = 0."""
    return sigmoid(x) * sigmoid(-_numbers(x))  # 1 − σ(x) would round to 0 for large x


def tanh(x: npt.ArrayLike) -> Array:
    """The hyperbolic tangent, from −1 to 1: 2 σ(2x) − 1."""
    found: Array = np.tanh(_numbers(x))
    return found


def tanh_derivative(x: npt.ArrayLike) -> Array:
    """tanh'(x) = 1 − tanh²(x): at most 1, at x = 0."""
    return 1 - tanh(x) ** 2


def relu(x: npt.ArrayLike) -> Array:
    """max(0, x) (Nair & Hinton 2010; Glorot, Bordes & Bengio 2011)."""
    found: Array = np.maximum(_numbers(x), 0)
    return found


def relu_derivative(x: npt.ArrayLike) -> Array:
    """1 where x > 0, else 0; at 0 it is 0."""
    return np.where(_numbers(x) > 0, 1.0, 0.0)


def leaky_relu(x: npt.ArrayLike, slope: float = 0.01) -> Array:
    """X where x > 0, else slope · x (Maas, Hannun & Ng 2013)."""
    x = _numbers(x)
    return np.where(x > 0, x, slope * x)


def leaky_relu_derivative(x: npt.ArrayLike, slope: float = 0.01) -> Array:
    """1 where x > 0, else `slope`."""
    return np.where(_numbers(x) > 0, 1.0, slope)


def elu(x: npt.ArrayLike, alpha: float = 1.0) -> Array:
    """X where x > 0, else α (e^x − 1) (Clevert, Unterthiner & Hochreiter 2016)."""
    x = _numbers(x)
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_derivative(x: npt.ArrayLike, alpha: float = 1.0) -> Array:
    """1 where x > 0, else α e^x."""
    x = _numbers(x)
    return np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0)))


def selu(x: npt.ArrayLike) -> Array:
    """An ELU scaled so that mean 0 and variance 1 are kept from layer to layer (Klambauer et al. 2017)."""
    return SELU_SCALE * elu(x, SELU_ALPHA)


def selu_derivative(x: npt.ArrayLike) -> Array:
    """1.0507 where x > 0, else 1.7581 e^x."""
    return SELU_SCALE * elu_derivative(x, SELU_ALPHA)


def gelu(x: npt.ArrayLike) -> Array:
    """X Φ(x), Φ the normal distribution (Hendrycks & Gimpel 2016)."""
    x = _numbers(x)
    return x * _normal(x)


def gelu_derivative(x: npt.ArrayLike) -> Array:
    """Φ(x) + x φ(x), φ the normal density: from −0.13 to 1.13."""
    x = _numbers(x)
    density: Array = np.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
    return _normal(x) + x * density


def silu(x: npt.ArrayLike) -> Array:
    """X σ(x), also called swish (Elfwing et al. 2018; Ramachandran et al. 2017)."""
    return _numbers(x) * sigmoid(x)


def silu_derivative(x: npt.ArrayLike) -> Array:
    """σ(x) + x σ'(x): from −0.10 to 1.10."""
    return sigmoid(x) + _numbers(x) * sigmoid_derivative(x)


def softplus(x: npt.ArrayLike) -> Array:
    """log(1 + e^x), a ReLU without its corner (Dugas et al. 2001)."""
    found: Array = np.logaddexp(0, _numbers(x))
    return found


def softplus_derivative(x: npt.ArrayLike) -> Array:
    """σ(x)."""
    return sigmoid(x)


@dataclass(frozen=True)
class Activation:
    """A function with its derivative, each on arrays of any shape."""

    function: Callable[[npt.ArrayLike], Array]
    derivative: Callable[[npt.ArrayLike], Array]


FUNCTIONS = {
    "Sigmoid": Activation(sigmoid, sigmoid_derivative),
    "Tanh": Activation(tanh, tanh_derivative),
    "ReLU": Activation(relu, relu_derivative),
    "LeakyReLU": Activation(leaky_relu, leaky_relu_derivative),
    "ELU": Activation(elu, elu_derivative),
    "SELU": Activation(selu, selu_derivative),
    "GELU": Activation(gelu, gelu_derivative),
    "SiLU": Activation(silu, silu_derivative),
    "Softplus": Activation(softplus, softplus_derivative),
}
"""By the names that `torch.nn` and the settings of an experiment have for them."""


def activation(name: str) -> Activation:
    """One of `FUNCTIONS`.

    Raises:
        LabError: there is none of that name.
    """
    if name not in FUNCTIONS:
        raise LabError(f"activation: expected one of {', '.join(FUNCTIONS)}, got {name!r:.40}")
    return FUNCTIONS[name]


def chain_bound(layers: int) -> float:
    """0.25ⁿ: the most that n sigmoids leave of a gradient, whatever their inputs.

    Args:
        layers: n, 0 or more.

    Raises:
        LabError: `layers` is no whole number of 0 or more.
    """
    if isinstance(layers, bool) or not isinstance(layers, int | np.integer) or layers < 0:
        raise LabError(f"layers: expected a whole number of 0 or more, got {layers!r:.40}; count the sigmoid layers")
    return float(STEEPEST_SIGMOID ** int(layers))


def mean_derivative(name: str, spread: float) -> float:
    """Mean |φ'(z)| over pre-activations z that are normal with mean 0.

    Args:
        name: of the activation, as in `FUNCTIONS`.
        spread: standard deviation of z, 0 or more; at 0 it is |φ'(0)|.

    Raises:
        LabError: an unknown name, or a negative or infinite spread.
    """
    slope, weight = _over_a_normal(name, spread)
    return float((weight * np.abs(slope)).sum())


def rms_derivative(name: str, spread: float) -> float:
    """Root mean square of φ'(z), as `mean_derivative`: what a layer makes of the size of a random signal.

    Its inverse is the gain of the weights that keeps the signal's size: √2 for the ReLU (He et al. 2015).
    """
    slope, weight = _over_a_normal(name, spread)
    return math.sqrt(float((weight * slope**2).sum()))


def saturated_share(name: str, z: npt.ArrayLike) -> float:
    """Share of the pre-activations `z` whose slope φ'(z) is below a tenth of the steepest, φ'(0).

    Args:
        name: "Sigmoid" or "Tanh", the functions that flatten on both sides.
        z: pre-activations of any shape, at least one.

    Raises:
        LabError: another function, or no numbers.
    """
    if name not in ("Sigmoid", "Tanh"):
        raise LabError(f"activation: expected Sigmoid or Tanh, which flatten on both sides, got {name!r:.40}")
    values = _numbers(z)
    if not values.size:
        raise LabError("z: expected at least one pre-activation, got none")
    slope = FUNCTIONS[name].derivative
    return float((slope(values) < FLAT * slope(0.0)).mean())


def _over_a_normal(name: str, spread: float) -> tuple[Array, Array]:
    """φ' at points of a normal distribution, and their weights, which add up to 1."""
    found = activation(name)
    if not 0 <= spread < math.inf:
        raise LabError(f"spread: expected a standard deviation of 0 or more, got {spread!r:.40}")
    at = np.linspace(-8, 8, 4000)  # an even number: none at 0, where a ReLU has its corner
    weight = np.exp(-0.5 * at**2)
    return found.derivative(spread * at), weight / weight.sum()


def _normal(x: Array) -> Array:
    """Φ(x); NumPy has no error function."""
    tail = np.array([math.erfc(-value / math.sqrt(2)) for value in x.ravel()], dtype=np.float64)
    return 0.5 * tail.reshape(x.shape)


def _numbers(x: npt.ArrayLike) -> Array:
    try:
        found = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError):
        raise LabError(f"x: expected numbers, got {x!r:.40}; pass an array or a number") from None
    return found
