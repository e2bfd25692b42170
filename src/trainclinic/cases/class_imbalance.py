"""Four samples in a hundred of every odd digit against all of them, on the digits.

The line that differs: `share`, the part of the odd digits that the training set keeps. With five or six samples of an
odd digit beside a hundred and thirty of an even one, a wrong answer to the odd one costs next to nothing: nine, three
and seven are taken for their even neighbours, with a validation set that has all ten alike. Once the frequencies are
taken out of the scores, many of them are right: the scores knew more than the answers said.

Anchors: Menon et al. 2021, "Long-tail learning via logit adjustment"; Buda, Maki & Mazurowski 2018, "A systematic
study of the class imbalance problem in convolutional neural networks".
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import TensorDataset

from trainclinic.cases._data import batches, sets
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Four in a hundred of the odd digits."""
    return _setup(seed, share=0.04)


def healthy(seed: int) -> Setup:
    """All of the odd digits."""
    return _setup(seed, share=1.0)


def _setup(seed: int, share: float) -> Setup:
    model = mlp([64, 48, 48, 10])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    training, validation = sets("digits")
    train, val = batches(_thinned(training, share), validation, seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=20, metric="accuracy")


def _thinned(training: TensorDataset, share: float) -> TensorDataset:
    """All even digits, and the first of the odd ones."""
    x, y = training.tensors
    keep = torch.ones(len(y), dtype=torch.bool)
    for digit in range(1, 10, 2):
        samples = (y == digit).nonzero().flatten()
        keep[samples[round(share * len(samples)) :]] = False
    return TensorDataset(x[keep], y[keep])
