"""Hook: a hook that does not travel and does not hurt.

A copy or pickle of a watched model is not watched and needs no trainclinic. An error of ours ends the watch, never the
training.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

GiveUp = Callable[[Exception], None]


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
        try:
            return self.function(*args)
        except Exception as error:
            self.give_up(error)
            self.stop()

    def stop(self) -> None:
        """Do nothing from now on."""
        self.function = _nothing

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (contextlib.nullcontext(), "__exit__")


def _nothing(*args: Any) -> None:
    pass
