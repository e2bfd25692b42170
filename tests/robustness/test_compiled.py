"""torch.compile, before and after attaching."""

from __future__ import annotations

import pytest
from arms import both
from by_hand import compare, tanh
from scenarios import STEPS, X, Y, compiled

WIDE, TARGET = X.double(), Y.double()


def by_hand(hand):
    out = hand.linear("2", hand.act("1", tanh, hand.linear("0", WIDE), True))
    return (out - TARGET).square().mean()


@pytest.mark.parametrize("scenario", [
    pytest.param(compiled.compiled_first, marks=pytest.mark.row("model compiled, then attached")),
    pytest.param(compiled.attached_first, marks=pytest.mark.row("attached, then torch.compile")),
    pytest.param(compiled.in_place, marks=pytest.mark.row("attached, then model.compile()")),
])  # fmt: skip
def test_compiled(scenario):
    """every value; one graph, no break"""
    [(diary, recording)] = both(scenario)
    compare(recording, diary.expected(by_hand))


@pytest.mark.row("one block of the model compiled")
def test_compiled_part():
    """every value; one graph, no break"""

    def loss_of(hand):
        z = hand.act("block.1", tanh, hand.linear("block.0", hand.linear("first", WIDE)), True)
        return (hand.linear("last", z) - TARGET).square().mean()

    [(diary, recording)] = both(compiled.compiled_part)
    compare(recording, diary.expected(loss_of))


@pytest.mark.row("compiled with dropout and batch norm")
def test_compiled_with_dropout_and_batch_norm():
    """the same bits and random numbers; every signal is there; one graph, no break"""
    [(_, recording)] = both(compiled.compiled_regularized)
    for signal in ("activation_rms", "backward_rms", "gradient_rms", "update_ratio"):
        for layer in ("first", "last"):
            assert len(recording.series(signal, layer)) == STEPS, (signal, layer)
