"""How one training is made: the plain parts, and the places where a habit or a mistake steps in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import TensorDataset

from diagnosis_zoo.tasks import Pair, Task
from trainclinic.setup import Setup


class Splits(NamedTuple):
    """What is trained on, validated on, and held back for the verdict."""

    train: Pair
    val: Pair
    test: Pair


class Built(NamedTuple):
    """A Setup, its splits, and the list that a loop of its own writes its validations to."""

    setup: Setup
    splits: Splits
    told: list[dict[str, float]]


class Batches:
    """A loader that indexes whole batches at once; the last one is kept unless it has a single sample."""

    def __init__(self, data: Pair, size: int, shuffle: bool, augment: Callable[[Tensor, Tensor], Pair] | None) -> None:
        self.dataset = TensorDataset(*data)
        self.size, self.shuffle, self.augment = size, shuffle, augment

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.size)

    def __iter__(self) -> Iterator[Pair]:
        x, y = self.dataset.tensors
        order = torch.randperm(len(x)) if self.shuffle else torch.arange(len(x))
        for part in order.split(self.size):
            if len(part) > 1 or self.size == 1:
                yield self.augment(x[part], y[part]) if self.augment else (x[part], y[part])


def trainable(model: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


@dataclass(frozen=True)
class Plan:
    """One training.

    Attributes:
        name: unique among the healthy.
        family: the architecture, as faults choose by it.
        task: what it learns.
        network: called with the task.
        optimizer: called with the parameters to learn.
        data: applied to the splits, in this order.
        model: applied to the network, in this order.
        after: the same, once the optimizer is built.
        learn: the parameters that the optimizer gets.
        augment: applied to every training batch.
        loop: the training function, for a mistake in it; `told` takes the figures of each validation.
        known: whether `benchmarks/zoo.py`, or for a sealed task the development part, has this architecture, so that
            only the data are held out.
    """

    name: str
    family: str
    task: Task
    network: partial[nn.Module]
    optimizer: partial[Optimizer]
    epochs: int = 12
    batch: int = 32
    schedule: Callable[[Optimizer, int], LRScheduler] | None = None
    clip: float | None = None
    loss: Callable[..., Tensor] | None = None
    shuffle: bool = True
    data: tuple[Callable[[Splits], Splits], ...] = ()
    model: tuple[Callable[[nn.Module], nn.Module], ...] = ()
    after: tuple[Callable[[nn.Module], nn.Module], ...] = ()
    learn: Callable[[nn.Module], Iterable[Any]] = trainable
    augment: Callable[[Tensor, Tensor], Pair] | None = None
    loop: Callable[..., None] | None = None
    known: bool = field(default=False, kw_only=True)

    @property
    def held_out(self) -> str:
        """What of it the limits have not seen."""
        return "data only" if self.known else "architecture and data"

    def splits(self) -> Splits:
        """The task's rows, dealt out by the global generator, and changed as the plan says."""
        x, y = self.task.draw(0)
        order = torch.randperm(len(x))[: self.task.rows].split(self.task.sizes)
        found = Splits(*((x[part], y[part]) for part in order))
        for change in self.data:
            found = change(found)
        return found

    def build(self) -> Built:
        """From the global generators as they are."""
        splits, told = self.splits(), []
        model = self.network(self.task)
        for change in self.model:
            model = change(model)
        optimizer = self.optimizer(self.learn(model))
        for change in self.after:
            model = change(model)
        setup = Setup(
            model,
            self.loss or self.task.loss,
            optimizer,
            Batches(splits.train, self.batch, self.shuffle, self.augment),
            Batches(splits.val, 512, False, None),
            epochs=self.epochs,
            metric=self.task.judge,
            scheduler=self.schedule(optimizer, self.epochs) if self.schedule else None,
            clip_grad_norm=self.clip,
            loop=partial(self.loop, told=told) if self.loop else None,
        )
        return Built(setup, splits, told)

    def make(self, seed: int) -> Setup:
        """As `trainclinic.run` wants it."""
        return self.build().setup

    def but(self, **changed: Any) -> Plan:
        """The same plan with something else in it."""
        return replace(self, **changed)

    def with_data(self, *changes: Callable[[Splits], Splits]) -> Plan:
        return self.but(data=(*self.data, *changes))

    def with_model(self, *changes: Callable[[nn.Module], nn.Module]) -> Plan:
        return self.but(model=(*self.model, *changes))

    def at(self, factor: float) -> Plan:
        """The learning rate times `factor`."""
        return self.but(optimizer=partial(self.optimizer, lr=self.optimizer.keywords["lr"] * factor))

    def built(self, **keywords: Any) -> Plan:
        """The network with other settings."""
        return self.but(network=partial(self.network, **keywords))
