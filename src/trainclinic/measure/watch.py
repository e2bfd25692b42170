"""Watch: attach to a training, look at sampled steps, let go without a trace. What is seen goes to the Journal."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer

from trainclinic.errors import TrainingStoppedError, warn
from trainclinic.measure import intercept
from trainclinic.measure.accumulation import Accumulation
from trainclinic.measure.arguments import Optimizers, checked
from trainclinic.measure.compiled import CompiledCall, ShadowLook, compiled_forms, has_compiled_part
from trainclinic.measure.evaluation import EvaluationRound, answered_rightly
from trainclinic.measure.finite import FiniteCheck
from trainclinic.measure.hook import Hook
from trainclinic.measure.journal import Journal
from trainclinic.measure.layers import LayerProbe, first_tensor
from trainclinic.measure.live import Live
from trainclinic.measure.optimizers import Trainers, gradient_scale, held
from trainclinic.measure.parameters import ParameterProbe
from trainclinic.measure.parts import Parts
from trainclinic.measure.run_step import Moments, RunStep, between_samples
from trainclinic.measure.schedule import UnitWindows, default_schedule, every_step
from trainclinic.measure.shadow import uncompiled
from trainclinic.measure.steady import Steady
from trainclinic.recording import Recording


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
        optimizers = checked(model, optimizer, every)
        self._root = uncompiled(model)
        self._parts = Parts(self._root)
        self._has_compiled_part = has_compiled_part(self._root)
        self._probe = LayerProbe(self._root, self.give_up, training_samples)
        self._parameters = ParameterProbe(self._root)
        self._live = live
        self._finite = FiniteCheck(self._root, self._parameters.names, self._parameters.parameters)
        self._journal = Journal(path, self._root, optimizers, self._parameters, training_samples)
        self._round = EvaluationRound()

        self.step = 0  # optimizer steps done
        self.wants_losses = True
        self._following = default_schedule if every is None else every_step(every)
        self._next_look = 0
        self._windows = UnitWindows()
        self._trainers = Trainers(self._root, optimizers)
        self._so_far = Accumulation()  # of the present step
        self._so_far.watch(self._parameters.parameters)
        self._steps_before_scaler = 0
        self._outputs: Moments | None = None
        self._targets: Moments | None = None
        self._spread: Tensor | None = None  # between the outputs of different samples
        self._right: Tensor | None = None  # of the answers
        self._seen_output: Tensor | None = None
        self._seen_pass = False  # of this model, at any time
        self._closure_passes = 0  # that an optimizer ran itself, inside its step
        self._told_validation = False  # the user calls `validate`
        self._told = False  # of the first number that is not finite
        self._meant: Exception | None = None  # raised in answer to a finding: it is for the user
        self._shadow_looks: list[ShadowLook] = []  # at passes not yet differentiated
        self._failed = ""  # the error of ours that ended the watch
        self._recording: Recording | None = None
        self._hooks: list[Hook] = []
        self._end_hook = Hook(self._after_forward, self.give_up)
        self._handles: list[Any] = []
        self._end_handles: list[Any] = []  # on the end of the model's forward, in steps that are looked at
        self._forms: list[nn.Module] = []  # the model, and what torch.compile has made of it
        self._compiled_call = CompiledCall(self._root, self._hook(self._before_forward), self._hook(self._after_call))
        self.plan()
        self._attach(loss_fn)

    # -- attaching and letting go

    def _hook(self, function: Callable[..., Any]) -> Hook:
        self._hooks.append(Hook(function, self.give_up))
        return self._hooks[-1]

    def _attach(self, loss_fn: Callable[..., Any] | None) -> None:
        for form in (self._root, *compiled_forms(self._root)):
            self._attach_to(form)
        self._compiled_call.attach()
        self._handles.append(self._compiled_call)
        if isinstance(loss_fn, nn.Module) and not type(loss_fn).__module__.startswith("torch.nn.modules"):
            self._handles.append(loss_fn.register_forward_hook(self._hook(self._after_loss_module)))
        intercept.listen(self)

    def _attach_to(self, form: nn.Module) -> None:
        self._forms.append(form)
        before, after = self._hook(self._before_forward), self._hook(self._finite.end_pass)
        self._handles.append(form.register_forward_pre_hook(before, with_kwargs=True))
        self._handles.append(form.register_forward_hook(after))
        if form is self._root:
            self._steady = Steady(self, self._so_far, self._finite, self._trainers, self._journal, before, after)

    def after_compile(self, given: Any, compiled: Any) -> Any:
        """`torch.compile` was called: the watched model's compiled form is watched too."""
        self._steady.leave()
        if isinstance(compiled, nn.Module) and compiled is not given and uncompiled(compiled) is self._root:
            self._attach_to(compiled)
        elif getattr(given, "__self__", None) is self._root and getattr(given, "__name__", "") == "_call_impl":
            return self._compiled_call.wrap(compiled)
        return compiled

    def close(self, ended: str = "completed") -> Recording:
        """Stop watching: every hook is removed, the file is complete. Calling it again does nothing more."""
        if self._recording is None:
            if not self._failed:
                self._steady.leave()
            intercept.ignore(self)
            for handle in self._handles:
                handle.remove()
            self._disarm()
            if self._failed:
                ended = f"{ended}; watched until step {self.step}: {self._failed}"
            else:
                if self._trainers.stepped and not self._trainers.stepping:
                    self._finish_step()
                self._end_evaluation()
            with contextlib.suppress(*((Exception,) if self._failed else ())):  # what was seen until then
                self._write_down(final=True)
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
            warn(f"{said}. Please report it.", stacklevel=3)

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
        self._told_validation = self._journal.told_validation = True
        self._round.clear()
        self._journal.validation(self.step, {name: float(value) for name, value in figures.items()})

    def began(self, args: tuple[Any, ...]) -> None:
        """The model's forward is already running with these arguments: the hooks just set were too late for it."""
        self._before_forward(self.model, args, {})

    # -- one step, in the order in which it happens

    def plan(self) -> None:
        """Decide what to look at in the coming step."""
        self._full = self.step == self._next_look
        if self._full:
            self._next_look = self._following(self.step)
        self._next_full = self.step + 1 == self._next_look
        self._in_window = self._windows.update(self.step)
        self._begin_step()

    def _begin_step(self) -> None:
        self.wants_losses = self._full
        self._so_far.clear()
        self._closure_passes = 0
        self._shadow_looks = []
        self._trainers.begin_step()

    def _before_forward(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._compiled_call.running:
            return
        if not torch.is_grad_enabled():
            self._journal.modes.evaluation(model)
            self._journal.begin_evaluation_pass((*args, *kwargs.values()), first=not self._round.passes)
            self._round.passes += 1
            self.wants_losses = True
            return
        if self._trainers.stepping or self._trainers.stepped or self._round.passes or not self._seen_pass:
            self._begin_training_pass()
        if self._so_far.forward(training=model.training) and self._full:
            self._probe.mark()
        self._finite.begin_pass(args, kwargs)
        if (self._full or self._in_window) and self._closure_passes < 2:  # of several points, the first is looked at
            self._begin_look(args, kwargs)

    def _begin_training_pass(self) -> None:
        """After anything else than a training step."""
        if self._trainers.stepping:
            self._closure_passes += 1
        elif self._trainers.stepped:
            self._finish_step()
        self._end_evaluation()
        if not self._seen_pass:
            self._seen_pass = True
            self._so_far.clear()  # was another model's
            self._journal.loss.clear()

    def _begin_look(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self._end_handles:
            self._end_handles = [form.register_forward_hook(self._end_hook, always_call=True) for form in self._forms]
        changed = self._parts.changed()
        if changed:
            self._has_compiled_part = has_compiled_part(self._root)
        if self._has_compiled_part or len(self._forms) > 1:
            look = ShadowLook(self._root, self._probe)
            self._journal.not_seen = look.forward(args, kwargs, full=self._full, units=self._in_window)
            self._shadow_looks.append(look)
        else:
            self._probe.arm(changed=changed)
            self._probe.begin(full=self._full, units=self._in_window)
        if self._full:
            self._journal.modes.look()
            self._journal.see_inputs(first_tensor((*args, *kwargs.values())))

    def _disarm(self) -> None:
        for handle in self._end_handles:
            handle.remove()
        self._end_handles.clear()
        self._probe.disarm()

    def _after_call(self, model: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._finite.end_pass(model, args, output)
        self._after_forward(model, args, output)

    def _after_forward(self, model: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if self._probe.is_other_thread:
            return
        if self._probe.running:
            self._probe.end(output)
        elif self._shadow_looks and torch.is_grad_enabled():
            self._journal.not_seen = self._shadow_looks[-1].follow(output, self._hook)
        else:
            return
        seen = first_tensor(output)
        if self._full and seen is not None and seen.is_floating_point():
            self._seen_output = seen.detach()  # looked at only where no loss function shows itself

    def after_loss(self, name: str, output: Tensor, target: Tensor, loss: Tensor) -> None:
        """A loss function was computed: training when it has a gradient, else part of an evaluation."""
        if not loss.requires_grad:
            if self._round.passes and not torch.is_grad_enabled():
                self._journal.see_evaluation(name, output, target)
            if not self._told_validation:
                self._round.add(name, output, target, loss)
        elif self._full and self._so_far.passes and self._closure_passes < 2 and not self._so_far.is_other_thread:
            self._outputs, self._targets = Moments.of(output), Moments.of(target)
            self._spread = between_samples(output) if self._outputs else None
            self._right = answered_rightly(name, output.detach(), target)
            self._journal.see_loss(name, output, target)

    def _after_loss_module(self, module: nn.Module, args: tuple[Any, ...], loss: Any) -> None:
        if len(args) == 2 and all(isinstance(item, Tensor) for item in (*args, loss)):
            self.after_loss(type(module).__name__, *args, loss)

    def after_scale(self, loss: Tensor, scaled: Tensor, scaler: GradScaler) -> None:
        """A GradScaler has scaled a loss: what is recorded is the loss, and gradients as they are without the scale."""
        self._steady.leave()
        self._so_far.scale(loss, scaled, scaler)

    def before_backward(self, loss: Any) -> None:
        """The loss is about to be differentiated."""
        so_far = self._so_far
        if (not so_far.passes and self._seen_pass) or self._closure_passes > 1 or so_far.is_other_thread:
            return  # another model's loss, or a further point that the optimizer tries
        tensor = loss if isinstance(loss, Tensor) else first_tensor(loss)
        if tensor is None or tensor.numel() != 1:
            return
        if not self._trainers.stepped and so_far.was_cleared():
            so_far.start_over()
            self._probe.start_over()
            self._finite.start_over(so_far.passes)
        value = so_far.before_backward(tensor)
        if not self._finite.before_backward(tensor, value) and self._trainers.stepping:
            self._finite.in_closure(self.step, tensor.item())
            self._tell()
        if self._full:
            self._journal.before_backward()
            self._probe.in_backward = True

    def after_backward(self, loss: Any) -> None:
        """It has been differentiated."""
        self._probe.in_backward = False
        if self._so_far.is_other_thread or not self._so_far.after_backward():
            return
        if self._full:
            self._journal.see_loss_graph(loss if isinstance(loss, Tensor) else first_tensor(loss))
        looks, self._shadow_looks = self._shadow_looks, []
        for look in looks:
            look.backward()

    def before_step(self, optimizer: Optimizer) -> None:
        """An optimizer is about to step."""
        if not self._trainers.before_step(optimizer):
            return
        if self._trainers.stepped:  # there may have been a backward since the other one's step
            if self._full:
                only = {id(parameter) for parameter in held(optimizer)}
                self._parameters.again(self.step, only, gradient_scale(optimizer))
            return
        self._finite.before_step(self.step, self._loss_so_far(), guarded="found_inf" in optimizer.__dict__)
        if self._full:
            self._list_parameters()
            self._parameters.before(self.step, gradient_scale(optimizer))
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
            self._trainers.leave()
            self._full = self._next_full = False  # the update is not made
            raise

    def _loss_so_far(self) -> float | None:
        """On a device it is read before the update only for who wants to be told then."""
        return self._so_far.loss if self._live is None else self._so_far.settle()

    def after_step(self, optimizer: Optimizer) -> None:
        """It has stepped."""
        if not self._trainers.after_step(optimizer):
            return
        if self._closure_passes:
            self._after_closure()
        self._finite.after_step()
        if self._trainers.all_stepped:
            is_usual = self._so_far.is_usual
            self._finish_step()
            if is_usual and self._is_plain:
                self._steady.enter(until=min(self._next_look - 1, self._windows.begin))

    def _after_closure(self) -> None:
        """The optimizer ran the model within its step: what it started from is known only now."""
        self._finite.before_step(self.step, self._loss_so_far(), moved=True)
        if self._full:
            self._parameters.again(self.step)
        elif self._next_full:
            self._parameters.remember(self.step)
        self._tell()

    def before_scaler_step(self, optimizer: Optimizer) -> None:
        """A GradScaler is about to let an optimizer step, if its gradients are finite."""
        self._steady.leave()
        self._steps_before_scaler = self._trainers.steps

    def after_scaler_step(self, optimizer: Optimizer) -> None:
        """A GradScaler that found infinite gradients lets no optimizer step: as if the batch had not been."""
        self._steady.leave()
        if self._trainers.steps == self._steps_before_scaler and self._trainers.holds(optimizer):
            self._journal.skipped += 1
            self._probe.discard()
            self._outputs = self._targets = self._seen_output = None
            self._begin_step()

    def _finish_step(self) -> None:
        so_far = self._so_far
        loss = so_far.settle()
        self._finite.finish_step(self.step, loss)
        self._journal.step(self.step, loss, so_far.passes, so_far.training_passes)
        if self._full:
            self._finish_look()
        if self._in_window:
            self._finish_window_step()
        self.step += 1
        self.plan()
        if self._end_handles and not (self._full or self._in_window):
            self._disarm()
        if self._journal.file.due:
            self.write_news()

    @property
    def _is_plain(self) -> bool:
        """Whether the coming step is not looked at, no evaluation is going on, and nothing is compiled."""
        compiled = self._has_compiled_part or len(self._forms) > 1 or self._compiled_call.is_wrapped
        return not (self._full or self._next_full or self._in_window or self._round.passes or compiled)

    def _finish_look(self) -> None:
        scaler = self._so_far.scaler
        layers = self._probe.collect(scaler.get_scale() if scaler else 1.0) if self._so_far.passes else {}
        if not self._so_far.passes:
            self._journal.not_seen = "no call of the model was seen: it may run inside a compiled function"
        if self._outputs is None and self._seen_output is not None:
            self._outputs, self._spread = Moments.of(self._seen_output), between_samples(self._seen_output)
        parameters = self._parameters.after(self._trainers.waiting)
        rates = tuple(float(group["lr"]) for one in self._trainers.optimizers for group in one.param_groups)
        run = RunStep(
            rates,
            parameters.all_gradient_norms,
            self._outputs,
            self._targets,
            parameters.all_sharded,
            math.nan if self._spread is None else float(self._spread),
            math.nan if self._right is None else float(self._right.float().mean()),
            parameters.fingerprints,
        )
        self._journal.sample(self.step, layers, parameters, run, self._trainers.stepped)
        self._outputs = self._targets = self._seen_output = self._spread = self._right = None

    def _list_parameters(self) -> None:
        """Models grow, and lazy ones get their shapes with the first batch."""
        if self._parameters.is_current(self._root):
            return
        self._parameters = ParameterProbe(self._root)
        self._finite.watch(self._parameters.names, self._parameters.parameters)
        self._so_far.watch(self._parameters.parameters)
        self._journal.parameters_are(self._root, self._parameters)
        self._trainers.forget_foreign()

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

    def write_news(self) -> None:
        """Write to the disk what is new."""
        self._write_down(only_news=True)
        self._journal.file.flush()

    def _write_down(self, *, only_news: bool = False, final: bool = False) -> None:
        self._journal.put(self.step, self._probe, self._finite, only_news=only_news, final=final)
