"""Gradients that are not made by one plain backward."""

from __future__ import annotations

import math

import pytest
import torch
from arms import both
from by_hand import compare, tanh
from scenarios import X, Y, gradients

WIDE, TARGET = X.double(), Y.double()


def mlp(hand, x=WIDE):
    return hand.linear("2", hand.act("1", tanh, hand.linear("0", x), True))


def squared(out):
    return (out - TARGET).square().mean()


@pytest.mark.row("gradient penalty (double backward)")
def test_gradient_penalty():
    """every value; the inner gradient is no loss's"""

    def loss_of(hand):
        x = WIDE.clone().requires_grad_()
        out = mlp(hand, x)
        (at_input,) = torch.autograd.grad(out.sum(), x, create_graph=True)
        return squared(out) + 0.1 * at_input.square().mean()

    [(diary, recording)] = both(gradients.penalty)
    compare(recording, diary.expected(loss_of))


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True")
@pytest.mark.row("Hessian-vector product after the backward")
def test_curvature():
    """every value; the second derivative is no loss's gradient"""
    [(diary, recording)] = both(gradients.curvature)
    compare(recording, diary.expected(lambda hand: squared(mlp(hand))))


@pytest.mark.row("gradients by torch.autograd.grad", limit="the loss itself is not seen")
def test_gradients_by_grad():
    """every value but the loss"""
    [(diary, recording)] = both(gradients.by_grad)
    compare(recording, diary.expected(lambda hand: squared(mlp(hand))), but_for=["loss"])


@pytest.mark.row("two losses, two backwards through one graph",
                 limit="the backward signal is the RMS over both, not that of their sum")  # fmt: skip
def test_two_losses():
    """every value; the loss is the sum of both"""
    [(diary, recording)] = both(gradients.two_losses)
    expected = diary.expected(lambda hand: squared(out := mlp(hand)) + out.square().mean())
    parts = [
        diary.expected(lambda hand: squared(mlp(hand))),
        diary.expected(lambda hand: mlp(hand).square().mean()),
    ]
    for step, values in enumerate(expected):
        for layer in ("0", "2"):
            one, other = (part[step]["backward_rms", layer] for part in parts)
            values["backward_rms", layer] = math.sqrt((one**2 + other**2) / 2)
    compare(recording, expected)


@pytest.mark.row("gradients clipped")
def test_clipped():
    """every value; the gradient as the optimizer gets it, the backward signal as it came"""
    [(diary, recording)] = both(gradients.clipped)
    expected = diary.expected(lambda hand: squared(mlp(hand)))
    for values in expected:
        scale = 0.1 / (values["gradient_norm", ""] + 1e-6)
        assert scale < 1
        values |= {key: value * scale for key, value in values.items() if key[0] in ("gradient_rms", "gradient_norm")}
    compare(recording, expected)


@pytest.mark.row("one forward, its loss never differentiated")
def test_left():
    """every value, of the other forward alone"""
    [(diary, recording)] = both(gradients.left)
    compare(recording, diary.expected(lambda hand: squared(mlp(hand))))


@pytest.mark.row("a module that returns its own parameter")
def test_own_parameter():
    """every value; no hook stays on the parameter"""

    def loss_of(hand):
        prompt = hand.out("prompt", hand.p["prompt.weight"] * 1.0)
        z = hand.act("tanh", tanh, hand.linear("first", WIDE + prompt.mean(0)), True)
        return squared(hand.linear("last", z))

    [(diary, recording)] = both(gradients.own_parameter)
    compare(recording, diary.expected(loss_of))
