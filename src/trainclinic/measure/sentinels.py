"""Which gradients stand for all: looking at every one in every step would cost too much.

A NaN on its way back reaches every weight that lies before the operation that made it. So one small weight at the very
front stands for a plain network. Where the network has branches, the autograd graph tells which operations the front
does not see; they get a weight of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

SMALL = 4096  # elements of a gradient that is looked at in every step
MOST = 4  # of them
_FURTHEST = 20_000  # nodes
#: pass a gradient on as it is, in another shape
_PASS_ON = frozenset({
    "torch::autograd::AccumulateGrad", "Alias", "AsStrided", "Clone", "Embedding", "Expand", "Permute", "Reshape",
    "Select", "Slice", "Split", "Squeeze", "T", "ToCopy", "Transpose", "Unbind", "Unsqueeze", "UnsafeView", "View",
})  # fmt: skip


def choose(loss: Tensor, parameters: Sequence[nn.Parameter]) -> list[nn.Parameter]:
    """The weights whose gradients to look at, the foremost first; empty where the graph knows none of them."""
    bits = {id(parameter): 1 << index for index, parameter in enumerate(parameters)}
    reach = _reach(loss, bits)
    everything = reach.get(loss.grad_fn, 0)
    front = _smallest(parameters, everything, SMALL, foremost=True)
    if front is None:
        front = _smallest(parameters, everything, sys.maxsize)
    if front is None:
        return []
    chosen, seen = [front], bits[id(front)]
    makers = {mask for node, mask in reach.items() if mask and _bare(node) not in _PASS_ON}
    for mask in sorted(makers, key=lambda mask: mask.bit_count()):
        if len(chosen) == MOST:
            break
        parameter = None if mask & seen else _smallest(parameters, mask, SMALL)
        if parameter is not None:
            chosen.append(parameter)
            seen |= bits[id(parameter)]
    return chosen


def _reach(loss: Tensor, bits: dict[int, int]) -> dict[Any, int]:
    """For every node of the graph the weights that its gradient goes on to, as a bit mask."""
    reach: dict[Any, int] = {}
    queue: list[Any] = [loss.grad_fn]
    while queue and len(reach) < _FURTHEST:
        node = queue[-1]
        following = [] if node is None else [after for after, _ in node.next_functions if after is not None]
        waiting = [after for after in following if after not in reach]
        if node is None or node in reach or not waiting:
            queue.pop()
            if node is not None and node not in reach:
                variable = getattr(node, "variable", None)
                reach[node] = bits.get(id(variable), 0) if isinstance(variable, Tensor) else 0
                for after in following:
                    reach[node] |= reach[after]
        else:
            queue += waiting
    return reach


def _smallest(
    parameters: Sequence[nn.Parameter], mask: int, most: int, *, foremost: bool = False
) -> nn.Parameter | None:
    """The smallest weight in a mask, or the foremost one, of at most so many elements."""
    found = [parameter for index, parameter in enumerate(parameters) if mask >> index & 1 and parameter.numel() <= most]
    return min(found, key=lambda parameter: 0 if foremost else parameter.numel(), default=None)


def _bare(node: Any) -> str:
    return str(node.name()).rstrip("0123456789").removesuffix("Backward")
