"""group-norm-for-batch-norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from trainclinic.setup import Setup
from trainclinic.treat.passages import replaced
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, setting
from trainclinic.treat.surgery import Call, calls, check_rebuildable, rehearsed


@dataclass(frozen=True)
class GroupNormForBatchNorm(Remedy):
    """Put GroupNorm in the place of every BatchNorm: the same size again in every layer, without the batch.

    What it does:
        Each BatchNorm becomes a GroupNorm over as many channels, in groups of at least `channels` each; its scale and
        shift take the place of the old ones in the optimizer.

    When it helps:
        A BatchNorm divides by what it sees in one batch. With a few samples that is noise, and in eval mode, or where a
        loop trains in eval mode, the network is another one. GroupNorm does the same in both modes, for any batch.

    Side effects:
        With large batches BatchNorm is often the better one. Statistics that were gathered before are lost.

    References:
        Wu & He 2018, "Group normalization"; Ioffe & Szegedy 2015.
    """

    channels: int = setting(16, "channels", low=2, high=1024)

    treats: ClassVar[dict[str, int]] = {"batchnorm-small-batch": 1}

    def prescribe(self, setup: Setup) -> Prescription:
        """The norms by name."""
        norms = [call for call in calls(setup) if isinstance(call.module, nn.modules.batchnorm._BatchNorm)]
        if not norms:
            raise RefusedError(f"{self.id()}: there is no BatchNorm in the network")
        free = [call for call in norms if all(parameter.requires_grad for parameter in call.module.parameters())]
        if not free:
            raise RefusedError(f"{self.id()}: every BatchNorm is frozen, and keeps the statistics that it has; put it "
                               "into eval mode")  # fmt: skip
        check_rebuildable(self.id(), setup, free)
        made = {call.name: self._norm(call) for call in free}
        change = f"{len(made)} BatchNorm replaced by GroupNorm"
        return rehearsed(self.id(), setup, Prescription(change, replaced(made)))

    def _norm(self, call: Call) -> str:
        """As many groups as there are `channels` in, and equally many in each."""
        features = call.gives[1]
        groups = max(1, features // self.channels)
        while features % groups:
            groups -= 1
        affine = "" if call.module.affine else ", affine=False"
        return f"nn.GroupNorm({groups}, {features}{affine})"
