"""What stands right before the loss, read off the autograd graph: exact, for modules and functions alike."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

#: autograd node of a loss → its name in torch.nn.functional
LOSS_NODES = {
    "NllLossBackward": "nll_loss",
    "NllLoss2DBackward": "nll_loss",
    "BinaryCrossEntropyBackward": "binary_cross_entropy",
    "BinaryCrossEntropyWithLogitsBackward": "binary_cross_entropy_with_logits",
    "MseLossBackward": "mse_loss",
    "L1LossBackward": "l1_loss",
    "SmoothL1LossBackward": "smooth_l1_loss",
    "HuberLossBackward": "huber_loss",
    "KlDivBackward": "kl_div",
}
#: nodes that change the shape and not the values
_SHAPE_ONLY = ("View", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Permute", "T", "Slice", "Select", "Clone",
               "Contiguous", "Expand", "UnsafeView", "Alias", "ToCopy", "Cat", "Stack", "AsStrided")  # fmt: skip
_FURTHEST = 64  # nodes looked at
_MOST = 512  # nodes on the way to a known loss: a penalty has some for each parameter
#: nodes that compute a layer, and those that measure a size
_LAYERS = {"AddmmBackward", "MmBackward", "BmmBackward", "BaddbmmBackward", "ConvolutionBackward", "EmbeddingBackward",
           "NativeBatchNormBackward", "NativeLayerNormBackward", "CudnnBatchNormBackward"}  # fmt: skip
_SIZES = {"AbsBackward", "PowBackward", "MulBackward", "SumBackward", "MeanBackward", "NormBackward",
          "LinalgVectorNormBackward", "ViewBackward", "ReshapeAliasBackward", "CatBackward"}  # fmt: skip
LEAF = "torch::autograd::AccumulateGrad"  # where a parameter's gradient arrives
#: nodes whose slope is finite wherever they are
_TAME = (LEAF, "Add", "Sub", "Mul", "Neg", "Sum", "Mean", "Addmm", "Mm", "LogSoftmax",
         "Softmax", "Sigmoid", "LogSigmoid", "Tanh", "Relu", "Softplus", "Clamp", "Index", "Gather", "NllLoss",
         "NllLoss2D", "MseLoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BinaryCrossEntropyWithLogits")  # fmt: skip
#: node → the number it was given that it cannot bear: which of those it saved, and what is wrong with it
_EDGES: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "LogBackward": ("_saved_self", lambda x: x <= 0),
    "Log2Backward": ("_saved_self", lambda x: x <= 0),
    "Log10Backward": ("_saved_self", lambda x: x <= 0),
    "Log1PBackward": ("_saved_self", lambda x: x <= -1),
    "DivBackward": ("_saved_other", lambda x: x == 0),
    "ReciprocalBackward": ("_saved_result", lambda x: ~torch.isfinite(x)),
    "SqrtBackward": ("_saved_result", lambda x: ~torch.isfinite(x)),
    "RsqrtBackward": ("_saved_result", lambda x: ~torch.isfinite(x)),
    "ExpBackward": ("_saved_result", lambda x: ~torch.isfinite(x)),
    "AcosBackward": ("_saved_self", lambda x: x.abs() > 1),
    "AsinBackward": ("_saved_self", lambda x: x.abs() > 1),
}


def describe(loss: Tensor) -> list[dict[str, Any]]:
    """For every known loss in the graph of `loss`: its name and the operation that made its input.

    Returns:
        [{"loss": "cross_entropy", "input": "softmax"}, …]; "input" is the bare name of the autograd node, lower
        case, such as "addmm", "softmax", "sigmoid"; cross_entropy is log_softmax followed by nll_loss. A difference
        taken by hand, of N outputs with N targets each, is {"loss": "difference", "input": …, "pairs": N}.
    """
    pairs = _all_pairs(loss)
    if pairs is not None:
        return [{"loss": "difference", "input": _plain(_source(pairs[0])), "pairs": pairs[1]}]
    return [{"loss": name, "input": _plain(source)} for name, source in known(loss)]


def known(loss: Tensor) -> Iterator[tuple[str, Any]]:
    """Every known loss in the graph of `loss`: its name, and the node that made its input."""
    for node, _ in _up_to(loss, set(LOSS_NODES)):
        name = LOSS_NODES.get(bare(node))
        if name is None:
            continue
        source = _source(node)
        if name == "nll_loss" and source is not None and bare(source) == "LogSoftmaxBackward":
            name, source = "cross_entropy", _source(source)
        yield name, source


def weighs_parameters(loss: Tensor) -> bool:
    """Whether the size of weight matrices stands in the loss itself, beside a known loss: a penalty on the weights."""
    seen = list(_up_to(loss, {*LOSS_NODES, *_LAYERS}))
    weighed = (bare(node) == LEAF and node.variable.ndim > 1 and bare(parent) in _SIZES for node, parent in seen)
    return any(bare(node) in LOSS_NODES for node, _ in seen) and any(weighed)


def _up_to(loss: Tensor, ends: set[str]) -> Iterator[tuple[Any, Any]]:
    """The nodes of the graph, the nearest first, each with the node that it was reached from; nothing beyond `ends`."""
    queue: list[tuple[Any, Any]] = [(loss.grad_fn, None)]
    seen: set[Any] = set()
    while queue and len(seen) < _MOST:
        node, parent = queue.pop(0)
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node, parent
        if bare(node) not in ends:
            queue.extend((following, node) for following, _ in node.next_functions)


def failing(loss: Tensor) -> dict[str, Any]:
    """What is known of the operation that made a loss non-finite, before it is differentiated.

    Returns:
        operation: of those in the graph that were given a number they cannot bear, where they are of one kind, with
        `inputs`, such a number; else a known loss; else "". result: the loss itself.
    """
    queue, seen, found = [loss.grad_fn], set[Any](), dict[str, list[str]]()
    while queue and len(seen) < _FURTHEST:
        node = queue.pop(0)
        if node is None or node in seen:
            continue
        seen.add(node)
        queue += [following for following, _ in node.next_functions]
        at = _beyond_its_edge(node)
        if at is not None:
            found.setdefault(_plain(node), []).append(f"{at:.3g}")
    facts: dict[str, Any] = {"operation": "", "result": str(loss.item()), "how": "operation"}
    if len(found) == 1:
        (name, numbers), *_ = found.items()
        numbers = [] if _saves_result(name) else numbers[:1]
        return facts | {"operation": name, "inputs": numbers}
    name = next((name for name, _ in known(loss)), "")
    return facts | {"operation": name}


def has_tame_slope(loss: Tensor, outputs: list[Any]) -> bool:
    """Whether all that stands between the model and the loss has a finite slope wherever it is finite itself.

    Args:
        loss: not yet differentiated.
        outputs: the nodes that made the model's outputs.
    """
    queue: list[Any] = [loss.grad_fn]
    seen: set[Any] = {None, *outputs}
    while queue and len(seen) < _FURTHEST:
        node = queue.pop()
        if node in seen:
            continue
        seen.add(node)
        name = bare(node).removesuffix("Backward")
        divides = name == "Div" and all(to is None for to, _ in node.next_functions[1:])  # by a constant
        power = name == "Pow" and node.name() == "PowBackward0" and node._saved_exponent >= 1
        if not (name in _TAME or name in _SHAPE_ONLY or divides or power):
            return False
        queue += [following for following, _ in node.next_functions]
    return not queue


def _beyond_its_edge(node: Any) -> float | None:
    name = bare(node)
    if name == "MeanBackward" and getattr(node, "_saved_self_sym_numel", getattr(node, "_saved_self_numel", 1)) == 0:
        return math.nan
    if name in _EDGES:
        attribute, wrong = _EDGES[name]
        with contextlib.suppress(RuntimeError, AttributeError), torch.no_grad():  # changed in place, or not saved
            saved = getattr(node, attribute)
            bad = saved[wrong(saved)] if isinstance(saved, Tensor) else torch.empty(0)
            return float(bad[0]) if bad.numel() else None
    return None


def _saves_result(name: str) -> bool:
    return name in ("reciprocal", "sqrt", "rsqrt", "exp", "mean")


def _all_pairs(loss: Tensor) -> tuple[Any, int] | None:
    """The difference in a squared or absolute error by hand, and N, where each of N outputs meets each of N targets.

    That is the whole loss: a mean or a sum over an (N, N) difference from (N, 1) and what needs no gradient. A distance
    of all pairs that is meant has more to it, a kernel or a second difference.
    """
    node = loss.grad_fn
    for wanted in (("Mean", "Sum"), ("Pow", "Abs", "Mul"), ("Sub", "Rsub")):
        while node is not None and bare(node).removesuffix("Backward") in _SHAPE_ONLY:
            node = node.next_functions[0][0]
        if node is None or bare(node).removesuffix("Backward") not in wanted:
            return None
        sides = {side for side, _ in node.next_functions if side is not None}
        if len(sides) != 1:
            return None
        found, (node,) = node, sides
    whole, part = _shape(found), _shape(node)
    if len(whole) != 2 or not whole[0] == whole[1] == math.prod(part) > 1:
        return None
    return found, whole[0]


def _shape(node: Any) -> tuple[int, ...]:
    """Of what the operation gave."""
    known = getattr(node, "_input_metadata", ())
    return tuple(known[0].shape) if known else ()


def _source(node: Any) -> Any:
    """The operation that made the first input of `node`, past those that only change its shape."""
    for _ in range(_FURTHEST):
        node = next((following for following, _ in node.next_functions if following is not None), None)
        if node is None or bare(node).removesuffix("Backward") not in _SHAPE_ONLY:
            return node
    return None


def bare(node: Any) -> str:
    """The name of an autograd node, without the number of its overload."""
    return node.name().rstrip("0123456789")  # type: ignore[no-any-return]


def _plain(node: Any) -> str:
    if node is None:
        return ""
    name = bare(node).removesuffix("Backward")
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")
