"""Hook: a hook that does not travel and does not hurt.

A copy or pickle of a watched model is not watched and needs no trainclinic. An error of ours ends the watch, never the
training.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch.compiler import is_dynamo_compiling

GiveUp = Callable[[Exception], None]
_transforms_active = torch._C._are_functorch_transforms_active
_tracing_state, _dispatch_mode = torch._C._get_tracing_state, torch._C._get_dispatch_mode
_FAKE = torch._C._TorchDispatchModeKey.FAKE


def is_transformed() -> bool:
    """Whether tensors stand for others just now: in a transform of torch.func, while tracing, with fake tensors."""
    return _transforms_active() or _tracing_state() is not None or _dispatch_mode(_FAKE) is not None


class Hook:
    """Calls `function`; if that raises, tells `give_up` and does nothing from then on.

    `give_up` may raise the error again: it is then one that the user asked for.

    Copied or pickled it becomes a standard-library callable that takes anything and gives None.
    """

    __slots__ = ("function", "give_up")

    def __init__(self, function: Callable[..., Any], give_up: GiveUp) -> None:
        self.function = function
        self.give_up = give_up

    def __call__(self, *args: Any) -> Any:
        """Pass on what PyTorch gives a hook."""
        if is_dynamo_compiling():
            return None  # it is traced away, without a break in the graph; `compiled.py` looks at such models
        if is_transformed():
            return None
        try:
            return self.function(*args)
        except Exception as error:
            self.give_up(error)
            self.stop()
            return None

    def exchange(self, old: Callable[..., Any], new: Callable[..., Any]) -> None:
        """Call `new` in place of `old`; one that has stopped stays so."""
        if self.function == old:
            self.function = new

    def stop(self) -> None:
        """Do nothing from now on."""
        self.function = _nothing

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (contextlib.nullcontext(), "__exit__")


def _nothing(*args: Any) -> None:
    pass
