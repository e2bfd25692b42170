"""Small trainings that fail, for tests of the cure: a run takes half a second."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainclinic as tc


def data(seed, count=2304):
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(count, 8, generator=generator)
    y = (x[:, :2].prod(1) > 0).long()
    order = torch.Generator().manual_seed(seed)
    train = DataLoader(TensorDataset(x[:2048], y[:2048]), 128, shuffle=True, generator=order)
    return train, DataLoader(TensorDataset(x[2048:], y[2048:]), 256)


def net(depth=8, width=24, activation=nn.Sigmoid):
    layers = []
    for index in range(depth):
        layers += [nn.Linear(8 if index == 0 else width, width), activation()]
        nn.init.xavier_uniform_(layers[-2].weight)
    return nn.Sequential(*layers, nn.Linear(width, 2))


def vanishing(seed):
    """Eight sigmoid layers: at chance."""
    model = net()
    train, val = data(seed)
    return tc.Setup(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 5e-3), train, val, 5, "accuracy")


def healthy(seed):
    """Three ReLU layers."""
    model = net(3, 24, nn.ReLU)
    train, val = data(seed)
    return tc.Setup(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 5e-3), train, val, 5, "accuracy")


class KilledOnce:
    """`vanishing` whose process is killed in the middle of a run, once."""

    def __init__(self, folder):
        self.marker = Path(folder) / "killed"

    def __call__(self, seed):
        setup = vanishing(seed)
        if seed == 2 and not self.marker.exists():
            counted = 0

            def kill(*_):
                nonlocal counted
                counted += 1
                if counted == 20:
                    self.marker.write_text("once")
                    os.kill(os.getpid(), signal.SIGKILL)

            setup.optimizer.register_step_post_hook(kill)
        return setup
