"""Two overlapping classes, 1 : 30, of which the rare one is what is looked for.

No rule finds class imbalance yet, so that "is gone" says nothing here: the verdict is the metric's, the mean of both
recalls.
"""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "class-imbalance"
SETTINGS = {"how": "loss", "power": 1.0}


def balanced_accuracy(outputs: Tensor, targets: Tensor) -> float:
    """Mean of the recalls of all classes."""
    right = outputs.argmax(1) == targets
    return float(torch.stack([right[targets == label].float().mean() for label in targets.unique()]).mean())


def faulty(seed: int) -> Setup:
    """Every sample counts the same."""
    drawn = torch.Generator().manual_seed(7)
    target = (torch.arange(3100) % 31 == 0).long()
    x = torch.randn(len(target), 8, generator=drawn) + 0.8 * target[:, None] * torch.tensor([1.0] * 3 + [0.0] * 5)
    order = torch.Generator().manual_seed(seed)
    train = DataLoader(TensorDataset(x[:2170], target[:2170]), 62, shuffle=True, generator=order)
    val = DataLoader(TensorDataset(x[2170:], target[2170:]), 930, generator=order)
    model = mlp([8, 16, 2])
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=15, metric=balanced_accuracy)
