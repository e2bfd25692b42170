"""Parameters that are unused, frozen, tied, parametrized, sparse, or not there yet."""

from __future__ import annotations

import copy
import math

import pytest
from arms import both
from by_hand import compare, rms, tanh
from scenarios import STEPS, X, Y, parameters
from torch.nn import functional as F

WIDE, TARGET = X.double(), Y.double()
LAYERS = ["0", "2"]


def squared(out):
    return (out - TARGET).square().mean()


def mlp(hand, prefix=""):
    a = hand.act(f"{prefix}1", tanh, hand.linear(f"{prefix}0", WIDE), True)
    return squared(hand.linear(f"{prefix}2", a))


@pytest.mark.row("unused parameter (grad is None)")
def test_unused():
    """every value; of the unused layer its weights and that they stay; it is named, by its own name"""
    [(diary, recording)] = both(parameters.unused)
    compare(recording, diary.expected(lambda hand: mlp(hand, "net."), ["net.0", "net.2"]))
    missing = {entry["name"]: entry["gradient_missing"] for entry in recording.facts["parameters"]}
    assert {name for name, count in missing.items() if count} == {"spare.weight", "spare.bias"}


@pytest.mark.row("frozen layer")
def test_frozen():
    """every value; of the frozen layer its outputs and its weights, and no gradient"""
    [(diary, recording)] = both(parameters.frozen)
    compare(recording, diary.expected(mlp, LAYERS))


@pytest.mark.row("weight tying")
def test_tied():
    """every value; the gradient is that of both uses, under the first name"""

    def loss_of(hand):
        w = hand.p["words.weight"]
        out = hand.out("head", hand.act("tanh", tanh, hand.out("words", w[parameters.IDS]), True) @ w.T)
        return F.cross_entropy(out, parameters.IDS.roll(-1))

    [(diary, recording)] = both(parameters.tied)
    compare(recording, diary.expected(loss_of, ["words", "head"], {"words": math.nan}))


# -- parametrizations: which names the parameters have, and what weight they make


def normalized(direction, size):
    return size * direction / direction.norm(dim=1, keepdim=True)


def weight_norm(p, layer):
    v, g = (p[f"{layer}.parametrizations.weight.original{i}"] for i in (1, 0))
    return normalized(v, g)


def legacy_weight_norm(p, layer):
    return normalized(p[f"{layer}.weight_v"], p[f"{layer}.weight_g"])


@pytest.mark.parametrize(("scenario", "weight_of"), [
    pytest.param(parameters.weight_norm, weight_norm, marks=pytest.mark.row("weight_norm")),
    pytest.param(parameters.legacy_weight_norm, legacy_weight_norm,
                 marks=pytest.mark.row("weight_norm, the older one with hooks")),
])  # fmt: skip
def test_weight_norm(scenario, weight_of):
    """every value, of the layers and of the parameters that make their weights"""

    def loss_of(hand):
        z = hand.out("0", WIDE @ weight_of(hand.p, "0").T + hand.p["0.bias"])
        a = hand.act("1", tanh, z, True)
        return squared(hand.out("2", a @ weight_of(hand.p, "2").T + hand.p["2.bias"]))

    [(diary, recording)] = both(scenario)
    compare(recording, diary.expected(loss_of, LAYERS))


def of_parametrized(weight):
    """The loss of a parametrized mlp; `weight(hand, layer)` makes its weight."""

    def loss_of(hand):
        z = hand.out("0", WIDE @ weight(hand, "0").T + hand.p["0.bias"])
        return squared(hand.out("2", hand.act("1", tanh, z, True) @ weight(hand, "2").T + hand.p["2.bias"]))

    return loss_of


ORIGINAL = "parametrizations.weight.original"


