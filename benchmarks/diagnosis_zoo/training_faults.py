"""Mistakes in the loss, in the loop and in the settings of the optimizer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD

from diagnosis_zoo.plan import Plan
from trainclinic.setup import METRICS, Setup

Loss = Callable[[Tensor, Tensor], Tensor]
cross_entropy, bce, mse = nn.CrossEntropyLoss(), nn.BCEWithLogitsLoss(), nn.MSELoss()


# -- losses


def softmax_first(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of probabilities: it takes the softmax a second time."""
    return cross_entropy(torch.softmax(output, 1), target)


def sigmoid_first(output: Tensor, target: Tensor) -> Tensor:
    return bce(torch.sigmoid(output), target)


def likelihood_of_logits(output: Tensor, target: Tensor) -> Tensor:
    """NLLLoss without the log-softmax before it."""
    return nn.functional.nll_loss(output, target)


def number_of_class(output: Tensor, target: Tensor) -> Tensor:
    """The squared error of the first output against the number of the class."""
    return mse(output[:, 0], target.float())


def crossed(output: Tensor, target: Tensor) -> Tensor:
    """Outputs (N, 1) against targets (N,): PyTorch compares each with all."""
    return ((output.unsqueeze(-1) - target) ** 2).mean()


def turned(output: Tensor, target: Tensor) -> Tensor:
    """The sign of the loss is the wrong way round."""
    return -mse(output, target)


def logarithm_by_hand(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy at a temperature of 0.01, as the textbook writes it: the exponential overflows, or rounds to 0."""
    powers = torch.exp(100 * output)
    return -torch.log(powers.gather(1, target.unsqueeze(1)) / powers.sum(1, keepdim=True)).mean()


def chance_by_hand(output: Tensor, target: Tensor) -> Tensor:
    """The same for yes and no."""
    chance = torch.sigmoid(100 * output)
    return -(target * torch.log(chance) + (1 - target) * torch.log(1 - chance)).mean()


def relative_error(output: Tensor, target: Tensor) -> Tensor:
    """The error in shares of the target, of which some are 0 once they are rounded."""
    rounded = (target * 8).round() / 8
    return (((output - rounded) / rounded) ** 2).mean()


# -- the loop


def loop(
    setup: Setup, told: list[dict[str, float]], *, zero_grad: str = "step", mode: str = "train", penalty: float = 0.0,
) -> None:  # fmt: skip
    """A loop by hand.

    Args:
        setup: what to train.
        told: takes the figures of each validation.
        zero_grad: "step"; "epoch": once an epoch; "never".
        mode: "train"; "stays": eval mode from the first validation on; "eval": from the start; "validates": the
            validation is made in training mode, eight rows at a time.
        penalty: of the sum of all absolute weights.
    """
    setup.model.train(mode != "eval")
    for epoch in range(setup.epochs):
        if mode in ("train", "validates") or epoch == 0:
            setup.model.train(mode != "eval")
        if zero_grad == "epoch":
            setup.optimizer.zero_grad()
        for batch in setup.train_loader:
            if zero_grad == "step":
                setup.optimizer.zero_grad()
            loss = setup.loss(batch)
            if penalty:
                loss = loss + penalty * sum(parameter.abs().sum() for parameter in setup.model.parameters())
            loss.backward()
            if setup.clip_grad_norm is not None:
                clip_grad_norm_(setup.model.parameters(), setup.clip_grad_norm)
            setup.optimizer.step()
        if mode != "validates":
            setup.model.eval()
        told.append(_validated(setup))
        if setup.scheduler is not None:
            setup.scheduler.step()


def _validated(setup: Setup) -> dict[str, float]:
    """Loss and metric over the validation rows, in the mode that the model is in."""
    x, y = setup.val_loader.dataset.tensors
    size = 8 if setup.model.training else len(x)
    score = setup.metric if callable(setup.metric) else METRICS[setup.metric]
    total, outputs = 0.0, []
    with torch.no_grad():
        for rows, targets in zip(x.split(size), y.split(size), strict=True):
            outputs.append(setup.model(rows))
            total += float(setup.loss_fn(outputs[-1], targets)) * len(targets)
    return {"loss": total / len(y), setup.metric_name: float(score(torch.cat(outputs), y))}


def looped(**settings: Any) -> Callable[[Plan], Plan]:
    """With the loop by hand, and this in it."""
    return lambda plan: plan.but(loop=partial(loop, **settings))


# -- settings


def optimized(**settings: Any) -> Callable[[Plan], Plan]:
    """Other settings of the same optimizer."""
    return lambda plan: plan.but(optimizer=partial(plan.optimizer, **settings))


def plain_momentum(momentum: float) -> Callable[[Plan], Plan]:
    """SGD with as large a step as plain descent bears, and this momentum on top."""
    return lambda plan: plan.but(optimizer=partial(SGD, lr=0.1, momentum=momentum), schedule=None)


def small_batch(size: int) -> Callable[[Plan], Plan]:
    """Batches of that size, the learning rate lowered with them, in at most 1,000 steps."""

    def change(plan: Plan) -> Plan:
        rows = plan.task.sizes[0]
        epochs = max(2, min(plan.epochs, 1000 * size // rows))
        power = 1.0 if plan.optimizer.func is SGD else 0.5
        return plan.at((size / plan.batch) ** power).but(batch=size, epochs=epochs)

    return change


def left_rate(plan: Plan) -> Plan:
    """Batches of two samples, at the rate of a large batch, and no schedule that ends it."""
    return plan.at(4).but(batch=2, epochs=max(2, plan.epochs // 6), schedule=None)


def shortened(share: float) -> Callable[[Plan], Plan]:
    """That share of the epochs, at least one; the schedule is the long training's."""

    def change(plan: Plan) -> Plan:
        schedule = plan.schedule
        return plan.but(
            epochs=max(1, round(plan.epochs * share)),
            schedule=(lambda optimizer, epochs: schedule(optimizer, plan.epochs)) if schedule else None,
        )

    return change
