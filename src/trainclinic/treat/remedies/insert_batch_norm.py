"""insert-batch-norm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn
from torch.utils.data import DataLoader

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.passages import normalized
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy
from trainclinic.treat.surgery import Call, calls, counted, followed, rehearsed

KINDS = {nn.Linear: "BatchNorm1d", nn.Conv1d: "BatchNorm1d", nn.Conv2d: "BatchNorm2d", nn.Conv3d: "BatchNorm3d"}
SMALLEST_BATCH = 16  # samples; below, the statistics of a batch are too noisy (Wu & He 2018)


@dataclass(frozen=True)
class InsertBatchNorm(Remedy):
    """Put BatchNorm behind every hidden layer, in front of its activation function.

    What it does:
        Each hidden Linear or Conv layer is followed by a BatchNorm of its width, whose scale and shift join the
        optimizer in the layer's group. Where the forward calls the layer, the norm runs with it.

    When it helps:
        Each channel gets mean 0 and variance 1 again in every layer, so that the signal neither shrinks nor grows with
        depth, units do not saturate, and the scale of inputs and weights matters less.

    Side effects:
        The output of a sample depends on its batch in training; train and eval mode differ; beyond some 30 plain layers
        the gradient grows by a factor of 1.2 in each. With small batches its statistics are too noisy.

    References:
        Ioffe & Szegedy 2015; Yang et al. 2019 (depth); Wu & He 2018 (small batches).
    """

    treats: ClassVar[dict[str, int]] = {
        "vanishing-gradient": 3, "saturated-activation": 3, "dead-relu": 3, "poor-initialization": 3,
        "exploding-gradient": 4,
    }  # fmt: skip

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Not for what grows through time, where each step would need statistics of its own."""
        return [] if finding.cause == "through time" else [cls()]

    def prescribe(self, setup: Setup) -> Prescription:
        """The layers by name, each with the norm that fits its output."""
        found = calls(setup)
        layers = followed(self.id(), setup, found)
        names = [call.name for call in found]
        for call in layers:
            why = _why_not(setup, call, names.count(call.name))
            if why:
                raise RefusedError(f"{self.id()}: {why}; insert-layer-norm fits")
        norms = {call.name: f"nn.{_kind(call)}({call.gives[1]})" for call in layers}
        change = f"BatchNorm behind {counted(len(layers), 'hidden layer')}"
        return rehearsed(self.id(), setup, Prescription(change, normalized(norms)))


def _kind(call: Call) -> str:
    return next(name for kind, name in KINDS.items() if isinstance(call.module, kind))


def _why_not(setup: Setup, call: Call, times: int) -> str:
    """What speaks against statistics of the batch behind this layer, or ""."""
    loader = setup.train_loader
    linear = isinstance(call.module, nn.Linear)
    if linear and len(call.gives) != 2:
        return f"{call.name} gives outputs of {len(call.gives)} dimensions, over which a batch norm would mix positions"
    if call.gives[0] < SMALLEST_BATCH:
        return f"batches of {call.gives[0]} are too small for it"
    if times > 1:
        return f"{call.name} is called {times} times in a pass, whose statistics would be mixed"
    if linear and isinstance(loader, DataLoader) and _leaves_one(loader):
        return "the last batch of an epoch is a single sample, which has no statistics, unless drop_last=True is set"
    return ""


def _leaves_one(loader: DataLoader[object]) -> bool:
    sized = loader.batch_size and hasattr(loader.dataset, "__len__")
    return bool(sized) and not loader.drop_last and len(loader.dataset) % loader.batch_size == 1  # type: ignore[arg-type, operator]
