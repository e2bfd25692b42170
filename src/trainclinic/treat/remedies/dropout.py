"""dropout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, setting
from trainclinic.treat.surgery import WEIGHTS, Call, calls, check_rebuildable

BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)
HOLDERS = (nn.RNNBase, nn.MultiheadAttention)  # what drops out inside


@dataclass(frozen=True)
class Dropout(Remedy):
    """Silence a random share of the hidden units in every training step; or fewer, or none.

    What it does:
        Where the network has dropout, its share becomes `p`; 0 switches it off. Where it has none, a Dropout goes in
        front of every layer with weights but the first: whole channels in front of a convolution, AlphaDropout behind
        SELU, and none in front of a BatchNorm, whose statistics it would shift.

    When it helps:
        A unit that cannot rely on the others being there learns what is of use by itself. Where the training loss stays
        high because too many are silent, less of it helps.

    Side effects:
        The training loss is higher than the validation loss, and learning takes longer. Too much of it underfits. The
        names of the layers that get one change in the state_dict.

    References:
        Srivastava et al. 2014; Tompson et al. 2015 (channels); Klambauer et al. 2017 (AlphaDropout); Li et al. 2019
        (BatchNorm).
    """

    p: float = setting(0.5, "1", low=0.0, high=0.9)

    treats: ClassVar[dict[str, int]] = {"overfitting": 3, "over-regularized": 2, "underfitting": 3}

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """More of it against overfitting, strongest first; less of it otherwise."""
        shares = [*(one.p for one in _dropouts(setup.model).values()), *_inside(setup.model).values()]
        present = max(shares, default=0.0)
        if finding.problem == "overfitting":
            return [cls(p) for p in (0.5, 0.3, 0.7) if p > present]
        return [cls(round(present / 2, 3)), cls(0.0)] if present else [cls(0.0)]

    def prescribe(self, setup: Setup) -> Prescription:
        """Where there is dropout its share, else the layers that get one."""
        present, inside = _dropouts(setup.model), _inside(setup.model)
        if not present and not inside:
            return self._inserted(setup)
        shares = {module.p for module in present.values()} | set(inside.values())
        if shares == {self.p}:
            raise RefusedError(f"{self.id()}: its share is {self.p:g} everywhere already; choose another one")
        code = ""
        if present:
            code += f"for name in {list(present)!r}:\n    model.get_submodule(name).p = {self.p!r}\n"
        if inside:
            code += f"for name in {list(inside)!r}:\n    model.get_submodule(name).dropout = {self.p!r}\n"
        before = " and ".join(f"{share:g}" for share in sorted(shares))
        return Prescription(f"dropout of {self.p:g} instead of {before}" if self.p else "dropout switched off", code)

    def _inserted(self, setup: Setup) -> Prescription:
        if not self.p:
            raise RefusedError(f"{self.id()}: there is none to switch off")
        found = calls(setup)
        last_norm = max((i for i, call in enumerate(found) if isinstance(call.module, BATCH_NORMS)), default=-1)
        first = next((i for i, call in enumerate(found) if isinstance(call.module, WEIGHTS)), len(found))
        alpha = any(isinstance(call.module, nn.SELU) for call in found)
        behind = [call for call in found[max(first, last_norm) + 1 :] if isinstance(call.module, WEIGHTS)]
        places: dict[str, list[str]] = {}
        for call in {call.name: call for call in behind}.values():
            places.setdefault(_kind(call, alpha), []).append(call.name)
        check_rebuildable(self.id(), setup, behind)
        if not places:
            raise RefusedError(f"{self.id()}: no layer with weights follows another and the last BatchNorm; "
                               "weight-decay fits")  # fmt: skip
        code = "".join(
            f"for name in {names!r}:\n"
            f"    model.set_submodule(name, nn.Sequential(nn.{kind}({self.p!r}), model.get_submodule(name)))\n"
            for kind, names in places.items()
        )
        count = sum(map(len, places.values()))
        return Prescription(f"dropout of {self.p:g} in front of {count} layers", code)


def _kind(call: Call, alpha: bool) -> str:
    if alpha:
        return "AlphaDropout"
    spatial = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
    return next((f"Dropout{rank}d" for kind, rank in spatial.items() if isinstance(call.module, kind)), "Dropout")


def _dropouts(model: nn.Module) -> dict[str, nn.modules.dropout._DropoutNd]:
    return {name: one for name, one in model.named_modules() if isinstance(one, nn.modules.dropout._DropoutNd)}


def _inside(model: nn.Module) -> dict[str, float]:
    """Recurrent layers of several levels and attention: what they drop out by themselves."""
    return {
        name: float(module.dropout)
        for name, module in model.named_modules()
        if isinstance(module, HOLDERS) and (module.dropout or getattr(module, "num_layers", 1) > 1)
    }
