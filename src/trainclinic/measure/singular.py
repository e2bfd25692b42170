"""What is known of operations that leave the range of numbers: their names, and how to say what happened."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor

#: give the values they are told to give
FILLS = frozenset({
    "full", "full_like", "new_full", "masked_fill", "masked_fill_", "fill_", "where", "tensor", "as_tensor",
    "new_tensor", "scalar_tensor", "pad", "setitem", "index_fill", "index_fill_", "masked_scatter", "masked_scatter_",
})  # fmt: skip
#: leave in memory what was there
UNINITIALIZED = frozenset({"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "empty_permuted"})
#: work element by element
POINTWISE = frozenset({
    "add", "sub", "mul", "div", "true_divide", "divide", "multiply", "subtract", "rsub", "pow", "float_power", "exp",
    "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "square", "truediv", "floordiv",
    "remainder", "fmod", "acos", "asin", "acosh", "atanh", "tan", "sinh", "cosh", "logit", "erfinv", "lgamma",
    "digamma", "xlogy", "addcdiv", "addcmul", "lerp", "neg", "abs", "arccos", "arcsin",
})  # fmt: skip
POINTWISE = POINTWISE | {f"{name}_" for name in POINTWISE}
#: have an edge at which finite numbers give infinite ones; elsewhere an infinity is a number that grew too large
_EDGED = ("div", "log", "reciprocal", "rsqrt", "logit", "atanh", "erfinv", "gamma", "tan", "xlogy", "remainder", "fmod",
          "pow", "norm", "std", "var", "entropy", "kl_div", "nll")  # fmt: skip
_ATTENTION = ("softmax", "attention")


def plain_name(func: Any) -> str:
    """`torch.log` → "log", `Tensor.__rtruediv__` → "truediv"; one that works in place keeps its underscore."""
    name = str(getattr(func, "__name__", func))
    if name.startswith("__") and name.endswith("__"):
        name = name.strip("_")
        name = re.sub(r"^[ri](?=(truediv|floordiv|pow|add|sub|mul|matmul|mod)$)", "", name)
    return {"true_divide": "div", "truediv": "div", "divide": "div", "multiply": "mul", "subtract": "sub",
            "rsub": "sub"}.get(name, name)  # fmt: skip


def said(operation: str, given: list[Tensor], made: Tensor, *, nan: bool, masked: bool = False) -> dict[str, Any]:
    """What a person wants to know of an operation that failed.

    Returns:
        how: "overflow" (a number grew too large for its type), "masked" (attention to nothing) or "operation";
        result: "nan", "inf" or "-inf"; inputs: the numbers it was given there, as far as they can be told, else
        largest: their largest size; dtype: of the result.
    """
    bad = ~torch.isfinite(made.detach())
    first = made.detach()[bad][0].item()
    facts: dict[str, Any] = {"result": str(first), "dtype": str(made.dtype).removeprefix("torch."), "how": "operation"}
    floating = [tensor.detach() for tensor in given if tensor.is_floating_point() and tensor.numel()]
    if nan and any(word in operation for word in _ATTENTION) and (masked or "attention" in operation):
        facts["how"] = "masked"
    elif not nan and not masked and not any(word in operation for word in _EDGED):
        facts["how"] = "overflow"
    if operation in POINTWISE:
        facts["inputs"] = [_at(tensor, bad) for tensor in floating if _broadcasts(tensor, bad)]
    if not facts.get("inputs") and floating and all(bool(torch.isfinite(tensor).all()) for tensor in floating):
        facts["largest"] = f"{max(float(tensor.abs().max()) for tensor in floating):.3g}"
    return facts


def _at(tensor: Tensor, bad: Tensor) -> str:
    value = tensor.expand(bad.shape)[bad][0].item()
    return f"{value:.3g}" if value else "0"  # without the sign of -0


def _broadcasts(tensor: Tensor, bad: Tensor) -> bool:
    try:
        tensor.expand(bad.shape)
    except RuntimeError:
        return False
    return True
