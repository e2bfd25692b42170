"""Watch: attach to a training, look at sampled steps, write what was seen, let go without a trace."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch.optim import Optimizer

from trainclinic import catalog
from trainclinic.clinic_file import ClinicFile
from trainclinic.errors import SetupError
from trainclinic.measure import intercept, loss_graph
from trainclinic.measure.evaluation import EvaluationRound
from trainclinic.measure.facts import InputFacts, ModeFacts, ParameterFacts, TargetFacts
from trainclinic.measure.finite import FiniteCheck
from trainclinic.measure.foreign import ForeignParameters
from trainclinic.measure.hook import Hook
from trainclinic.measure.layers import SIGNALS, LayerProbe, first_tensor
from trainclinic.measure.parameters import ParameterProbe, ParameterStep
from trainclinic.measure.reductions import norms, to_floats
from trainclinic.measure.run_step import Moments, RunStep
from trainclinic.measure.schedule import UnitWindows, default_schedule, every_step
from trainclinic.measure.signal import ParameterSignal, RunSignal
from trainclinic.recording import Layer, Recording

Optimizers = Optimizer | Sequence[Optimizer]


class Watch:
    """A training being watched; made by `trainclinic.watch`, closed by leaving its `with` block or by `close()`."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizers,
        loss_fn: Callable[..., Any] | None = None,
        *,
        path: str | Path | None = None,
        every: int | None = None,
        training_samples: int | None = None,
    ) -> None:
        self.model = model
        self._optimizers = _checked(model, optimizer, every)
        self._file = ClinicFile(path)
        self._dense, self._sampled = self._file.stream("step"), self._file.stream("sample")
        self._units_stream, self._validations = self._file.stream("units"), self._file.stream("validation")
        self._dense.column("loss")
        self._dense.column("training_mode")
        self._probe = LayerProbe(model, training_samples)
        self._parameters = ParameterProbe(model)
        self._finite = FiniteCheck(self._parameters.names, self._parameters.parameters)
        self._parameter_facts = ParameterFacts(self._parameters.names, self._parameters.parameters, self._optimizers)
        held = (p for one in self._optimizers for group in one.param_groups for p in group["params"])
        self._foreign = ForeignParameters({id(p) for p in (*model.parameters(), *held)})
        self._modes, self._inputs, self._targets_facts = ModeFacts(model), InputFacts(), TargetFacts()
        self._round = EvaluationRound()
        entries = catalog.entries(SIGNALS).values()
        self._parameter_signals = [entry() for entry in entries if issubclass(entry, ParameterSignal)]
        self._run_signals = [entry() for entry in entries if issubclass(entry, RunSignal)]
        self._units = {"loss": "1", "training_mode": "1"} | {entry.id(): entry.unit for entry in entries}

        self.step = 0  # optimizer steps done
        self._schedule = default_schedule() if every is None else every_step(every)
        self._windows = UnitWindows()
        self._next_full = self._schedule(0)
        self._cleared_looks, self._stale = 0, 0
        self._loss_facts: dict[str, Any] = {}
        self._batch_size = 0
        self._looked = False  # since the facts were last written
        self._told_validation = False  # the user calls `validate`
        self._compiled = hasattr(model, "_orig_mod")
        self._recording: Recording | None = None
        self._handles: list[Any] = []
        self._end_handle: Any = None  # on the end of the root's forward, in steps that are looked at
        self._plan()
        self._attach(loss_fn)

    # -- attaching and letting go

    def _attach(self, loss_fn: Callable[..., Any] | None) -> None:
        model = self.model
        self._handles = [
            model.register_forward_pre_hook(Hook(self._before_forward), with_kwargs=True),
        ]
        for optimizer in self._optimizers:
            self._handles.append(optimizer.register_step_pre_hook(Hook(self._before_step)))
            self._handles.append(optimizer.register_step_post_hook(Hook(self._after_step)))
        if isinstance(loss_fn, nn.Module) and not type(loss_fn).__module__.startswith("torch.nn.modules"):
            self._handles.append(loss_fn.register_forward_hook(Hook(self._after_loss_module)))
        self._file.put("environment", _environment(model, self._optimizers))
        intercept.listen(self)

    def close(self, ended: str = "completed") -> Recording:
        """Stop watching: every hook is removed, the file is complete. Calling it again does nothing more."""
        if self._recording is None:
            intercept.ignore(self)
            for handle in self._handles:
                handle.remove()
            self._disarm()
            if self._stepped and not self._stepping:
                self._finish_step()
            self._end_evaluation()
            self._put_facts()
            self._file.put("ended", ended)
            self._recording = self._file.close()
        return self._recording

    @property
    def recording(self) -> Recording:
        """What has been seen so far."""
        if self._recording is not None:
            return self._recording
        self._put_facts()
        return self._file.recording()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif issubclass(kind, KeyboardInterrupt):
            self.close("interrupted")
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
        self._add_validation({name: float(value) for name, value in figures.items()})

    def began(self, args: tuple[Any, ...]) -> None:
        """The model's forward is already running with these arguments: the hooks just set were too late for it."""
        self._before_forward(self.model, args, {})

    # -- one step, in the order in which it happens

    def _plan(self) -> None:
        """Decide what to look at in the coming step."""
        self._full, self._next_full = self._next_full, self._schedule(self.step + 1)
        self._in_window = self._windows.update(self.step)
        self._passes, self._training_passes = 0, 0
        self._loss: float | None = None
        self._device_losses: list[Tensor] = []
        self._cleared = False
        self._outputs: Moments | None = None
        self._seen_output: Tensor | None = None
        self._targets: Moments | None = None
        self._stepped: set[int] = set()
        self._stepping = False  # inside an optimizer's step
        self._closure_passes = 0  # that it ran itself

    def _before_forward(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not torch.is_grad_enabled():
            self._modes.evaluation(model)
            self._round.passes += 1
            return
        if self._stepping:
            self._closure_passes += 1
        elif self._stepped:
            self._finish_step()
        self._end_evaluation()
        if self._modes.passes == _NO_PASSES:
            self._loss, self._device_losses, self._loss_facts = None, [], {}  # were another model's
        self._passes += 1
        self._training_passes += model.training
        self._modes.training_pass(model)
        if self._closure_passes > 1:
            return  # of a step that tries several points, the first is looked at
        if (self._full or self._in_window) and not self._compiled:
            if self._end_handle is None:
                self._end_handle = model.register_forward_hook(Hook(self._after_forward), always_call=True)
            self._probe.arm()
            self._probe.begin(full=self._full, units=self._in_window)
        if self._full:
            self._modes.look()
            self._see_inputs((*args, *kwargs.values()))

    def _disarm(self) -> None:
        if self._end_handle is not None:
            self._end_handle.remove()
            self._end_handle = None
            self._probe.disarm()

    def _after_forward(self, model: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if self._probe.running:
            self._probe.end(output)
            seen = first_tensor(output)
            if self._full and seen is not None and seen.is_floating_point():
                self._seen_output = seen.detach()  # looked at only where no loss function shows itself

    def wants_loss(self, loss: Tensor) -> bool:
        """Whether `after_loss` would do anything: asked at every step."""
        return self._full if loss.requires_grad else bool(self._round.passes) and not self._told_validation

    def after_loss(self, name: str, output: Tensor, target: Tensor, loss: Tensor) -> None:
        """A loss function was computed: training when it has a gradient, else part of an evaluation."""
        if not loss.requires_grad:
            if not self._told_validation:
                self._round.add(name, output, target, loss)
        elif self._full and self._passes:
            self._outputs, self._targets = Moments.of(output), Moments.of(target)
            self._targets_facts.update(target)
            facts = {"name": name, "output_shape": list(output.shape), "target_shape": list(target.shape)}
            self._loss_facts |= facts | {"target_dtype": str(target.dtype).removeprefix("torch.")}

    def _after_loss_module(self, module: nn.Module, args: tuple[Any, ...], loss: Any) -> None:
        if len(args) == 2 and all(isinstance(item, Tensor) for item in (*args, loss)):
            self.after_loss(type(module).__name__, *args, loss)

    def before_backward(self, loss: Any) -> None:
        """The loss is about to be differentiated."""
        tensor = first_tensor(loss)
        if tensor is None or tensor.numel() != 1 or (not self._passes and self._modes.passes != _NO_PASSES):
            return  # another model's loss
        if self._closure_passes > 1:
            return
        if tensor.device.type == "cpu":
            self._loss = (self._loss or 0.0) + tensor.item()
        else:
            self._device_losses.append(tensor.detach())
        if self._full:
            self._cleared = self._cleared or self._gradients_are_clear()
            if not self._loss_facts.get("graph"):
                self._loss_facts["graph"] = loss_graph.describe(tensor)
            self._foreign.look(tensor)

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

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self._stepping = False
        self._stepped.add(id(optimizer))
        if self._closure_passes:
            self._after_closure()
        if len(self._stepped) == len(self._optimizers):
            self._finish_step()

    def _after_closure(self) -> None:
        """The optimizer ran the model within its step: what it started from is known only now."""
        self._finite.before_step(self.step, self._loss)
        if self._full:
            self._parameters.again(self.step)
        elif self._next_full:
            self._parameters.remember(self.step)

    def _finish_step(self) -> None:
        if self._device_losses:
            self._loss = sum(to_floats(self._device_losses))
        mode = self._training_passes / self._passes if self._passes else math.nan
        self._dense.append(self.step, [math.nan if self._loss is None else self._loss, mode])
        if self._full:
            self._record_sample(self._parameters.after())
        if self._in_window:
            self._record_units()
        self.step += 1
        self._plan()
        if not (self._full or self._in_window):
            self._disarm()
        if self._file.due:
            if self._looked:  # facts change with the looks; a large model's are not free to write
                self._put_facts()
            self._file.put("steps", self.step)
            self._file.flush()

    # -- recording

    def _record_sample(self, parameters: ParameterStep) -> None:
        values = self._probe.collect() if self._passes else {}
        for signal in self._parameter_signals:
            name = signal.name
            for weight, value in zip(parameters.weights, signal.values(parameters), strict=True):
                values[name, weight.name] = value
        if self._outputs is None and self._seen_output is not None:
            self._outputs = Moments.of(self._seen_output)
        run = RunStep(
            tuple(float(group["lr"]) for optimizer in self._optimizers for group in optimizer.param_groups),
            parameters.all_gradient_norms,
            self._outputs,
            self._targets,
        )
        for entry in self._run_signals:
            values |= {(entry.name, place): value for place, value in entry.values(run).items()}
        self._append(self._sampled, values)
        self._parameter_facts.update(parameters.all_gradient_norms, parameters.all_changed)
        self._looked = True
        if self.step:
            self._cleared_looks += 1
            self._stale += not self._cleared

    def _record_units(self) -> None:
        units = self._probe.dead_units
        if units.complete:
            signal = units.id()
            self._append(self._units_stream, {(signal, layer): value for layer, value in units.take().items()})
        if not units.started:  # complete, or a model without ReLU
            self._windows.finish(self.step)

    def _append(self, stream: Any, values: dict[tuple[str, str], float]) -> None:
        columns = [stream.column(*pair) for pair in values]
        row = [math.nan] * len(stream.columns)
        for column, value in zip(columns, values.values(), strict=True):
            row[column] = value
        stream.append(self.step, row)

    def _see_inputs(self, given: tuple[Any, ...]) -> None:
        inputs = first_tensor(given)
        if inputs is not None and inputs.ndim:
            self._batch_size = self._batch_size or len(inputs)
            if not self._inputs.enough:
                self._inputs.update(inputs)

    def _gradients_are_clear(self) -> bool:
        """Of what the optimizers hold; zero_grad does not reach what they do not hold."""
        groups = (group for optimizer in self._optimizers for group in optimizer.param_groups)
        held = [p.grad for group in groups for p in group["params"] if p.grad is not None and not p.grad.is_sparse]
        return not any(to_floats(norms(held)))

    def _end_evaluation(self) -> None:
        figures = self._round.figures()
        if figures:
            self._add_validation(figures)

    def _add_validation(self, figures: dict[str, float]) -> None:
        values = {(f"validation_{name}", ""): value for name, value in figures.items()}
        self._units |= {signal: "1" for signal, _ in values}
        self._append(self._validations, values)

    def _put_facts(self) -> None:
        self._looked = False
        facts = {
            "batch_size": self._batch_size,
            "parameters": self._parameter_facts.entries,
            "modes": self._modes.to_dict(),
            "gradient_cleared": {"looks": self._cleared_looks, "stale": self._stale},
            "loss": self._loss_facts,
            "inputs": self._inputs.to_dict(),
            "targets": self._targets_facts.to_dict(),
            "non_finite": self._finite.first,
            "compiled": self._compiled,
            "first_module": self._probe.first_module,
            "foreign": self._foreign.to_list(),
        }
        self._file.put("steps", self.step)
        self._file.put("units", self._units)
        self._file.put("facts", facts)
        self._file.put("layers", [asdict(layer) for layer in self._layers()])

    def _layers(self) -> list[Layer]:
        """Executed layers in their order, each weight's own entry behind; weights that never ran come last."""
        found = dict(self._probe.layers)
        for weight in self._parameters.weights:
            if weight.name not in found:
                last = len(found)
                found[weight.name] = Layer(weight.name, weight.kind, "weight", weight.size, weight.shape, last)
        return [replace(layer, position=position) for position, layer in enumerate(found.values())]


_NO_PASSES = {"train": 0, "eval": 0}


def watch(
    model: nn.Module,
    optimizer: Optimizers,
    loss_fn: Callable[..., Any] | None = None,
    *,
    path: str | Path | None = None,
    every: int | None = None,
) -> Watch:
    """Watch a training loop, as it is.

    Args:
        model: the network that is trained.
        optimizer: the optimizer that steps, or a sequence of them.
        loss_fn: the loss, module or function; optional: PyTorch's own losses are recognised without it.
        path: where the recording is written (`.clinic`); without it the recording lives as long as the Watch.
        every: look at each `every`-th step [optimizer steps]; None samples densely at first and sparsely later.

    Returns:
        A Watch: use it as a context manager, or call `close()`.

    Raises:
        SetupError: `model` is no module or has no parameters, or `optimizer` holds none of them.
        RecordingError: `path` cannot be written or is another kind of file.
    """
    return Watch(model, optimizer, loss_fn, path=path, every=every)


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


def _environment(model: nn.Module, optimizers: list[Optimizer]) -> dict[str, Any]:
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": str(next(model.parameters()).device),
        "threads": torch.get_num_threads(),
        "model": type(model).__name__,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "optimizer": ", ".join(type(optimizer).__name__ for optimizer in optimizers),
    }
