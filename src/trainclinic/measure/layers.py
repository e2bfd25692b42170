"""LayerProbe: on a sampled pass, looks at the outputs, the backward signal and the activations of every layer.

Between sampled passes no hook is left on any module. Functional activations are seen through a TorchFunctionMode
that is open only while the root module's forward runs.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch.nn.utils.parametrize import ParametrizationList
from torch.utils.hooks import RemovableHandle

from trainclinic import catalog
from trainclinic.measure.activations import RELU, TANH, Activation, setting_of
from trainclinic.measure.distributed import local, own_class, plain_name, unwrapped
from trainclinic.measure.functions import Functions
from trainclinic.measure.hook import GiveUp, Hook
from trainclinic.measure.outputs import first_tensor as first_tensor
from trainclinic.measure.reductions import as_real, dense, is_measurable, spread, to_floats
from trainclinic.measure.run_step import between_samples
from trainclinic.measure.signal import ActivationSignal, BackwardSignal, OutputSignal
from trainclinic.measure.signals.dead_unit_fraction import DeadUnitFraction
from trainclinic.measure.tally import Pass, Tally
from trainclinic.recording import Layer

SIGNALS = "trainclinic.measure.signals"

_PASSES_ON = ("Flatten", "Unflatten", "Identity", "Dropout")  # leave the scale of the input as it is
_ACTIVATIONS = (nn.Sigmoid, nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Softplus)
_FIRST_LOOKS = 16  # that are asked whether the first layer's outputs differ between samples
_DEEPEST = 64  # modules in modules; deeper, activation functions are not named by where they are called
_MOST_CALLS = 128  # of one activation function in one forward that are told apart

Place = tuple[Callable[..., RemovableHandle], Hook, dict[str, bool]]  # how a hook is set, the hook, and with what


@dataclass
class _Frame:
    """A module whose forward is running; counts the activation functions called directly in it."""

    name: str
    calls: dict[str, int] = field(default_factory=dict)


class LayerProbe:
    """Hooks on the modules of one model.

    Args:
        root: the watched model.
        give_up: told of an error of ours.
        training_samples: size of the training set where it is known.
    """

    def __init__(self, root: nn.Module, give_up: GiveUp, training_samples: int | None = None) -> None:
        self._model = self._root = unwrapped(root)  # what is watched, and what carries the hooks: that, or its shadow
        self._give_up = give_up
        self._thread = 0  # that runs the pass
        self.first_module = ""
        self._signals = {kind: _of_kind(kind) for kind in (OutputSignal, BackwardSignal, ActivationSignal)}
        self.dead_units = DeadUnitFraction(training_samples)
        self.layers: dict[str, Layer] = {}
        self.batch_norm: dict[str, int] = {}  # layer → the most values that one of its means was taken over
        self._spreads: list[Tensor] = []  # of the first layer with weights, in its first looks
        self._handles: list[RemovableHandle] = []
        self._places: list[Place] = []  # where hooks belong; empty where that is to be found out
        self._mode: Functions | None = None
        self._stack: list[_Frame] = []
        self._activation_module = ""
        self._full = False
        self._units = False
        self._last_weight: nn.Module | None = None
        self.in_backward = False  # that of a loss; other gradients of an output stand in where there is none
        self._tally, self._pass = Tally(), Pass()
        self._on_leaves: list[RemovableHandle] = []
        self._without_gradient: defaultdict[str, list[Pass]] = defaultdict(list)  # calls of a layer inside passes

    # -- attaching

    def arm(self, *, changed: bool) -> None:
        """Set the hooks, unless they are set. `changed`: the model has other parts than at the last call."""
        if changed or not self._places:
            self._remove_hooks()
            self._places = self._chosen()
        if not self._handles:
            self._handles = [register(hook, **how) for register, hook, how in self._places]

    def _chosen(self) -> list[Place]:
        modules = list(self._root.named_modules())
        # A hook costs a call one more frame: nested a hundred deep, that is a hundred nearer to Python's limit.
        containers = all(name.count(".") < _DEEPEST for name, _ in modules)
        return [
            place
            for name, module in modules
            if module is not self._root and (containers or is_plain(module) or has_weights(module))
            for place in self._hook(plain_name(self._root, name), module)
        ]

    def look_at(self, shadow: nn.Module | None) -> None:
        """From now on the hooks sit on a shadow of the model; with None on the model again."""
        self._remove_hooks()
        self._root = self._model if shadow is None else shadow
        self._places = []
        if shadow is not None:
            self.arm(changed=True)

    def disarm(self) -> None:
        """Remove every hook."""
        self.stop()
        self._leave_mode()

    def stop(self) -> None:
        """Remove every hook on modules and look at nothing more; the function mode stays until the forward ends."""
        self._remove_hooks()
        self._leave_leaves()
        self._full = self._units = False

    def _remove_hooks(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _hook(self, name: str, module: nn.Module) -> Iterator[Place]:
        if isinstance(module, torch.jit.RecursiveScriptModule):  # type: ignore[attr-defined]
            return  # takes no hook
        weights = has_weights(module)
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            yield module.register_forward_hook, Hook(partial(self._see_batch_norm, name), self._give_up), {}
        if is_plain(module) and not weights:
            if isinstance(module, _ACTIVATIONS):
                yield module.register_forward_pre_hook, Hook(partial(self._name_activation, name), self._give_up), {}
            elif not self.first_module:
                yield module.register_forward_pre_hook, Hook(self._note_first, self._give_up), {}
            return
        if not is_plain(module):
            yield module.register_forward_pre_hook, Hook(partial(self._enter, name), self._give_up), {}
            yield module.register_forward_hook, Hook(self._exit, self._give_up), {"always_call": True}
        if weights:
            yield module.register_forward_hook, Hook(partial(self._see_weight_layer, name), self._give_up), {}

    # -- one pass of the root

    def begin(self, *, full: bool, units: bool) -> None:
        """The root's forward begins. `full`: every signal; `units`: gather samples for dead units."""
        self._leave_mode()
        self._thread = threading.get_ident()
        self._full, self._units = full, units
        self._pass, self._stack = Pass(), [_Frame("")]
        self._last_weight = None
        self._mode = Functions(self.call_activation).__enter__()

    def end(self, output: Any) -> None:
        """The root's forward has ended."""
        self._leave_mode()
        # A root that has parts as well uses its own weights somewhere within: its output is that of its last part.
        if self._full and has_weights(self._root) and not any(has_weights(part) for part in self._root.children()):
            self._see_weight_layer(own_class(self._root).__name__, self._root, (), output, ended=True)
        self._stack = []

    @property
    def running(self) -> bool:
        """Whether a pass is open."""
        return self._mode is not None

    def mark(self) -> None:
        """A pass begins, the first since the last backward."""
        self._tally.mark()

    def start_over(self) -> None:
        """Forget what came before the mark: its gradients were cleared."""
        self._tally.start_over()

    def collect(self, loss_scale: float = 1.0) -> dict[tuple[str, str], float]:
        """(signal, layer) → value over all passes since the last call; the loss was multiplied with `loss_scale`."""
        self._leave_leaves()
        self._without_gradient.clear()
        return self._tally.add_up(loss_scale)

    def discard(self) -> None:
        """Forget the passes since the last `collect`: nothing was learned from them."""
        self._leave_leaves()
        self._without_gradient.clear()
        self._tally.clear()

    # -- hooks

    @property
    def is_other_thread(self) -> bool:
        """Whether someone else runs the model beside the training, such as an evaluation in the background."""
        return threading.get_ident() != self._thread

    def _enter(self, name: str, module: nn.Module, args: Any) -> None:
        if not self.is_other_thread:
            self._stack.append(_Frame(name))

    def _exit(self, module: nn.Module, args: Any, output: Any) -> None:
        if len(self._stack) > 1 and not self.is_other_thread:
            self._stack.pop()

    def _name_activation(self, name: str, module: nn.Module, args: Any) -> None:
        if not self.is_other_thread:
            self._activation_module = name
            self._note_first(module)

    def _see_weight_layer(self, name: str, module: nn.Module, args: Any, output: Any, *, ended: bool = False) -> None:
        if self._mode is None and not ended:
            self._see_again(name, output)
            return
        if self.is_other_thread:
            return
        self._last_weight = module
        self._note_first(module)
        if not self._full:
            return
        with torch._C.DisableTorchFunction():  # else each of our own operations passes through the open mode
            self._measure_weight_layer(name, module, output)

    def _see_spread(self, output: Tensor) -> None:
        """How far the samples lie apart, against the size of the output; it stays on the device."""
        between = between_samples(output)
        if between is not None:
            size = spread(as_real(dense(output))).double().square().mean().sqrt()
            self._spreads.append(torch.where(size > 0, between / size, size))

    @property
    def first_spread(self) -> float:
        """The most of that was seen; inf where no look had two samples."""
        return max(to_floats(self._spreads), default=math.inf)

    def _see_batch_norm(self, name: str, module: nn.Module, args: Any, output: Tensor) -> None:
        if self._full and module.training and output.ndim > 1 and not self.is_other_thread:
            values = output.numel() // output.shape[1]
            self.batch_norm[name] = max(values, self.batch_norm.get(name, 0))  # a last batch may be small

    def _see_again(self, name: str, output: Any) -> None:
        """Outside of a pass: a reentrant checkpoint repeats in the backward what it ran without gradient before."""
        tensor = first_tensor(output)
        if self._without_gradient.get(name) and tensor is not None and tensor.requires_grad:
            self._listen(tensor, name, self._without_gradient[name].pop())

    def _measure_weight_layer(self, name: str, module: nn.Module, output: Any) -> None:
        tensor = first_tensor(output)
        if tensor is None or not is_measurable(tensor):
            return
        layer = self.layers.get(name) or self._new_weight_layer(name, module)
        if layer.position == 0 and len(self._spreads) < _FIRST_LOOKS:
            self._see_spread(local(tensor.detach()))
        self._see_output(layer.name, tensor.detach())
        if isinstance(module, nn.RNN | nn.RNNCell):
            self._see_recurrence(layer.name, module, tensor.detach())
        if not torch.is_grad_enabled():
            self._without_gradient[name].append(self._pass)
        if tensor.requires_grad:
            self._listen(tensor, layer.name, self._pass)
            state = first_tensor(output[1]) if isinstance(module, nn.RNNBase) else None
            if state is not None:
                self._listen(state, layer.name, self._pass, is_spare=True)

    def _see_recurrence(self, layer: str, module: nn.RNN | nn.RNNCell, output: Tensor) -> None:
        """The output of a plain recurrent layer is that of its activation function, in the last layer of a stack."""
        activation = TANH if module.nonlinearity == "tanh" else RELU
        name = f"{layer}.{activation.name}"
        if name not in self.layers:
            self.layers[name] = Layer(name, activation.name, "activation", position=len(self.layers))
        self._see_output(name, output)
        sample = spread(output).float()
        self._see_derivative(name, activation, activation.derivative(sample, activation.setting[1]))

    def _see_output(self, layer: str, output: Tensor) -> None:
        output = dense(local(output))
        for signal in self._signals[OutputSignal]:
            if signal.applies(output):
                self._tally.add(signal, layer, signal.measure(output), output.numel(), self._pass)

    def _listen(self, output: Tensor, layer: str, seen_in: Pass, *, is_spare: bool = False) -> None:
        see = partial(self._see_gradient, layer, seen_in, is_spare)
        handle = output.register_hook(Hook(see, self._give_up))  # type: ignore[no-untyped-call]
        if output.is_leaf:  # a module that hands out its own parameter, which outlives the pass
            self._on_leaves.append(handle)

    def _leave_leaves(self) -> None:
        for handle in self._on_leaves:
            handle.remove()
        self._on_leaves.clear()

    def _see_gradient(self, layer: str, seen_in: Pass, is_spare: bool, gradient: Tensor) -> None:
        seen_in.is_differentiated = True
        gradient, is_spare = dense(local(gradient.detach())), is_spare or not self.in_backward
        for signal in self._signals[BackwardSignal]:
            self._tally.add(signal, layer, signal.measure(gradient), gradient.numel(), seen_in, is_spare=is_spare)

    def call_activation(self, activation: Activation, func: Any, args: Any, kwargs: Any) -> Any:
        """Run an activation function as the model asked, and look at it."""
        try:
            seen = self._before_activation(activation, args, kwargs)
        except Exception as error:  # ours, not the training's
            seen = None
            self._give_up(error)
        output = func(*args, **kwargs)
        if seen is not None and isinstance(output, Tensor) and is_measurable(output):
            try:
                self._see_activation(seen, activation, dense(output.detach()), setting_of(activation, args, kwargs))
            except Exception as error:
                self._give_up(error)
        return output

    def _before_activation(self, activation: Activation, args: Any, kwargs: Any) -> tuple[str, Tensor | None] | None:
        """Its name here, and a sample of its input where φ' needs that; None when it is not looked at."""
        name, self._activation_module = self._activation_module, ""
        source = args[0] if args else kwargs["input"]
        if source.is_complex() or not is_measurable(source) or not (self._full or activation.can_die):
            return None
        if not name:
            frame = self._stack[-1]
            frame.calls[activation.name] = count = frame.calls.get(activation.name, 0) + 1
            if count > _MOST_CALLS:
                return None
            name = ".".join(filter(None, (frame.name, activation.name))) + (f"_{count}" if count > 1 else "")
        if activation.from_input and self._full:
            # An in-place function overwrites its input, so the sample is taken first, as a copy.
            return name, spread(dense(source.detach())).to(torch.float32, copy=True)
        return name, None

    def _see_activation(
        self, seen: tuple[str, Tensor | None], activation: Activation, output: Tensor, setting: float
    ) -> None:
        name, sample = seen
        if name not in self.layers:
            self.layers[name] = Layer(name, activation.name, "activation", position=len(self.layers))
        if self._units and activation.can_die:
            self.dead_units.observe(name, output, self._unit_dim(output))
        if self._full:
            self._see_output(name, output)
            sample = spread(output).float() if sample is None else sample
            self._see_derivative(name, activation, activation.derivative(sample, setting))

    def _see_derivative(self, layer: str, activation: Activation, derivative: Tensor) -> None:
        for signal in self._signals[ActivationSignal]:
            if signal.applies(activation):
                number = signal.measure(derivative, activation)
                self._tally.add(signal, layer, number, derivative.numel(), self._pass)

    # -- small decisions

    def _note_first(self, module: nn.Module, args: Any = ()) -> None:
        if not self.first_module and own_class(module).__name__ not in _PASSES_ON:
            self.first_module = own_class(module).__name__
            self._places = []  # none is needed any more to find it

    def _new_weight_layer(self, name: str, module: nn.Module) -> Layer:
        shape: tuple[int, ...] = ()
        for parameter in module.parameters(recurse=False):
            if parameter.ndim > 1:
                shape = tuple(parameter.shape)
                break
        count = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        layer = Layer(name, own_class(module).__name__, "weight", count, shape, len(self.layers))
        self.layers[name] = layer
        return layer

    def _unit_dim(self, output: Tensor) -> int:
        last = self._last_weight
        if isinstance(last, nn.Linear) and output.shape[-1] == last.out_features:
            return -1
        convolution = isinstance(last, nn.modules.conv._ConvNd)
        return 1 if output.ndim > 2 and (convolution or output.ndim > 3) else -1

    def _leave_mode(self) -> None:
        if self._mode is not None:
            mode, self._mode = self._mode, None
            mode.__exit__(None, None, None)


def has_weights(module: nn.Module) -> bool:
    """Whether the module itself holds a parameter of two or more dimensions."""
    if isinstance(module, ParametrizationList):
        return False  # they are the weights of the module around it
    held = list(module._parameters.values())
    if any(isinstance(parameter, UninitializedParameter) for parameter in held):
        return not isinstance(module, nn.modules.batchnorm._NormBase)  # lazy: its first pass gives it a shape
    parametrizations = getattr(module, "parametrizations", None)  # weight_norm, spectral_norm, …
    if parametrizations is not None:
        held += parametrizations.parameters()
    return any(parameter is not None and parameter.ndim > 1 for parameter in held)


def is_plain(module: nn.Module) -> bool:
    """Whether it is one of PyTorch's own leaf modules, which call at most one activation function."""
    return not module._modules and own_class(module).__module__.startswith("torch.nn.modules")


def _of_kind(kind: Callable[..., Any]) -> tuple[Any, ...]:
    return tuple(entry() for entry in catalog.entries(SIGNALS).values() if issubclass(entry, kind))  # type: ignore[arg-type]
