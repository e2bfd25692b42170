"""Hook: a hook that does not travel. A copy or pickle of a watched model is not watched and needs no trainclinic."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any


class Hook:
    """Calls `function`; copied or pickled it becomes a standard-library callable that takes anything, gives None."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any) -> Any:
        """Pass on what PyTorch gives a hook."""
        return self.function(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (contextlib.nullcontext(), "__exit__")
