"""A training loop that never clears the gradients, against one that does, on the diabetes table.

The line that differs: `optimizer.zero_grad()`. `backward` adds to what is there, so without it each step
follows the sum of all gradients since the start. The step grows with the number of batches and goes on in
directions long passed: the weights swing past the minimum and further with every swing, worse than predicting
the mean. It looks like a learning rate or a momentum too high, and a smaller step only delays it.

Anchors: PyTorch's documentation of `Optimizer.zero_grad`; Jiang et al. 2025, "TrainCheck".
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup, evaluate


def faulty(seed: int) -> Setup:
    """The loop steps without clearing the gradients of the batches before."""
    return _setup(seed, clear=False)


def healthy(seed: int) -> Setup:
    """The loop clears the gradients before each backward pass."""
    return _setup(seed, clear=True)


def _setup(seed: int, clear: bool) -> Setup:
    model = mlp([10, 32, 1], nn.Tanh)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    train, val = loaders("diabetes", seed, batch_size=32)
    loop = partial(_loop, clear=clear)
    return Setup(model, nn.MSELoss(), optimizer, train, val, epochs=40, metric="r2", loop=loop)


def _loop(setup: Setup, clear: bool) -> None:
    for _ in range(setup.epochs):
        setup.model.train()
        for batch in setup.train_loader:
            if clear:
                setup.optimizer.zero_grad()
            setup.loss(batch).backward()  # type: ignore[no-untyped-call]
            setup.optimizer.step()
        evaluate(setup)
