"""Compiled models: noticing their calls, and looking at their layers through an eager shadow.

`torch.compile` traces a module's hooks away: they never fire. So a compiled call is noticed at its outside, and in a
step that is looked at the shadow runs the same batch beside it, with the same random numbers, and is given the
gradient that the real output got. No graph breaks and nothing is compiled anew.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from trainclinic.measure.hook import Hook
from trainclinic.measure.layers import LayerProbe
from trainclinic.measure.shadow import (
    NoShadowError,
    detached,
    generators_kept,
    is_compiled,
    shadow_of,
    tensors_with_gradient,
    uncompiled,
)

Call = tuple[Any, tuple[Any, ...], dict[str, Any]]
_CLOSE = 0.05  # of the largest value; compiled code rounds otherwise, most in low precision
_COPIED = 1 << 24  # weights; 64 MiB in float32
_NAME = "_compiled_call_impl"


def compiled_forms(root: nn.Module) -> Iterator[nn.Module]:
    """Every module that `torch.compile` has made of `root` so far and that is still alive."""
    frame = sys.modules.get("torch._dynamo.eval_frame")
    if frame is not None:
        kind = frame.OptimizedModule
        yield from (thing for thing in gc.get_objects() if type(thing) is kind and uncompiled(thing) is root)


class CompiledCall:
    """Stands in for the compiled call that `Module.compile` leaves on a module, and tells before and after it.

    Args:
        module: whose call it is.
        before: told the module, its arguments and keyword arguments.
        after: told the module, its arguments and its output.
    """

    def __init__(self, module: nn.Module, before: Hook, after: Hook) -> None:
        self._module, self._before, self._after = module, before, after
        self._call: Callable[..., Any] | None = None
        self._original: Callable[..., Any] | None = None
        self.running = False  # Dynamo leaves some modules alone; then their hooks fire within the call

    @property
    def is_wrapped(self) -> bool:
        """Whether there is a compiled call to tell of."""
        return self._call is not None

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call that tells."""
        module, before, after = self._module, self._before, self._after

        @functools.wraps(call)
        def told(*args: Any, **kwargs: Any) -> Any:
            if torch.compiler.is_compiling():
                return call(*args, **kwargs)
            before(module, args, kwargs)
            self.running = True
            try:
                output = call(*args, **kwargs)
            finally:
                self.running = False
            after(module, args, output)
            return output

        self._call, self._original = told, call
        return told

    def attach(self) -> None:
        """Begin, where the module's call is a compiled one already."""
        if vars(self._module).get(_NAME) is not None:
            object.__setattr__(self._module, _NAME, self.wrap(vars(self._module)[_NAME]))

    def remove(self) -> None:
        """Leave the module as it was."""
        if self._call is not None and vars(self._module).get(_NAME) is self._call:
            object.__setattr__(self._module, _NAME, self._original)


class ShadowLook:
    """One look at a model whose layers cannot be hooked.

    Args:
        model: the watched model.
        probe: looks at the shadow's layers.
    """

    def __init__(self, model: nn.Module, probe: LayerProbe) -> None:
        self._model, self._probe = model, probe
        self._shadow: nn.Module | None = None
        self._outputs: list[Tensor] = []
        self._gradients: list[Tensor | None] = []
        self._comparable = False

    def forward(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, full: bool, units: bool) -> str:
        """Run the shadow on the batch that the model is about to see; why it could not be, or ""."""
        try:
            self._shadow = shadow = shadow_of(self._model)
        except NoShadowError as reason:
            return str(reason)
        _own_weights(shadow)
        before = torch.get_rng_state()
        with generators_kept():
            self._probe.look_at(shadow)
            self._probe.begin(full=full, units=units)
            output = None
            try:
                output = shadow(*detached(args), **detached(kwargs))
            finally:
                self._probe.end(output)
                self._probe.look_at(None)
            self._comparable = torch.equal(before, torch.get_rng_state())  # compiled code draws its own numbers
        self._outputs = tensors_with_gradient(output)
        return ""

    def follow(self, output: Any, listen: Callable[[Callable[..., Any]], Any]) -> str:
        """The model's own output is here: its gradients will be the shadow's; why that cannot be, or ""."""
        real = tensors_with_gradient(output)
        if [tensor.shape for tensor in real] != [tensor.shape for tensor in self._outputs]:
            return self._forget("the eager copy gives outputs of another shape than the compiled model")
        if self._comparable and not all(map(_close, real, self._outputs)):
            return self._forget("the eager copy gives other outputs than the compiled model")
        self._gradients = [None] * len(real)
        for index, tensor in enumerate(real):
            tensor.register_hook(listen(functools.partial(self._keep, index)))  # type: ignore[no-untyped-call]
        return ""

    def _keep(self, index: int, gradient: Tensor) -> None:
        self._gradients[index] = gradient

    def _forget(self, why: str) -> str:
        self._shadow, self._outputs, self._gradients = None, [], []
        return why

    def backward(self) -> None:
        """The model has been differentiated: the same for the shadow, whose hooks listen."""
        pairs = [(o, g) for o, g in zip(self._outputs, self._gradients, strict=False) if g is not None]
        if pairs and self._shadow is not None:
            outputs, gradients = (list(part) for part in zip(*pairs, strict=True))
            places = [parameter for parameter in self._shadow.parameters() if parameter.requires_grad]
            torch.autograd.grad(outputs, places, gradients, allow_unused=True)
        self._forget("")


def _own_weights(shadow: nn.Module) -> None:
    """A forward may write into its weights, as `Embedding(max_norm=…)` does: then not into the training's.

    Of a large model only such an embedding's are copied: a second copy of all could be too much for a device.
    """
    small = sum(parameter.numel() for parameter in shadow.parameters()) <= _COPIED
    for module in shadow.modules():
        for parameter in module._parameters.values():
            if parameter is not None and (small or getattr(module, "max_norm", None) is not None):
                parameter.data = parameter.data.clone()


def has_compiled_part(model: nn.Module) -> bool:
    """Whether hooks on some of its modules would never fire."""
    return any(is_compiled(module) for module in model.modules())


def _close(real: Tensor, shadow: Tensor) -> bool:
    if not real.numel():
        return True
    scale = shadow.detach().abs().amax()
    apart = (real.detach() - shadow.detach()).abs().amax()
    return not bool(apart > _CLOSE * scale)  # NaN is what the shadow is there to see
