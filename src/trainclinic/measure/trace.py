"""Trace: follows non-finite numbers through one forward pass, from where they arise to the output.

Every call of a torch function is seen. An operation that gives a non-finite number of finite ones is an Event; so is
one that makes NaN of infinities. What comes of it carries its mark, until an operation turns it into finite numbers
again, as softmax does with the -inf of a mask.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_leaves
from torch.utils.hooks import RemovableHandle

from trainclinic.measure.singular import FILLS, POINTWISE, UNINITIALIZED, plain_name, said

_HOOKS = (Tensor.register_hook, Tensor.register_post_accumulate_grad_hook)


@dataclass(frozen=True)
class Frame:
    """A module that is running: its name, and its class."""

    module: str
    kind: str


@dataclass(eq=False)
class Event:
    """Non-finite numbers that were not there before.

    Attributes:
        index: of the operation, in order; -1 for what was there at the start.
        source: "operation", "input", "weights", "constant" or "hidden" (made by what cannot be seen).
        frame: where it ran.
        operation: its bare name, or that of the tensor.
        nan: whether there was NaN; else infinities alone.
        meant: an infinity that was put there on purpose.
        parents: of an operation that made NaN of infinities: the events those came from.
        facts: what a person wants to know beside; see `singular.said`.
    """

    index: int
    source: str
    frame: Frame
    operation: str
    nan: bool
    meant: bool = False
    parents: tuple[Event, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, str]:
        """What tells it in another run of the same pass."""
        return self.index, "" if self.index >= 0 else f"{self.source} {self.operation}"


Marks = dict[Event, None]  # a set that keeps its order


@dataclass
class _Call:
    """One call of a torch function, before it runs."""

    name: str
    frame: Frame
    given: list[Tensor]
    bad: list[Tensor]
    versions: list[int]
    filled: bool
    samples: list[Tensor] = field(default_factory=list)


class Trace(TorchFunctionMode):
    """Watches a forward pass of `model`.

    Args:
        model: the shadow that will run.
        mend: keys of events whose non-finite numbers are made 0, to see what becomes of the rest.
        made: told of every operation: what it was given, what it gave, where, its name, and the events in all that.
    """

    def __init__(
        self,
        model: nn.Module,
        mend: frozenset[Any] = frozenset(),
        made: Callable[[list[Tensor], list[Tensor], Frame, str, Marks], None] | None = None,
    ) -> None:
        super().__init__()
        self.hooks_left_out = 0
        self.events: list[Event] = []
        self._model, self._mend, self._made = model, mend, made
        self._index = 0
        self._frames = [Frame("", type(model).__name__)]
        self._marks: dict[int, tuple[Tensor, Marks]] = {}  # the tensor is held: its id stays its own
        self._storages: dict[int, Marks] = {}

    @contextmanager
    def placed(self) -> Iterator[Trace]:
        """Know which module is running, for as long as this is open."""
        handles: list[RemovableHandle] = []
        for name, module in self._model.named_modules():
            if module is not self._model:
                frame = Frame(name, type(module).__name__)
                handles.append(module.register_forward_pre_hook(self._enter(frame), with_kwargs=True, prepend=True))
                handles.append(module.register_forward_hook(self._leave, always_call=True))
        try:
            yield self
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, frame: Frame) -> Callable[..., None]:
        def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
            self._tell_made([], [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)], "")
            self._frames.append(frame)

        return enter

    def _leave(self, module: nn.Module, args: Any, output: Any) -> None:
        self._tell_made([], [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)], "")
        self._frames.pop()

    def _tell_made(self, given: list[Tensor], made: list[Tensor], name: str) -> None:
        if self._made is not None:
            with torch._C.DisableTorchFunction():
                self._made(given, made, self._frames[-1], name, self.marks(given + made) if name else {})

    # -- what was there at the start

    def begin(self, tensors: Iterable[tuple[str, str, Tensor]]) -> None:
        """Look at (source, name, tensor) that the pass starts from: arguments, weights, constants."""
        for source, name, tensor in tensors:
            nan, inf = _what(tensor)
            if nan or inf:
                meant = not nan and _looks_meant(source, tensor)
                event = Event(-1, source, self._frames[0], name, nan, meant, facts=_counted(tensor))
                self.events.append(event)
                if event.key in self._mend:
                    tensor.detach().nan_to_num_(0.0, 0.0, 0.0)
                else:
                    self._mark(tensor, {event: None})

    def marks(self, tensors: Iterable[Tensor]) -> Marks:
        """The events that reached these tensors, in order."""
        found = [event for tensor in tensors if any(_what(tensor)) for event in self._of(tensor)]
        return dict.fromkeys(sorted(set(found), key=self.events.index))

    # -- every operation

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _HOOKS:
            self.hooks_left_out += 1  # a user's, with effects of its own
            return RemovableHandle(OrderedDict())
        leaves = tree_flatten((args, kwargs))[0]
        given = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        filled = any(isinstance(leaf, float) and leaf in (float("inf"), float("-inf")) for leaf in leaves)
        bad = [tensor for tensor in given if any(_what(tensor))]
        name = plain_name(func)
        call = _Call(name, self._frames[-1], given, bad, [_version(tensor) for tensor in given], filled)
        if name.endswith("_") or name == "setitem":  # what it is given is gone when it returns
            call.samples = [tensor.detach().clone() for tensor in given]
        result = func(*args, **kwargs)
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        pairs = zip(given, call.versions, strict=True)
        made += [tensor for tensor, version in pairs if _version(tensor) != version and _not_in(tensor, made)]
        if made:
            self._see(call, made)
            self._tell_made(given, made, name)
        return result

    @torch.no_grad()
    def _see(self, call: _Call, made: list[Tensor]) -> None:
        index, self._index = self._index, self._index + 1
        for tensor in made:
            nan, inf = _what(tensor)
            if nan or inf:
                marks = self._arisen(call, index, tensor, nan)
                if (index, "") in self._mend:
                    tensor.detach().nan_to_num_(0.0, 0.0, 0.0)
                else:
                    self._mark(tensor, marks)

    def _arisen(self, call: _Call, index: int, made: Tensor, nan: bool) -> Marks:
        """The events in what an operation made."""
        given = call.samples or call.given
        if not call.bad:
            return {self._event(call, index, made, nan): None}
        sources = [tensor for tensor in call.bad if _what(tensor)[0]] if nan else call.bad
        if not sources and not call.samples:  # NaN of infinities
            parents = tuple(dict.fromkeys(event for tensor in call.bad for event in self._of(tensor)))
            return {self._event(call, index, made, nan, parents): None}
        reached = dict.fromkeys(event for tensor in call.bad for event in self._of(tensor))
        of_sources = {event for tensor in sources for event in self._of(tensor)}
        marks = {event: None for event in reached if not sources or event in of_sources or not event.meant}
        if call.name in POINTWISE | FILLS and _fresh(made, given):
            marks[self._event(call, index, made, nan)] = None
        return marks

    def _event(self, call: _Call, index: int, made: Tensor, nan: bool, parents: tuple[Event, ...] = ()) -> Event:
        meant = call.name in UNINITIALIZED or (call.name in FILLS and call.filled and not nan)
        facts = said(call.name, call.samples or call.given, made, nan=nan, masked=bool(parents))
        event = Event(index, "operation", call.frame, call.name, nan, meant, parents, facts)
        self.events.append(event)
        return event

    # -- marks

    def _mark(self, tensor: Tensor, marks: Marks) -> None:
        self._marks[id(tensor)] = tensor, marks
        key = _storage(tensor)
        if key is not None:
            self._storages[key] = self._storages.get(key, {}) | marks

    def _of(self, tensor: Tensor) -> Marks:
        """The events in a tensor that is not finite."""
        known = self._marks.get(id(tensor))
        if known is not None:
            return known[1]
        key = _storage(tensor)
        if key is not None and key in self._storages:
            return self._storages[key]
        nan, _ = _what(tensor)
        constant = tensor.grad_fn is None and not tensor.requires_grad
        source = "constant" if constant and not nan else "hidden"
        event = Event(self._index, source, self._frames[-1], "", nan, meant=source == "constant")
        self.events.append(event)
        self._mark(tensor, {event: None})
        return {event: None}


def _what(tensor: Tensor) -> tuple[bool, bool]:
    """Whether there is NaN, whether there is an infinity."""
    if not (tensor.is_floating_point() or tensor.is_complex()) or tensor.layout != torch.strided or tensor.is_meta:
        return False, False
    value = tensor.detach()
    if bool(torch.isfinite(value).all()):
        return False, False
    return bool(torch.isnan(value).any()), bool(torch.isinf(value).any())


def _fresh(made: Tensor, given: list[Tensor]) -> bool:
    """Whether a result, computed element by element, is non-finite where all that it was computed of is finite."""
    bad = ~torch.isfinite(made.detach())
    for tensor in given:
        try:
            bad = bad & torch.isfinite(tensor.detach())
        except RuntimeError:  # another shape: an index
            return False
    return bad.shape == made.shape and bool(bad.any())


def _looks_meant(source: str, tensor: Tensor) -> bool:
    """Infinities that are there on purpose: constants, and arguments that are masks of 0 and -inf."""
    if source == "constant":
        return True
    if source == "weights":
        return not tensor.requires_grad
    finite = tensor[torch.isfinite(tensor)]
    return bool((tensor != float("inf")).all()) and bool((finite == 0).all())


def _counted(tensor: Tensor) -> dict[str, Any]:
    bad = ~torch.isfinite(tensor.detach())
    row = int(bad.flatten(1).any(1).nonzero()[0]) if tensor.ndim > 1 else int(bad.flatten().nonzero()[0])
    return {"elements": int(bad.sum()), "row": row, "shape": list(tensor.shape)}


def _storage(tensor: Tensor) -> int | None:
    return tensor.untyped_storage()._cdata if tensor.layout == torch.strided else None


def _version(tensor: Tensor) -> int:
    return -1 if tensor.is_inference() else tensor._version


def _not_in(tensor: Tensor, others: list[Tensor]) -> bool:
    return all(other is not tensor for other in others)
