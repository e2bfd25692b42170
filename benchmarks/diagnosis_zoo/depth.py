"""The same architecture, too deep for its activations."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from diagnosis_zoo.model_faults import activated
from diagnosis_zoo.plan import Plan


def deeper(plan: Plan, act: Callable[[], nn.Module]) -> Plan:
    """Ten layers more, no norms, and this activation."""
    if plan.family == "mlp":
        return plan.built(widths=(40,) * 12, norm=None, act=act)
    if plan.family == "vgg":
        return plan.built(channels=(12,) * 10, norm=None, act=act)
    if plan.family == "separable":
        return plan.built(blocks=10, norm=lambda _: nn.Identity(), act=act)
    return plan.built(depth=12, act=act)


def deeper_plain(plan: Plan) -> Plan:
    """24 ReLU layers as PyTorch initializes them."""
    if plan.family == "mlp":
        return plan.built(widths=(40,) * 24, norm=None, act=nn.ReLU, dropout=0.0).but(model=())
    if plan.family == "vgg":
        return plan.built(channels=(10,) * 16, norm=None, act=nn.ReLU)
    return plan.built(depth=24, act=nn.ReLU)


def sigmoid_cell(plan: Plan) -> Plan:
    """The recurrence through a sigmoid."""
    return plan.with_model(activated(nn.Sigmoid))
