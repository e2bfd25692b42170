"""BackwardTrace: the first operation whose slope is not finite, on the way back through one pass.

Every autograd node says what came in and what went out of it. A node that makes a non-finite gradient of finite ones is
where it began; its mark is carried along the graph's edges, so that only what reaches a weight counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainclinic.measure.trace import Event, Frame, Marks

_FURTHEST = 100_000  # nodes


@dataclass(frozen=True, eq=False)
class Slope:
    """An operation whose slope made a gradient non-finite.

    Attributes:
        order: in which the nodes were reached.
        frame: where it ran; None where finite gradients added up to an infinite one.
        operation: its bare name.
        result: the number that came out.
        marks: what was not finite already on the way forward.
    """

    order: int
    frame: Frame | None
    operation: str = ""
    result: str = ""
    marks: tuple[Event, ...] = ()


class BackwardTrace:
    """Maps each autograd node to the operation that made it, then follows the gradient through them."""

    def __init__(self) -> None:
        self._places: dict[Any, tuple[Frame, str, tuple[Event, ...]]] = {}
        self._marks: dict[Any, dict[Slope, None]] = {}  # of the gradient that is on its way to a node
        self._order = 0

    def made(self, given: list[Tensor], made: list[Tensor], frame: Frame, name: str, marks: Marks) -> None:
        """An operation has run: the nodes behind its results, up to those known already, are its own."""
        self._claim([tensor.grad_fn for tensor in given], frame, "", ())  # by what no one saw, just before
        self._claim([tensor.grad_fn for tensor in made], frame, name, tuple(marks))

    def _claim(self, nodes: list[Any], frame: Frame, name: str, marks: tuple[Event, ...]) -> None:
        queue = list(nodes)
        while queue and len(self._places) < _FURTHEST:
            node = queue.pop()
            if node is None or node in self._places or _is_leaf(node):
                continue
            self._places[node] = frame, name or bare(node), marks
            queue += [following for following, _ in node.next_functions]

    def run(self, outputs: Sequence[Tensor], gradients: Sequence[Tensor], model: nn.Module) -> dict[str, list[Slope]]:
        """Differentiate; gives the weights whose gradient is not finite, each with the slopes that made it so."""
        named = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        leaves = list(named.values())
        handles = [node.register_hook(self._listen(node)) for node in self._places]
        try:
            found = torch.autograd.grad(outputs, leaves, gradients, allow_unused=True)
        finally:
            for handle in handles:
                handle.remove()
        bad = [
            name for name, gradient in zip(named, found, strict=True) if gradient is not None and not finite(gradient)
        ]
        edges = {id(node.variable): marks for node, marks in self._marks.items() if _is_leaf(node)}
        return {name: list(edges.get(id(named[name]), ())) for name in bad}

    def _listen(self, node: Any) -> Callable[..., None]:
        def see(out: tuple[Tensor | None, ...], came: tuple[Tensor | None, ...]) -> None:
            wrong = [gradient is not None and not finite(gradient) for gradient in out]
            if not any(wrong):
                return
            marks = self._marks.get(node, {})
            if all(gradient is None or finite(gradient) for gradient in came):
                frame, name, before = self._places[node]
                result = next(_first(gradient) for gradient in out if gradient is not None and not finite(gradient))
                marks = {Slope(self._order, frame, name, result, before): None}
            elif not marks:  # finite gradients that sum to an infinite one, or what no hook sees
                marks = {Slope(self._order, None): None}
            self._order += 1
            for (following, _), bad in zip(node.next_functions, wrong, strict=False):
                if following is not None and bad:
                    self._marks[following] = self._marks.get(following, {}) | marks

        return see


def _is_leaf(node: Any) -> bool:
    return bool(node.name() == "torch::autograd::AccumulateGrad")


def bare(node: Any) -> str:
    """The operation a node differentiates: "LogBackward0" → "log"."""
    name = str(node.name()).rstrip("0123456789").removesuffix("Backward")
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def finite(tensor: Tensor) -> bool:
    """Whether every number of a tensor, dense or sparse, is finite."""
    dense = tensor.coalesce().values() if tensor.is_sparse else tensor
    return bool(torch.isfinite(dense).all())


def _first(gradient: Tensor) -> str:
    dense = gradient.coalesce().values() if gradient.is_sparse else gradient
    return str(dense[~torch.isfinite(dense)][0].item())
