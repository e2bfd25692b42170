"""Raw features against standardised ones, on the wine table.

The line that differs: `scaled`. Proline is counted in hundreds, hue is around 1: raw, one column of thirteen
makes up nearly all of the input. The loss is as steep along its weights as it is flat along all others, no
single step size suits both, and the first steps throw the hidden units where they no longer tell one wine
from another. With the mean and standard deviation of the training samples taken out, three classes separate.

Anchors: LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.3; Bishop 1995, section 8.2.
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Features as they stand in the table."""
    return _setup(seed, scaled=False)


def healthy(seed: int) -> Setup:
    """Features with mean 0 and standard deviation 1 over the training samples."""
    return _setup(seed, scaled=True)


def _setup(seed: int, scaled: bool) -> Setup:
    model = mlp([13, 32, 32, 3])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    train, val = loaders("wine", seed, batch_size=16, scaled=scaled)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=50, metric="accuracy")
