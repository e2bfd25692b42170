"""torch.compile, before and after attaching."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from scenarios import STEPS, Wrong, fit, mlp, row, sgd

BACKEND = "aot_eager"  # the breaks are Dynamo's, whatever compiles the graphs


def counted(run):
    """Run, and complain of every graph break and every graph more than the bare training has."""
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    counters.clear()
    result = run()
    breaks, graphs = sum(counters["graph_break"].values()), counters["stats"]["unique_graphs"]
    if breaks or graphs > 1:
        raise Wrong(f"{breaks} graph breaks, {graphs} graphs")
    return result


def loop(attach, first, second=None):
    """Attach to what `first` makes of the model, then train what `second` makes of that."""

    def run():
        model = mlp()
        given = first(model)
        optimizer = sgd(model)
        tool = attach(given, optimizer, F.mse_loss)
        trained = second(given) if second else given
        fit(tool, trained, optimizer)
        tool.close()
        return model

    return counted(run)


def compiled(model):
    return torch.compile(model, backend=BACKEND)


def compiled_in_place(model):
    model.compile(backend=BACKEND)
    return model


@row("model compiled, then attached")
def compiled_first(attach):
    return loop(attach, compiled)


@row("attached, then torch.compile")
def attached_first(attach):
    return loop(attach, lambda model: model, compiled)


@row("attached, then model.compile()")
def in_place(attach):
    return loop(attach, lambda model: model, compiled_in_place)


class Part(nn.Module):
    """One block is compiled, the rest is not."""

    def __init__(self):
        super().__init__()
        self.first, self.block, self.last = nn.Linear(6, 8), nn.Sequential(nn.Linear(8, 8), nn.Tanh()), nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.block(self.first(x)))


@row("one block of the model compiled")
def compiled_part(attach):
    def run():
        model = Part()
        model.block.compile(backend=BACKEND)
        optimizer = sgd(model)
        tool = attach(model, optimizer, F.mse_loss)
        fit(tool, model, optimizer)
        tool.close()
        return model

    return counted(run)


@row("compiled with dropout and batch norm")
def compiled_regularized(attach):
    from scenarios.steps import Regularized

    def run():
        model = Regularized()
        optimizer = sgd(model)
        given = compiled(model)
        tool = attach(given, optimizer, F.mse_loss)
        fit(tool, given, optimizer, steps=STEPS)
        tool.close()
        return model

    return counted(run)
