"""Setup: everything one training run needs; train: the plain loop, nothing more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from trainclinic.errors import SetupError

Metric = Callable[[Tensor, Tensor], float]
Validated = Callable[..., None]


@dataclass
class Setup:
    """One training run, built fresh from a seed by a `make(seed)` function.

    Attributes:
        model: the network.
        loss_fn: `loss_fn(output, target) -> scalar tensor`; a module or a function.
        optimizer: built over the model's parameters.
        train_loader: yields batches; `(input, target)` unless `step` says otherwise.
        val_loader: the same for validation, or None.
        epochs: passes over `train_loader`.
        metric: "loss", "accuracy", "r2", or a function of (outputs, targets) where more is better.
        scheduler: stepped once an epoch.
        clip_grad_norm: the largest allowed global gradient norm, or None.
        step: `step(model, batch) -> loss`, for batches that are no `(input, target)` pair.
        loop: the user's own training function, called with this Setup instead of the plain loop.

    Raises:
        SetupError: a field is not what it must be.
    """

    model: nn.Module
    loss_fn: Callable[..., Tensor]
    optimizer: Optimizer
    train_loader: Iterable[Any]
    val_loader: Iterable[Any] | None = None
    epochs: int = 10
    metric: str | Metric = "loss"
    scheduler: LRScheduler | None = None
    clip_grad_norm: float | None = None
    step: Callable[[nn.Module, Any], Tensor] | None = None
    loop: Callable[[Setup], None] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.model, nn.Module):
            raise SetupError(_expected("model", "a torch.nn.Module", self.model))
        if not isinstance(self.optimizer, Optimizer):
            raise SetupError(_expected("optimizer", "a torch.optim.Optimizer", self.optimizer))
        if not callable(self.loss_fn):
            raise SetupError(_expected("loss_fn", "a module or function (output, target) -> loss", self.loss_fn))
        for name in ("train_loader", "val_loader"):
            loader = getattr(self, name)
            if not isinstance(loader, Iterable) and not (name == "val_loader" and loader is None):
                raise SetupError(_expected(name, "an iterable of batches that can be iterated every epoch", loader))
        if not isinstance(self.epochs, int) or self.epochs < 1:
            raise SetupError(_expected("epochs", "a whole number of at least 1", self.epochs))
        if isinstance(self.metric, str) and self.metric != "loss" and self.metric not in METRICS:
            raise SetupError(_expected("metric", f"a function or one of loss, {', '.join(METRICS)}", self.metric))

    @property
    def metric_name(self) -> str:
        """The metric's name, as it stands in recordings; a function named like a known metric is not taken for it."""
        if isinstance(self.metric, str):
            return self.metric
        name = getattr(self.metric, "__name__", "metric")
        taken = name in ("loss", *METRICS) and self.metric is not METRICS.get(name)
        return f"own_{name}" if taken else name

    def loss(self, batch: Any) -> Tensor:
        """The loss of one batch, in the model's present mode.

        Raises:
            SetupError: it is no tensor of one number.
        """
        if self.step is not None:
            loss = self.step(self.model, batch)
        else:
            inputs, targets = pair(batch)
            loss = self.loss_fn(self.model(inputs), targets)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            came = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
            raise SetupError(f"loss: expected a tensor of one number, got {came}; reduce it, such as by .mean()")
        return loss


def train(setup: Setup, validated: Validated | None = None) -> None:
    """Train `setup` with the plain loop: zero_grad, forward, backward, clip, step; validate once an epoch.

    Args:
        setup: what to train; it is changed in place.
        validated: called after each epoch with the validation figures as keywords, such as `loss=`, `accuracy=`.
    """
    if setup.loop is not None:
        setup.loop(setup)
        return
    for _ in range(setup.epochs):
        setup.model.train()
        for batch in setup.train_loader:
            update(setup, batch)
        if setup.val_loader is not None:
            figures = evaluate(setup)
            if validated is not None:
                validated(**figures)
        if setup.scheduler is not None:
            setup.scheduler.step()


def update(setup: Setup, batch: Any) -> Tensor:
    """One step of the plain loop: zero_grad, forward, backward, clip, step; the loss before it."""
    setup.optimizer.zero_grad()
    loss = setup.loss(batch)
    loss.backward()  # type: ignore[no-untyped-call]
    if setup.clip_grad_norm is not None:
        clip_grad_norm_(setup.model.parameters(), setup.clip_grad_norm)
    setup.optimizer.step()
    return loss.detach()


def evaluate(setup: Setup) -> dict[str, float]:
    """Loss (mean over samples) and metric of the validation set, in eval mode and without gradient.

    Returns:
        {"loss": …, <metric name>: …}; the metric is left out where `step` hides the outputs.
    """
    if setup.val_loader is None:
        raise SetupError("val_loader: expected an iterable of batches to evaluate on, got None; give Setup one")
    modes = [(module, module.training) for module in setup.model.modules()]
    setup.model.eval()
    total, count = 0.0, 0
    outputs, targets = [], []
    with torch.no_grad():
        for batch in setup.val_loader:
            if setup.step is not None:
                total, count = total + float(setup.step(setup.model, batch)), count + 1
                continue
            inputs, target = pair(batch)
            output = setup.model(inputs)
            total += float(setup.loss_fn(output, target)) * len(target)
            count += len(target)
            outputs.append(output)
            targets.append(target)
    for module, was_training in modes:  # one by one: a part may have been put in eval mode on purpose
        module.training = was_training
    figures = {"loss": total / count if count else math.nan}
    if outputs and setup.metric != "loss":
        score = setup.metric if callable(setup.metric) else METRICS[setup.metric]
        figures[setup.metric_name] = _number(setup.metric_name, score(torch.cat(outputs), torch.cat(targets)))
    return figures


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise SetupError(f"metric {name}: expected a number, more being better, got {type(value).__name__} "
                         f"{value!r:.60}; return a float") from None  # fmt: skip


def pair(batch: Any) -> tuple[Any, Any]:
    """A batch as (input, target).

    Raises:
        SetupError: it is something else.
    """
    if not isinstance(batch, list | tuple) or len(batch) != 2:
        raise SetupError(f"batch: expected a pair (input, target), got {type(batch).__name__}; give Setup a "
                         "step(model, batch) -> loss for other batches")  # fmt: skip
    return batch[0], batch[1]


def accuracy(outputs: Tensor, targets: Tensor) -> float:
    """Share of right answers [0..1]: argmax over dim 1 for (N, K, …) outputs, sign of the logit for (N,) or (N, 1)."""
    if outputs.ndim > 1 and outputs.shape[1] > 1:
        return float((outputs.argmax(1) == targets).float().mean())
    return float(((outputs.flatten() > 0) == (targets.flatten() > 0.5)).float().mean())


def r2(outputs: Tensor, targets: Tensor) -> float:
    """Coefficient of determination, 1 − SS_res/SS_tot; 0 is the constant mean, 1 is perfect."""
    targets = targets.reshape(outputs.shape)
    return float(1 - ((targets - outputs) ** 2).sum() / ((targets - targets.mean(0)) ** 2).sum())


METRICS: dict[str, Metric] = {"accuracy": accuracy, "r2": r2}


def _expected(subject: str, expected: str, came: Any) -> str:
    return f"Setup.{subject}: expected {expected}, got {type(came).__name__} {came!r:.60}; check your make(seed)"
