"""Gradients that are not made by one plain backward."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from scenarios import STEPS, Wrong, X, Y, mlp, row, sgd, train


def looped(step_of):
    """Train an mlp; `step_of(model, optimizer)` makes the gradients and gives the loss."""

    def scenario(attach):
        model = mlp()
        optimizer = sgd(model)
        tool = attach(model, optimizer, F.mse_loss)
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = step_of(model, optimizer)
            optimizer.step()
            tool.step(loss)
        tool.close()
        return model

    return scenario


@row("gradient penalty (double backward)")
@looped
def penalty(model, optimizer):
    x = X.clone().requires_grad_()
    out = model(x)
    (at_input,) = torch.autograd.grad(out.sum(), x, create_graph=True)
    loss = F.mse_loss(out, Y) + 0.1 * at_input.square().mean()
    loss.backward()
    return loss


@row("Hessian-vector product after the backward")
@looped
def curvature(model, optimizer):
    """As AdaHessian and Sophia estimate the curvature."""
    loss = F.mse_loss(model(X), Y)
    parameters = list(model.parameters())
    loss.backward(create_graph=True)
    gradients = [parameter.grad for parameter in parameters]
    model.curvature = torch.autograd.grad(gradients, parameters, [torch.ones_like(p) for p in parameters])[0].mean()
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.detach()
    return loss


@row("gradients by torch.autograd.grad")
@looped
def by_grad(model, optimizer):
    loss = F.mse_loss(model(X), Y)
    parameters = list(model.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    return loss


@row("two losses, two backwards through one graph")
@looped
def two_losses(model, optimizer):
    out = model(X)
    loss = F.mse_loss(out, Y)
    loss.backward(retain_graph=True)
    second = out.square().mean()
    second.backward()
    return loss + second


@row("gradients clipped")
@looped
def clipped(model, optimizer):
    loss = F.mse_loss(model(X), Y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    return loss


@row("one forward, its loss never differentiated")
@looped
def left(model, optimizer):
    """A batch that the user looks at and skips."""
    F.mse_loss(model(X * 3.0), Y)
    loss = F.mse_loss(model(X), Y)
    loss.backward()
    return loss


class Prompt(nn.Module):
    """A module whose output is its own parameter."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 6) / 3)

    def forward(self):
        return self.weight


class Prompted(nn.Module):
    def __init__(self):
        super().__init__()
        self.prompt, self.first, self.last = Prompt(), nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.last(torch.tanh(self.first(x + self.prompt().mean(0))))


@row("a module that returns its own parameter")
def own_parameter(attach):
    model = train(attach, Prompted())
    if model.prompt.weight._backward_hooks:
        raise Wrong("hooks are left on the parameter")
    return model
