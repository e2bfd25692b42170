"""shuffle-data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch.utils.data import SequentialSampler

from trainclinic.setup import Setup
from trainclinic.treat.loaders import plain_loader, rebuilt
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage


@dataclass(frozen=True)
class ShuffleData(Remedy):
    """Draw the training samples in a new random order in every epoch.

    What it does:
        Builds the training loader anew over the same data set, with the same batch size and workers, and shuffle=True.

    When it helps:
        The samples stand in an order: by class, by source, by time. A batch then speaks for one class only, and the
        network unlearns the last one with every next.

    Side effects:
        None, unless the order carries meaning: sequences whose state is handed on, a curriculum, batches of one length.

    References:
        Bottou 2012; Bengio 2012.
    """

    stage: ClassVar[Stage] = "data"
    treats: ClassVar[dict[str, int]] = {"unshuffled-data": 1, "oscillating-loss": 3, "learning-rate-too-high": 1}

    def prescribe(self, setup: Setup) -> Prescription:
        """The loader, with every argument it had."""
        loader = plain_loader(setup, self.id())
        if not isinstance(loader.sampler, SequentialSampler):
            raise RefusedError(f"{self.id()}: the training samples are drawn by {type(loader.sampler).__name__} "
                               "already, not in their order")  # fmt: skip
        return Prescription("training samples shuffled in every epoch", rebuilt(loader, "shuffle=True"))
