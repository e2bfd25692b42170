"""What a good plan is made with, besides its network: optimizers, schedules, augmentations, a frozen backbone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LambdaLR, LRScheduler, OneCycleLR, StepLR

from diagnosis_zoo.plan import Batches, Plan
from diagnosis_zoo.tasks import Pair, Task
from trainclinic.setup import Setup, train

adam, adamw = partial(Adam, lr=3e-3), partial(AdamW, lr=3e-3, weight_decay=0.01)
sgd, momentum = partial(SGD, lr=0.1), partial(SGD, lr=0.03, momentum=0.9)
SMOOTH = nn.CrossEntropyLoss(label_smoothing=0.1)


def cosine(optimizer: Optimizer, epochs: int) -> LRScheduler:
    return CosineAnnealingLR(optimizer, epochs)


def steps(optimizer: Optimizer, epochs: int) -> LRScheduler:
    return StepLR(optimizer, max(1, epochs // 3), 0.3)


def fading(optimizer: Optimizer, epochs: int) -> LRScheduler:
    return ExponentialLR(optimizer, 0.9)


def warm_up(optimizer: Optimizer, epochs: int, over: int = 4) -> LRScheduler:
    return LambdaLR(optimizer, lambda epoch: min(1.0, (epoch + 1) / over))


def one_cycle(optimizer: Optimizer, epochs: int) -> LRScheduler:
    """Up to the optimizer's own rate and far down again, a step an epoch."""
    most = optimizer.param_groups[0]["lr"]
    return OneCycleLR(optimizer, most, total_steps=epochs, div_factor=5, cycle_momentum=False)


def mixed(x: Tensor, y: Tensor) -> Pair:
    """Mixup: each sample and its label blended with another's."""
    share, other = float(torch.distributions.Beta(0.4, 0.4).sample()), torch.randperm(len(x))
    soft = nn.functional.one_hot(y, int(y.max()) + 1).float() if y.dtype == torch.long else y
    return share * x + (1 - share) * x[other], share * soft + (1 - share) * soft[other]


def shaken(x: Tensor, y: Tensor) -> Pair:
    """Noise on the inputs."""
    return x + 0.15 * torch.randn_like(x), y


def flipped(x: Tensor, y: Tensor) -> Pair:
    """Half the batches mirrored."""
    return (x.flip(-1) if torch.rand(()) < 0.5 else x), y


def pretrained(model: nn.Module, task: Task, keep: int) -> nn.Module:
    """Trained for a while on rows of its own, then everything frozen but the last `keep` modules."""
    data = task.draw(1)
    rows = Batches((data[0][:800], data[1][:800]), 32, True, None)
    train(Setup(model, task.loss, Adam(model.parameters(), 3e-3), rows, epochs=12))
    parts = list(model.children())
    for part in parts[: len(parts) - keep]:
        part.requires_grad_(False)
    return model


def plan(name: str, family: str, task: Task, network: Callable[..., Any], optimizer: Any = adam, **more: Any) -> Plan:
    network = network if isinstance(network, partial) else partial(network)
    return Plan(name, family, task, network, optimizer, **more)
