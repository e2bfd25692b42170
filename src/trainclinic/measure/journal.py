"""Journal: what a watch has seen, put into words and numbers and into the file."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Set
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch.optim import Optimizer

from trainclinic import catalog
from trainclinic.clinic_file import ClinicFile, Stream
from trainclinic.measure import loss_graph
from trainclinic.measure.answers import Answers
from trainclinic.measure.data_card import DataSample
from trainclinic.measure.distributed import gathered, local, own_class, own_path, unwrapped
from trainclinic.measure.evaluation import ByClass
from trainclinic.measure.facts import InputFacts, ModeFacts, ParameterFacts, TargetFacts, momentum, weight_decay
from trainclinic.measure.foreign import ForeignParameters
from trainclinic.measure.layers import SIGNALS
from trainclinic.measure.linear import lines
from trainclinic.measure.outputs import first_tensor
from trainclinic.measure.parameters import ParameterProbe, ParameterStep, Weight, alike
from trainclinic.measure.reductions import norms, to_floats
from trainclinic.measure.run_step import RunStep
from trainclinic.measure.signal import ParameterSignal, RunSignal
from trainclinic.measure.signals.dead_unit_fraction import DeadUnitFraction
from trainclinic.recording import Layer, Recording

if TYPE_CHECKING:
    from trainclinic.measure.finite import FiniteCheck
    from trainclinic.measure.layers import LayerProbe


class Journal:
    """Streams of values and exact facts of one run; `facts.py` lists the facts.

    Args:
        path: of the recording, or None.
        model: that is watched.
        optimizers: that train it.
        parameters: the probe that lists its parameters.
        training_samples: size of the training set where it is known.
    """

    def __init__(
        self,
        path: str | Path | None,
        model: nn.Module,
        optimizers: list[Optimizer],
        parameters: ParameterProbe,
        training_samples: int | None = None,
    ) -> None:
        self.file = ClinicFile(own_path(path))
        model = unwrapped(model)
        self._distributed = parameters.distributed
        self._gathered = partial(gathered, model) if parameters.distributed else set[int]
        self._steps, self._samples = self.file.stream("step"), self.file.stream("sample")
        self._windows, self._validations = self.file.stream("units"), self.file.stream("validation")
        self.waiting: list[tuple[int, float | None, int, int]] = []  # steps, to be put into their stream together
        self._steps.column("loss")
        self._steps.column("training_mode")
        self._optimizers = optimizers
        self._weights: tuple[Weight, ...] = parameters.weights
        self._parameters = ParameterFacts(parameters.names, parameters.parameters, optimizers)
        held = (p for one in optimizers for group in one.param_groups for p in group["params"])
        self._alike = alike(parameters)
        self._foreign = ForeignParameters({id(p) for p in (*parameters.parameters, *held)})
        self.modes, self._inputs, self._targets = ModeFacts(model), InputFacts(), TargetFacts()
        self.data, self._by_class, self._answers = DataSample(), ByClass(), Answers()
        self._training_samples = training_samples
        self.told_validation = False  # the user says what validation is
        self.loss: dict[str, Any] = {}
        self.skipped = 0  # steps that a GradScaler left out
        self.not_seen = ""  # why the layers could not be looked at, the last time
        self._batch_size = 0
        self._cleared: set[int] = set()  # ids of the optimizers whose gradients were cleared since the step before
        self._differentiated = False  # a loss, since the step before
        self._cleared_looks, self._stale = 0, 0
        self._news = False  # since the facts were last put into the file
        entries = catalog.entries(SIGNALS).values()
        self._parameter_signals = [entry() for entry in entries if issubclass(entry, ParameterSignal)]
        self._run_signals = [entry() for entry in entries if issubclass(entry, RunSignal)]
        self._units = {"loss": "1", "training_mode": "1"} | {entry.id(): entry.unit for entry in entries}
        self._environment = (model, optimizers)
        self.file.put("environment", _environment(*self._environment))

    def parameters_are(self, model: nn.Module, parameters: ParameterProbe) -> None:
        """The model has other parameters than it had."""
        self._weights = parameters.weights
        self._parameters.follow(parameters.names, parameters.parameters)
        self._foreign.know(parameters.parameters)
        self.modes.follow(model)
        self.file.put("environment", _environment(*self._environment))

    # -- what happens in a step

    def step(self, step: int, loss: float | None, passes: int, training_passes: int) -> None:
        """One optimizer step: its loss, and how many of its passes ran in train mode."""
        self.waiting.append((step, loss, passes, training_passes))

    def see_inputs(self, inputs: Tensor | None) -> None:
        """The model's input, in a step that is looked at."""
        self.data.training.see_inputs(inputs)
        if inputs is not None and inputs.ndim:
            self._batch_size = self._batch_size or len(inputs)
            if not self._inputs.enough:
                self._inputs.update(inputs)

    def see_loss(self, name: str, output: Tensor, target: Tensor) -> None:
        """What the loss compares, in a step that is looked at."""
        self._targets.update(target)
        self.data.training.see_targets(target)
        self.loss["name"] = name
        self.loss["output_shape"], self.loss["target_shape"] = list(output.shape), list(target.shape)
        self.loss["target_dtype"] = str(target.dtype).removeprefix("torch.")

    def begin_evaluation_pass(self, arguments: tuple[Any, ...], *, first: bool) -> None:
        """A pass without gradient, the `first` of its round or a further one, with what the model was given."""
        if first:
            self.data.begin_evaluation()
            self._by_class.end()
            self._answers.end()
        if self.data.validation.wants_more:
            self.data.validation.see_inputs(first_tensor(arguments))

    def see_evaluation(self, name: str, output: Tensor, target: Tensor) -> None:
        """What the loss of such a pass compares."""
        if self.data.validation.wants_more:
            self.data.validation.see_targets(target)
        self._by_class.add(name, output, target, self._targets.classes)
        self._answers.add(name, output, target)

    def before_backward(self) -> None:
        """A loss is about to be differentiated, in a step that is looked at."""
        self._differentiated = True
        for optimizer in self._optimizers:
            if id(optimizer) not in self._cleared and _has_clear_gradients(optimizer):
                self._cleared.add(id(optimizer))

    def see_loss_graph(self, loss: Tensor | None) -> None:
        """The loss that has been differentiated, in a step that is looked at; its graph is still there to be read."""
        if loss is None:
            return
        if not self.loss.get("graph"):
            self.loss["graph"] = loss_graph.describe(loss)
            if self.loss["graph"]:
                self.loss["penalty"] = loss_graph.weighs_parameters(loss)
                found = lines(loss, dropouts=self.modes.dropouts)
                if found is not None:
                    self.loss |= {"linear": found.whole, "stacked": found.stacked}
        self._foreign.look(loss, self._gathered())

    def sample(
        self,
        step: int,
        layers: dict[tuple[str, str], float],
        parameters: ParameterStep,
        run: RunStep,
        stepped: Set[int],
    ) -> None:
        """Everything that one look has shown.

        Args:
            step: its number.
            layers: (signal, layer) → value.
            parameters: what the parameters showed.
            run: what the run as a whole showed.
            stepped: ids of the optimizers that have stepped.
        """
        for signal in self._parameter_signals:
            name = signal.name
            for weight, value in zip(parameters.weights, signal.values(parameters), strict=True):
                layers[name, weight.name] = value
        for entry in self._run_signals:
            layers |= {(entry.name, place): value for place, value in entry.values(run).items()}
        _append(self._samples, step, layers)
        self._parameters.update(parameters.all_gradient_norms, parameters.all_changed, parameters.all_due)
        if step and self._differentiated:
            self._cleared_looks += 1
            self._stale += not self._cleared.issuperset(stepped)
        self._cleared.clear()
        self._differentiated = False
        self._news = True

    def units(self, step: int, fractions: dict[str, float]) -> None:
        """A window's dead units, by layer."""
        name = DeadUnitFraction.id()
        _append(self._windows, step, {(name, layer): value for layer, value in fractions.items()})

    def validation(self, step: int, figures: dict[str, float]) -> None:
        """Figures of one evaluation, such as loss and accuracy."""
        values = {(f"validation_{name}", ""): value for name, value in figures.items()}
        self._units |= {signal: "1" for signal, _ in values}
        self._news = True
        _append(self._validations, step, values)

    # -- the file

    def put(
        self, steps: int, probe: LayerProbe, finite: FiniteCheck, *, only_news: bool = False, final: bool = False
    ) -> None:
        """Hand the facts to the file; a large model's are not free to write, so at times `only_news`."""
        self._take_steps()
        self.file.put("steps", steps)
        if only_news and not self._news:
            return
        self._news = False
        facts = {
            "batch_size": self._batch_size,
            "parameters": self._parameters.entries,
            "modes": self.modes.to_dict(),
            "gradient_cleared": {"looks": self._cleared_looks, "stale": self._stale},
            "loss": self.loss,
            "inputs": self._inputs.to_dict(),
            "targets": self._targets.to_dict(),
            "non_finite": finite.first,
            "first_module": probe.first_module,
            "foreign": self._foreign.to_list(),
            "skipped_steps": self.skipped,
            "layers_not_seen": self.not_seen,
            "training_samples": self._training_samples,
            "data": self._card(final),
            "classes": self._by_class.to_dict(),
            "answers": self._of_answers(final),
            "validation_told": self.told_validation,
            "batch_norm": probe.batch_norm,
            "first_spread": probe.first_spread,
            "weight_decay": weight_decay(self._optimizers),
            "momentum": momentum(self._optimizers),
            "alike": self._alike,
        }
        if self._distributed:
            facts["distributed"] = self._distributed
        self.file.put("units", self._units)
        self.file.put("facts", facts)
        self.file.put("layers", self._layers(probe))

    def _card(self, final: bool) -> dict[str, Any]:
        """Of the data; whatever a user's rows are, they end no recording."""
        try:
            return self.data.to_dict(final=final)
        except Exception as error:
            return {"failed": f"{type(error).__name__}: {error}"}

    def _of_answers(self, final: bool) -> dict[str, Any]:
        """Of the last evaluation; made when the recording ends."""
        try:
            return self._answers.to_dict(self.data.known) if final else {}
        except Exception as error:
            return {"failed": f"{type(error).__name__}: {error}"}

    def _take_steps(self) -> None:
        for step, loss, passes, training_passes in self.waiting:
            mode = training_passes / passes if passes else math.nan
            self._steps.append(step, (math.nan if loss is None else loss, mode))
            self.modes.passes["train"] += training_passes
            self.modes.passes["eval"] += passes - training_passes
        self.waiting.clear()

    def close(self, ended: str) -> Recording:
        """Complete the file."""
        self.file.put("ended", ended)
        return self.file.close()

    def _layers(self, probe: LayerProbe) -> list[dict[str, Any]]:
        """Executed layers in their order; weights with a name of their own, or that never ran, come last."""
        found = dict(probe.layers)
        for weight in self._weights:
            if weight.name not in found:
                last = len(found)
                size = math.prod(weight.shape)
                found[weight.name] = Layer(weight.name, weight.kind, "weight", size, weight.shape, last)
        # `asdict` copies deeply, which a thousand layers would feel.
        return [vars(layer) | {"position": position} for position, layer in enumerate(found.values())]


def _has_clear_gradients(optimizer: Optimizer) -> bool:
    """Of what it holds; its zero_grad does not reach anything else."""
    held = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    return not any(to_floats(norms([local(gradient) for gradient in held if not gradient.is_sparse])))


def _append(stream: Stream, step: int, values: Mapping[tuple[str, str], float]) -> None:
    if list(values) == list(stream.columns):  # the usual look, which has found what the one before it found
        stream.append(step, list(values.values()))
        return
    columns = [stream.column(*pair) for pair in values]
    row = [math.nan] * len(stream.columns)
    for column, value in zip(columns, values.values(), strict=True):
        row[column] = value
    stream.append(step, row)


def _environment(model: nn.Module, optimizers: list[Optimizer]) -> dict[str, Any]:
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": str(next(iter(model.parameters())).device),
        "threads": torch.get_num_threads(),
        "model": own_class(model).__name__,
        "parameters": sum(p.numel() for p in model.parameters() if not isinstance(p, UninitializedParameter)),
        "optimizer": ", ".join(type(optimizer).__name__ for optimizer in optimizers),
    }
