"""Copies of a watched model: deep, averaged, pickled, saved."""

from __future__ import annotations

import copy
import io
import pickle

import torch
from torch import nn
from torch.nn import functional as F

from scenarios import STEPS, Wrong, X, Y, calls_into, fit, mlp, row, sgd, train


def training_with(copies):
    """Train; in the middle make a copy, and train that: the tool must not see it."""

    def scenario(attach):
        model = mlp()
        optimizer = sgd(model)
        tool = attach(model, optimizer, F.mse_loss)
        fit(tool, model, optimizer, steps=STEPS // 2)
        model(X)  # while whatever is set for a pass is set
        copied = copies(model, optimizer)
        seen = tool.seen()
        for one in copied:
            count = calls_into(tool.package, one, X[:4])
            if count:
                raise Wrong(f"the copy is watched too: its forward calls {count} functions of the tool")
            optimizer_of_copy = torch.optim.SGD(one.parameters(), lr=0.01)
            for _ in range(3):
                optimizer_of_copy.zero_grad()
                F.mse_loss(one(X[:4]), Y[:4]).backward()
                optimizer_of_copy.step()
        if tool.seen() != seen:
            raise Wrong(f"{tool.seen() - seen} values of the copy are recorded")
        fit(tool, model, optimizer, steps=STEPS // 2)
        tool.close()
        return [model, *copied]

    return scenario


@row("copy.deepcopy(model)")
def deepcopy(attach):
    return training_with(lambda model, _: [copy.deepcopy(model)])(attach)


@row("EMA copy (AveragedModel)")
def averaged(attach):
    def copies(model, _):
        ema = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
        ema.update_parameters(model)
        return [ema.module]

    return training_with(copies)(attach)


@row("pickle and torch.save of the model")
def pickled(attach):
    def copies(model, _):
        buffer = io.BytesIO()
        torch.save(model, buffer)
        buffer.seek(0)
        return [pickle.loads(pickle.dumps(model)), torch.load(buffer, weights_only=False)]

    return training_with(copies)(attach)


@row("pickle of model and optimizer together")
def pickled_together(attach):
    return training_with(lambda *both: [pickle.loads(pickle.dumps(both))[0], copy.deepcopy(both)[0]])(attach)


@row("nn.DataParallel on a CPU")
def data_parallel(attach):
    return train(attach, nn.DataParallel(mlp()))
