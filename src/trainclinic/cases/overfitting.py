"""A network far too large for 332 patients, without and with weight decay, on the diabetes table.

The line that differs: `weight_decay`. Seventy thousand weights fit three hundred noisy targets by heart: the
training loss goes towards zero while the validation loss, after its best in the first epochs, climbs by about
a half. With a strong decay the same network in the same time ends a little better than a linear regression,
and its validation loss stays where it arrived.

Anchors: Krogh & Hertz 1992, "A simple weight decay can improve generalization"; Loshchilov & Hutter 2019,
"Decoupled weight decay regularization"; Prechelt 1998, "Early stopping - but when?", for the measure.
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Nothing holds the weights back."""
    return _setup(seed, weight_decay=0.0)


def healthy(seed: int) -> Setup:
    """Each step takes 0.4 % off every weight."""
    return _setup(seed, weight_decay=8.0)


def _setup(seed: int, weight_decay: float) -> Setup:
    model = mlp([10, 256, 256, 1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, weight_decay=weight_decay)
    train, val = loaders("diabetes", seed, batch_size=32)
    return Setup(model, nn.MSELoss(), optimizer, train, val, epochs=100, metric="r2")
