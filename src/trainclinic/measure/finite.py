"""FiniteCheck: at every step, before the update, whether the loss and the gradients are finite.

The gradient of the first small parameter (a bias, a norm) stands for all: a NaN on its way back reaches it, and summing
it costs some microseconds. One that arises in a side branch shows in the loss of the next step. The full account is
made once, at the first failure.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from trainclinic.measure.distributed import local

SMALL = 4096  # elements


class FiniteCheck:
    """Looks out for the first non-finite number of a run."""

    def __init__(self, names: list[str], parameters: list[nn.Parameter]) -> None:
        self._all = list(zip(names, parameters, strict=True))
        floating = [p for p in parameters if p.is_floating_point() and local(p).numel()]
        small = [parameter for parameter in floating if parameter.ndim == 1 and parameter.numel() <= SMALL]
        self._sentinels = small or sorted(floating, key=lambda parameter: parameter.numel())[:1]
        self.first: dict[str, Any] | None = None
        self._flag: tuple[int, Tensor] | None = None  # on a device: read one step late, so as not to wait for it

    def before_step(self, step: int, loss: float | None) -> None:
        """Check the loss and the gradients that the optimizer is about to use."""
        if self.first is not None:
            return
        if loss is not None and not math.isfinite(loss):
            self._account(step, loss)
            return
        if self._flag is not None:
            (late, flag), self._flag = self._flag, None
            if not math.isfinite(flag.item()):
                self._account(late, loss)
                return
        for parameter in self._sentinels:
            gradient = parameter.grad
            if gradient is not None:
                gradient = local(gradient)
                total = gradient.sum() if not gradient.is_sparse else _dense(gradient).sum()
                if not total.is_cpu:
                    self._flag = (step, total)
                elif not math.isfinite(total.item()):
                    self._account(step, loss)
                return

    @torch.no_grad()
    def _account(self, step: int, loss: float | None) -> None:
        gradients = [
            name
            for name, parameter in self._all
            if parameter.grad is not None and not bool(torch.isfinite(_dense(local(parameter.grad))).all())
        ]
        weights = [name for name, parameter in self._all if not bool(torch.isfinite(local(parameter)).all())]
        what = "weights" if weights else "loss" if loss is None or not math.isfinite(loss) else "gradient"
        if what == "gradient" and not gradients:
            return  # a sum that overflowed: large, not infinite
        self.first = {
            "step": step,
            "what": what,
            "loss": str(loss),
            "gradients": gradients,
            "weights": weights,
        }


def _dense(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient
