"""Trainings that go wrong: then above all the monitor has to hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arms import both
from by_hand import compare, tanh
from scenarios import STEPS, X, Y, failing

import trainclinic as tc

WIDE, TARGET = X.double(), Y.double()
NET = ["net.0", "net.2"]


def by_hand(hand):
    out = hand.linear("net.2", hand.act("net.1", tanh, hand.linear("net.0", WIDE), True))
    return (out - TARGET).square().mean()


def before_the_break(recording, expected):
    """Every value of the steps before; then what is left of the recording."""
    for step in range(failing.BROKEN):
        for (signal, layer), value in expected[step].items():
            series = recording.series(signal, layer)
            if not math.isnan(value):
                found = series.values[series.steps == step].item()
                assert found == pytest.approx(value, rel=1e-5, abs=2e-7), (signal, layer)


def root_problems(recording):
    return [one.problem for one in tc.diagnose(recording).findings if one.level == "problem" and not one.explained_by]


@pytest.mark.row("NaN gradients")
def test_nan_gradients():
    """found as non-finite at its step, with the parameters it reached; never as vanishing; before it every value"""
    [(diary, recording)] = both(failing.nan_gradients, healthy=False)
    diary.steps = diary.steps[: failing.BROKEN]
    before_the_break(recording, diary.expected(by_hand))
    assert root_problems(recording) == ["non-finite"]
    assert "vanishing-gradient" not in {finding.problem for finding in tc.diagnose(recording).findings}
    first = recording.facts["non_finite"]
    assert (first["step"], first["what"]) == (failing.BROKEN, "gradient")
    assert set(first["gradients"]) == {f"{layer}.{part}" for layer in NET for part in ("weight", "bias")}
    rms = recording.series("gradient_rms", "net.0")
    assert rms.steps.tolist() == list(range(STEPS))
    assert np.isinf(rms.values).tolist() == [False, False, True, True]


@pytest.mark.row("infinite loss")
def test_infinite_loss():
    """found as non-finite at its step; before it every value"""
    [(diary, recording)] = both(failing.infinite_loss, healthy=False)
    diary.steps = diary.steps[: failing.BROKEN]
    before_the_break(recording, diary.expected(by_hand))
    assert root_problems(recording) == ["non-finite"]
    first = recording.facts["non_finite"]
    assert (first["step"], first["what"], first["loss"]) == (failing.BROKEN, "loss", "inf")


@pytest.mark.row("NaN gradients, step left out by the user")
def test_left_out():
    """every value of the steps that were made; the batch that was left out is in none of them"""
    [(diary, recording)] = both(failing.left_out, healthy=False)
    expected = diary.expected(by_hand)
    compare(recording, expected, but_for=["gradient_cosine"])


@pytest.mark.row("an exception in forward, caught, and the batch left out")
def test_caught():
    """every value, of the batches that went through"""
    [(diary, recording)] = both(failing.caught)
    compare(recording, diary.expected(by_hand))
