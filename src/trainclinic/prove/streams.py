"""Streams of random numbers for one seed, so that a change in one place moves no number in another.

Adding a layer moves the weights of all later ones under the same seed; adding Dropout moves the order of the batches.
So weights are built first, operated on after, and the batches, the noise of the training and the validation each draw
from a stream of their own: two arms of a trial that have the same batches have them in the same order.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from trainclinic.measure.shadow import generators_kept, seed_generators

_HASHED = 1 << 16  # elements of a tensor that go into a batch's fingerprint, evenly spread


def seed_all(seed: int, stream: str) -> None:
    """Seed torch, NumPy and Python for one of the streams of `seed`."""
    number = int.from_bytes(hashlib.blake2b(f"{stream} {seed}".encode(), digest_size=4).digest(), "big")
    seed_generators(number)


class Stream:
    """One stream that is stepped into and out of.

    Args:
        seed: of the run.
        name: of the stream.
    """

    def __init__(self, seed: int, name: str) -> None:
        with generators_kept():
            seed_all(seed, name)
            self._own = _state()
        self._outside: Any = None

    def __enter__(self) -> None:
        self._outside = _state()
        _restore(self._own)

    def __exit__(self, *_: Any) -> None:
        self._own = _state()
        _restore(self._outside)


class Batches:
    """A loader whose every `iter` and `next` runs in a stream of its own; its batches are fingerprinted.

    Attributes:
        fingerprints: of the batches handed out, 8 bytes each.
    """

    def __init__(self, loader: Iterable[Any], stream: Stream) -> None:
        self._loader, self._stream = loader, stream
        self.fingerprints = bytearray()

    def __iter__(self) -> Iterator[Any]:
        with self._stream:
            iterator = iter(self._loader)
        while True:
            with self._stream:
                try:
                    batch = next(iterator)
                except StopIteration:
                    return
            self.fingerprints += fingerprint(batch)
            yield batch

    def __len__(self) -> int:
        return len(self._loader)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_loader", "_stream"):
            raise AttributeError(name)
        return getattr(self._loader, name)


def fingerprint(batch: Any) -> bytes:
    """Eight bytes that two batches share only if they are equal, for all that matters here."""
    digest = hashlib.blake2b(digest_size=8)
    for leaf in tree_leaves(batch):
        if isinstance(leaf, Tensor):
            flat = leaf.detach().reshape(-1)
            flat = flat[:: max(1, flat.numel() // _HASHED)].contiguous().cpu()
            digest.update(f"{leaf.dtype}{tuple(leaf.shape)}".encode())
            digest.update(flat.view(torch.uint8).numpy().tobytes())
        else:
            digest.update(repr(leaf).encode())
    return digest.digest()


def _state() -> tuple[Any, ...]:
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    return torch.get_rng_state(), np.random.get_state(), random.getstate(), devices  # noqa: NPY002


def _restore(state: tuple[Any, ...]) -> None:
    torch.set_rng_state(state[0])
    np.random.set_state(state[1])  # noqa: NPY002
    random.setstate(state[2])
    if state[3]:
        torch.cuda.set_rng_state_all(state[3])
