"""Three layers with no activation function between them, for two rings that no line parts."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from trainclinic.setup import Setup

PROBLEM = "underfitting"
SETTINGS: dict[str, float] = {}
ROWS = 1200


def faulty(seed: int) -> Setup:
    """The training as it is."""
    generator = torch.Generator().manual_seed(0)
    outer = torch.arange(ROWS) % 2
    angle = 6.283 * torch.rand(ROWS, generator=generator)
    radius = 1.0 + outer + 0.1 * torch.randn(ROWS, generator=generator)
    x = torch.stack((radius * angle.cos(), radius * angle.sin()), 1)
    train = DataLoader(TensorDataset(x[:800], outer[:800]), 32, shuffle=True)
    val = DataLoader(TensorDataset(x[800:], outer[800:]), 400)
    model = nn.Sequential(nn.Linear(2, 32), nn.Linear(32, 32), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=15, metric="accuracy")
