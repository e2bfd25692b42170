"""Contexts and function modes of the user's, and the transforms of torch.func."""

from __future__ import annotations

import pytest
from arms import both
from by_hand import compare, tanh
from scenarios import X, Y, contexts

WIDE, TARGET = X.double(), Y.double()


def named(first, act, last):
    def loss_of(hand):
        out = hand.linear(last, hand.act(act, tanh, hand.linear(first, WIDE), True))
        return (out - TARGET).square().mean()

    return loss_of


@pytest.mark.parametrize(("scenario", "names"), [
    pytest.param(scenario, names, marks=pytest.mark.row(name))
    for names, rows in {
        ("first", "tanh", "last"): {
            'torch.device("meta") inside forward': contexts.meta_inside,
            "a function mode entered in one forward and left in the next": contexts.crossing,
            "set_default_device before and inside forward": contexts.default_device,
        },
        ("0", "1", "2"): {
            "torch.device context around the loop": contexts.device_around,
            "functional_call with the model's own parameters": contexts.functional,
            "torch.func.grad and vmap of the model between steps": contexts.per_sample_gradients,
            "torch.jit.trace and FakeTensorMode on the watched model": contexts.traced,
            "torch.export of the watched model": contexts.exported,
        },
    }.items()
    for name, scenario in rows.items()
])  # fmt: skip
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit is deprecated, and used
def test_contexts(scenario, names):
    """every value; the user's mode sees what it saw, and nothing of ours is in a graph"""
    [(diary, recording)] = both(scenario)
    compare(recording, diary.expected(named(*names)))


@pytest.mark.row("vmap inside forward", limit="what runs inside vmap is not looked at: of that layer its weights alone")
def test_vmap_inside_forward():
    """every value of the layer outside of vmap"""

    def loss_of(hand):
        h = (WIDE @ hand.p["first.weight"].T + hand.p["first.bias"]).tanh()
        return (hand.linear("last", h) - TARGET).square().mean()

    [(diary, recording)] = both(contexts.vmap_inside)
    compare(recording, diary.expected(loss_of))
