"""Replay: a held pass is run again, on a shadow of the model, under the conditions it ran under.

Nothing of the training is touched: the shadow has buffers of its own, the generators are put back, hooks of others are
left out. What cannot be brought back exactly is refused, in words.
"""

from __future__ import annotations

import contextlib
import inspect
import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module
from torch.nn.parallel import DataParallel
from torch.overrides import TorchFunctionMode

from trainclinic.measure.held import LARGEST, MOST_BUFFERS, HeldPasses, Pass, total, unchanged
from trainclinic.measure.shadow import NoShadowError, detached, generators_kept, shadow_of, tensors_with_gradient

_GLOBAL_HOOKS = ("_global_forward_hooks", "_global_forward_pre_hooks", "_global_backward_hooks",
                 "_global_backward_pre_hooks", "_global_forward_hooks_always_called",
                 "_global_forward_hooks_with_kwargs")  # fmt: skip


class NotLocalizedError(Exception):
    """Where the first non-finite number came from cannot be known; the message says why."""


class Replay:
    """One pass, ready to be run again, as often as needed.

    Args:
        passes: that are held.
        record: the one to run.

    Raises:
        NotLocalizedError: it cannot be brought back.
    """

    def __init__(self, passes: HeldPasses, record: Pass) -> None:
        _refuse(passes, record)
        self._passes, self._record = passes, record
        self.model = self._fresh()

    @contextlib.contextmanager
    def conditions(self) -> Iterator[None]:
        """The generators, the gradient mode and the precision of the pass; afterwards all is as it was."""
        with generators_kept(), torch.inference_mode(False), torch.enable_grad(), _quietly():
            for place, state in enumerate(self._record.generators or ()):
                if place == 0:
                    torch.set_rng_state(state)
                else:
                    torch.cuda.set_rng_state(state, self._passes.cuda_devices[place - 1])
            yield

    def run(self, mode: TorchFunctionMode, see: Callable[[dict[str, Any]], None]) -> list[Tensor]:
        """Run forward under `mode`; gives the outputs that have a gradient.

        Args:
            mode: sees every operation.
            see: is shown the arguments, by name, before the model gets them.

        Raises:
            NotLocalizedError: it failed, or drew random numbers that cannot be drawn again.
        """
        args, kwargs = detached((self._record.args, self._record.kwargs))
        see(self._named(args, kwargs))
        before = _other_generators()
        with contextlib.ExitStack() as stack:
            for kind, dtype in zip(self._passes.device_types, self._record.autocast, strict=True):
                stack.enter_context(torch.autocast(kind, dtype=dtype or None, enabled=dtype is not False))
            with mode:
                output = self.model(*args, **kwargs)
        if before != _other_generators():
            raise NotLocalizedError("the model draws random numbers from Python or NumPy, which are not held")
        found = [output] if isinstance(output, Tensor) else tensors_with_gradient(output)
        return [tensor for tensor in found if tensor.grad_fn is not None]

    def _named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            return dict(inspect.signature(self.model.forward).bind(*args, **kwargs).arguments)
        except (TypeError, ValueError):
            return {f"argument {index}": value for index, value in enumerate(args)} | kwargs

    def again(self) -> None:
        """Put the shadow back to how the pass began."""
        self.model = self._fresh()

    def check(self, outputs: list[Tensor]) -> None:
        """Compare with what the training saw.

        Raises:
            NotLocalizedError: they are others.
        """
        held = self._record.outputs
        same = len(held) == len(outputs)
        for (tensor, version), output in zip(held, outputs, strict=False):
            if tensor._version != version:
                raise NotLocalizedError("the model's output was changed in place")
            small = output.numel() <= LARGEST
            value = output.detach() if small else total(output)
            same = same and tensor.shape == value.shape and _same(tensor, value)
        if not same:
            raise NotLocalizedError("the model gave another output when the batch was run again")

    def _fresh(self) -> nn.Module:
        try:
            shadow = shadow_of(self._passes.model)
        except NoShadowError as error:
            raise NotLocalizedError(str(error)) from error
        for parameter in shadow.parameters():  # a forward may write into its weights, as Embedding(max_norm=…) does
            parameter.data = parameter.data.clone()
        modules = dict(shadow.named_modules())
        for module in modules.values():  # its statistics were written by the pass, and are not read in train mode
            if module.training and isinstance(module, nn.modules.batchnorm._NormBase):
                module.reset_running_stats()
        for known in self._record.buffers:
            tensor = known.table.get(known.key)
            if tensor is known.tensor and (tensor is None or unchanged((tensor, known.version))):
                continue
            if known.copy is None:
                raise NotLocalizedError(
                    f"the buffer {'.'.join(filter(None, (known.module, known.key)))} has changed since"
                )
            modules[known.module]._buffers[known.key] = known.copy.clone()
        return shadow


def _other_generators() -> tuple[Any, ...]:
    state = np.random.get_state(legacy=False)  # noqa: NPY002 - the global one is the one that user code draws from
    return random.getstate(), repr(state), state["state"]["key"].tobytes()


def _refuse(passes: HeldPasses, record: Pass) -> None:
    model = passes.model
    why = ""
    if not all(map(unchanged, record.held)):
        why = "the batch was changed in place after the model had seen it"
    elif record.generators == ():
        why = "the step was being captured as a CUDA graph"
    elif isinstance(passes.root, DataParallel):
        why = "the batch was spread over several devices"
    elif _speaks_to_others(model):
        why = "the model exchanges statistics with other processes"
    elif len(record.buffers) > MOST_BUFFERS:
        why = f"the model has more than {MOST_BUFFERS} buffers"
    elif passes.root.training != record.training:
        why = "the model has changed its mode since"
    if why:
        raise NotLocalizedError(why)


def _speaks_to_others(model: nn.Module) -> bool:
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    return distributed and any(isinstance(module, nn.SyncBatchNorm) for module in model.modules())


def _same(one: Tensor, other: Tensor) -> bool:
    """The same numbers, but for the rounding of a device whose sums come in any order; NaN where NaN was."""
    if one.dtype != other.dtype:
        return False
    return bool(torch.allclose(one, other, rtol=1e-2 if one.element_size() < 4 else 1e-4, atol=1e-5, equal_nan=True))


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Hooks that a user set on all modules of the process do not see a replay, and no warning is said twice."""
    held = {name: dict(getattr(torch_module, name)) for name in _GLOBAL_HOOKS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for name in held:
                getattr(torch_module, name).clear()
            yield
        finally:
            for name, hooks in held.items():
                getattr(torch_module, name).update(hooks)
