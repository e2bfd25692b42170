"""class-rebalancing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, RandomSampler, SequentialSampler

from trainclinic.measure.shadow import order_kept
from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting

UNEVEN = 1.5  # the most frequent class against the rarest; below there is nothing to balance
MOST_CLASSES = 1000  # whose weights are written out
LOSS = """\
import copy

plain, balanced = loss_fn, {balanced}
balanced.{weight} = torch.tensor({weights}, device=next(model.parameters()).device)


def loss_fn(output, target):  # validation is still judged by the plain loss
    return (balanced if torch.is_grad_enabled() else plain)(output, target)
"""
SAMPLER = """\
from torch.utils.data import DataLoader, WeightedRandomSampler

class_weights = torch.tensor({weights})
labels = torch.tensor([int(target) for _, target in train_loader.dataset])
train_loader = DataLoader(
    train_loader.dataset,
    train_loader.batch_size,
    sampler=WeightedRandomSampler(class_weights[labels], len(labels), generator=train_loader.generator),
    num_workers=train_loader.num_workers,
    collate_fn=train_loader.collate_fn,
    pin_memory=train_loader.pin_memory,
    drop_last=train_loader.drop_last,
    worker_init_fn=train_loader.worker_init_fn,
    generator=train_loader.generator,
)
"""


@dataclass(frozen=True)
class ClassRebalancing(Remedy):
    """Give rare classes more say: in the loss, or by showing their samples more often.

    What it does:
        Every class gets the weight 1 / frequency^power, scaled so that the mean over the samples is 1. `how` says
        whether the weight multiplies the loss, or the chance that a sample is drawn, with replacement. Frequencies are
        counted in the training data. Where no gradient is taken, as in validation, the loss stays the plain one.

    When it helps:
        A loss summed over samples is well served by a network that ignores a class of a few percent. It helps where the
        rare classes matter more than their number says.

    Side effects:
        The predicted probabilities no longer are those of the data, and overall accuracy can fall. Few samples with
        large weights are noisy gradients, and samples drawn again and again are learned by heart.

    References:
        King & Zeng 2001; Cui et al. 2019; Menon et al. 2021 (logit adjustment, which needs no training).
    """

    how: str = setting("loss", "1", choices=("loss", "sampler"))
    power: float = setting(1.0, "1", low=0.0, high=1.0)

    treats: ClassVar[dict[str, int]] = {"class-imbalance": 1, "constant-prediction": 3}
    stage: ClassVar[Stage] = "data"

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """The full weight, in the loss and by drawing; then the square root."""
        return [cls("loss", 1.0), cls("sampler", 1.0), cls("loss", 0.5)]

    def prescribe(self, setup: Setup) -> Prescription:
        """The weights as numbers, from the targets of one pass over the training data."""
        if setup.step is not None:
            raise RefusedError(f"{self.id()}: with `step` it is not known where the targets are; weight the loss there")
        binary = isinstance(setup.loss_fn, nn.BCEWithLogitsLoss)
        counts = self._counts(setup, binary)
        ratio = int(counts.max()) / int(counts.min())
        if ratio < UNEVEN:
            raise RefusedError(f"{self.id()}: the classes are balanced, {int(counts.min())} to {int(counts.max())} "
                               "samples; look for another cause")  # fmt: skip
        weights = counts.double() ** -self.power
        weights *= counts.sum() / (counts * weights).sum()
        return self._sampled(setup, weights, ratio) if self.how == "sampler" else self._weighted(setup, weights, ratio)

    def _weighted(self, setup: Setup, weights: Tensor, ratio: float) -> Prescription:
        loss = setup.loss_fn
        change = f"loss weighted by class frequency to the power of -{self.power:g} (the classes are 1 : {ratio:.3g})"
        if isinstance(loss, nn.BCEWithLogitsLoss):
            if loss.pos_weight is not None:
                raise RefusedError(f"{self.id()}: the loss has a pos_weight already; change that one")
            written = repr(float(f"{float(weights[1] / weights[0]):.4g}"))
            return Prescription(change, LOSS.format(balanced="copy.deepcopy(loss_fn)", weight="pos_weight",
                                                    weights=written))  # fmt: skip
        if loss is not F.cross_entropy and not isinstance(loss, nn.CrossEntropyLoss | nn.NLLLoss):
            raise RefusedError(f"{self.id()}: {getattr(loss, '__name__', type(loss).__name__)} takes no weight for a "
                               "class; how='sampler' fits")  # fmt: skip
        if getattr(loss, "weight", None) is not None:
            raise RefusedError(f"{self.id()}: the loss has class weights already; change those")
        balanced = "nn.CrossEntropyLoss()" if loss is F.cross_entropy else "copy.deepcopy(loss_fn)"
        return Prescription(change, LOSS.format(balanced=balanced, weight="weight", weights=_written(weights)))

    def _sampled(self, setup: Setup, weights: Tensor, ratio: float) -> Prescription:
        loader = setup.train_loader
        drawn = isinstance(loader, DataLoader) and isinstance(loader.sampler, RandomSampler | SequentialSampler)
        if not drawn or loader.batch_size is None:  # type: ignore[attr-defined]
            raise RefusedError(f"{self.id()}: the batches are not drawn by a plain DataLoader, whose order could be "
                               "replaced; how='loss' fits")  # fmt: skip
        change = f"samples drawn by class frequency to the power of -{self.power:g} (the classes are 1 : {ratio:.3g})"
        return Prescription(change, SAMPLER.format(weights=_written(weights)))

    def _counts(self, setup: Setup, binary: bool) -> Tensor:
        """Samples of each class."""
        targets = _targets(setup)
        if binary and targets.is_floating_point() and bool(((targets == 0) | (targets == 1)).all()):
            targets = targets.long()
        ignored = getattr(setup.loss_fn, "ignore_index", -100)
        targets = targets[targets != ignored] if not targets.is_floating_point() else targets
        if targets.is_floating_point() or targets.numel() == 0 or int(targets.min()) < 0:
            raise RefusedError(f"{self.id()}: the targets are no class indices")
        counts = torch.bincount(targets.flatten())
        if len(counts) < 2 or len(counts) > MOST_CLASSES:
            raise RefusedError(f"{self.id()}: it balances 2 to {MOST_CLASSES} classes, the targets hold {len(counts)}")
        if int(counts.min()) == 0:
            missing = int((counts == 0).nonzero()[0])
            raise RefusedError(f"{self.id()}: class {missing} has no sample in the training data; a weight brings none")
        return counts


def _targets(setup: Setup) -> Tensor:
    """All training targets; the order of the loader's batches is not moved."""
    with order_kept(setup.train_loader):
        return torch.cat([batch[1].detach().cpu().flatten() for batch in setup.train_loader])


def _written(weights: Tensor) -> str:
    return "[" + ", ".join(f"{float(weight):.4g}" for weight in weights) + "]"