@pytest.mark.row("spectral_norm")
def test_spectral_norm():
    """every value; the power iteration goes the same way"""
    [(diary, recording)] = both(parameters.spectral_norm)
    buffers = iter(diary.buffers)

    def loss_of(hand):
        at = {name: value.double() for name, value in next(buffers).items()}

        def weight(hand, layer):
            u, v = (at[f"{layer}.parametrizations.weight.0.{name}"] for name in ("_u", "_v"))
            w = hand.p[f"{layer}.{ORIGINAL}"]
            return w / (u @ w @ v)

        return of_parametrized(weight)(hand)

    compare(recording, diary.expected(loss_of))


@pytest.mark.row("orthogonal parametrization")
def test_orthogonal():
    """every value"""
    [(diary, recording)] = both(parameters.orthogonal)

    def weight(hand, layer):
        parametrization = diary.model[int(layer)].parametrizations.weight[0]
        return copy.deepcopy(parametrization).double()(hand.p[f"{layer}.{ORIGINAL}"])

    compare(recording, diary.expected(of_parametrized(weight)))


@pytest.mark.row("sparse gradients (SparseAdam)", limit="no gradient cosine of a sparse gradient")
def test_sparse():
    """every value"""
    [(diary, recording)] = both(parameters.sparse)
    diary.steps = [(diary.steps[i][0], diary.steps[i + 1][1]) for i in range(0, 2 * STEPS, 2)]

    def loss_of(hand):
        out = hand.linear("head", hand.out("words", hand.p["words.weight"][parameters.IDS]))
        return F.cross_entropy(out, parameters.IDS.roll(-1))

    expected = diary.expected(loss_of, gains={"words": math.nan})
    for values in expected:
        values.pop(("gradient_cosine", "words"), None)
    compare(recording, expected)


@pytest.mark.row("lazy modules, attached before the first batch")
def test_lazy():
    """every value, from the first batch on"""
    [(diary, recording)] = both(parameters.lazy)
    compare(recording, diary.expected(mlp, LAYERS))
    assert recording.environment["parameters"] == 6 * 8 + 8 + 8 * 3 + 3


@pytest.mark.parametrize("scenario", [
    pytest.param(parameters.growing_group, marks=pytest.mark.row("a layer added while training, add_param_group")),
    pytest.param(parameters.growing_optimizer, marks=pytest.mark.row("a layer added while training, new optimizer")),
])  # fmt: skip
def test_growing(scenario):
    """every value, of the new layer from its first step on"""

    def loss_of(hand):
        h = hand.linear("first", WIDE)
        if "more.0.weight" in hand.p:
            h = hand.linear("more.0", h)
        return squared(hand.linear("last", h))

    [(diary, recording)] = both(scenario)
    expected = diary.expected(loss_of)
    assert ("backward_rms", "more.0") in expected[STEPS // 2]
    for layer in ("first", "last", "more.0"):  # no cosine across the change
        del expected[STEPS // 2]["gradient_cosine", layer]
    compare(recording, expected)


@pytest.mark.row("state_dict saved and loaded")
def test_state_dict():
    """every value; nothing of ours is in the state_dict, and the fresh model is not watched"""
    [(diary, recording)] = both(parameters.state_dict)
    compare(recording, diary.expected(mlp, LAYERS))


@pytest.mark.row("QAT: fake-quantized weights and activations")
def test_fake_quantized():
    """size and update of every weight; outputs and backward signals are there"""
    [(diary, recording)] = both(parameters.fake_quantized)
    for step, (before, after) in enumerate(diary.steps):
        for layer in LAYERS:
            w, moved = before[f"{layer}.weight"], after[f"{layer}.weight"].double() - before[f"{layer}.weight"].double()
            assert recording.series("weight_rms", layer).values[step] == pytest.approx(rms(w), rel=1e-5)
            assert recording.series("update_ratio", layer).values[step] == pytest.approx(rms(moved) / rms(w), rel=1e-5)
    for signal in ("activation_rms", "backward_rms", "gradient_rms"):
        assert set(LAYERS) <= {layer.name for layer in recording.measured(signal)}
