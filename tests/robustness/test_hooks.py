"""Other people's hooks on the same modules."""

from __future__ import annotations

import pytest
import torch
from arms import both
from by_hand import compare, relu, tanh
from scenarios import X, Y, hooks

WIDE, TARGET = X.double(), Y.double()


def squared(out):
    return (out - TARGET).square().mean()


def mlp(hand, x=WIDE):
    return squared(hand.linear("2", hand.act("1", tanh, hand.linear("0", x), True)))


@pytest.mark.row("user's forward hook that changes an output")
def test_changed_output():
    """every value; the output is what the user's hook made of it"""

    def loss_of(hand):
        z = hand.out("0", 2.0 * (WIDE @ hand.p["0.weight"].T + hand.p["0.bias"]))
        return squared(hand.linear("2", hand.act("1", tanh, z, True) + 1.0))

    [(diary, recording)] = both(hooks.changing)
    compare(recording, diary.expected(loss_of))


class Changed(torch.autograd.Function):
    """The identity; its gradient is what `change` makes of it."""

    @staticmethod
    def forward(ctx, x, change):
        ctx.change = change
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return ctx.change(gradient), None


@pytest.mark.row("user's tensor hook that changes a gradient")
def test_changed_gradient():
    """every value; backward signal and gradient are what the user's hooks made of them"""
    [(diary, recording)] = both(hooks.gradient)

    def loss_of(hand):
        z = Changed.apply(hand.linear("0", WIDE), lambda g: g * 0.5)
        weight = Changed.apply(hand.p["2.weight"], lambda g: g.clamp(-0.01, 0.01))
        return squared(hand.out("2", hand.act("1", tanh, z, True) @ weight.T + hand.p["2.bias"]))

    compare(recording, diary.expected(loss_of))


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.row("user's full backward hook")
def test_full_backward_hook():
    """every value; the backward signal as the user's pre-hook made it: doubled"""

    def loss_of(hand):
        a = hand.act("1", tanh, hand.linear("0", WIDE), True)
        return squared(Changed.apply(hand.linear("2", a), lambda g: g * 2.0))

    [(diary, recording)] = both(hooks.full_backward)
    compare(recording, diary.expected(loss_of))


@pytest.mark.row("full backward hook in a model with in-place ReLU")
def test_full_backward_hook_beside_in_place():
    """every value"""

    def loss_of(hand):
        a = hand.act("act", relu, hand.linear("first", WIDE))
        return squared(hand.linear("last", hand.linear("middle", a)))

    [(diary, recording)] = both(hooks.full_backward_inplace)
    compare(recording, diary.expected(loss_of))


@pytest.mark.row("hooks on all modules and optimizers")
def test_hooks_everywhere():
    """every value"""
    [(diary, recording)] = both(hooks.everywhere)
    compare(recording, diary.expected(mlp))


@pytest.mark.row("a hook removed and set again while training")
def test_hooks_that_come_and_go():
    """every value"""
    [(diary, recording)] = both(hooks.coming_and_going)
    compare(recording, diary.expected(lambda hand: mlp(hand, 1.5 * WIDE)))


@pytest.mark.row("nothing left after closing")
def test_nothing_is_left():
    """no hook and no attribute more on model and optimizer than before"""
    [(diary, recording)] = both(hooks.leaves_nothing)
    compare(recording, diary.expected(mlp))
