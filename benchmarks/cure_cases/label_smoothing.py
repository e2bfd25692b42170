"""Digits of which two in ten of the training labels are wrong, learned with certainty."""

import torch
from torch import nn

from cure_cases._noisy_digits import noisy_digits
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "overfitting"
SETTINGS = {"smoothing": 0.05}


def faulty(seed: int) -> Setup:
    """Hard targets."""
    train, val = noisy_digits(seed, 0.2)
    model = mlp([64, 256, 256, 10])
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=80, metric="accuracy")
