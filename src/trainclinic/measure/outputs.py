"""What a forward returned, or was given: the tensor in it, whatever it is wrapped in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn

_DEEPEST = 8  # containers in containers


def first_tensor(output: Any) -> Tensor | None:
    """The tensor that a module's output, or a model's input, is about.

    Itself, or the first in a tuple, list, mapping, dataclass or other object, nested or not. A single number, such as
    the loss that some models return before their output, only where there is nothing else.
    """
    number = None
    for tensor in _tensors(output):
        if tensor.ndim:
            return tensor
        number = tensor if number is None else number
    return number


def _tensors(output: Any, depth: int = 0) -> Iterator[Tensor]:
    """Every tensor in it, in order."""
    if isinstance(output, Tensor):
        yield output
    elif depth < _DEEPEST:
        for part in _parts(output):
            yield from _tensors(part, depth + 1)


def _parts(output: Any) -> Iterable[Any]:
    if isinstance(output, list | tuple):
        return output
    if isinstance(output, Mapping):
        return output.values()
    if dataclasses.is_dataclass(output):
        return [getattr(output, part.name, None) for part in dataclasses.fields(output)]
    return vars(output).values() if hasattr(output, "__dict__") and not isinstance(output, nn.Module) else ()
