"""label-smoothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn
from torch.nn import functional as F

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting

CLASSES = """\
import copy

plain, smoothed = loss_fn, {smoothed}
smoothed.label_smoothing = {smoothing!r}


def loss_fn(output, target):  # validation is still judged by the plain loss
    return (smoothed if torch.is_grad_enabled() else plain)(output, target)
"""
BINARY = """\
plain = loss_fn


def loss_fn(output, target):  # validation is still judged by the plain targets
    return plain(output, target * {rest!r} + {half!r} if torch.is_grad_enabled() else target)
"""


@dataclass(frozen=True)
class LabelSmoothing(Remedy):
    """Ask for a little less than certainty: the target gives a small share to the other classes.

    What it does:
        In training each target becomes 1 - smoothing of its class and smoothing of the uniform distribution. Where no
        gradient is taken, as in validation, the loss stays the plain one, so that its figures can be compared.

    When it helps:
        With hard targets the logits of a network that fits its samples grow without end, and its errors become as
        certain as its right answers. Wrong labels pull less.

    Side effects:
        The training loss no longer goes to zero. Probabilities are too low where the classes are certain; a network
        trained so teaches another one less well.

    References:
        Szegedy et al. 2016; Müller et al. 2019.
    """

    smoothing: float = setting(0.1, "1", low=0.0, high=0.9)

    treats: ClassVar[dict[str, int]] = {"overfitting": 5, "noisy-labels": 2, "over-regularized": 4}
    stage: ClassVar[Stage] = "loss"

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """A tenth, then half and twice as much; where it is too much, half of it and none."""
        present = float(getattr(setup.loss_fn, "label_smoothing", 0.0))
        if finding.problem == "over-regularized":
            return [cls(present / 2), cls(0.0)]
        return [cls(value) for value in (0.1, 0.05, 0.2) if value > present]

    def prescribe(self, setup: Setup) -> Prescription:
        """The loss with softened targets, for the losses of class probabilities."""
        loss = setup.loss_fn
        change = f"label smoothing of {self.smoothing:g} in training"
        if setup.step is not None:
            raise RefusedError(f"{self.id()}: the loss is computed inside `step`; smooth the targets there")
        if isinstance(loss, nn.CrossEntropyLoss) or loss is F.cross_entropy:
            if getattr(loss, "label_smoothing", 0.0) == self.smoothing:
                raise RefusedError(f"{self.id()}: it is {self.smoothing:g} already; choose another one")
            smoothed = "nn.CrossEntropyLoss()" if loss is F.cross_entropy else "copy.deepcopy(loss_fn)"
            return Prescription(change, CLASSES.format(smoothed=smoothed, smoothing=self.smoothing))
        if isinstance(loss, nn.BCEWithLogitsLoss | nn.BCELoss) or loss in (
            F.binary_cross_entropy_with_logits, F.binary_cross_entropy,
        ):  # fmt: skip
            return Prescription(change, BINARY.format(rest=1 - self.smoothing, half=self.smoothing / 2))
        name = getattr(loss, "__name__", type(loss).__name__)
        raise RefusedError(f"{self.id()}: it needs a cross-entropy over classes, the loss is {name}; mixup of "
                           "augment-data softens targets of any loss")  # fmt: skip
