"""FiniteCheck: at every step, before the update, whether the loss and the gradients are finite.

The gradient of the foremost small parameter (a bias, a norm) stands for all, with one more for each branch that it does
not see: a NaN on its way back reaches one of them, and summing one costs some microseconds. The full account is made
once, at the first failure: then the batch is run again, to find where it began.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from trainclinic.measure import loss_graph
from trainclinic.measure.distributed import local
from trainclinic.measure.held import HeldPasses
from trainclinic.measure.origin import locate
from trainclinic.measure.sentinels import MOST, SMALL, choose

LOOKS = 3  # at the graph of the loss; what a model computes with hardly changes later
_LATE = "on this device it is known only after the update, unless stop_on or on_finding is given"
_MOVED = "the optimizer had moved the weights when it was seen"


class FiniteCheck:
    """Looks out for the first non-finite number of a run.

    Args:
        model: that is watched.
        names: of its parameters.
        parameters: the same.
        at_once: whether to wait for a device, so as to know before the update; else it is read after the step there.
    """

    def __init__(
        self, model: nn.Module, names: list[str], parameters: list[nn.Parameter], *, at_once: bool = False
    ) -> None:
        self.first: dict[str, Any] | None = None
        self.held = HeldPasses(model)
        self._at_once = at_once
        self.watch(names, parameters)
        self.differentiated = False  # a backward has been since the last pass or step
        self._failed_loss: dict[str, Any] | None = None  # what is known of it
        self._unread: Tensor | None = None  # the sentinels' sum, on a device

    def watch(self, names: list[str], parameters: list[nn.Parameter]) -> None:
        """From now on these parameters."""
        self._all = list(zip(names, parameters, strict=True))
        self._floating = [one for one in parameters if one.is_floating_point() and local(one).numel()]
        small = [parameter for parameter in self._floating if parameter.ndim == 1 and parameter.numel() <= SMALL]
        self._fallback = small or sorted(self._floating, key=lambda parameter: parameter.numel())[:1]
        self.sentinels: list[nn.Parameter] = []  # those whose gradients are looked at
        self._looks = 0  # at the graph
        self._tame = True  # the loss: a gradient that is not finite arises in the model
        self.held.listening = True
        self.held.follow()

    @property
    def is_settled(self) -> bool:
        """Whether nothing has failed, and it is known whose gradients stand for all."""
        return self.first is None and self._looks == LOOKS and bool(self.sentinels)

    # -- one step, in the order in which it happens

    def begin_pass(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A training pass begins."""
        if self.first is not None:
            return
        if self.differentiated:  # gradients are being accumulated: what has gone well need not be held
            self.differentiated = False
            total = self._sentinel()
            if self._failed_loss is None and total is not None and total.is_cpu and math.isfinite(total.item()):
                self.held.clear()
        self.held.begin(args, kwargs)

    def end_pass(self, model: nn.Module, args: Any, output: Any) -> None:
        """The pass has given its output."""
        if self.first is None:
            self.held.end(output)

    def start_over(self, passes: int) -> None:
        """The gradients were cleared: of the passes so far only the last ones still count."""
        self.held.keep(passes)
        self._failed_loss = None

    def before_backward(self, loss: Tensor, value: float | None) -> bool:
        """A loss of this step is about to be differentiated; whether it is finite, as far as that is known.

        `value`: of the loss, where it was read.
        """
        self.differentiated = True
        if self.first is not None:
            return True
        if self._looks < LOOKS:
            self._looks += 1
            self.sentinels = [*dict.fromkeys(self.sentinels + choose(loss, self._floating))][:MOST]
            self._tame = self._tame and loss_graph.has_tame_slope(loss, self.held.nodes)
            self.held.listening = self._looks < LOOKS or not self._tame
        if value is None or math.isfinite(value):
            return True
        self._failed_loss = self._failed_loss or loss_graph.failing(loss)
        return False

    def before_step(self, step: int, loss: float | None, *, guarded: bool = False, moved: bool = False) -> None:
        """Check the loss and the gradients that the optimizer is about to use.

        Args:
            step: its number.
            loss: where it was read.
            guarded: it is going to leave infinite gradients alone, as a fused optimizer does under a GradScaler.
            moved: it has called a closure, and moved the weights already.
        """
        if self.first is not None:
            return
        total = None if guarded else self._sentinel()
        if total is not None and not total.is_cpu and not self._at_once:
            self._unread, total = total, None
        finite = loss is None or math.isfinite(loss)
        if not finite or (total is not None and not math.isfinite(total.item())):
            self._account(step, loss, _MOVED if moved and finite else "")

    def in_closure(self, step: int, loss: float) -> None:
        """The loss at the point that the optimizer starts from is not finite; it has not moved the weights yet."""
        if self.first is None:
            self._account(step, loss, "")

    def after_step(self) -> None:
        """The weights have been moved: the passes before are of no more use."""
        self.held.clear()
        self.differentiated = False
        self._failed_loss = None

    def finish_step(self, step: int, loss: float | None) -> None:
        """What a device was asked for in this step can be read."""
        total, self._unread = self._unread, None
        if self.first is None:
            finite = loss is None or math.isfinite(loss)
            if not finite or (total is not None and not math.isfinite(total.item())):
                self._account(step, loss, _LATE)

    # -- the account

    def _sentinel(self) -> Tensor | None:
        """The sum of the gradients that stand for all."""
        total = None
        for parameter in self.sentinels:
            gradient = parameter.grad
            if gradient is not None:
                part = local(gradient).sum()
                total = part if total is None else total + part.to(total.device)
        if total is None:  # none of them took part: another will
            gradient = next((one.grad for one in self._fallback if one.grad is not None), None)
            total = None if gradient is None else local(gradient).sum()
        return total

    @torch.no_grad()
    def _account(self, step: int, loss: float | None, why_not: str) -> None:
        """`why_not`: why its origin cannot be looked for, or ""."""
        gradients = [
            name
            for name, parameter in self._all
            if parameter.grad is not None and not bool(torch.isfinite(_dense(local(parameter.grad))).all())
        ]
        weights = [name for name, parameter in self._all if not bool(torch.isfinite(local(parameter)).all())]
        finite = loss is None or math.isfinite(loss)
        if finite and not gradients and not weights:
            return  # a sum that overflowed: large, not infinite
        if why_not:
            origin = {"where": "unknown", "batch": -1, "module": "", "kind": "", "operation": "", "why": why_not}
        else:
            failed = self._failed_loss or {"operation": "", "result": str(loss), "how": "operation"}
            origin = locate(self.held, None if finite else failed)
        self.first = {
            "step": step,
            "what": "weights" if weights and not why_not else "gradient" if finite else "loss",
            "loss": str(loss),
            "gradients": gradients,
            "weights": weights,
            "origin": origin,
        }
        self.held.clear()
        self._failed_loss = None


def _dense(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient
