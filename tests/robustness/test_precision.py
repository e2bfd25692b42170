"""Number types other than float32."""

from __future__ import annotations

import pytest
import torch
from arms import both
from by_hand import compare, relu, tanh
from scenarios import STEPS, X, Y, precision
from torch.nn import functional as F

LAYERS = ["0", "2"]


def in_float64(activation, bounded=False):
    """The loss of scenarios.mlp by hand."""

    def loss_of(hand):
        z = hand.linear("2", hand.act("1", activation, hand.linear("0", X.double()), bounded))
        return (z - Y.double()).square().mean()

    return loss_of


def in_low_precision(dtype, loss_of_output):
    """The same in operations of `dtype`: its roundings are part of what is measured."""

    def loss_of(hand):
        p = {name: value.to(dtype) for name, value in hand.p.items()}
        z = hand.out("0", F.linear(X.to(dtype), p["0.weight"], p["0.bias"]))
        return loss_of_output(hand.out("2", F.linear(hand.act("1", relu, z), p["2.weight"], p["2.bias"])))

    return loss_of


@pytest.mark.row("bf16 autocast")
def test_bf16_autocast():
    """every value, against the same bf16 operations written out"""
    [(diary, recording)] = both(precision.bf16_autocast)
    by_hand = in_low_precision(torch.bfloat16, lambda out: F.mse_loss(out.float(), Y))
    compare(recording, diary.expected(by_hand, LAYERS, dtype=None))


@pytest.mark.row("fp16 autocast and GradScaler, one step skipped")
def test_fp16_with_a_grad_scaler():
    """loss, gradients and backward signals without the scale; the skipped batch is no step and no finding"""
    [(diary, recording)] = both(precision.fp16_grad_scaler)
    assert len(diary.steps) == STEPS - 1
    assert recording.facts["non_finite"] is None
    assert recording.facts["skipped_steps"] == 1
    scales = [1024.0, 512.0, 512.0]
    expected = []
    for step, scale in enumerate(scales):  # the roundings of fp16 depend on the scale
        by_hand = in_low_precision(torch.float16, lambda out, scale=scale: F.mse_loss(out.float(), Y) * scale)
        values = diary.expected(by_hand, LAYERS, dtype=None)[step]
        scaled = {key: values[key] / scale for key in values if key[0] in SCALED}
        expected.append(values | scaled)
    compare(recording, expected)


SCALED = ("loss", "backward_rms", "gradient_rms", "gradient_norm")


@pytest.mark.row("float64 model")
def test_float64():
    """every value"""
    [(diary, recording)] = both(precision.float64)
    compare(recording, diary.expected(in_float64(tanh, True), LAYERS))


@pytest.mark.row("default dtype float64")
def test_default_dtype():
    """every value"""
    [(diary, recording)] = both(precision.default_dtype)
    compare(recording, diary.expected(in_float64(tanh, True), LAYERS))


@pytest.mark.row("bfloat16 model")
def test_bfloat16():
    """every value, against the same bf16 operations written out"""
    [(diary, recording)] = both(precision.bfloat16)
    by_hand = in_low_precision(torch.bfloat16, lambda out: F.mse_loss(out, Y.bfloat16()))
    compare(recording, diary.expected(by_hand, LAYERS, dtype=None))


@pytest.mark.row("complex parameters")
def test_complex():
    """RMS of outputs, gradients and weights by the modulus; no mean, which would be complex"""
    [(diary, recording)] = both(precision.complex_parameters)

    def by_hand(hand):
        out = hand.linear("last", hand.linear("first", X.to(torch.complex128)))
        return (out.abs() - Y.double()).square().mean()

    compare(recording, diary.expected(by_hand, ["first", "last"]))
