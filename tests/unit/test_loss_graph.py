"""What stands before a loss that is written by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hand_made import verdict
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

import trainclinic as tc
from trainclinic.measure.linear import Lines, lines
from trainclinic.measure.loss_graph import describe, weighs_parameters
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
        (lambda output, target: 2 * (output - target).abs().mean() - (output - output.T).abs().mean(), []),
        (lambda output, target: torch.exp(-((output - target) ** 2)).mean(), []),  # a kernel
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


# -- networks that are one linear map


def of(forward: Callable[[Tensor], Tensor], dropouts: int = 0) -> Lines | None:
    x = torch.randn(8, 4)
    return lines(nn.functional.mse_loss(forward(x), torch.randn(8, 2)), dropouts=dropouts)


def test_layers_are_counted_where_nothing_bends_between_them() -> None:
    one, two, end = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 2)
    norm, drop, other = nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(4, 6)
    assert of(lambda x: end(two(one(x)))) == (3, 3)
    assert of(lambda x: end(norm(one(x)) + other(x))) == (2, 2)
    assert of(lambda x: end(drop(one(x))), dropouts=1) == (2, 2)
    assert of(lambda x: end(torch.tanh(two(one(x))))) == (0, 0)
    assert of(lambda x: end((two(one(x)) - other(x)).abs())) == (0, 2)  # of two towers
    assert of(lambda x: end(one(x) * other(x)), dropouts=1) == (0, 1)
    assert of(lambda x: end(one(x) * (one(x) > 0))) == (0, 0)  # an activation function by hand
    assert of(lambda x: end((z := one(x)) + (z.sign() - z).detach())) == (0, 0)  # and one that was detached
    assert of(lambda x: torch.eye(8) @ end(one(x))) == (0, 0)  # a product with a constant is no layer


@pytest.mark.parametrize("norm", [spectral_norm, weight_norm])
def test_weights_made_of_weights_are_weights(norm: Callable[[nn.Module], nn.Module]) -> None:
    one, end = norm(nn.Linear(4, 6)), norm(nn.Linear(6, 2))
    assert of(lambda x: end(one(x))) == (2, 2)
    assert of(lambda x: end(torch.relu(one(x)))) == (0, 0)


def test_a_loss_that_is_not_known_tells_nothing() -> None:
    assert lines(nn.Linear(3, 1)(torch.randn(4, 3)).square().mean(), dropouts=0) is None


# -- penalties


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (lambda net, out: sum(weight.abs().sum() for weight in net.parameters()), True),
        (lambda net, out: sum(weight.pow(2).sum() for weight in net.parameters()), True),
        (lambda net, out: torch.linalg.vector_norm(net[0].weight), True),
        (lambda net, out: torch.sigmoid(out).mean(), False),  # of the answers, such as an entropy or a dice
        (lambda net, out: out.abs().mean(), False),
        (lambda net, out: net[0].bias.pow(2).sum(), False),
    ],
)
def test_a_penalty_is_of_the_weights_themselves(term: Callable[[nn.Module, Tensor], Tensor], expected: bool) -> None:
    net = nn.Sequential(*[nn.Linear(4, 4) for _ in range(20)])
    out = net(torch.randn(8, 4))
    loss = nn.functional.cross_entropy(out, torch.randint(4, (8,))) + 0.01 * term(net, out)
    assert weighs_parameters(loss) == expected
    assert [node["loss"] for node in describe(loss)] == ["cross_entropy"]
