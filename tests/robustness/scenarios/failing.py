"""Trainings that go wrong: then above all the monitor has to hold."""

from __future__ import annotations

import contextlib

import torch
from torch import nn
from torch.nn import functional as F

from scenarios import STEPS, X, Y, mlp, row, sgd

BROKEN = 2  # the step whose gradients break


class Root(nn.Module):
    """The gradient of a square root at 0 is infinite; times 0 it is NaN."""

    def __init__(self):
        super().__init__()
        self.net, self.broken = mlp(), False

    def forward(self, x):
        out = self.net(x)
        return out + (out * 0.0).sqrt() if self.broken else out


def failing(step_of):
    def scenario(attach):
        model = Root()
        optimizer = sgd(model)
        tool = attach(model, optimizer, F.mse_loss)
        for step in range(STEPS):
            loss = step_of(model, optimizer, step)
            tool.step(loss)
        tool.close()
        return model

    return scenario


@row("NaN gradients")
@failing
def nan_gradients(model, optimizer, step):
    model.broken = step >= BROKEN
    optimizer.zero_grad()
    loss = F.mse_loss(model(X), Y)
    loss.backward()
    optimizer.step()
    return loss


@row("infinite loss")
@failing
def infinite_loss(model, optimizer, step):
    optimizer.zero_grad()
    loss = F.mse_loss(model(X), Y) * (torch.inf if step == BROKEN else 1.0)
    loss.backward()
    optimizer.step()
    return loss


@row("an exception in forward, caught, and the batch left out")
@failing
def caught(model, optimizer, step):
    optimizer.zero_grad()
    if step == BROKEN:
        with contextlib.suppress(RuntimeError):
            model(X[:, :4])
    loss = F.mse_loss(model(X), Y)
    loss.backward()
    optimizer.step()
    return loss


@row("NaN gradients, step left out by the user")
@failing
def left_out(model, optimizer, step):
    model.broken = step == BROKEN
    optimizer.zero_grad()
    loss = F.mse_loss(model(X), Y)
    loss.backward()
    if torch.isfinite(model.net[0].weight.grad).all():
        optimizer.step()
    return loss
