"""Accumulation: what has gone into the gradients since they were last cleared, and with which loss."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler

from trainclinic.measure.distributed import local
from trainclinic.measure.reductions import is_zero, to_floats

_CERTAIN = 32  # steps that were alike, after which a plain one is taken for another: a tenth of its cost is saved
_NEVER = -(1 << 60)


class Accumulation:
    """The passes and the loss of one optimizer step, micro-batch by micro-batch.

    What counts is what is in the gradient. A loss that gives these parameters none is another model's. A pass whose
    gradients were cleared before the optimizer stepped, such as the discriminator's in the generator's turn, is
    forgotten. A loss of another thread is not ours.
    """

    def __init__(self) -> None:
        self._asked: Sequence[nn.Parameter] = ()  # whose gradients tell what happened to all
        self._alike = 0  # steps of one backward, which was ours; negative once there was another
        self.thread: int | None = None  # that runs the model
        self._device_losses: list[Tensor] = []
        self._scaled: dict[int, tuple[ref[Tensor], Tensor, GradScaler]] = {}
        self.clear()

    def watch(self, parameters: Sequence[nn.Parameter]) -> None:
        """From now on these parameters: all of them, until it is known which ones the loss reaches."""
        # Of a sharded one a gradient may stand elsewhere until the ranks are in step: then nothing is asked.
        self._asked = () if any(local(parameter) is not parameter for parameter in parameters) else parameters

    def clear(self) -> None:
        """A new step."""
        self.passes = self.training_passes = 0  # in all, and those in train mode
        self.scaler: GradScaler | None = None  # that scaled the loss
        self.loss: float | None = None
        if self._device_losses:
            self._device_losses = []
        self._backwards = 0
        self._pending = (0, 0)  # passes, and those in train mode, since the last backward
        # The backward under way: its loss, the scaler, and the state of those asked, where they are.
        self._running: tuple[float | Tensor, GradScaler | None, list[Any] | None] | None = None
        if self._scaled:
            self._scaled = {}

    def forward(self, *, training: bool) -> bool:
        """A pass of the model with gradient; whether it is the first since the last backward."""
        self.thread = threading.get_ident()
        if training and self._pending[1] < self._pending[0]:  # an evaluation whose `no_grad` was forgotten
            self.passes -= self._pending[0] - self._pending[1]
            self._pending = (self._pending[1], self._pending[1])
        self.passes += 1
        self.training_passes += training
        first = self._pending[0] == 0
        self._pending = (self._pending[0] + 1, self._pending[1] + training)
        return first

    @property
    def is_usual(self) -> bool:
        """Whether the step was one pass and one backward, like those before it."""
        once = self.passes == self.training_passes == self._backwards == 1
        return once and self._alike >= _CERTAIN and self.scaler is None

    @property
    def is_other_thread(self) -> bool:
        """Whether this thread is not the one that runs the model."""
        return self.thread is not None and self.thread != threading.get_ident()

    def scale(self, loss: Tensor, scaled: Tensor, scaler: GradScaler) -> None:
        """A loss was scaled: `scaled` is what will be differentiated."""
        self._scaled[id(scaled)] = (ref(scaled), loss.detach(), scaler)

    def was_cleared(self) -> bool:
        """Whether the gradients of an earlier backward in this step have been cleared since."""
        if not self._backwards or not self._asked:
            return False
        found = [parameter.grad for parameter in self._asked if parameter.grad is not None]
        found.sort(key=Tensor.numel)  # mostly a small one that is not zero decides
        # On a device a look at the values would wait for it: only gradients that are gone count as cleared there.
        return all(gradient.is_cpu and is_zero(_values(gradient)) for gradient in found)

    def start_over(self) -> None:
        """What was differentiated before is in no gradient any more; the passes since then are."""
        self.passes, self.training_passes = self._pending
        self._backwards, self.loss, self._device_losses = 0, None, []

    def before_backward(self, loss: Tensor) -> float | None:
        """`loss` is about to be differentiated; its value (unscaled) where it need not be waited for."""
        scaler = None
        if self._scaled:
            held, unscaled, its_scaler = self._scaled.pop(id(loss), (None, loss, None))
            if held is not None and held() is loss:
                loss, scaler = unscaled, its_scaler
        value = loss.item() if loss.is_cpu else None
        before = None
        if self._alike < _CERTAIN or self._backwards or not self._pending[0]:
            before = [_state(parameter) for parameter in self._asked]
        self._running = loss.detach() if value is None else value, scaler, before
        return value

    def resume(self, loss: float) -> None:
        """The backward of a usual step is under way."""
        self._running = loss, None, None

    def after_backward(self) -> bool:
        """It has been; whether it gave these parameters a gradient, and so counts."""
        if self._running is None:
            return False
        (loss, scaler, before), self._running = self._running, None
        if before is None:
            self._count(loss, scaler)
            return True
        reached = [one for one, state in zip(self._asked, before, strict=True) if _state(one) != state]
        if self._asked and not reached:
            self._alike = _NEVER
            return False
        if len(self._asked) > 2:
            self._asked = [reached[0], reached[-1]]  # the ends of a network take part in every loss
        self._alike = _NEVER if self._backwards else self._alike + 1
        self._count(loss, scaler)
        return True

    def _count(self, loss: float | Tensor, scaler: GradScaler | None) -> None:
        self._backwards += 1
        self._pending = (0, 0)
        self.scaler = scaler
        if isinstance(loss, float):
            self.loss = (self.loss or 0.0) + loss
        else:
            self._device_losses.append(loss)

    def settle(self) -> float | None:
        """The loss of the step; None when none was seen."""
        if self._device_losses:
            self.loss = (self.loss or 0.0) + sum(to_floats(self._device_losses))
            self._device_losses = []
        return self.loss


def _state(parameter: nn.Parameter) -> tuple[int, int]:
    """Changes when the gradient is made, taken away or added to."""
    gradient = parameter.grad
    return (0, 0) if gradient is None else (id(gradient), gradient._version)


def _values(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.layout is not torch.strided else gradient
