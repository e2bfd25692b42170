"""Layers that hooks break on, or miss."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from scenarios import X, Y, batch, mlp, row, train

IMAGES = batch(4, 2, 8, 8)


@row("nn.ReLU(inplace=True)")
def inplace_relu(attach):
    return train(attach, nn.Sequential(nn.Linear(6, 8), nn.ReLU(inplace=True), nn.Linear(8, 3)))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.conv = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.bn, self.head = nn.BatchNorm2d(4), nn.Linear(4, 3)

    def forward(self, x):
        identity = self.stem(x)
        out = self.bn(self.conv(identity))
        out += identity
        return self.head(F.relu(out, inplace=True).mean((2, 3)))


@row("out += identity")
def residual(attach):
    return train(attach, Residual(), [IMAGES])


class Views(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        h = self.first(x)
        h[:, :4].add_(1.0)
        h.view(-1, 2, 4)[:, 0].mul_(2.0)
        out = self.last(h)
        return out.add_(out.detach())


@row("views and add_ on outputs")
def views(attach):
    return train(attach, Views())


class Double(torch.autograd.Function):
    """In place."""

    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2.0)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2.0


class CustomFunction(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.last(Double.apply(self.first(x)))


@row("custom autograd.Function in place")
def custom_function(attach):
    return train(attach, CustomFunction())


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.cell, self.head = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        self.act = nn.Tanh()

    def forward(self, x):
        h = self.first(x)
        for _ in range(3):
            h = self.act(self.cell(h))
        return self.head(h)


@row("shared module")
def shared(attach):
    return train(attach, Shared())


class Checkpointed(nn.Module):
    def __init__(self, reentrant):
        super().__init__()
        self.stem, self.block = nn.Linear(6, 8), nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Dropout(0.2))
        self.head, self.reentrant = nn.Linear(8, 3), reentrant

    def forward(self, x):
        return self.head(checkpoint(self.block, self.stem(x), use_reentrant=self.reentrant))


@row("activation checkpointing")
def checkpointing(attach):
    return train(attach, Checkpointed(False))


@row("activation checkpointing, reentrant")
def reentrant_checkpointing(attach):
    return train(attach, Checkpointed(True))


class Experts(nn.Module):
    """The gate sends every sample to the first two; the third gets none."""

    def __init__(self):
        super().__init__()
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)) for _ in range(3))

    def forward(self, x):
        out, to = torch.zeros(len(x), 3), (x[:, 0] > 0).long()
        for index, expert in enumerate(self.experts):
            out[to == index] = expert(x[to == index])
        return out


@row("empty batch into a layer")
def empty_batch(attach):
    return train(attach, Experts())


@row("channels_last")
def channels_last(attach):
    x, y = IMAGES
    model = Residual().to(memory_format=torch.channels_last)
    return train(attach, model, [(x.to(memory_format=torch.channels_last), y)])


class Nested(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


DEPTH = 200


@row("modules nested 200 deep")
def nested(attach):
    model = mlp()
    for _ in range(DEPTH):
        model = Nested(model)
    return train(attach, model, [(X, Y)])


class ScriptedPart(nn.Module):
    def __init__(self, part):
        super().__init__()
        self.first, self.part, self.last = nn.Linear(6, 8), part, nn.Linear(8, 3)

    def forward(self, x):
        return self.last(torch.tanh(self.part(self.first(x))))


@row("torch.jit.script inside")
def scripted(attach):
    return train(attach, ScriptedPart(torch.jit.script(nn.Linear(8, 8))))


@row("torch.jit.trace inside")
def traced(attach):
    return train(attach, ScriptedPart(torch.jit.trace(nn.Linear(8, 8), torch.randn(2, 8))))
