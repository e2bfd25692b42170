"""Whether a network is one linear map, however many layers it has: exact, read off the autograd graph.

Without an activation function between them, W2 (W1 x + b1) + b2 is again a matrix times x and a bias. Normalization
over the batch counts as linear: in eval mode it is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
_WEIGHTED = {"Addmm", "Mm", "Bmm", "Baddbmm", "Convolution", "MkldnnConvolution", "Linear"}
_SCALES = {"Mul", "Div"}
#: what makes weights of weights, as spectral and weight norms do
_OF_WEIGHTS = {"Mv", "Vdot", "Dot", "Norm", "LinalgVectorNorm", "WeightNormInterface", "NormExceptDim"}
_SIZES = {"Abs", "Pow", "Softmax", "LogSoftmax", "MaxPool2DWithIndices", "MaxPool3DWithIndices"}
_MOST = 2000  # nodes looked at


class Lines(NamedTuple):
    """Layers with weights that follow one another with nothing but linear operations between them.

    Attributes:
        whole: how many, where nothing else leads to the loss; else 0.
        stacked: the most of them anywhere, in a network that bends nothing by a function of one argument, as activation
            functions are; 0 where one does. Sizes and differences of what two towers say are no activation functions.
    """

    whole: int
    stacked: int


def lines(loss: Tensor, *, dropouts: int) -> Lines | None:
    """How far the network is one linear map.

    Args:
        loss: in whose graph a known loss function stands.
        dropouts: layers of dropout that the model has: as many products with a constant may be theirs. Any other may
            be an activation function by hand, x * (x > 0).

    Returns:
        What holds of each output that the loss takes; None where no known loss is there.
    """
    found = [_up_to(source, dropouts) for _, source in known(loss) if source is not None]
    return Lines(min(one.whole for one in found), min(one.stacked for one in found)) if found else None


def _up_to(output: Any, dropouts: int) -> Lines:
    deepest: dict[Any, int] = {}  # layers with weights in line up to a node; -1 where only weights come in
    waiting, bent, activated = [output], False, False
    while waiting:
        node = waiting[-1]
        before = [side for side, _ in node.next_functions if side is not None]
        unknown = [side for side in before if side not in deepest]
        if len(deepest) + len(waiting) > _MOST:
            return Lines(0, 0)
        if unknown:
            waiting += unknown
            continue
        waiting.pop()
        name = bare(node).removesuffix("Backward")
        depth = max((deepest[side] for side in before), default=-1)
        mask = name in _SCALES and len(before) == 1
        dropouts -= mask
        if name == LEAF or (depth < 0 and (name in _OF_WEIGHTS or (name in _SCALES and len(before) > 1))):
            deepest[node] = -1
        elif name in _LINEAR or (name in _SUMS and len(before) > 1) or (mask and dropouts >= 0):
            deepest[node] = depth
        elif name in _WEIGHTED and _by_weights(name, node, deepest):
            deepest[node] = max(0, depth) + 1
        else:
            deepest[node], bent = 0, True
            activated |= len(before) == 1 and name not in _SIZES
    return Lines(0 if bent else deepest[output], 0 if activated else max(deepest.values()))


def _by_weights(name: str, node: Any, deepest: dict[Any, int]) -> bool:
    """Whether one factor is made of weights alone; the other may be anything. The summand of addmm is no factor."""
    sides = [side for side, _ in node.next_functions]
    factors = sides[1:3] if name in ("Addmm", "Baddbmm") else sides[:2]
    return any(side is not None and deepest[side] < 0 for side in factors)
