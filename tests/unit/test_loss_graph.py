"""What stands before a loss that is written by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hand_made import verdict
from torch import Tensor, nn

import trainclinic as tc
from trainclinic.measure.loss_graph import describe
from trainclinic.setup import Setup

Loss = Callable[[Tensor, Tensor], Tensor]


def by_hand(loss: Loss, width: int = 1) -> list[int]:
    """How many targets each output is held against, of eight samples."""
    output, target = nn.Linear(3, width)(torch.randn(8, 3)), torch.randn(8, width)
    return [node["pairs"] for node in describe(loss(output, target.squeeze(-1))) if "pairs" in node]


@pytest.mark.parametrize(
    ("loss", "pairs"),
    [
        (lambda output, target: ((output - target) ** 2).mean(), [8]),
        (lambda output, target: (target - output).abs().sum(), [8]),
        (lambda output, target: ((output.squeeze(-1)[:, None] - target) ** 2).mean(), [8]),
        (lambda output, target: ((output.squeeze(-1) - target) ** 2).mean(), []),
        (lambda output, target: ((output - target[:, None]) ** 2).mean(), []),
        (lambda output, target: ((output - output.T) ** 2).mean(), []),  # of all pairs on purpose
        (lambda output, target: torch.relu(1 - (output - output.T) * target).mean(), []),
    ],
)
def test_each_output_against_every_target(loss: Loss, pairs: list[int]) -> None:
    assert by_hand(loss) == pairs


def test_several_outputs_a_sample_are_no_pairs() -> None:
    assert by_hand(lambda output, target: ((output - target) ** 2).mean(), width=8) == []


def test_a_squared_error_by_hand_is_told_what_it_compares() -> None:
    def make(seed: int) -> Setup:
        x = torch.randn(64, 3)
        y = x.sum(1)
        model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
        batches = [(x[i : i + 16], y[i : i + 16]) for i in range(0, 64, 16)]
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Setup(model, lambda output, target: ((output - target) ** 2).mean(), optimizer, batches, epochs=20)

    assert verdict("loss-output-mismatch", tc.run(make)) == ("problem", "shapes broadcast")
