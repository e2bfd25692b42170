"""Watch: attach to a training, look at sampled steps, let go without a trace. What is seen goes to the Journal."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch.optim import Optimizer

from trainclinic.errors import SetupError, TrainingStoppedError
from trainclinic.measure import intercept
from trainclinic.measure.evaluation import EvaluationRound
from trainclinic.measure.finite import FiniteCheck
from trainclinic.measure.hook import Hook
from trainclinic.measure.journal import Journal
from trainclinic.measure.layers import LayerProbe, first_tensor
from trainclinic.measure.live import Live
from trainclinic.measure.parameters import ParameterProbe
from trainclinic.measure.reductions import to_floats
from trainclinic.measure.run_step import Moments, RunStep
from trainclinic.measure.schedule import UnitWindows, default_schedule, every_step
from trainclinic.recording import Recording

Optimizers = Optimizer | Sequence[Optimizer]


class Watch:
    """A training being watched; made by `trainclinic.watch`, closed by leaving its `with` block or by `close()`.

    What runs at every step is kept short on purpose: between two steps of a network the caches are cold, and each
    line costs several times what it does in a loop of its own.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizers,
        loss_fn: Callable[..., Any] | None = None,
        *,
        path: str | Path | None = None,
        every: int | None = None,
        training_samples: int | None = None,
        live: Live | None = None,
    ) -> None:
        self.model = model
        self._optimizers = _checked(model, optimizer, every)
        self._probe = LayerProbe(model, self.give_up, training_samples)
        self._parameters = ParameterProbe(model)
        self._live = live
        names, parameters = self._parameters.names, self._parameters.parameters
        self._finite = FiniteCheck(model, names, parameters, at_once=live is not None)
        self._journal = Journal(path, model, self._optimizers, self._parameters)
        self._round = EvaluationRound()

        self.step = 0  # optimizer steps done
        self.wants_losses = True
        self._schedule = default_schedule() if every is None else every_step(every)
        self._windows = UnitWindows()
        self._next_full = self._schedule(0)
        self._loss: float | None = None
        self._device_losses: list[Tensor] = []
        self._outputs: Moments | None = None
        self._targets: Moments | None = None
        self._seen_output: Tensor | None = None
        self._passes, self._training_passes = 0, 0
        self._seen_pass = False  # of this model, at any time
        self._stepped: set[int] = set()  # the optimizers that have, in this step
        self._stepping = False  # inside an optimizer's step
        self._closure_passes = 0  # that it ran itself
        self._told_validation = False  # the user calls `validate`
        self._compiled = hasattr(model, "_orig_mod")
        self._told = False  # of the first number that is not finite
        self._meant: Exception | None = None  # raised in answer to a finding: it is for the user
        self._failed = ""  # the error of ours that ended the watch
        self._recording: Recording | None = None
        self._hooks: list[Hook] = []
        self._end_hook = Hook(self._after_forward, self.give_up)
        self._handles: list[Any] = []
        self._end_handle: Any = None  # on the end of the root's forward, in steps that are looked at
        self._plan()
        self._attach(loss_fn)

    # -- attaching and letting go

    def _hook(self, function: Callable[..., Any]) -> Hook:
        self._hooks.append(Hook(function, self.give_up))
        return self._hooks[-1]

    def _attach(self, loss_fn: Callable[..., Any] | None) -> None:
        self._handles = [self.model.register_forward_pre_hook(self._hook(self._before_forward), with_kwargs=True)]
        self._handles.append(self.model.register_forward_hook(self._hook(self._after_pass)))
        for optimizer in self._optimizers:
            self._handles.append(optimizer.register_step_pre_hook(self._hook(self._before_step)))
            self._handles.append(optimizer.register_step_post_hook(self._hook(self._after_step)))
        if isinstance(loss_fn, nn.Module) and not type(loss_fn).__module__.startswith("torch.nn.modules"):
            self._handles.append(loss_fn.register_forward_hook(self._hook(self._after_loss_module)))
        intercept.listen(self)

    def close(self, ended: str = "completed") -> Recording:
        """Stop watching: every hook is removed, the file is complete. Calling it again does nothing more."""
        if self._recording is None:
            intercept.ignore(self)
            for handle in self._handles:
                handle.remove()
            self._disarm()
            if self._failed:
                ended = f"{ended}; watched until step {self.step}: {self._failed}"
            else:
                if self._stepped and not self._stepping:
                    self._finish_step()
                self._end_evaluation()
                self._finite.read_late()
            with contextlib.suppress(*((Exception,) if self._failed else ())):  # what was seen until then
                self._write_down()
            self._recording = self._journal.close(ended)
        return self._recording

    def give_up(self, error: Exception) -> None:
        """An error of ours: the watch ends here, with a warning; the training goes on."""
        if error is self._meant:
            raise error
        if not self._failed:
            self._failed = f"{type(error).__name__}: {error}"
            intercept.ignore(self)
            for hook in self._hooks:
                hook.stop()
            self._probe.stop()  # the end of the forward that is running, if any, lets go of the rest
            said = f"trainclinic stopped watching at step {self.step} ({self._failed}); the training goes on"
            warnings.warn(f"{said}. Please report it.", RuntimeWarning, stacklevel=3)

    @property
    def recording(self) -> Recording:
        """What has been seen so far."""
        if self._recording is not None:
            return self._recording
        self._write_down()
        return self._journal.file.recording()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif issubclass(kind, KeyboardInterrupt):
            self.close("interrupted")
        elif issubclass(kind, TrainingStoppedError):
            self.close(f"stopped: {error}")
        else:
            self.close(f"error: {kind.__name__}: {error}")

    def _repr_html_(self) -> str:
        from trainclinic.diagnose.diagnose import diagnose  # a notebook shows the diagnosis; nothing else needs it

        return diagnose(self.recording)._repr_html_()

    # -- what the user tells

    def validate(self, **figures: float) -> None:
        """Record validation figures at the present step, such as `loss=0.3, accuracy=0.9`.

        From the first call on, evaluations are no longer recognised by themselves.
        """
        self._told_validation = True
        self._round.clear()
        self._journal.validation(self.step, {name: float(value) for name, value in figures.items()})

    def began(self, args: tuple[Any, ...]) -> None:
        """The model's forward is already running with these arguments: the hooks just set were too late for it."""
        self._before_forward(self.model, args, {})

    # -- one step, in the order in which it happens

    def _plan(self) -> None:
        """Decide what to look at in the coming step."""
        self._full, self._next_full = self._next_full, self._schedule(self.step + 1)
        self._in_window = self._windows.update(self.step)
        self.wants_losses = self._full
        self._loss = None
        self._passes = self._training_passes = self._closure_passes = 0
        self._stepping = False
        self._stepped.clear()

    def _before_forward(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not torch.is_grad_enabled():
            self._journal.modes.evaluation(model)
            self._round.passes += 1
            self.wants_losses = self._full or not self._told_validation
            return
        if self._stepping or self._stepped or self._round.passes or not self._seen_pass:
            self._begin_training_pass()
        self._passes += 1
        self._training_passes += model.training
        self._finite.begin_pass(args, kwargs)
        if (self._full or self._in_window) and self._closure_passes < 2:  # of several points, the first is looked at
            self._begin_look(model, (*args, *kwargs.values()))

    def _begin_training_pass(self) -> None:
        """After anything else than a training step."""
        if self._stepping:
            self._closure_passes += 1
        elif self._stepped:
            self._finish_step()
        self._end_evaluation()
        if not self._seen_pass:
            self._seen_pass = True
            self._loss, self._device_losses = None, []  # were another model's
            self._journal.loss.clear()

    def _begin_look(self, model: nn.Module, given: tuple[Any, ...]) -> None:
        if not self._compiled:
            if self._end_handle is None:
                self._end_handle = model.register_forward_hook(self._end_hook, always_call=True)
            self._probe.arm()
            self._probe.begin(full=self._full, units=self._in_window)
        if self._full:
            self._journal.modes.look()
            self._journal.see_inputs(first_tensor(given))

    def _disarm(self) -> None:
        if self._end_handle is not None:
            self._end_handle.remove()
            self._end_handle = None
            self._probe.disarm()

    def _after_pass(self, model: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._finite.end_pass(output)

    def _after_forward(self, model: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if self._probe.running:
            self._probe.end(output)
            seen = first_tensor(output)
            if self._full and seen is not None and seen.is_floating_point():
                self._seen_output = seen.detach()  # looked at only where no loss function shows itself

    def after_loss(self, name: str, output: Tensor, target: Tensor, loss: Tensor) -> None:
        """A loss function was computed: training when it has a gradient, else part of an evaluation."""
        if not loss.requires_grad:
            if not self._told_validation:
                self._round.add(name, output, target, loss)
        elif self._full and self._passes:
            self._outputs, self._targets = Moments.of(output), Moments.of(target)
            self._journal.see_loss(name, output, target)

    def _after_loss_module(self, module: nn.Module, args: tuple[Any, ...], loss: Any) -> None:
        if len(args) == 2 and all(isinstance(item, Tensor) for item in (*args, loss)):
            self.after_loss(type(module).__name__, *args, loss)

    def before_backward(self, loss: Any) -> None:
        """The loss is about to be differentiated."""
        if (not self._passes and self._seen_pass) or self._closure_passes > 1:
            return  # another model's loss, or a further point that the optimizer tries
        tensor = loss if isinstance(loss, Tensor) else first_tensor(loss)
        if tensor is None or tensor.numel() != 1:
            return
        value = tensor.item() if tensor.is_cpu else None
        if value is None:
            self._device_losses.append(tensor.detach())
        else:
            self._loss = (self._loss or 0.0) + value
        self._finite.before_backward(tensor, value)
        if self._stepping and value is not None:
            self._finite.in_closure(self.step, value)
            self._tell()
        if self._full:
            self._journal.see_backward(tensor)

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self._stepping = True
        if self._stepped:
            return
        self._stepped.add(id(optimizer))
        self._finite.before_step(self.step, self._loss)
        if self._full:
            self._parameters.before(self.step)
        elif self._next_full:
            self._parameters.remember(self.step)
        self._tell()

    def _tell(self) -> None:
        """Say it now, where a person asked to be told; what they raise in answer is theirs."""
        if self._live is None or self._told or self._finite.first is None:
            return
        self._told = True
        self._write_down()
        try:
            self._live.tell(self._journal.file.recording())
        except Exception as error:
            self._meant = error
            self._stepping = self._full = self._next_full = False  # the update is not made
            raise

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self._stepping = False
        self._stepped.add(id(optimizer))
        if self._closure_passes:
            self._after_closure()
        self._finite.after_step()
        if len(self._stepped) == len(self._optimizers):
            self._finish_step()

    def _after_closure(self) -> None:
        """The optimizer ran the model within its step: what it started from is known only now."""
        self._finite.before_step(self.step, self._loss, moved=True)
        if self._full:
            self._parameters.again(self.step)
        elif self._next_full:
            self._parameters.remember(self.step)
        self._tell()

    def _finish_step(self) -> None:
        if self._device_losses:
            self._loss = sum(to_floats(self._device_losses))
            self._device_losses = []
        self._journal.step(self.step, self._loss, self._passes, self._training_passes)
        if self._full:
            self._finish_look()
        if self._in_window:
            self._finish_window_step()
        self.step += 1
        self._plan()
        if self._end_handle is not None and not (self._full or self._in_window):
            self._disarm()
        if self._journal.file.due:
            self._write_down(only_news=True)
            self._journal.file.flush()

    def _finish_look(self) -> None:
        layers = self._probe.collect() if self._passes else {}
        if self._outputs is None and self._seen_output is not None:
            self._outputs = Moments.of(self._seen_output)
        parameters = self._parameters.after()
        rates = tuple(float(group["lr"]) for optimizer in self._optimizers for group in optimizer.param_groups)
        run = RunStep(rates, parameters.all_gradient_norms, self._outputs, self._targets)
        self._journal.sample(self.step, layers, parameters, run)
        self._outputs = self._targets = self._seen_output = None

    def _finish_window_step(self) -> None:
        units = self._probe.dead_units
        if units.complete:
            self._journal.units(self.step, units.take())
        if not units.started:  # complete, or a model without ReLU
            self._windows.finish(self.step)

    def _end_evaluation(self) -> None:
        figures = self._round.figures()
        self.wants_losses = self._full
        if figures:
            self._journal.validation(self.step, figures)

    def _write_down(self, *, only_news: bool = False) -> None:
        self._journal.put(self.step, self._probe, self._finite, only_news=only_news)


def _checked(model: Any, optimizer: Any, every: Any) -> list[Optimizer]:
    if not isinstance(model, nn.Module):
        raise SetupError(f"model: expected a torch.nn.Module, got {type(model).__name__}; pass the network itself")
    own = {id(parameter) for parameter in model.parameters()}
    if not own:
        raise SetupError(f"model: expected a module with parameters, {type(model).__name__} has none; "
                         "pass the network that is trained")  # fmt: skip
    if any(isinstance(parameter, UninitializedParameter) for parameter in model.parameters()):
        raise SetupError(f"model: expected parameters of known shape, {type(model).__name__} has lazy ones; "
                         "run one batch through it before it is watched")  # fmt: skip
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
