"""change-optimizer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting

#: class and arguments beside the learning rate, and the usual rate
KINDS = {
    "SGD": ("SGD", "", 0.01),
    "momentum": ("SGD", ", momentum=0.9", 0.01),
    "Nesterov": ("SGD", ", momentum=0.9, nesterov=True", 0.01),
    "RMSprop": ("RMSprop", "", 1e-3),
    "Adam": ("Adam", "", 1e-3),
    "AdamW": ("AdamW", "", 1e-3),
}
WITH_BATCH_NORM = 0.1  # the rate of plain SGD where every layer's output is normalized


@dataclass(frozen=True)
class ChangeOptimizer(Remedy):
    """Another optimizer, with the learning rate that is usual for it.

    What it does:
        Builds the new optimizer over the same parameter groups, with their weight decay and the ratios of their
        learning rates; the highest of them becomes the usual one: 0.001 for Adam, AdamW and RMSprop, 0.01 for SGD (0.1
        with batch normalization and without momentum).

    When it helps:
        Adam divides each weight's step by the usual size of its gradient: where gradients differ by orders of
        magnitude between layers or features, one rate fits all of them. Momentum runs along a valley where SGD goes
        to and fro.

    Side effects:
        What the old optimizer had gathered is gone. SGD, well tuned, often generalizes a little better than Adam.
        Weight decay means something else in Adam (part of the gradient) than in AdamW (apart from it).

    References:
        Polyak 1964; Sutskever et al. 2013; Tieleman & Hinton 2012; Kingma & Ba 2015; Loshchilov & Hutter 2019.
    """

    optimizer: str = setting("Adam", "1", choices=tuple(KINDS))

    stage: ClassVar[Stage] = "optimizer"
    treats: ClassVar[dict[str, int]] = {
        "learning-rate-too-low": 2, "unscaled-inputs": 3, "learning-rate-too-high": 6, "oscillating-loss": 6,
        "vanishing-gradient": 6,
    }  # fmt: skip

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Adam first, SGD with momentum where it is there already."""
        names = ("Adam", "AdamW", "RMSprop", "momentum")
        return [cls(name) for name in names if not cls(name)._is_there(setup)]

    def prescribe(self, setup: Setup) -> Prescription:
        """The class and its rate; the groups are taken over by the code."""
        if setup.scheduler is not None:
            raise RefusedError(f"{self.id()}: {type(setup.scheduler).__name__} belongs to the present optimizer; build "
                               "both anew where they are built")  # fmt: skip
        if self._is_there(setup):
            raise RefusedError(f"{self.id()}: the optimizer is {self.optimizer} already; change its learning rate")
        kind, arguments, rate = KINDS[self.optimizer]
        norms = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in setup.model.modules())
        if self.optimizer == "SGD" and norms:
            rate = WITH_BATCH_NORM
        before = type(setup.optimizer).__name__
        return Prescription(
            f"{before} replaced by {self.optimizer}, learning rate {rate:g}",
            'highest = max(group["lr"] for group in optimizer.param_groups) or 1.0\n'
            f"optimizer = torch.optim.{kind}(\n"
            "    [\n"
            "        {\n"
            '            "params": group["params"],\n'
            f'            "lr": {rate!r} * float(group["lr"] / highest),\n'
            '            "weight_decay": group.get("weight_decay", 0.0),\n'
            "        }\n"
            "        for group in optimizer.param_groups\n"
            "    ],\n"
            f"    lr={rate!r}{arguments},\n"
            ")\n",
        )

    def _is_there(self, setup: Setup) -> bool:
        """Whether it is of that class and, as SGD, of that momentum."""
        kind, _, _ = KINDS[self.optimizer]
        if type(setup.optimizer).__name__ != kind:
            return False
        group = setup.optimizer.param_groups[0]
        momentum, nesterov = bool(group.get("momentum")), bool(group.get("nesterov"))
        wanted = {"SGD": (False, False), "momentum": (True, False), "Nesterov": (True, True)}
        return wanted.get(self.optimizer, (momentum, nesterov)) == (momentum, nesterov)
