"""What should have been recorded, computed by hand: plain formulas in float64, and autograd.grad."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import trainclinic as tc

SEEN_OF_RUN = {
    "learning_rate", "output_mean", "output_std", "output_spread", "target_mean", "target_std", "batch_accuracy",
    "dead_unit_fraction",
}  # fmt: skip


class Hand:
    """Collects what the layers of one optimizer step put out, over all its passes.

    Args:
        parameters: of the model, or the model.
        dtype: to compute in; None keeps each parameter's own.
    """

    def __init__(self, parameters, dtype=torch.float64):
        self.p = {name: _leaf(value, dtype) for name, value in named(parameters)}
        self.outputs, self.slopes, self.loss = {}, {}, 0.0

    def out(self, name, z):
        self.outputs.setdefault(name, []).append(z)
        return z

    def act(self, name, phi, z, bounded=False):
        with torch.enable_grad():
            at = z.detach().double().requires_grad_()
            (slope,) = torch.autograd.grad(phi(at).sum(), at)
        self.slopes.setdefault(name, (bounded, phi, []))[2].append(slope)
        self.outputs.setdefault(name, []).append(a := phi(z))
        return a

    def linear(self, name, x):
        return self.out(name, x @ self.p[f"{name}.weight"].T + self.p[f"{name}.bias"])

    def signals(self, weight_layers=None, gains=None):
        """{(signal, layer): value}, but for update ratio and cosine, which need two steps."""
        if weight_layers is None:
            weight_layers = [name for name in self.outputs if name not in self.slopes]
        places = [(name, z) for name in weight_layers for z in self.outputs[name] if z.requires_grad]
        learning = {name: p for name, p in self.p.items() if p.requires_grad}
        found = torch.autograd.grad(
            self.loss, [*(z for _, z in places), *learning.values()], allow_unused=True, retain_graph=True
        )
        self.gradients = dict(zip(learning, found[len(places) :], strict=True))
        values, at_output = {}, {}
        for (name, _), gradient in zip(places, found, strict=False):
            if gradient is not None:
                at_output.setdefault(name, []).append(gradient.flatten())
        for name, parts in at_output.items():
            values["backward_rms", name] = rms(torch.cat(parts))
        self._forward_signals(values)
        for name, w in self.p.items():
            if w.ndim > 1:
                layer = name.removesuffix(".weight")
                values["weight_rms", layer] = rms(w)
                values["weight_gain", layer] = rms(w) * math.sqrt((gains or {}).get(layer, len(w)))
                values["gradient_rms", layer] = rms(self.gradient(name))
        values["loss", ""], values["training_mode", ""] = float(self.loss.detach()), 1.0
        there = [g for g in self.gradients.values() if g is not None]
        values["gradient_norm", ""] = math.sqrt(sum(rms(g) ** 2 * g.numel() for g in there))
        return values

    def _forward_signals(self, values):
        for name, parts in self.outputs.items():
            flat = torch.cat([part.detach().flatten() for part in parts])
            values["activation_rms", name] = rms(flat)
            if not flat.is_complex():
                values["activation_mean", name] = float(flat.double().mean())
        for name, (bounded, phi, parts) in self.slopes.items():
            slope = torch.cat([part.flatten() for part in parts]).abs()
            values["activation_derivative", name] = float(slope.mean())
            if bounded:
                steepest = {torch.tanh: 1.0}.get(phi, 0.25)
                values["saturated_share", name] = float((slope < 0.1 * steepest).double().mean())

    def gradient(self, name):
        """Of one parameter; None where it has none."""
        return self.gradients.get(name)

    def step(self, values, after, previous):
        """What the optimizer's step shows: `after`, the parameters then; `previous`, the Hand of the step before."""
        for name, w in self.p.items():
            if w.ndim > 1:
                layer = name.removesuffix(".weight")
                moved = _wide(after[name]) - _wide(w)
                values["update_ratio", layer] = rms(moved) / rms(w)
                if previous is not None:
                    values["gradient_cosine", layer] = cosine(self.gradient(name), previous.gradient(name))


