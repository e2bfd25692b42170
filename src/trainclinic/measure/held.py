"""HeldPasses: what it takes to run the last training passes again, should they turn out to have gone wrong.

Holding costs some microseconds a pass and no memory to speak of: references to the arguments (of the last step only),
the generator's state, and copies of those buffers alone that are seen to change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from trainclinic.measure.distributed import unwrapped
from trainclinic.measure.shadow import tensors_with_gradient

MOST_PASSES = 8  # between two steps
LARGEST = 1 << 20  # elements of an output or a gradient that are held, and of all changing buffers together
MOST_BUFFERS = 64  # more are not looked at in every pass
TRIALS = 8  # passes without a random number, after which the generators' states are no longer held
_cpu_state = torch.default_generator.get_state
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # of no influence on a pass in train mode


@dataclass(frozen=True)
class Buffer:
    """A buffer as it was when a pass began.

    Attributes:
        module: name of the module that holds it.
        table: in which it is held there.
        key: its name there.
        tensor: itself.
        version: of it.
        copy: None as long as it has never been seen to change.
    """

    module: str
    table: dict[str, Tensor | None]
    key: str
    tensor: Tensor | None
    version: int
    copy: Tensor | None = None


Held = tuple[Tensor, int]  # and its version when it was held: it tells whether it was changed in place since


def unchanged(held: Held) -> bool:
    """Whether the tensor still holds what it held."""
    tensor, version = held
    return version >= 0 and tensor._version == version


class Pass:
    """One training pass of the model.

    Attributes:
        number: of training passes before it since the watch began.
        args: its arguments.
        kwargs: its arguments by name.
        held: every tensor among them.
        generators: states of the CPU's generator and of those of the model's CUDA devices; empty where not to be had,
            None where the model draws no random numbers.
        autocast: for each of `HeldPasses.device_types` the dtype, or False.
        training: the root's mode.
        buffers: of the model.
        outputs: every output that has a gradient; a large one's sum instead, which is finite only where all of it is.
        gradients: (which output, dL/d(output)), as they came back; None for a large one. Empty where none was listened
            for.
    """

    __slots__ = ("args", "autocast", "buffers", "generators", "gradients", "held", "kwargs", "number", "outputs",
                 "training")  # fmt: skip

    def __init__(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.number = number
        self.args, self.kwargs = args, kwargs
        self.held: list[Held] = []
        self.generators: tuple[Tensor, ...] | None = None
        self.autocast: list[Any] = []
        self.training = True
        self.buffers: tuple[Buffer, ...] = ()
        self.outputs: list[Held] = []
        self.gradients: list[tuple[int, Held | None]] = []


class HeldPasses:
    """The passes since the last step.

    Args:
        model: that is watched.
    """

    def __init__(self, model: nn.Module) -> None:
        self.root, self.model = model, unwrapped(model)
        self.passes: list[Pass] = []
        self.dropped = False  # more passes than are held
        self.listening = True  # for the gradient that comes back to an output
        self.nodes: list[Any] = []  # that made the outputs since the last step; only while listening
        self._count = 0
        self._open: Pass | None = None
        self.follow()

    def follow(self) -> None:
        """The model may have other parts than it had."""
        self._buffers = tuple(
            Buffer(name, module._buffers, key, tensor, -1 if tensor is None else _version(tensor))
            for name, module in self.model.named_modules()
            for key, tensor in module._buffers.items()
            if key not in _STATISTICS
        )
        self.has_buffers = 0 < len(self._buffers) <= MOST_BUFFERS
        self.draws, self._trials = True, TRIALS  # random numbers, as far as is known
        devices = {parameter.device for parameter in self.model.parameters()}
        self.cuda_devices = sorted(device.index for device in devices if device.type == "cuda")
        self.device_types = list({"cpu": 0} | {device.type: 0 for device in devices})

    @property
    def is_settled(self) -> bool:
        """Whether it is known what to hold of a pass, and nothing is to be held on a device."""
        return not (self._trials or self.listening or self.passes) and self.device_types == ["cpu"]

    def skip(self, count: int) -> None:
        """So many passes went by, and are of no more use."""
        self._count += count

    def resume(self, record: Pass, *, is_running: bool) -> None:
        """A pass has begun as `record` says, which holds what this would have held."""
        record.number = self._count
        self._count += 1
        record.buffers = self._buffers
        self.passes.append(record)
        self._open = record if is_running else None

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A training pass begins."""
        if len(self.passes) == MOST_PASSES:
            del self.passes[0]
            self.dropped = True
        if self.has_buffers:
            self.look_at_buffers()
        self._open = record = Pass(self._count, args, kwargs)
        self._count += 1
        self.passes.append(record)
        for value in (*args, *kwargs.values()) if kwargs else args:
            if isinstance(value, Tensor):
                record.held.append((value, -1 if value.is_inference() else value._version))
            elif isinstance(value, list | tuple | dict):
                record.held += [(leaf, _version(leaf)) for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]
        if self.draws:
            record.generators = self._states()
        for kind in self.device_types:
            record.autocast.append(torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind))
        record.training = self.root.training
        record.buffers = self._buffers

    def end(self, output: Any) -> None:
        """It has given its output."""
        record, self._open = self._open, None
        if record is None:
            return
        if self._trials:
            self._try(record.generators)
        found = [output] if isinstance(output, Tensor) else tensors_with_gradient(output)
        for tensor in found:
            node = tensor.grad_fn
            if node is None:
                continue
            small = tensor.numel() <= LARGEST
            kept = tensor.detach() if small else total(tensor)
            if self.listening:  # at the node, not at the tensor: nothing that a saved output would take along
                node.register_prehook(_Catch(record.gradients, len(record.outputs), tensor.output_nr))
                self.nodes.append(node)
            record.outputs.append((kept, kept._version))

    def keep(self, count: int) -> None:
        """Only the last passes still count."""
        del self.passes[: max(0, len(self.passes) - count)]
        self.dropped = count > len(self.passes)

    def clear(self) -> None:
        """The step is done: nothing of it is needed any more."""
        self.passes.clear()
        self.nodes.clear()
        self.dropped = False

    def _try(self, before: tuple[Tensor, ...] | None) -> None:
        """Copying a generator's state pushes others out of the cache; a model that never draws can do without."""
        self._trials -= 1
        if not before or not all(map(torch.equal, before, self._states())):
            self._trials = 0
        elif self._trials == 0:
            self.draws = False

    def _states(self) -> tuple[Tensor, ...]:
        if not self.cuda_devices:
            return (_cpu_state(),)
        if torch.cuda.is_current_stream_capturing():
            return ()
        return _cpu_state(), *(torch.cuda.default_generators[index].get_state() for index in self.cuda_devices)

    def look_at_buffers(self) -> None:
        """See which ones have changed since the pass before."""
        for index, known in enumerate(self._buffers):
            tensor = known.table.get(known.key)
            if tensor is not known.tensor or (tensor is not None and _version(tensor) != known.version):
                before, after = self._buffers[:index], self._buffers[index + 1 :]
                self._buffers = (*before, self._copied(known, tensor), *after)

    def _copied(self, known: Buffer, tensor: Tensor | None) -> Buffer:
        if tensor is None:
            return replace(known, tensor=None, version=-1, copy=None)
        held = sum(buffer.copy.numel() for buffer in self._buffers if buffer.copy is not None)
        copy = tensor.detach().clone() if held + tensor.numel() <= LARGEST else None
        return replace(known, tensor=tensor, version=_version(tensor), copy=copy)


class _Catch:
    """A hook on the node of an output: keeps dL/d(output)."""

    __slots__ = ("_index", "_into", "_place")

    def __init__(self, into: list[tuple[int, Held | None]], index: int, place: int) -> None:
        self._into, self._index, self._place = into, index, place

    def __call__(self, gradients: tuple[Tensor | None, ...]) -> None:
        gradient = gradients[self._place]
        if gradient is not None:
            small = gradient.numel() <= LARGEST
            self._into.append((self._index, (gradient, gradient._version) if small else None))


def total(tensor: Tensor) -> Tensor:
    """The sum, in at least 32 bits: finite only where every number is."""
    return tensor.detach().sum(dtype=torch.promote_types(tensor.dtype, torch.float))


def _version(tensor: Tensor) -> int:
    return -1 if tensor.is_inference() else tensor._version  # an inference tensor counts none
