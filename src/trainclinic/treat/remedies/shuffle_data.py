"""shuffle-data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch.utils.data import BatchSampler, DataLoader, IterableDataset, SequentialSampler

from trainclinic.setup import Setup
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
    changes_data: ClassVar[bool] = True
    treats: ClassVar[dict[str, int]] = {"unshuffled-data": 1, "oscillating-loss": 3, "learning-rate-too-high": 1}

    def prescribe(self, setup: Setup) -> Prescription:
        """The loader, with every argument it had."""
        loader = plain_loader(setup, self.id())
        if not isinstance(loader.sampler, SequentialSampler):
            raise RefusedError(f"{self.id()}: the training samples are drawn by {type(loader.sampler).__name__}, not in "
                               "their order")  # fmt: skip
        return Prescription("training samples shuffled in every epoch", rebuilt(loader, "shuffle=True"))


def plain_loader(setup: Setup, remedy: str) -> DataLoader[object]:
    """The training loader, where another one can be built like it.

    Raises:
        RefusedError: it is no DataLoader, has no data set that can be indexed, or groups its batches itself.
    """
    loader = setup.train_loader
    if not isinstance(loader, DataLoader):
        raise RefusedError(f"{remedy}: train_loader is a {type(loader).__name__}, not a DataLoader; change it where it "
                           "is built")  # fmt: skip
    if isinstance(loader.dataset, IterableDataset):
        raise RefusedError(f"{remedy}: the data set is a stream, which has no order to draw from; use a shuffle buffer")
    if type(loader.batch_sampler) is not BatchSampler:
        raise RefusedError(f"{remedy}: train_loader has a batch sampler of its own; change that")
    return loader


def rebuilt(loader: DataLoader[object], order: str, batch_size: str = "train_loader.batch_size") -> str:
    """The code of a loader like this one, but for the order or the size of its batches."""
    lines = ["train_loader.dataset", f"batch_size={batch_size}", order]
    lines += [f"{name}=train_loader.{name}" for name in ("drop_last", "collate_fn")]
    for name in ("num_workers", "pin_memory", "worker_init_fn", "multiprocessing_context", "persistent_workers",
                 "generator"):  # fmt: skip
        if getattr(loader, name):
            lines.append(f"{name}=train_loader.{name}")
    return "train_loader = torch.utils.data.DataLoader(\n" + "".join(f"    {line},\n" for line in lines) + ")\n"
