"""group-norm-for-batch-norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, setting
from trainclinic.treat.surgery import replaced


@dataclass(frozen=True)
class GroupNormForBatchNorm(Remedy):
    """Put GroupNorm in the place of every BatchNorm: the same size again in every layer, without the batch.

    What it does:
        Each BatchNorm becomes a GroupNorm over as many channels, in groups of at most `channels` each; its scale and
        shift take the place of the old ones in the optimizer.

    When it helps:
        A BatchNorm divides by what it sees in one batch. With a few samples that is noise, and in eval mode, or where a
        loop trains in eval mode, the network is another one. GroupNorm does the same in both modes, for any batch.

    Side effects:
        With large batches BatchNorm is often the better one. Statistics that were gathered before are lost.

    References:
        Wu & He 2018, "Group normalization"; Ioffe & Szegedy 2015.
    """

    channels: int = setting(16, "channels", low=1, high=1024)

    treats: ClassVar[dict[str, int]] = {"batchnorm-small-batch": 1}

    def prescribe(self, setup: Setup) -> Prescription:
        """The norms by name."""
        norms = {
            name: module for name, module in setup.model.named_modules()
            if isinstance(module, nn.modules.batchnorm._BatchNorm)
        }  # fmt: skip
        if not norms:
            raise RefusedError(f"{self.id()}: there is no BatchNorm in the network")
        if any(isinstance(module, nn.modules.lazy.LazyModuleMixin) for module in norms.values()):
            raise RefusedError(f"{self.id()}: a lazy BatchNorm does not know its channels yet; run a batch first")
        made = {
            name: f"nn.GroupNorm({self._groups(module.num_features)}, {module.num_features})"
            for name, module in norms.items()
        }
        return Prescription(f"{len(norms)} BatchNorm replaced by GroupNorm", replaced(made))

    def _groups(self, features: int) -> int:
        """As many groups as there are at most `channels` in, and equally many in each."""
        wanted = -(-features // self.channels)
        return next(groups for groups in range(wanted, features + 1) if features % groups == 0)
