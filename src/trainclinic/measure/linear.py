"""Whether a network is one linear map, however many layers it has: exact, read off the autograd graph.

Without an activation function between them, W2 (W1 x + b1) + b2 is again a matrix times x and a bias. Normalization
over the batch counts as linear: in eval mode it is.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from trainclinic.measure.loss_graph import LEAF, bare, known

#: operations that are linear whatever they are given
_LINEAR = {
    "Neg", "Sum", "Mean", "AvgPool1D", "AvgPool2D", "AvgPool3D", "AdaptiveAvgPool2D",
    "MkldnnAdaptiveAvgPool2D", "AdaptiveAvgPool3D", "UpsampleNearest1D", "UpsampleNearest2D", "UpsampleBilinear2D",
    "ConstantPadNd", "ReflectionPad2D", "View", "Reshape", "ReshapeAlias", "Squeeze", "Unsqueeze", "Transpose",
    "Permute", "T", "Slice", "Select", "Index", "IndexSelect", "Clone", "Expand", "UnsafeView", "Alias", "ToCopy",
    "Cat", "Stack", "AsStrided", "NativeDropout", "NativeBatchNorm", "CudnnBatchNorm", "MiopenBatchNorm",
    "BatchNorm", "Embedding", "Flip", "Roll", "Split", "SplitWithSizes", "Unbind", "Narrow",
}  # fmt: skip
#: with two sides that have a gradient; a constant may have been made from the other and detached, as in a rounding
_SUMS = {"Add", "Sub", "Rsub"}
#: a product with weights
_WEIGHTED = {"Addmm", "Mm", "Bmm", "Baddbmm", "Mv", "Convolution", "MkldnnConvolution", "Linear"}
_SCALES = {"Mul", "Div"}
_MOST = 2000  # nodes looked at


def layers_in_line(loss: Tensor, *, dropouts: int) -> int | None:
    """The most layers with weights that follow one another, where nothing but linear operations leads to the loss.

    Args:
        loss: in whose graph a known loss function stands.
        dropouts: layers of dropout that the model has: as many products with a constant may be theirs. Any other may
            be an activation function by hand, x * (x > 0).

    Returns:
        0 where anything is not linear, or not known to be; None where no known loss is there.
    """
    found = [_up_to(source, dropouts) for _, source in known(loss) if source is not None]
    return min(found, default=None)


def _up_to(output: Any, dropouts: int) -> int:
    deepest: dict[Any, int] = {}  # layers with weights up to a node; -1 where only weights come in
    waiting = [output]
    while waiting:
        node = waiting[-1]
        before = [side for side, _ in node.next_functions if side is not None]
        unknown = [side for side in before if side not in deepest]
        if len(deepest) + len(waiting) > _MOST:
            return 0
        if unknown:
            waiting += unknown
            continue
        waiting.pop()
        name = bare(node).removesuffix("Backward")
        depth = max((deepest[side] for side in before), default=-1)
        mask = name in _SCALES and len(before) == 1
        dropouts -= mask
        if name == LEAF:
            deepest[node] = -1
        elif name in _LINEAR or (name in _SUMS and len(before) > 1) or (mask and dropouts >= 0):
            deepest[node] = depth
        elif name in _WEIGHTED and _by_weights(name, node, deepest):
            deepest[node] = max(0, depth) + 1
        else:
            return 0
    return deepest[output]


def _by_weights(name: str, node: Any, deepest: dict[Any, int]) -> bool:
    """Whether one factor is made of weights alone; the other may be anything. The summand of addmm is no factor."""
    sides = [side for side, _ in node.next_functions]
    factors = sides[1:3] if name in ("Addmm", "Baddbmm") else sides[:2]
    return any(side is not None and deepest[side] < 0 for side in factors)
