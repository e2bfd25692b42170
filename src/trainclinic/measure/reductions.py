"""The cheap reductions, and the two traps of float32.

`torch.linalg.vector_norm` and `sum` are the fast ones on a CPU; `var_mean`, `count_nonzero` and `isfinite().all()`
cost 10 to 100 times as much. A norm squares its input, so in float32 it loses signals below 1e-19 and overflows
above 1e19: just where gradients vanish and explode. There it is taken again in float64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

SAMPLE = 4096  # elements; where a reduction is dear it sees at most this many, evenly spread
_PIECE, _PIECE_ON_DEVICE = 1 << 18, 1 << 23  # elements converted at once; many small kernels are slow on a device
_HALVES = (torch.float16, torch.bfloat16)
_SAFE = (1e-15, 1e18)  # float32 norms inside are exact to rounding, even of a million elements


def norm(tensor: Tensor) -> Tensor:
    """Euclidean norm of all elements, a 0-dim tensor on the tensor's device; right over the whole float range."""
    tensor = as_real(tensor)
    if not tensor.is_cpu:
        return _exact_norm(tensor)  # no look at the value: it would wait for the device
    fast = _norm_in(tensor, torch.float32) if tensor.dtype in _HALVES else torch.linalg.vector_norm(tensor)
    return fast if _SAFE[0] < fast.item() < _SAFE[1] else _exact_norm(tensor)


def norms(tensors: list[Tensor]) -> list[Tensor]:
    """The norm of each tensor; one fused call for all."""
    if not tensors:
        return []
    tensors = [as_real(tensor) for tensor in tensors]
    if not tensors[0].is_cpu:
        return list(torch._foreach_norm(tensors, 2, torch.float64))
    if any(tensor.dtype in _HALVES for tensor in tensors):
        return [norm(tensor) for tensor in tensors]
    found = list(torch._foreach_norm(tensors))
    return [
        value if _SAFE[0] < value.item() < _SAFE[1] else _exact_norm(tensor)
        for value, tensor in zip(found, tensors, strict=True)
    ]


def as_real(tensor: Tensor) -> Tensor:
    """A complex tensor as one of twice as many real numbers: its norm is that of the moduli."""
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def is_measurable(tensor: Tensor) -> bool:
    """Whether it holds real or complex numbers, in an ordinary or a nested tensor; not integers, sparse ones, none."""
    numbers = tensor.is_floating_point() or tensor.is_complex()
    return numbers and not is_sparse(tensor) and tensor.numel() > 0


def is_sparse(tensor: Tensor) -> bool:
    """Whether it is kept in one of PyTorch's sparse layouts."""
    return tensor.layout not in (torch.strided, torch.jagged)


def dense(tensor: Tensor) -> Tensor:
    """A nested tensor's rows one under the other, as an ordinary tensor; an ordinary one as it is."""
    return tensor.values() if tensor.is_nested else tensor


def total(tensor: Tensor) -> Tensor:
    """Sum of all elements, a 0-dim tensor."""
    return tensor.sum(dtype=torch.float32) if tensor.dtype in _HALVES else tensor.sum()


def is_zero(tensor: Tensor) -> bool:
    """Whether every element is 0; waits for a device. `any` would make a copy, and take ten times as long."""
    if not tensor.numel():
        return True
    low, high = torch.aminmax(as_real(tensor))
    return low.item() == 0 == high.item()


def spread(tensor: Tensor, count: int = SAMPLE) -> Tensor:
    """At most about `count` elements, evenly spread over the tensor, flat; all of them when there are no more.

    The stride shares no factor with the last dimension, so that it does not pick the same features again and again.
    """
    elements = tensor.numel()
    if elements <= count:
        return tensor.reshape(-1)
    if not tensor.is_contiguous():  # a transposed tensor, or channels last: the order in memory is as good
        tensor = tensor.permute(sorted(range(tensor.ndim), key=tensor.stride, reverse=True))
    if not tensor.is_contiguous():
        rows = max(1, math.ceil(elements / (4 * count)))
        tensor = tensor[::rows].reshape(-1)
        elements = tensor.numel()
    stride = max(1, math.ceil(elements / count))
    while math.gcd(stride, tensor.shape[-1]) > 1 and tensor.ndim > 1:
        stride += 1
    return tensor.reshape(-1)[::stride]


def to_floats(values: Sequence[Tensor]) -> list[float]:
    """The numbers in 0-dim tensors: one transfer for all of them where they live on a device."""
    if not values:
        return []
    if values[0].is_cpu or len({value.device for value in values}) > 1:
        return [value.item() for value in values]
    return torch.stack([value.double() for value in values]).tolist()


def measured(value: float) -> float:
    """As it is recorded: NaN there means not measured, so a measured NaN is kept as inf."""
    return math.inf if math.isnan(value) else value


def _exact_norm(tensor: Tensor) -> Tensor:
    return _norm_in(tensor, torch.float64)


def _norm_in(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """The norm, computed in `dtype`. To convert a tensor PyTorch copies it: a large one goes piece by piece."""
    most = _PIECE if tensor.is_cpu else _PIECE_ON_DEVICE
    if tensor.dtype == dtype or tensor.numel() <= most:
        whole: Tensor = torch.linalg.vector_norm(tensor, dtype=dtype)
        return whole
    longest = max(range(tensor.ndim), key=tensor.size)
    pieces = torch.split(tensor, max(1, most * tensor.size(longest) // tensor.numel()), longest)
    # One place for all results: small ones, each allocated behind a piece, would keep the heap from shrinking.
    found = tensor.new_empty(len(pieces), dtype=dtype)
    for place, piece in zip(found, pieces, strict=True):
        torch.linalg.vector_norm(piece, dtype=dtype, out=place)
    return _norm_in(found, dtype)
