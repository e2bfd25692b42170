"""Digits of which three in ten of the training labels are wrong, trained until these are learned as well."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "overfitting"
SETTINGS = {"patience": 5}
WRONG = 0.3


def faulty(seed: int) -> Setup:
    """Forty epochs, of which the first few suffice."""
    train, val = loaders("digits", seed, train_size=600)
    pixels, target = train.dataset.tensors
    drawn = torch.Generator().manual_seed(7)  # the same wrong labels for every seed
    wrong = torch.rand(len(target), generator=drawn) < WRONG
    target = torch.where(wrong, torch.randint(10, target.shape, generator=drawn), target)
    noisy = DataLoader(TensorDataset(pixels, target), 60, shuffle=True, generator=train.generator)
    model = mlp([64, 256, 256, 10])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, noisy, val, epochs=40, metric="accuracy")
