"""Steady: the short way through a step that is like those before it and that nobody looks at.

Nearly every step of a training is one pass of the model, one backward and one step of the one optimizer, on the CPU,
in one thread. Between two such steps the caches are cold, so that what a watch costs is the number of functions,
objects and lines that it comes by. While steps are like that, the watch's doors lead here: one function for each event,
which calls nothing of ours and only notes what the full path would have needed.

At the first sign of anything else (a second pass, an evaluation, another thread, optimizer or loss, a number that is
not finite, a look that is due) `leave` gives what was noted to the objects of the full path, which then stand as if
they had seen the step from its beginning, and the event takes the full path. So nothing is decided here.
"""

from __future__ import annotations

import math
from threading import get_ident
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, is_grad_enabled, nn
from torch.optim import Optimizer

from trainclinic.measure.accumulation import Accumulation
from trainclinic.measure.finite import FiniteCheck
from trainclinic.measure.held import LARGEST, Held, Pass
from trainclinic.measure.hook import Hook
from trainclinic.measure.journal import Journal
from trainclinic.measure.optimizers import Trainers

if TYPE_CHECKING:
    from trainclinic.measure.watch import Watch

_DOORS = ("before_backward", "after_backward", "before_step", "after_step")  # of a watch
_WORTH = 8  # steps: to come here for fewer does not pay
_PATIENCE = 32  # steps on the full path after a stay that did not pay
_AWAY, _READY, _RUNNING, _DONE, _BACKWARD, _DIFFERENTIATED, _STEPPING = range(-1, 6)
_cpu_state = torch.default_generator.get_state


class Steady:
    """The way past the objects of a watch.

    Args:
        watch: whose doors lead here.
        so_far, finite, trainers, journal: its parts.
        before, after: the hooks around the model's forward.
    """

    def __init__(
        self,
        watch: Watch,
        so_far: Accumulation,
        finite: FiniteCheck,
        trainers: Trainers,
        journal: Journal,
        before: Hook,
        after: Hook,
    ) -> None:
        self._watch, self._so_far, self._finite, self._trainers = watch, so_far, finite, trainers
        self._file, self._rows = journal.file, journal.waiting
        self._held = finite.held
        self._hooks = (before, before.function, self.before_forward), (after, after.function, self.after_forward)
        self._full_before, self._full_after = before.function, after.function
        self._wait = 0  # for so many steps, before coming here again
        self._at = _AWAY
        self._optimizer: Any = None
        self._sentinels: list[nn.Parameter] = []  # whose gradients stand for all
        self._args: tuple[Any, ...] = ()
        self._given: list[Held] = []  # the arguments again, and their versions
        self._generators: tuple[Tensor, ...] | None = None
        self._autocast: Any = False
        self._output: Held | None = None
        self._loss = 0.0

    def enter(self, until: int) -> None:
        """The step just done was a usual one, and nothing is due before the step `until`: come here, if it fits."""
        finite, held, optimizers = self._finite, self._held, self._trainers.optimizers
        if self._wait:
            self._wait -= 1
        elif until - self._watch.step >= _WORTH and len(optimizers) == 1 and finite.is_settled and held.is_settled:
            self._until, self._begun = until, self._watch.step
            self._optimizer, self._sentinels, self._generators = optimizers[0], finite.sentinels, None
            self._thread, self._draws, self._has_buffers = self._so_far.thread, held.draws, held.has_buffers
            self._at = _READY
            for door in _DOORS:
                setattr(self._watch, door, getattr(self, door))
            for hook, full, short in self._hooks:
                hook.exchange(full, short)

    def leave(self, *, planned: bool = False) -> None:
        """Everything goes the full path again; nothing changes where it does already."""
        at, self._at = self._at, _AWAY
        if at == _AWAY:
            return
        steps = self._watch.step - self._begun
        self._wait = 0 if planned or steps >= _WORTH else _PATIENCE
        for door in _DOORS:
            delattr(self._watch, door)  # the methods show again
        for hook, full, short in self._hooks:
            hook.exchange(short, full)
        self._trainers.steps += steps
        self._held.skip(steps)
        if at >= _RUNNING:
            self._so_far.forward(training=True)
            self._so_far.thread = self._thread
            self._held.resume(self._pass(), is_running=at == _RUNNING)
        if at >= _BACKWARD:
            self._finite.differentiated = True
            self._so_far.resume(self._loss)
        if at >= _DIFFERENTIATED:
            self._so_far.after_backward()
        if at >= _STEPPING:
            self._trainers.before_step(self._optimizer)
        self._optimizer, self._args, self._given, self._output = None, (), [], None

    def _pass(self) -> Pass:
        record = Pass(0, self._args, {})
        record.held, record.generators, record.autocast = self._given, self._generators, [self._autocast]
        if self._output is not None:
            record.outputs.append(self._output)
        return record

    # -- one step, in the order in which it happens

    def before_forward(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A pass begins: hold what it is given."""
        given: list[Held] = []
        if self._at == _READY and is_grad_enabled() and model.training and not kwargs and get_ident() == self._thread:
            for value in args:
                if type(value) is not Tensor or value.is_inference():
                    break
                given.append((value, value._version))
        if not given or len(given) != len(args):
            self.leave()
            self._full_before(model, args, kwargs)
            return
        self._args, self._given = args, given
        if self._has_buffers:
            self._held.look_at_buffers()
        if self._draws:
            self._generators = (_cpu_state(),)
        self._autocast = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu")
        self._at = _RUNNING

    def after_forward(self, model: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        """It has given its output: hold that too."""
        if self._at != _RUNNING or type(output) is not Tensor or output.is_leaf or output.numel() > LARGEST:
            self.leave()
            self._full_after(model, args, output)
            return
        self._output = output.detach(), output._version
        self._at = _DONE

    def before_backward(self, loss: Any) -> None:
        """The loss is about to be differentiated: read it."""
        if (
            self._at == _DONE
            and type(loss) is Tensor
            and loss.is_cpu
            and loss.numel() == 1
            and get_ident() == self._thread
        ):
            self._loss = value = loss.item()
            if math.isfinite(value):
                self._at = _BACKWARD
                return
        self.leave()
        self._watch.before_backward(loss)

    def after_backward(self, loss: Any) -> None:
        """It has been differentiated."""
        if self._at == _BACKWARD:
            self._at = _DIFFERENTIATED
        else:
            self.leave()
            self._watch.after_backward(loss)

    def before_step(self, optimizer: Optimizer) -> None:
        """The optimizer is about to step: see whether the gradients that stand for all are finite."""
        if self._at == _DIFFERENTIATED and optimizer is self._optimizer and "found_inf" not in optimizer.__dict__:
            for parameter in self._sentinels:
                gradient = parameter.grad
                if type(gradient) is not Tensor or not math.isfinite(gradient.sum().item()):
                    break
            else:
                self._at = _STEPPING
                return
        self.leave()
        self._watch.before_step(optimizer)

    def after_step(self, optimizer: Optimizer) -> None:
        """It has stepped: note the loss, let go of the batch."""
        if self._at != _STEPPING or optimizer is not self._optimizer:
            self.leave()
            self._watch.after_step(optimizer)
            return
        watch, step = self._watch, self._watch.step
        self._rows.append((step, self._loss, 1, 1))
        self._args, self._given, self._output = (), [], None
        self._at = _READY
        watch.step = step + 1
        if step + 1 >= self._until:
            self.leave(planned=True)
            watch.plan()
        if self._file.due:
            watch.write_news()
