"""Parts: whether a model still has the parts it had. Asked at every look; to name them all anew would be felt."""

from __future__ import annotations

from typing import Any

from torch import nn


class Parts:
    """The modules and parameters of a model, as they were when they were last looked at: at first, now.

    Args:
        model: any module.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._known = _parts(model)  # kept alive, so that no new part can be taken for an old one

    def changed(self) -> bool:
        """Whether one came, went, was compiled in place or got its shape since the last call."""
        before, self._known = self._known, _parts(self._model)
        return list(map(id, before)) != list(map(id, self._known))


def _parts(model: nn.Module) -> list[Any]:
    found: list[Any] = []
    queue, seen = [model], {id(model)}
    while queue:
        module = queue.pop()
        found += (module, vars(module).get("_compiled_call_impl"))
        for parameter in module._parameters.values():
            found += (parameter, type(parameter))  # a lazy one changes its class when it gets its shape
        for part in module._modules.values():
            if part is not None and id(part) not in seen:
                seen.add(id(part))
                queue.append(part)
    return found
