"""A regression whose targets lie around 4: the first errors are large, and with them the first steps.

Warmed up, the network has learned the mean before the steps have their full length.
"""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import he, mlp
from trainclinic.setup import Setup

PROBLEM = "learning-rate-too-high"
SETTINGS: dict[str, object] = {"share": 0.2}


def faulty(seed: int) -> Setup:
    """SGD at 0.1 from the first step."""
    model = mlp([10, 64, 64, 1], init=he)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train, val = loaders("diabetes", seed, batch_size=32)
    for loader in (train, val):
        data = loader.dataset
        data.tensors = (data.tensors[0], data.tensors[1] + 4)  # type: ignore[attr-defined]
    return Setup(model, nn.MSELoss(), optimizer, train, val, epochs=15, metric="r2")
