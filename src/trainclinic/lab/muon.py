"""Muon for the matrices of a network and AdamW for its vectors, as one optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

from trainclinic.errors import LabError


class MuonAdamW(Optimizer):
    """Muon takes matrices only; biases and norms go to AdamW, as its author has it (Jordan et al. 2024).

    Args:
        matrices: parameters of two dimensions.
        vectors: the others.
        lr: of Muon; AdamW's is a tenth of it.
        weight_decay: of the matrices.

    Raises:
        LabError: this PyTorch has no Muon (it came with 2.9).
    """

    def __init__(
        self, matrices: Iterable[Tensor], vectors: Iterable[Tensor], lr: float, weight_decay: float = 0.0
    ) -> None:
        if not hasattr(torch.optim, "Muon"):
            raise LabError(
                f"optimizer: expected a PyTorch with Muon (2.9 or later), got {torch.__version__}; take AdamW"
            )
        self.parts = (
            torch.optim.Muon(list(matrices), lr=lr, weight_decay=weight_decay),
            AdamW(list(vectors), lr=lr / 10, weight_decay=0.0),
        )
        groups = [group for part in self.parts for group in part.param_groups]
        super().__init__(groups, {"lr": lr})
        for part, group in zip(self.parts, self.param_groups, strict=True):
            part.param_groups = [group]  # one group for both: whoever changes the rate changes it for the part

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"parts": self.parts}

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of both parts; it counts as one step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            bare: Any = type(part).step
            getattr(bare, "__wrapped__", bare)(part)  # without the hooks of a step of its own
        return loss
