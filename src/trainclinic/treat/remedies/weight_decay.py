"""weight-decay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting

TIMES = (0.25, 1.0, 0.06)  # time constants of the decay worth a trial, in runs
PER_GROUP = ("base_lrs", "lr_lambdas", "min_lrs", "max_lrs")  # what schedulers hold for each parameter group
CODE = """\
for group in list(optimizer.param_groups):
    others = [p for p in group["params"] if p.ndim < 2]  # biases and norms do not decay
    group["params"] = [p for p in group["params"] if p.ndim >= 2]
    group["weight_decay"] = {decay!r}
"""
DECOUPLE = """\
    group["decoupled_weight_decay"] = True  # as in AdamW
"""
OTHERS = """\
    if others:
        optimizer.add_param_group({**group, "params": others, "weight_decay": 0.0})
"""


@dataclass(frozen=True)
class WeightDecay(Remedy):
    """Let every weight shrink a little in each step, or less than it does.

    What it does:
        Sets the weight decay of all weight matrices and kernels, and leaves biases and norms without, in parameter
        groups of their own. Under Adam it is decoupled from the gradient, which makes Adam AdamW; under SGD both are
        the same. The weights lose the share lr × decay in each step, so that what a batch has taught is forgotten with
        a time constant of 1 / (lr × decay) steps. By default that is a quarter of the run.

    When it helps:
        Large weights make functions that wind through every sample. A strong decay keeps them small unless many samples
        ask for them. Where it dominates the training loss cannot fall: there it is made weaker, or nothing.

    Side effects:
        Too strong, it flattens the function to a constant. In front of a norm the scale of the weights does not matter:
        there it only raises the effective learning rate.

    References:
        Krogh & Hertz 1992; Loshchilov & Hutter 2019 (decoupled); Wang & Aitchison 2024 (the time constant).
    """

    weight_decay: float = setting(0.1, "1", low=0.0, high=1000.0)

    treats: ClassVar[dict[str, int]] = {"overfitting": 2, "over-regularized": 1, "underfitting": 4}
    stage: ClassVar[Stage] = "optimizer"
    ladder: ClassVar[bool] = True

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Against overfitting by the time constant of the decay; else a tenth of what there is, and none."""
        if finding.problem != "overfitting":
            present = max(group.get("weight_decay", 0.0) for group in setup.optimizer.param_groups)
            return [cls(value) for value in dict.fromkeys((present / 10, 0.0))]
        group = setup.optimizer.param_groups[0]
        rate = float(group.get("lr", 0.0)) / (1 - group.get("momentum", 0.0))  # SGD's decay goes through the velocity
        try:
            steps = setup.epochs * len(setup.train_loader)  # type: ignore[arg-type]
        except TypeError:
            return [cls()]
        if not rate * steps > 0:
            return [cls()]
        decays = (1 / (share * steps * rate) for share in TIMES)
        return [cls(_rounded(decay)) for decay in decays if decay <= 1000]

    def prescribe(self, setup: Setup) -> Prescription:
        """The groups' settings; what a scheduler holds for each group grows with them."""
        groups = setup.optimizer.param_groups
        name = type(setup.optimizer).__name__
        if any("weight_decay" not in group for group in groups):
            raise RefusedError(f"{self.id()}: {name} has none; use AdamW or SGD")
        coupled = any(not group.get("decoupled_weight_decay", True) for group in groups)
        if name in ("Adam", "NAdam", "RAdam") and "decoupled_weight_decay" not in groups[0]:
            raise RefusedError(f"{self.id()}: this PyTorch's {name} mixes it with the gradient; use AdamW")
        weights = [group for group in groups if any(p.ndim >= 2 for p in group["params"])]
        if not weights:
            raise RefusedError(f"{self.id()}: the optimizer holds no weights of two dimensions or more")
        before = max(group["weight_decay"] for group in weights)
        if before == self.weight_decay and not coupled:
            raise RefusedError(f"{self.id()}: it is {before:g} already; choose another one")
        code = CODE.format(decay=self.weight_decay) + (DECOUPLE if coupled else "") + OTHERS
        told = f"weight decay of {self.weight_decay:g} instead of {before:g} on the weights, none on biases and norms"
        if coupled and name in ("Adam", "NAdam", "RAdam"):
            told += f", decoupled: {name} becomes {name}W" if name == "Adam" else ", decoupled"
        return Prescription(told, code + _scheduled(setup, self.id()))


def _scheduled(setup: Setup, name: str) -> str:
    """Lines that give the scheduler an entry for each parameter group that is new."""
    scheduler: Any = setup.scheduler
    new = [i for i, group in enumerate(setup.optimizer.param_groups) if any(p.ndim < 2 for p in group["params"])]
    if scheduler is None or not new:
        return ""
    if hasattr(scheduler, "_schedulers"):
        raise RefusedError(f"{name}: {type(scheduler).__name__} holds schedulers that know the parameter groups as "
                           "they are; set the weight decay before you build it")  # fmt: skip
    held = [name for name in PER_GROUP if isinstance(getattr(scheduler, name, None), list)]
    return "".join(f"scheduler.{one} += [scheduler.{one}[i] for i in {new}]  # for the new groups\n" for one in held)


def _rounded(value: float) -> float:
    """Two digits are enough."""
    return round(value, 1 - math.floor(math.log10(value)))
