"""shuffle-data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, SequentialSampler

from trainclinic.measure.shadow import order_kept
from trainclinic.setup import Setup
from trainclinic.treat.loaders import plain_loader, rebuilt
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage


@dataclass(frozen=True)
class ShuffleData(Remedy):
    """Draw the training samples in a new random order in every epoch.

    What it does:
        Builds the training loader anew over the same data set, with the same batch size and workers, and shuffle=True.
        Batches that no DataLoader makes are put together, once, and dealt out anew.

    When it helps:
        The samples stand in an order: by class, by source, by time. A batch then speaks for one class only, and the
        network unlearns the last one with every next.

    Side effects:
        None, unless the order carries meaning: sequences whose state is handed on, a curriculum, batches of one length.
        Batches that were put together need the memory for all of them, and what is drawn at random within them stays as
        it was drawn.

    References:
        Bottou 2012; Bengio 2012.
    """

    stage: ClassVar[Stage] = "data"
    treats: ClassVar[dict[str, int]] = {"unshuffled-data": 1, "oscillating-loss": 3, "learning-rate-too-high": 1}

    def prescribe(self, setup: Setup) -> Prescription:
        """The loader, with every argument it had; one of the same rows where it is no DataLoader."""
        if not isinstance(setup.train_loader, DataLoader):
            return Prescription("training samples put together, and shuffled in every epoch", self._gathered(setup))
        loader = plain_loader(setup, self.id())
        if not isinstance(loader.sampler, SequentialSampler):
            raise RefusedError(f"{self.id()}: the training samples are drawn by {type(loader.sampler).__name__} "
                               "already, not in their order")  # fmt: skip
        return Prescription("training samples shuffled in every epoch", rebuilt(loader, "shuffle=True"))

    def _gathered(self, setup: Setup) -> str:
        loader = setup.train_loader
        with order_kept(loader):
            batches = [next(iter(loader)) for _ in range(2)]
        if not all(_of_rows(batch) for batch in batches):
            raise RefusedError(f"{self.id()}: train_loader is a {type(loader).__name__}, not a DataLoader, and its "
                               "batches are no tensors of as many rows; change it where it is built")  # fmt: skip
        if not all(one.shape == other.shape and torch.equal(one, other) for one, other in zip(*batches, strict=True)):
            raise RefusedError(f"{self.id()}: train_loader, a {type(loader).__name__}, begins with other samples each "
                               "time: it does not keep an order")  # fmt: skip
        return (
            "rows = [torch.cat(parts) for parts in zip(*train_loader)]\n"
            "train_loader = torch.utils.data.DataLoader(\n"
            f"    torch.utils.data.TensorDataset(*rows), batch_size={len(batches[0][0])}, shuffle=True\n)\n"
        )


def _of_rows(batch: Any) -> bool:
    """Whether it is a sequence of tensors with as many rows each."""
    if type(batch) not in (list, tuple) or not all(isinstance(one, Tensor) and one.dim() for one in batch):
        return False
    return len({len(one) for one in batch}) == 1
