"""Accumulation: what has gone into the gradients since they were last cleared, and with which loss."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler

from trainclinic.measure.reductions import to_floats

_ENOUGH = 8  # small parameters whose gradients are looked at


class Accumulation:
    """The passes and the loss of one optimizer step, micro-batch by micro-batch.

    What counts is what is in the gradient: a pass whose gradients were cleared before the optimizer stepped, such as
    the discriminator's in the generator's turn, is forgotten. So is one of another thread.
    """

    def __init__(self) -> None:
        self.small: Sequence[nn.Parameter] = ()  # parameters whose gradients tell whether they were cleared
        self.scaler: GradScaler | None = None  # that scaled the loss
        self._thread: int | None = None  # that runs the model
        self.clear()

    def clear(self) -> None:
        """A new step."""
        self.passes = self.training_passes = 0  # in all, and those in train mode
        self.backwards = 0
        self._pending = (0, 0)  # the same, since the last backward
        self.loss: float | None = None
        self._device_losses: list[Tensor] = []
        self._scaled: dict[int, tuple[ref[Tensor], Tensor, GradScaler]] = {}

    def forward(self, *, training: bool) -> bool:
        """A pass of the model with gradient; whether it is the first since the last backward."""
        self._thread = threading.get_ident()
        self.passes += 1
        self.training_passes += training
        first = self._pending[0] == 0
        self._pending = (self._pending[0] + 1, self._pending[1] + training)
        return first

    @property
    def is_other_thread(self) -> bool:
        """Whether this thread is not the one that runs the model."""
        return self._thread is not None and self._thread != threading.get_ident()

    def scale(self, loss: Tensor, scaled: Tensor, scaler: GradScaler) -> None:
        """A loss was scaled: `scaled` is what will be differentiated."""
        self._scaled[id(scaled)] = (ref(scaled), loss.detach(), scaler)

    def was_cleared(self) -> bool:
        """Whether the gradients of an earlier backward in this step have been cleared since."""
        if not self.backwards:
            return False
        found = (parameter.grad for parameter in self.small)
        there = [gradient for gradient in found if gradient is not None][:_ENOUGH]
        # On a device a look at the values would wait for it: only gradients that are gone count as cleared there.
        return not any(not gradient.is_cpu or bool(_values(gradient).any()) for gradient in there)

    def start_over(self) -> None:
        """What was differentiated before is in no gradient any more; the passes since then are."""
        self.passes, self.training_passes = self._pending
        self.backwards, self.loss, self._device_losses = 0, None, []

    def backward(self, loss: Tensor) -> Tensor:
        """`loss` is about to be differentiated; returns it as it was before a GradScaler scaled it."""
        self.backwards += 1
        self._pending = (0, 0)
        self.scaler = None
        if self._scaled:
            held, unscaled, scaler = self._scaled.pop(id(loss), (None, loss, None))
            if held is not None and held() is loss:
                loss, self.scaler = unscaled, scaler
        if loss.is_cpu:
            self.loss = (self.loss or 0.0) + loss.item()
        else:
            self._device_losses.append(loss.detach())
        return loss

    def settle(self) -> float | None:
        """The loss of the step; None when none was seen."""
        if self._device_losses:
            self.loss = (self.loss or 0.0) + sum(to_floats(self._device_losses))
            self._device_losses = []
        return self.loss


def _values(gradient: Tensor) -> Any:
    if gradient.layout is not torch.strided:
        return gradient.coalesce().values()
    to_local = getattr(gradient, "to_local", None)  # of a sharded one, what this process holds: no communication
    return gradient if to_local is None else to_local()
