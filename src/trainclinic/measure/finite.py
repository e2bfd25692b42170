"""FiniteCheck: at every step, before the update, whether the loss and the gradients are finite.

The gradients of small parameters (biases, norms) stand for all: a NaN on its way back passes through them, and
summing them costs some microseconds. The full account is made once, at the first failure.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

SMALL = 4096  # elements


class FiniteCheck:
    """Looks out for the first non-finite number of a run."""

    def __init__(self, names: list[str], parameters: list[nn.Parameter]) -> None:
        self._all = list(zip(names, parameters, strict=True))
        floating = [parameter for parameter in parameters if parameter.is_floating_point()]
        small = [parameter for parameter in floating if parameter.ndim < 2 and parameter.numel() <= SMALL]
        self._sentinels = small or sorted(floating, key=lambda parameter: parameter.numel())[:1]
        # Vectors of one dtype (a bias never has a sparse gradient) are joined as they are.
        self._joinable = {parameter.ndim for parameter in self._sentinels} == {1} and (
            len({parameter.dtype for parameter in self._sentinels}) == 1
        )
        self.first: dict[str, Any] | None = None
        self._flag: tuple[int, Tensor] | None = None  # on a device: read one step late, so as not to wait for it

    @torch.no_grad()
    def before_step(self, step: int, loss: float | None) -> None:
        """Check the loss and the gradients that the optimizer is about to use."""
        if self.first is not None:
            return
        late, self._flag = self._flag, None
        if loss is not None and not math.isfinite(loss):
            self._account(step, loss)
        elif late is not None and not math.isfinite(late[1].item()):
            self._account(late[0], loss)
        else:
            flag = self._sum()
            if flag is not None:
                if flag.device.type != "cpu":
                    self._flag = (step, flag)
                elif not math.isfinite(flag.item()):
                    self._account(step, loss)

    def _sum(self) -> Tensor | None:
        """Sum of the sentinels' gradients, in as few calls as can be: this runs at every step."""
        held = [gradient for parameter in self._sentinels if (gradient := parameter.grad) is not None]
        if held and self._joinable:
            return torch.cat(held).sum()
        held = [_dense(gradient).reshape(-1) for gradient in held]
        return torch.cat(held).sum() if held and len({gradient.dtype for gradient in held}) == 1 else None

    def _account(self, step: int, loss: float | None) -> None:
        gradients = [
            name
            for name, parameter in self._all
            if parameter.grad is not None and not bool(torch.isfinite(_dense(parameter.grad)).all())
        ]
        weights = [name for name, parameter in self._all if not bool(torch.isfinite(parameter).all())]
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
