"""Setups of a few lines, for tests of what is looked at and operated on, not of what is learned."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from trainclinic.setup import Setup
from trainclinic.treat.operation import operate


def setup_of(model, inputs=None, *, batch_size=32, count=64, optimizer=None, **others):
    """A Setup on random data; the targets are zeros."""
    x = torch.randn(count, 8, generator=torch.Generator().manual_seed(0)) if inputs is None else inputs
    data = TensorDataset(x, torch.zeros(len(x), dtype=torch.long))
    loader = DataLoader(data, batch_size, shuffle=True, generator=torch.Generator().manual_seed(1))
    optimizer = optimizer or torch.optim.SGD(model.parameters(), 0.1)
    return Setup(model, F.cross_entropy, optimizer, loader, None, 2, **others)


def chain(depth=4, width=16, activation=nn.ReLU):
    """Linear layers with activation modules between them, 8 features to 3 classes."""
    layers = []
    for index in range(depth):
        layers += [nn.Linear(8 if index == 0 else width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 3))


def treated(setup, *remedies):
    """The Setup after the operation."""
    return operate(setup, remedies)[0]


def held(optimizer):
    """Ids of the parameters that it moves."""
    return [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]


def one_step(setup):
    """Trains on the first batch; the loss."""
    x, y = next(iter(setup.train_loader))
    setup.model.train()
    setup.optimizer.zero_grad()
    loss = setup.loss_fn(setup.model(x), y)
    loss.backward()
    setup.optimizer.step()
    return loss.item()
