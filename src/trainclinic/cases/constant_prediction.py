"""A mean over the batch where one over the features was meant, on the digits.

The line that differs: the dimension over which the input is centred. The mean over the features takes each picture's
brightness out; the mean over the batch, repeated for all, takes everything else out: every sample of a batch arrives
as the same vector. The network finds the frequencies of the classes and stays there.

Anchors: Karpathy 2019, "A recipe for training neural networks" (an input-independent baseline).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import he, mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """The mean of the batch takes the place of each picture."""
    return _setup(seed, of_batch=True)


def healthy(seed: int) -> Setup:
    """Each picture less its own mean."""
    return _setup(seed, of_batch=False)


class _Centre(nn.Module):
    """What is left of the input: the batch's mean, or the input less its own."""

    def __init__(self, of_batch: bool) -> None:
        super().__init__()
        self.of_batch = of_batch

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(0, keepdim=True).expand_as(x) if self.of_batch else x - x.mean(1, keepdim=True)


def _setup(seed: int, of_batch: bool) -> Setup:
    model = nn.Sequential(_Centre(of_batch), *mlp([64, 48, 48, 10], init=he))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=12, metric="accuracy")
