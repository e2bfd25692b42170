"""Functions: sees the activation functions that a model calls as functions, while it is open.

It stands lowest among the torch function modes, above the default device alone, which PyTorch wants at the bottom. So
modes that the user's code enters or leaves inside a forward come and go above it, and none of them sees what is
measured here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack, _pop_mode, _push_mode
from torch.utils._device import DeviceContext

from trainclinic.measure.activations import FUNCTIONS, Activation
from trainclinic.measure.hook import is_transformed

Call = Callable[[Activation, Any, Any, Any], Any]


class Functions(TorchFunctionMode):
    """A mode that hands every call of a known activation function to `call`, which has to make it."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        activation = FUNCTIONS.get(func)
        if activation is None or is_transformed():
            return func(*args, **kwargs)
        return self._call(activation, func, args, kwargs)

    def __enter__(self) -> Functions:
        others = _pop_all()
        device = others[:1] if isinstance(next(iter(others), None), DeviceContext) else []
        _push_all([*device, self, *others[len(device) :]])
        return self

    def __exit__(self, *_: object) -> None:
        _push_all([mode for mode in _pop_all() if mode is not self])


def _pop_all() -> list[Any]:
    """The modes of this thread, lowest first."""
    modes = _get_current_function_mode_stack()  # type: ignore[no-untyped-call]
    for _ in modes:
        _pop_mode()  # type: ignore[no-untyped-call]
    return modes  # type: ignore[no-any-return]


def _push_all(modes: list[Any]) -> None:
    for mode in modes:
        _push_mode(mode)  # type: ignore[no-untyped-call]
