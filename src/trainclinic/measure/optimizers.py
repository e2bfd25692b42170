"""Trainers: the optimizers that train one model, and which of them have stepped in the present step.

PyTorch tells of every optimizer's step. One that was made later and holds parameters of the model joins; another
model's is none of ours. A wrapper that calls an inner optimizer is one step, not two.
"""

from __future__ import annotations

from weakref import WeakSet

from torch import Tensor, nn
from torch.optim import Optimizer

from trainclinic.measure.distributed import named_parameters


class Trainers:
    """The optimizers of one model.

    Args:
        model: that they train.
        optimizers: that are known from the start.

    Attributes:
        optimizers: that train it now.
        stepping: the one that is inside its step, or None.
        stepped: ids of those that have stepped in the present step.
        steps: of any of them, ever.
    """

    def __init__(self, model: nn.Module, optimizers: list[Optimizer]) -> None:
        self._model = model
        self.optimizers = optimizers
        self._foreign: WeakSet[Optimizer] = WeakSet()  # that hold none of its parameters
        self.stepping: Optimizer | None = None
        self.stepped: set[int] = set()
        self.steps = 0

    # -- asked

    def holds(self, optimizer: Optimizer) -> bool:
        """Whether it is one of them; one that is seen for the first time joins if it holds a parameter of the model."""
        if optimizer in self.optimizers:
            return True
        if optimizer in self._foreign:
            return False
        own = {id(parameter) for _, parameter in named_parameters(self._model)}
        ours = any(id(parameter) in own for parameter in held(optimizer))
        if ours:
            self._join(optimizer)
        else:
            self._foreign.add(optimizer)
        return ours

    @property
    def all_stepped(self) -> bool:
        """Whether every one of them has stepped in the present step."""
        return len(self.stepped) >= len(self.optimizers)

    @property
    def waiting(self) -> set[int]:
        """Ids of the parameters that are held only by optimizers that have not stepped in the present step."""
        waiting: set[int] = set()
        done: set[int] = set()
        for one in self.optimizers:
            (done if id(one) in self.stepped else waiting).update(map(id, held(one)))
        return waiting - done

    # -- told

    def before_step(self, optimizer: Optimizer) -> bool:
        """Whether a step of ours begins; not for another model's optimizer, nor inside another step."""
        if self.stepping not in (None, optimizer) or not self.holds(optimizer):  # its last step may have failed
            return False
        if _is_skipped(optimizer):
            return False
        self.stepping = optimizer
        return True

    def after_step(self, optimizer: Optimizer) -> bool:
        """Whether the step that began has ended."""
        if self.stepping is not optimizer:
            return False
        self.stepping = None
        self.stepped.add(id(optimizer))
        self.steps += 1
        return True

    def leave(self) -> None:
        """The step that began has been broken off."""
        if self.stepping is not None:
            self.after_step(self.stepping)

    def begin_step(self) -> None:
        """The next step: none of them has stepped."""
        self.stepping = None
        self.stepped.clear()

    def forget_foreign(self) -> None:
        """The model has new parameters: an optimizer that was not ours may be."""
        self._foreign.clear()

    def _join(self, optimizer: Optimizer) -> None:
        """It takes the place of those whose parameters it holds: they are not kept alive."""
        its_own = set(map(id, held(optimizer)))
        for one in [one for one in self.optimizers if its_own.intersection(map(id, held(one)))]:
            self.optimizers.remove(one)
        self.optimizers.append(optimizer)


def _is_skipped(optimizer: Optimizer) -> bool:
    """A fused optimizer is told by the GradScaler to do nothing; on a device to ask would be to wait."""
    found_inf = optimizer.__dict__.get("found_inf")
    return isinstance(found_inf, Tensor) and found_inf.is_cpu and bool(found_inf)


def gradient_scale(optimizer: Optimizer) -> float:
    """What a fused optimizer is going to divide the gradients by; read only in steps that are looked at."""
    scale = getattr(optimizer, "grad_scale", None)
    return float(scale) if isinstance(scale, Tensor) else 1.0


def held(optimizer: Optimizer) -> list[nn.Parameter]:
    """The parameters of all its groups."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
