"""Trainings that a monitor may disturb, or may misunderstand: one function for each row of the table.

A scenario is a plain training. It is given `attach(model, optimizer, loss_fn)`, which puts a tool on the training and
returns it; it tells the tool of every step and closes it; it returns the modules that were trained. It imports torch
alone, so that other tools run through the same functions in environments of their own (`benchmarks/robustness.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

STEPS = 4
SCENARIOS: dict[str, Callable[[Any], Any]] = {}


class Tool:
    """What watches a training; this one does nothing.

    `package`: the folder that its code lives in.
    """

    package = ""

    def step(self, loss):
        """The optimizer has stepped."""

    def follow(self, optimizer):
        """The training goes on with a new optimizer."""

    def seen(self):
        """How many values have been seen so far; None when it cannot tell."""

    def close(self):
        """Let go."""


class Wrong(Exception):  # noqa: N818
    """The tool did something to the training that a scenario can see for itself."""


def row(name):
    """Make a function the scenario of that row."""

    def register(scenario):
        SCENARIOS[name] = scenario
        return scenario

    return register


def calls_into(package, function, *args):
    """How many functions of that package run when `function` is called."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event == "call" and f"/{package}/" in frame.f_code.co_filename.replace("\\", "/")

    sys.setprofile(profile if package else None)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return count


def batch(*shape, out=3, seed=1):
    """Inputs of that shape, and targets of `out` numbers; of a generator of their own."""
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g), torch.randn(shape[0], out, generator=g)


X, Y = batch(16, 6)


def mlp(activation=nn.Tanh):
    return nn.Sequential(nn.Linear(6, 8), activation(), nn.Linear(8, 3))


def sgd(model, lr=0.01):
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)


def fit(tool, model, optimizer, batches=((X, Y),), *, steps=STEPS, loss_fn=F.mse_loss):
    """An ordinary loop; more than one batch is accumulated."""
    for _ in range(steps):
        optimizer.zero_grad()
        for x, y in batches:
            loss = loss_fn(model(x), y)
            loss.backward()
        optimizer.step()
        tool.step(loss)


def train(attach, model, batches=((X, Y),), *, optimizer=None, steps=STEPS, loss_fn=F.mse_loss):
    """The whole of a scenario whose model is all that is special."""
    optimizer = optimizer or sgd(model)
    tool = attach(model, optimizer, loss_fn)
    fit(tool, model, optimizer, batches, steps=steps, loss_fn=loss_fn)
    tool.close()
    return model
