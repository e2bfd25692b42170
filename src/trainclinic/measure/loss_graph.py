"""What stands right before the loss, read off the autograd graph: exact, for modules and functions alike."""

from __future__ import annotations

from typing import Any

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


def describe(loss: Tensor) -> list[dict[str, Any]]:
    """For every known loss in the graph of `loss`: its name and the operation that made its input.

    Returns:
        [{"loss": "cross_entropy", "input": "softmax"}, …]; "input" is the bare name of the autograd node, lower
        case, such as "addmm", "softmax", "sigmoid"; cross_entropy is log_softmax followed by nll_loss.
    """
    found = []
    queue: list[Any] = [loss.grad_fn]
    seen: set[Any] = set()
    while queue and len(seen) < _FURTHEST:
        node = queue.pop(0)
        if node is None or node in seen:
            continue
        seen.add(node)
        name = LOSS_NODES.get(_bare(node))
        if name is None:
            queue.extend(following for following, _ in node.next_functions)
            continue
        source = _source(node)
        if name == "nll_loss" and source is not None and _bare(source) == "LogSoftmaxBackward":
            name, source = "cross_entropy", _source(source)
        found.append({"loss": name, "input": _plain(source)})
    return found


def _source(node: Any) -> Any:
    """The operation that made the first input of `node`, past those that only change its shape."""
    for _ in range(_FURTHEST):
        node = next((following for following, _ in node.next_functions if following is not None), None)
        if node is None or _bare(node).removesuffix("Backward") not in _SHAPE_ONLY:
            return node
    return None


def _bare(node: Any) -> str:
    return node.name().rstrip("0123456789")  # type: ignore[no-any-return]


def _plain(node: Any) -> str:
    if node is None:
        return ""
    name = _bare(node).removesuffix("Backward")
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")
