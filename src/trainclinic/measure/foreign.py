"""ForeignParameters: weights that the loss depends on, though neither the model lists nor an optimizer holds them.

A module that was forgotten, or modules in a plain Python list: nothing fails, nothing warns, nothing there learns.
The leaves of the autograd graph know them all.
"""

from __future__ import annotations

import gc
from collections.abc import Set
from typing import Any

from torch import Tensor, nn

from trainclinic.measure.reductions import spread

LOOKS = 3  # at the graph; what a model computes with hardly changes later
_FURTHEST = 50_000  # nodes
_SAMPLE = 64  # elements compared, to see whether someone else trains them


class ForeignParameters:
    """Finds them in the graph of the loss, and sees whether they move.

    Args:
        known: ids of the parameters of the model and its optimizers.
    """

    def __init__(self, known: set[int]) -> None:
        self._known = known
        self._looks = 0
        self._found: dict[int, tuple[nn.Parameter, Tensor, dict[str, Any]]] = {}
        self._moved: set[int] = set()

    def know(self, parameters: list[nn.Parameter]) -> None:
        """The model lists these now: they are not foreign."""
        self._known.update(map(id, parameters))
        for key in map(id, parameters):
            self._found.pop(key, None)

    def look(self, loss: Tensor, gathered: Set[int] = frozenset()) -> None:
        """Look at the graph of `loss`, the first times; later only whether anything moved.

        Args:
            loss: has just been differentiated.
            gathered: ids of weights that stand for the shards of known ones.
        """
        for key, (parameter, before, _) in self._found.items():
            if key not in self._moved and not bool((spread(parameter.detach(), _SAMPLE) == before).all()):
                self._moved.add(key)
        if self._looks < LOOKS:
            self._looks += 1
            known = self._known | gathered
            leaves = [leaf for leaf in _leaves(loss) if isinstance(leaf, nn.Parameter) and id(leaf) not in known]
            owners = _owners() if leaves else {}
            for leaf in leaves:
                self._known.add(id(leaf))
                owner = owners.get(id(leaf), {"name": f"parameter {list(leaf.shape)}", "training": True})
                self._found[id(leaf)] = (leaf, spread(leaf.detach(), _SAMPLE).clone(), owner)

    def to_list(self) -> list[dict[str, Any]]:
        """As plain data: name, shape, whether it moved, whether its module was in train mode."""
        return [
            {"shape": list(parameter.shape), "moved": key in self._moved, **owner}
            for key, (parameter, _, owner) in self._found.items()
        ]


def _leaves(loss: Tensor) -> list[Any]:
    queue: list[Any] = [loss.grad_fn]
    seen: set[Any] = {None}
    leaves = []
    while queue and len(seen) < _FURTHEST:
        node = queue.pop()
        if node not in seen:
            seen.add(node)
            if hasattr(node, "variable"):
                leaves.append(node.variable)
            queue.extend(following for following, _ in node.next_functions)
    return leaves


def _owners() -> dict[int, dict[str, Any]]:
    """Id of every module's own parameters → its name and its module's mode; one walk over all objects."""
    modules = [thing for thing in gc.get_objects() if issubclass(type(thing), nn.Module)]
    return {
        id(parameter): {"name": f"{type(module).__name__}.{name}", "training": module.training}
        for module in modules
        for name, parameter in module.__dict__.get("_parameters", {}).items()
    }