def named(parameters):
    return parameters.named_parameters() if isinstance(parameters, nn.Module) else parameters.items()


def _leaf(value, dtype):
    if dtype is not None and value.is_complex():
        dtype = torch.complex128
    return value.detach().clone().to(dtype or value.dtype).requires_grad_(value.requires_grad)


def rms(t):
    """Root mean square; of a complex tensor that of the modulus. NaN for no tensor."""
    if t is None:
        return math.nan
    return float(_wide(t).abs().square().mean().sqrt())


def _wide(t):
    t = t.detach().to_dense() if t.is_sparse else t.detach()
    return t.to(torch.complex128 if t.is_complex() else torch.float64)


def cosine(now, then):
    """Of two gradients; NaN where one is missing or zero."""
    if now is None or then is None:
        return math.nan
    now, then = ((torch.view_as_real(g) if g.is_complex() else g).double().flatten() for g in (now, then))
    size = now.norm() * then.norm()
    return float(now @ then / size) if size else math.nan


def check(model, by_hand, batches, *, gains=None, weight_layers, optimizer=None, steps=3, tolerance=1e-5):
    """Train `steps` steps of `batches` micro-batches; compare every recorded number, and that there is no other."""
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.05)
    expected, previous, samples = [], None, torch.get_rng_state()
    with tc.watch(model, optimizer, every=1) as watch:
        for _ in range(steps):
            hand = Hand(model)
            for x, y in batches:
                hand.loss = hand.loss + (by_hand(hand, x.double() if x.is_floating_point() else x) - y).square().mean()
            values = hand.signals(weight_layers, gains)
            optimizer.zero_grad()
            for x, y in batches:
                F.mse_loss(model(x), y).backward()
            optimizer.step()
            hand.step(values, dict(model.named_parameters()), previous)
            previous = hand
            expected.append(values)
    assert torch.equal(samples, torch.get_rng_state())
    compare(watch.recording, expected, tolerance)
    return watch.recording


def compare(recording, expected, tolerance=1e-5, *, but_for=()):
    """Every recorded number is the expected one, and there is no other; NaN: not measured; `but_for` these signals."""
    assert recording.steps == len(expected)
    aside = SEEN_OF_RUN | set(but_for)
    for step, values in enumerate(expected):
        recorded = {
            (signal, layer): series.values[series.steps == step].item()
            for (signal, layer), series in recording._series.items()
            if step in series.steps and signal not in aside
        }
        values = {key: value for key, value in values.items() if not math.isnan(value) and key[0] not in aside}
        assert sorted(recorded) == sorted(values), f"at step {step}"
        for (signal, layer), value in values.items():
            scale = values["activation_rms", layer] if signal == "activation_mean" else 1.0
            slack = 1e-6 * scale if signal in ("activation_mean", "gradient_cosine") else 0.0  # sums that cancel
            wrong = f"{signal} of {layer!r} at step {step}"
            assert recorded[signal, layer] == pytest.approx(value, rel=tolerance, abs=slack), wrong


def batch(*shape, out=3, seed=1):
    """Inputs of that shape, and targets of `out` numbers; of a generator of their own."""
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g), torch.randn(shape[0], out, generator=g)


# -- activations


def sigmoid(z):
    return 1 / (1 + torch.exp(-z))


def relu(z):
    return torch.where(z > 0, z, 0.0)


def leaky(slope):
    return lambda z: torch.where(z > 0, z, slope * z)


def elu(alpha, scale=1.0):
    return lambda z: scale * torch.where(z > 0, z, alpha * torch.expm1(z))


def gelu(z):
    return z * 0.5 * (1 + torch.erf(z / math.sqrt(2)))


def gelu_tanh(z):
    return 0.5 * z * (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


def silu(z):
    return z / (1 + torch.exp(-z))


def softplus(beta):
    return lambda z: torch.log1p(torch.exp(beta * z)) / beta


tanh = torch.tanh
selu = elu(1.6732632423543772, 1.0507009873554805)
