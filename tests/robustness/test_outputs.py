"""What a forward takes and returns: tuples, dicts, objects, a loss, nothing."""

from __future__ import annotations

import math

import pytest
import torch
from arms import both
from by_hand import compare, relu, sigmoid, tanh
from scenarios import STEPS, X, Y, outputs
from torch.nn import functional as F

WIDE, TARGET = X.double(), Y.double()


def squared(out, target=TARGET):
    return (out - target).square().mean()


def mlp(hand, prefix="net."):
    a = hand.act(f"{prefix}1", tanh, hand.linear(f"{prefix}0", WIDE), True)
    return hand.linear(f"{prefix}2", a)


NET = ["net.0", "net.2"]


@pytest.mark.row("LSTM, MultiheadAttention, dict output")
def test_mixed():
    """every value, of the first tensor that each layer returns"""
    x, y = (t.double() for t in outputs.SEQUENCES)

    def loss_of(hand):
        p, states = hand.p, []
        h = c = x.new_zeros(len(x), 8)
        for t in range(x.shape[1]):
            gates = x[:, t] @ p["lstm.weight_ih_l0"].T + p["lstm.bias_ih_l0"]
            i, f, g, o = (gates + h @ p["lstm.weight_hh_l0"].T + p["lstm.bias_hh_l0"]).chunk(4, 1)
            c = sigmoid(f) * c + sigmoid(i) * tanh(g)
            h = sigmoid(o) * tanh(c)
            states.append(h)
        x_in = hand.out("lstm", torch.stack(states, 1))
        projected = x_in @ p["mha.in_proj_weight"].T + p["mha.in_proj_bias"]
        q, k, v = (part.unflatten(-1, (2, 4)).transpose(1, 2) for part in projected.chunk(3, -1))
        mixed = ((q @ k.transpose(-1, -2)) / 2).softmax(-1) @ v
        z = mixed.transpose(1, 2).flatten(-2) @ p["mha.out_proj.weight"].T + p["mha.out_proj.bias"]
        return squared(hand.linear("head", hand.out("mha", z).mean(1)), y)

    [(diary, recording)] = both(outputs.mixed)
    compare(recording, diary.expected(loss_of, ["lstm", "mha", "head"]))


@pytest.mark.row("dataclass, namedtuple, ModelOutput and nested outputs")
def test_wrapped():
    """every value"""

    def loss_of(hand):
        x = WIDE
        for name in "abcde":
            x = hand.out(name, x @ hand.p[f"{name}.weight"].T)
        return squared(hand.linear("head", x))

    [(diary, recording)] = both(outputs.wrapped, healthy=False)  # six linear layers in a row, which the clinic says
    compare(recording, diary.expected(loss_of, [*"abcde", "head"]))


@pytest.mark.row("forward called with keywords only")
def test_keywords():
    """every value, and the scale of the inputs"""
    [(diary, recording)] = both(outputs.keywords)
    compare(recording, diary.expected(lambda hand: squared(2.0 * mlp(hand)), NET))
    assert recording.facts["inputs"]["features"]["mean"] == pytest.approx(WIDE.mean(0).tolist(), rel=1e-5)


@pytest.mark.row("loss computed inside forward (transformers)")
def test_language_model():
    """every value, and mean and spread of the logits, not of the loss"""
    [(diary, recording)] = both(outputs.language_model)
    logits = []

    def loss_of(hand):
        h = hand.act("tanh", tanh, hand.out("words", hand.p["words.weight"][outputs.IDS]), True)
        out = hand.linear("head", h)
        logits.append(out.detach())
        return F.cross_entropy(out.flatten(0, 1), outputs.IDS.roll(-1, 1).flatten())

    compare(recording, diary.expected(loss_of, ["words", "head"], {"words": math.nan}))
    assert recording.series("output_mean").values == pytest.approx([float(z.mean()) for z in logits], rel=1e-4)
    assert recording.series("output_std").values == pytest.approx([float(z.std(correction=0)) for z in logits])


@pytest.mark.parametrize("scenario", [
    pytest.param(outputs.returns_none, marks=pytest.mark.row("forward returns None")),
    pytest.param(outputs.returns_float, marks=pytest.mark.row("forward returns a float")),
    pytest.param(outputs.detached_output, marks=pytest.mark.row("nothing with a gradient returned")),
])  # fmt: skip
def test_no_tensor_is_returned(scenario):
    """every value"""
    [(diary, recording)] = both(scenario)
    compare(recording, diary.expected(lambda hand: squared(mlp(hand)), NET))


@pytest.mark.row("no_grad and inference_mode inside forward")
def test_no_grad_inside():
    """every value: of the part without gradient its outputs over both calls, and no gradient"""

    def loss_of(hand):
        out = mlp(hand)
        z = out.detach()
        hand.act("relu", relu, z)
        hand.linear("probe", relu(z))
        hand.linear("probe", z)
        hand.outputs["probe"] = [seen.detach() for seen in hand.outputs["probe"]]
        return squared(out)

    [(diary, recording)] = both(outputs.inside)
    compare(recording, diary.expected(loss_of, [*NET, "probe"]))
    assert recording.steps == STEPS


@pytest.mark.row("nested (jagged) tensors")
def test_nested():
    """every value, over all rows"""

    def loss_of(hand):
        return squared(hand.linear("last", hand.act("act", tanh, hand.linear("first", WIDE), True)))

    [(diary, recording)] = both(outputs.nested)
    compare(recording, diary.expected(loss_of))
    assert recording.facts["inputs"]["features"]["mean"] == pytest.approx(WIDE.mean(0).tolist(), rel=1e-5)


@pytest.mark.row("sparse inputs", limit="no statistics of sparse inputs")
def test_sparse():
    """every value; a weight that is used without its module has no outputs"""

    def loss_of(hand):
        h = torch.where(X > 0, X, 0.0).double() @ hand.p["first.weight"].T + hand.p["first.bias"]
        return squared(hand.linear("last", hand.act("tanh", tanh, h, True)))

    [(diary, recording)] = both(outputs.sparse)
    compare(recording, diary.expected(loss_of))
