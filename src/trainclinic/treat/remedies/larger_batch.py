"""larger-batch."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from dataclasses import dataclass
from typing import ClassVar, cast

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.loaders import plain_loader, rebuilt
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting

FEWEST = 4  # steps that must be left in an epoch


@dataclass(frozen=True)
class LargerBatch(Remedy):
    """More samples in each training batch.

    What it does:
        Builds the training loader anew over the same samples in the same kind of order, with batches some times as
        large. The learning rate stays, and so does the number of epochs.

    When it helps:
        The gradient of a few samples is mostly noise, which makes the loss rattle; and the statistics of batch
        normalization over a few samples are worth little. The variance of both falls with the size of the batch.

    Side effects:
        Fewer steps in an epoch, and more memory. Beyond the scale of the noise further samples are wasted.

    References:
        McCandlish et al. 2018; Smith et al. 2018; Wu & He 2018 (batch normalization).
    """

    factor: int = setting(4, "1", low=2, high=1024)

    stage: ClassVar[Stage] = "data"
    treats: ClassVar[dict[str, int]] = {
        "batchnorm-small-batch": 1, "oscillating-loss": 4, "learning-rate-too-high": 5,
    }  # fmt: skip

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Four times, then sixteen times as many."""
        return (cls(4), cls(16))

    def prescribe(self, setup: Setup) -> Prescription:
        """The loader, with every argument it had but one."""
        loader = plain_loader(setup, self.id())
        size = cast(int, loader.batch_size) * self.factor
        samples = len(cast(Sized, loader.sampler))
        if samples < FEWEST * size:
            raise RefusedError(f"{self.id()}: {samples} samples make fewer than {FEWEST} batches of {size}; lower the "
                               "learning rate instead")  # fmt: skip
        return Prescription(
            f"batches of {size} instead of {loader.batch_size}",
            rebuilt(loader, "sampler=train_loader.sampler", f"{size}"),
        )
