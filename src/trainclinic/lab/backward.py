"""One pass forward and back through a network, and one update, with every number in the open."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from trainclinic.errors import LabError
from trainclinic.lab.activations import Array, activation
from trainclinic.lab.experiment import loaders, network, values

WIDTH = 48  # units of a hidden layer
GUARD = 1e-6  # what torch.nn.utils.clip_grad_norm_ adds to the norm that it divides by


@dataclass(frozen=True)
class Units:
    """A chain of single units, z_l = w h_{l−1}, h_l = φ(z_l), of n layers; every array has shape (n,).

    Attributes:
        before: z_l, before the activation.
        after: h_l, behind it.
        slope: φ'(z_l).
        delta: ∂h_n/∂z_l, which the backward pass brings to layer l.
        gradient: ∂h_n/∂w through layer l alone, δ_l h_{l−1}.
    """

    before: Array
    after: Array
    slope: Array
    delta: Array
    gradient: Array


def units(name: str, x: float, weight: float, layers: int) -> Units:
    """Pass `x` forward through a chain of single units, and the derivative of its output back.

    Args:
        name: of the activation function, as `torch.nn` has it.
        x: what goes in, h_0.
        weight: w, the same in every layer.
        layers: n, 1 or more.

    Raises:
        LabError: an unknown activation, numbers that are not finite, or no layer.
    """
    phi = activation(name)
    if layers < 1:
        raise LabError(f"layers: expected 1 or more, got {layers!r:.40}")
    if not (math.isfinite(x) and math.isfinite(weight)):
        raise LabError(f"x and weight: expected finite numbers, got {x!r:.40} and {weight!r:.40}")
    before, signal = [], [float(x)]
    for _ in range(layers):
        before.append(weight * signal[-1])
        signal.append(float(phi.function(before[-1])))
    slope = phi.derivative(before)
    delta = np.empty(layers)
    arriving = 1.0
    for layer in reversed(range(layers)):
        delta[layer] = slope[layer] * arriving
        arriving = weight * delta[layer]
    return Units(np.array(before), np.array(signal[1:]), slope, delta, delta * np.array(signal[:-1]))


@dataclass(frozen=True)
class Update:
    """One weight in one step of gradient descent: `after` = `before` − `rate` · `gradient`, as the network holds it.

    Attributes:
        layer: the layer's number among those with weights, from 1.
        index: row and column of the weight.
        before: W_{i−1}.
        gradient: ∂Error/∂W [error per unit of W].
        rate: η.
        after: W_i.
    """

    layer: int
    index: tuple[int, int]
    before: float
    gradient: float
    rate: float
    after: float

    @property
    def step(self) -> float:
        """Η ∂Error/∂W, which is taken off the weight."""
        return self.rate * self.gradient

    @property
    def steps_to_a_percent(self) -> float:
        """Steps of this size until the weight has changed by 1 %; infinite where the step is 0."""
        return 0.01 * abs(self.before) / abs(self.step) if self.step else math.inf


def one_update(name: str, depth: int, learning_rate: float, seed: int = 0) -> tuple[Update, Update]:
    """Build a real network, pass one batch forward and back, and make one step of plain gradient descent.

    The network has `depth` hidden layers of 48 units, 32-bit numbers and Xavier weights (He for the ReLU); the batch is
    64 points of the spirals.

    Args:
        name: of the activation function, as `torch.nn` has it.
        depth: hidden layers, 1 or more.
        learning_rate: η, above 0.
        seed: of the weights and of the batch.

    Returns:
        In the first and in the last layer the weight with the largest gradient.

    Raises:
        LabError: a setting outside its range.
    """
    if not 0 < learning_rate < math.inf:
        raise LabError(f"learning_rate: expected a number above 0, got {learning_rate!r:.40}")
    model, x, y = _network(name, depth, 1.0, seed)
    nn.functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
    layers = [module for module in model if isinstance(module, nn.Linear)]
    found = []
    for number in (1, len(layers)):
        weight = layers[number - 1].weight
        gradient = _gradient(weight)
        row, column = divmod(int(gradient.abs().argmax()), gradient.shape[1])
        before = weight[row, column].item()
        with torch.no_grad():
            weight -= learning_rate * gradient
        after = weight[row, column].item()
        found.append(Update(number, (row, column), before, gradient[row, column].item(), learning_rate, after))
    return found[0], found[1]


@dataclass(frozen=True)
class Passage:
    """What one batch does on its way through a network and back; arrays hold one value per hidden layer.

    Attributes:
        forward: RMS of z_l.
        backward: RMS of ∂Error/∂z_l, of the mean error of the batch.
        gradient: RMS of ∂Error/∂W_l.
        norm: of the whole gradient, over all weights and biases.
        clipped: that norm after clipping; the same where there is none.
        error: cross-entropy of the batch.
    """

    forward: Array
    backward: Array
    gradient: Array
    norm: float
    clipped: float
    error: float

    @property
    def forward_growth(self) -> float:
        """Factor per layer from the first hidden layer to the last, as a geometric mean; NaN for a single one."""
        return _growth(self.forward)

    @property
    def backward_growth(self) -> float:
        """Factor per layer on the way back, from the last hidden layer to the first, as a geometric mean."""
        return _growth(self.backward[::-1])


def passage(name: str, depth: int, gain: float, clip: float = 0.0, seed: int = 0) -> Passage:
    """Pass one batch forward and back through a network whose weights are multiplied by `gain`.

    The network and the batch are those of `one_update`, in 64-bit numbers, so that nothing overflows.

    Args:
        name: of the activation function, as `torch.nn` has it.
        depth: hidden layers, 1 or more.
        gain: factor on the initial weights, above 0.
        clip: largest norm of the gradient; 0 for no clipping.
        seed: of the weights and of the batch.

    Raises:
        LabError: a setting outside its range.
    """
    if not 0 <= clip < math.inf:
        raise LabError(f"clip: expected a norm of 0 or more (0: no clipping), got {clip!r:.40}")
    model, x, y = _network(name, depth, gain, seed)
    model.double()
    seen, signal = [], x.double()
    for module in model:
        signal = module(signal)
        if isinstance(module, nn.Linear):
            signal.retain_grad()
            seen.append(signal)
    error = nn.functional.cross_entropy(signal, y)
    error.backward()  # type: ignore[no-untyped-call]
    layers = [module for module in model if isinstance(module, nn.Linear)][:-1]
    norm = math.sqrt(sum(float(_gradient(parameter).square().sum()) for parameter in model.parameters()))
    factor = min(1.0, clip / (norm + GUARD)) if clip else 1.0
    return Passage(
        forward=np.array([_rms(z) for z in seen[:-1]]),
        backward=np.array([_rms(_gradient(z)) for z in seen[:-1]]),
        gradient=np.array([_rms(_gradient(layer.weight)) for layer in layers]),
        norm=norm,
        clipped=factor * norm,
        error=error.item(),
    )


def _network(name: str, depth: int, gain: float, seed: int) -> tuple[nn.Sequential, Tensor, Tensor]:
    activation(name)
    if depth < 1:
        raise LabError(f"depth: expected 1 hidden layer or more, got {depth!r:.40}")
    init = "he" if name == "ReLU" else "xavier"
    settings = {"data": "spirals", "depth": depth, "width": WIDTH, "activation": name, "init": init, "gain": gain}
    chosen = values(settings)
    with torch.random.fork_rng(devices=[]):  # whoever plays draws nothing from the generator of a training
        torch.manual_seed(seed)
        train, _, inputs, outputs = loaders(chosen, seed)
        model = network(chosen, inputs, outputs)
        x, y = next(iter(train))
    return model, x, y


def _gradient(tensor: Tensor) -> Tensor:
    if tensor.grad is None:
        raise LabError("gradient: expected one after the backward pass, got none")
    return tensor.grad


def _rms(tensor: Tensor) -> float:
    return float(tensor.detach().square().mean().sqrt())


def _growth(values: Array) -> float:
    if len(values) < 2:
        return math.nan
    return float((values[-1] / values[0]) ** (1 / (len(values) - 1)))
