"""What `trainclinic.watch` is given: checked before the first step, refused in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer

from trainclinic.errors import SetupError
from trainclinic.measure.distributed import named_parameters

Optimizers = Optimizer | Sequence[Optimizer]


def checked(model: Any, optimizer: Any, every: Any) -> list[Optimizer]:
    """The optimizers, as a list.

    Raises:
        SetupError: `model` is no module or has no parameters, an optimizer holds none of them, or `every` is no count.
    """
    if not isinstance(model, nn.Module):
        raise SetupError(f"model: expected a torch.nn.Module, got {type(model).__name__}; pass the network itself")
    if type(model).__name__ == "RecursiveScriptModule":
        raise SetupError(f"model: expected a module that takes hooks, got a {type(model).__name__}, which takes none; "
                         "watch the module that torch.jit.script was given, or one around it")  # fmt: skip
    own = {id(parameter) for _, parameter in named_parameters(model)}
    if not own:
        raise SetupError(f"model: expected a module with parameters, {type(model).__name__} has none; "
                         "pass the network that is trained")  # fmt: skip
    optimizers = [optimizer] if isinstance(optimizer, Optimizer) else optimizer
    if not isinstance(optimizers, list | tuple) or not optimizers:
        raise SetupError(f"optimizer: expected a torch.optim.Optimizer or a list of them, got "
                         f"{type(optimizer).__name__}; pass the optimizer that steps")  # fmt: skip
    for one in optimizers:
        if not isinstance(one, Optimizer):
            raise SetupError(f"optimizer: expected a torch.optim.Optimizer, got {type(one).__name__}; "
                             "pass the optimizer that steps")  # fmt: skip
        if not any(id(parameter) in own for group in one.param_groups for parameter in group["params"]):
            raise SetupError(f"optimizer: expected one that holds parameters of the model, {type(one).__name__} holds "
                             "none of them; build it from model.parameters()")  # fmt: skip
    if every is not None and (not isinstance(every, int) or every < 1):
        raise SetupError(f"every: expected a whole number of steps of at least 1, or None, got {every!r}; "
                         "1 looks at every step")  # fmt: skip
    return list(optimizers)
