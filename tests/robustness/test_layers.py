"""Layers that hooks break on, or miss."""

from __future__ import annotations

import warnings

import pytest
import torch
from arms import both
from by_hand import compare, relu, tanh
from scenarios import X, Y, layers
from torch.nn import functional as F

WIDE, TARGET = X.double(), Y.double()


def squared(out):
    return (out - TARGET).square().mean()


@pytest.mark.row("nn.ReLU(inplace=True)")
def test_inplace_relu():
    """every value, the output of the layer before it as it was"""
    [(diary, recording)] = both(layers.inplace_relu)
    loss_of = lambda hand: squared(hand.linear("2", hand.act("1", relu, hand.linear("0", WIDE))))  # noqa: E731
    compare(recording, diary.expected(loss_of, ["0", "2"]))


def residual(hand):
    p, (x, y) = hand.p, (t.double() for t in layers.IMAGES)
    identity = hand.out("stem", F.conv2d(x, p["stem.weight"], p["stem.bias"], padding=1))
    out = hand.out("conv", F.conv2d(identity, p["conv.weight"], p["conv.bias"], padding=1))
    out = F.batch_norm(out, None, None, p["bn.weight"], p["bn.bias"], training=True) + identity
    return (hand.linear("head", hand.act("relu", relu, out).mean((2, 3))) - y).square().mean()


GAINS = {"stem": 4 * 9, "conv": 4 * 9}  # outputs that each input feeds


@pytest.mark.row("out += identity")
def test_residual():
    """every value"""
    [(diary, recording)] = both(layers.residual)
    compare(recording, diary.expected(residual, ["stem", "conv", "head"], GAINS))


@pytest.mark.row("channels_last")
def test_channels_last():
    """every value"""
    [(diary, recording)] = both(layers.channels_last)
    compare(recording, diary.expected(residual, ["stem", "conv", "head"], GAINS))


@pytest.mark.row("views and add_ on outputs")
def test_views():
    """every value, outputs as they were before they were written into"""

    def loss_of(hand):
        h = hand.linear("first", WIDE)
        h = torch.cat(((h[:, :4] + 1.0) * 2.0, h[:, 4:]), 1)
        out = hand.linear("last", h)
        return squared(out + out.detach())

    [(diary, recording)] = both(layers.views)
    compare(recording, diary.expected(loss_of, ["first", "last"]))


@pytest.mark.row("custom autograd.Function in place")
def test_custom_function():
    """every value"""
    [(diary, recording)] = both(layers.custom_function)
    loss_of = lambda hand: squared(hand.linear("last", 2.0 * hand.linear("first", WIDE)))  # noqa: E731
    compare(recording, diary.expected(loss_of, ["first", "last"]))


@pytest.mark.row("shared module")
def test_shared():
    """every value, over all its calls"""

    def loss_of(hand):
        h = hand.linear("first", WIDE)
        for _ in range(3):
            h = hand.act("act", tanh, hand.linear("cell", h), True)
        return squared(hand.linear("head", h))

    [(diary, recording)] = both(layers.shared)
    compare(recording, diary.expected(loss_of, ["first", "cell", "head"]))


@pytest.mark.parametrize("scenario", [
    pytest.param(layers.checkpointing, marks=pytest.mark.row("activation checkpointing")),
    pytest.param(layers.reentrant_checkpointing, marks=pytest.mark.row("activation checkpointing, reentrant")),
])  # fmt: skip
def test_checkpointing(scenario):
    """every value, each call once; the same dropout in the recomputation"""
    [(diary, recording)] = both(scenario)
    kept = []

    def loss_of(hand):
        z = hand.act("block.1", tanh, hand.linear("block.0", hand.linear("stem", WIDE)), True)
        return squared(hand.linear("head", z * kept[len(seen)]))

    seen = []
    torch.manual_seed(0)
    layers.Checkpointed(False)
    expected = []
    for step in range(len(diary.steps)):
        kept.append(F.dropout(torch.ones(len(X), 8), 0.2).double())
        seen = kept[:step]
        expected.append(diary.expected(loss_of, ["stem", "block.0", "head"])[step])
    compare(recording, expected, but_for=["gradient_cosine"])


@pytest.mark.row("empty batch into a layer")
def test_empty_batch():
    """every value of the experts that got samples; of the third its weights alone"""

    def loss_of(hand):
        out = torch.zeros(len(X), 3, dtype=torch.float64)
        for index, chosen in enumerate((X[:, 0] <= 0, X[:, 0] > 0)):
            name = f"experts.{index}"
            h = hand.act(f"{name}.1", relu, hand.linear(f"{name}.0", WIDE[chosen]))
            out[chosen] = hand.linear(f"{name}.2", h)
        return squared(out)

    [(diary, recording)] = both(layers.empty_batch)
    used = [f"experts.{index}.{part}" for index in (0, 1) for part in (0, 2)]
    expected = diary.expected(loss_of, used)
    for values in expected:
        values |= {("gradient_rms", f"experts.2.{part}"): 0.0 for part in (0, 2)}
    compare(recording, expected)


def plain(prefix):
    def loss_of(hand):
        h = hand.act(f"{prefix}1", tanh, hand.linear(f"{prefix}0", WIDE), True)
        return squared(hand.linear(f"{prefix}2", h))

    return loss_of


@pytest.mark.row("modules nested 200 deep")
def test_nested():
    """every value"""
    [(diary, recording)] = both(layers.nested)
    prefix = "inner." * layers.DEPTH
    compare(recording, diary.expected(plain(prefix), [f"{prefix}0", f"{prefix}2"]))


@pytest.mark.row("torch.jit.trace inside")
def test_traced():
    """every value"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit is deprecated, and used
        [(diary, recording)] = both(layers.traced)
    compare(recording, diary.expected(with_part(lambda hand, x: hand.linear("part", x)), ["first", "part", "last"]))


@pytest.mark.row("torch.jit.script inside", limit="a scripted part takes no hook: its weights alone are measured")
def test_scripted():
    """every value of the layers around it, and of its weights"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        [(diary, recording)] = both(layers.scripted)
    unseen = lambda hand, x: x @ hand.p["part.weight"].T + hand.p["part.bias"]  # noqa: E731
    compare(recording, diary.expected(with_part(unseen), ["first", "last"]))


def with_part(part):
    def loss_of(hand):
        z = part(hand, hand.linear("first", WIDE))
        return squared(hand.linear("last", hand.act("tanh", tanh, z, True)))

    return loss_of
