"""train-all-parameters."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from trainclinic.measure.shadow import generators_kept
from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting
from trainclinic.treat.surgery import first_batch

CONTAINERS: dict[type[Any], str] = {list: "nn.ModuleList", tuple: "nn.ModuleList", dict: "nn.ModuleDict"}


@dataclass(frozen=True)
class TrainAllParameters(Remedy):
    """Let the optimizer move every parameter that should learn.

    What it does:
        Modules in plain Python lists or dicts are made known to the model; parameters that the optimizer lacks join its
        first group, with its settings; a group whose learning rate is 0 gets the highest of the others. What was
        frozen by requires_grad=False stays frozen, unless `unfreeze` is set.

    When it helps:
        The optimizer was built over a part of the model, or before the model was complete.

    Side effects:
        A part that was kept out of the optimizer on purpose is trained, too.

    References:
        PyTorch documentation (torch.optim, nn.ModuleList); Jiang et al. 2025.
    """

    unfreeze: bool = setting(False, "1")

    stage: ClassVar[Stage] = "optimizer"
    treats: ClassVar[dict[str, int]] = {"frozen-parameters": 1}

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Only what was declared frozen is thawed, and only where that is the finding."""
        return (cls(unfreeze=finding.cause == "declared frozen"),)

    def prescribe(self, setup: Setup) -> Prescription:
        """One passage for each link that is broken."""
        changes: list[str] = []
        code = ""
        hidden = _in_plain_containers(setup.model)
        for owner, name, kind in hidden:
            where = f"model.get_submodule({owner!r})" if owner else "model"
            code += f"{where}.{name} = {kind}({where}.{name})\n"
            changes.append(f"{'.'.join(filter(None, (owner, name)))} made an {kind}")
        frozen = [name for name, p in setup.model.named_parameters() if not p.requires_grad]
        if self.unfreeze and frozen:
            code += "model.requires_grad_(True)\n"
            changes.append(f"{len(frozen)} parameters thawed")
        held = {id(p) for group in setup.optimizer.param_groups for p in group["params"]}
        absent = [name for name, p in setup.model.named_parameters()
                  if id(p) not in held and (p.requires_grad or self.unfreeze)]  # fmt: skip
        if absent or hidden:
            code += _JOIN
            changes.append(f"{len(absent) or 'their'} parameters given to the optimizer")
        if any(float(group["lr"]) == 0 for group in setup.optimizer.param_groups):
            rate = max(float(group["lr"]) for group in setup.optimizer.param_groups)
            code += _rates(rate or float(setup.optimizer.defaults.get("lr", 0)) or 1e-3)
            changes.append("learning rates of 0 replaced")
        if not code:
            raise RefusedError(f"{self.id()}: {_why(setup, frozen)}")
        if type(setup.optimizer).__name__ == "Muon" and (absent or hidden):
            raise RefusedError(f"{self.id()}: Muon takes matrices only; give the others to an AdamW beside it")
        return Prescription("; ".join(changes), code)


_JOIN = (
    'held = {id(p) for group in optimizer.param_groups for p in group["params"]}\n'
    'optimizer.param_groups[0]["params"] += [\n'
    "    p for p in model.parameters() if p.requires_grad and id(p) not in held\n"
    "]\n"
)


def _rates(rate: float) -> str:
    return f'for group in optimizer.param_groups:\n    group["lr"] = group["lr"] or {rate!r}\n'


def _in_plain_containers(model: nn.Module) -> list[tuple[str, str, str]]:
    """Module, attribute and the container it should be, for modules that PyTorch does not find."""
    found = []
    for owner, module in model.named_modules():
        for name, value in vars(module).items():
            kind = CONTAINERS.get(type(value))
            items: list[Any] = list(value.values()) if isinstance(value, dict) else list(value) if kind else []
            named = not isinstance(value, dict) or all(isinstance(key, str) for key in value)
            if kind and items and named and not name.startswith("_") and all(isinstance(m, nn.Module) for m in items):
                found.append((owner, name, kind))
    return found


def _why(setup: Setup, frozen: list[str]) -> str:
    """What is in the way when every parameter is known, held and has a learning rate."""
    with generators_kept():
        try:
            model = copy.deepcopy(setup.model)
            batch = first_batch(setup)
            loss = setup.step(model, batch) if setup.step else setup.loss_fn(model(batch[0]), batch[1])
            loss.backward()  # type: ignore[no-untyped-call]
            cut = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
        except Exception as error:
            return f"the optimizer holds every parameter; the model cannot be run ({type(error).__name__}: {error})"
    if cut:
        return (f"no gradient reaches {cut[0]} and {len(cut) - 1} others, although the optimizer holds them; remove "
                "the detach(), .data, .item() or torch.no_grad() between them and the loss")  # fmt: skip
    if frozen:
        return f"{len(frozen)} parameters are frozen by requires_grad=False, on purpose as it seems; set unfreeze"
    return "the optimizer holds every parameter already, and a gradient reaches each"
