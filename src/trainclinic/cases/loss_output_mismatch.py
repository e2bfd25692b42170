"""A softmax before CrossEntropyLoss against none, on the digits.

The line that differs: the last module. CrossEntropyLoss takes logits and applies the softmax itself. Given
probabilities it applies it a second time: inputs between 0 and 1 can never be certain, the loss cannot fall
below ln(e + 9) - 1 = 1.4612 for ten classes, and the gradient is small wherever the first softmax is sure.
Training is slow and its loss comes to lie on a plateau that looks like a hard problem: a class that the first
softmax has given up gets no push from the second.

Anchors: PyTorch's documentation of CrossEntropyLoss; Humbatova et al. 2020, "Taxonomy of real faults in deep
learning systems" (wrong or redundant last activation); Schoop, Huang & Hartmann 2021, "UMLAUT".
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import he, mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """The network ends with a softmax."""
    return _setup(seed, last=nn.Softmax(dim=1))


def healthy(seed: int) -> Setup:
    """The network ends with its logits."""
    return _setup(seed, last=nn.Identity())


def _setup(seed: int, last: nn.Module) -> Setup:
    model = mlp([64, 64, 64, 10], init=he).append(last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=24, metric="accuracy")
