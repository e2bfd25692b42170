"""Other processes and other threads."""

from __future__ import annotations

import multiprocessing
import threading

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, IterableDataset

from scenarios import STEPS, Wrong, X, Y, fit, mlp, row, sgd


class Rows(Dataset):
    """Two batches, both the whole of X and Y."""

    def __len__(self):
        return 2 * len(X)

    def __getitem__(self, index):
        return X[index % len(X)], Y[index % len(X)]


class Stream(IterableDataset):
    """The same as a stream."""

    def __iter__(self):
        return iter([*zip(X, Y, strict=True)] * 2)


class Filtered(Rows):
    """A dataset that asks the model, as mining for hard examples does; the model is watched."""

    def __init__(self, model):
        self.model = model

    def __getitem__(self, index):
        with torch.no_grad():
            self.model(X[:1])
        F.mse_loss(self.model(X[:1]), Y[:1]).backward()
        return super().__getitem__(index)


def loading(make, **settings):
    def scenario(attach):
        model = mlp()
        optimizer = sgd(model)
        loader = DataLoader(make(model), batch_size=len(X), **settings)
        tool = attach(model, optimizer, F.mse_loss)
        for _ in range(2):
            for batch in loader:
                fit(tool, model, optimizer, [batch], steps=1)
        tool.close()
        return model

    return scenario


iterable = row("IterableDataset, no workers")(loading(lambda model: Stream()))
forked = row("DataLoader workers, fork")(
    loading(lambda model: Rows(), num_workers=2, multiprocessing_context="fork", persistent_workers=True)
)
spawned = row("DataLoader workers, spawn")(
    loading(lambda model: Rows(), num_workers=1, multiprocessing_context="spawn", persistent_workers=True)
)
asking = row("DataLoader workers that call the watched model")(
    loading(Filtered, num_workers=2, multiprocessing_context="fork")
)


@row("a forked child trains the watched model")
def forked_training(attach):
    """As Hogwild and some tuners do: the child's training is its own affair."""
    model = mlp()
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    fit(tool, model, optimizer, steps=STEPS // 2)
    seen, threads = tool.seen(), torch.get_num_threads()
    torch.set_num_threads(1)  # else OpenMP hangs in a forked child
    child = multiprocessing.get_context("fork").Process(target=fit, args=(tool, model, optimizer), kwargs={"steps": 20})
    child.start()
    child.join(60)
    torch.set_num_threads(threads)
    if child.exitcode != 0:
        child.kill()
        raise Wrong(f"the child ended with {child.exitcode}")
    if tool.seen() != seen:
        raise Wrong(f"the child wrote {tool.seen() - seen} values")
    fit(tool, model, optimizer, steps=STEPS // 2)
    tool.close()
    return model


# -- threads


def in_thread(function, *args):
    """Run it in a thread of its own, and pass on what it raises."""
    raised = []

    def run():
        try:
            function(*args)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


def joined(*threads):
    for thread, raised in threads:
        thread.join(60)
        if raised:
            raise raised[0]


@row("training in another thread than the one that attached")
def other_thread(attach):
    model = mlp()
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    joined(in_thread(fit, tool, model, optimizer))
    tool.close()
    return model


class InTurns(nn.Module):
    """Waits inside its forward until the other thread is inside its own."""

    def __init__(self, barrier):
        super().__init__()
        self.first, self.last, self.barrier = nn.Linear(6, 8), nn.Linear(8, 3), barrier

    def __getstate__(self):
        return vars(self) | {"barrier": None}

    def forward(self, x):
        h = self.first(x)
        if self.barrier is not None:
            self.barrier.wait(30)
        return self.last(torch.tanh(h))


@row("two trainings in two threads, one watch each")
def two_threads(attach):
    barrier = threading.Barrier(2)
    models = [InTurns(barrier), InTurns(barrier)]
    optimizers = [sgd(model, lr) for model, lr in zip(models, (0.01, 0.005), strict=True)]
    tools = [attach(model, optimizer, F.mse_loss) for model, optimizer in zip(models, optimizers, strict=True)]
    joined(*(in_thread(fit, *three) for three in zip(tools, models, optimizers, strict=True)))
    for tool in tools:
        tool.close()
    return models


class Beside(nn.Module):
    """In the middle of each training forward another thread evaluates the whole model."""

    def __init__(self):
        super().__init__()
        self.first, self.act, self.last = nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)
        self.evaluations, self.trains_in = 0, threading.get_ident()

    def forward(self, x):
        h = self.first(x)
        if threading.get_ident() == self.trains_in:
            joined(in_thread(self.evaluate))
        return self.last(self.act(h))

    def evaluate(self):
        with torch.no_grad():
            F.mse_loss(self(X[:5] * 3.0), Y[:5])
        self.evaluations += 1


@row("an evaluation thread beside the training")
def evaluation_thread(attach):
    model = Beside()
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    fit(tool, model, optimizer)
    tool.close()
    if model.evaluations != STEPS:
        raise Wrong(f"{model.evaluations} evaluations")
    return model
