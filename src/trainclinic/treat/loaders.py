"""What a remedy needs to know of a training loader, and the code that builds another like it."""

from __future__ import annotations

import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset

from trainclinic.setup import Setup
from trainclinic.treat.remedy import RefusedError

ALWAYS = ("drop_last", "collate_fn")
WHERE_SET = ("num_workers", "pin_memory", "worker_init_fn", "multiprocessing_context", "persistent_workers",
             "prefetch_factor", "timeout", "generator")  # fmt: skip


def steps_an_epoch(setup: Setup, remedy: str) -> int:
    """Batches of the training loader.

    Raises:
        RefusedError: it does not tell how many it has.
    """
    try:
        return len(setup.train_loader)  # type: ignore[arg-type]
    except TypeError:
        raise RefusedError(f"{remedy}: train_loader has no len(), so that it is not known how long the training is; "
                           "give it one") from None  # fmt: skip


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
        raise RefusedError(f"{remedy}: the data set is a stream, which cannot be drawn from at random; use a shuffle "
                           "buffer")  # fmt: skip
    if type(loader.batch_sampler) is not BatchSampler:
        raise RefusedError(f"{remedy}: train_loader has a batch sampler of its own; change that")
    return loader


def rebuilt(loader: DataLoader[object], order: str, batch_size: str = "train_loader.batch_size") -> str:
    """The code of a loader like this one, but for the order or the size of its batches."""
    lines = ["train_loader.dataset", f"batch_size={batch_size}", order]
    kept = [*ALWAYS, *(name for name in WHERE_SET if getattr(loader, name))]
    lines += [f"{name}=train_loader.{name}" for name in kept]
    return "train_loader = torch.utils.data.DataLoader(\n" + "".join(f"    {line},\n" for line in lines) + ")\n"


def one_pass(setup: Setup, batch: str, body: str) -> str:
    """The code of a pass over the training loader, after which its batches come as they would have."""
    loop = f"for {batch} in train_loader:\n" + "".join(f"    {line}\n" for line in body.splitlines())
    return undisturbed(setup, loop)


def undisturbed(setup: Setup, code: str) -> str:
    """Code that takes batches, and after it the generators of the loader and its sampler where they stood."""
    owners = {"train_loader": setup.train_loader, "train_loader.sampler": getattr(setup.train_loader, "sampler", None)}
    own = {name: getattr(owner, "generator", None) for name, owner in owners.items()}
    paths = {id(one): f"{name}.generator" for name, one in reversed(own.items()) if isinstance(one, torch.Generator)}
    for number, path in enumerate(sorted(paths.values())):
        order = f"order{number or ''}"
        code = f"{order} = {path}.get_state()\n{code}{path}.set_state({order})  # the batches come as they would have\n"
    return code
