"""Digits of which three in ten of the training labels are wrong, trained until these are learned as well."""

import torch
from torch import nn

from cure_cases._noisy_digits import noisy_digits
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "overfitting"
SETTINGS = {"patience": 5}


def faulty(seed: int) -> Setup:
    """Forty epochs, of which the first few suffice."""
    train, val = noisy_digits(seed, 0.3)
    model = mlp([64, 256, 256, 10])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=40, metric="accuracy")
