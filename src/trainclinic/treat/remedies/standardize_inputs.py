"""standardize-inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.loaders import one_pass
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting
from trainclinic.treat.surgery import WEIGHTS, calls, first_batches

LOOKED_AT = 20  # batches that tell whether there is anything to do
CENTERED, SCALED = 1.0, (0.3, 3.0)  # |mean| / deviation and deviation that need no treatment


@dataclass(frozen=True)
class StandardizeInputs(Remedy):
    """Give every input feature mean 0 and deviation 1, by a fixed layer in front of the model.

    What it does:
        Mean and deviation of each feature (of each channel, for images) over the training samples, in one pass. The
        model keeps them as buffers, and a hook takes them out of whatever it is given: training, validation and use are
        treated alike, and they are saved with the weights. A deviation below a share of the median one counts as that
        share, so that a feature that hardly ever varies is not blown up.

    When it helps:
        The gradient of a weight is proportional to its input: with features of different size no learning rate fits
        all weights.

    Side effects:
        None for data that keeps the scale of the training samples. For heavy tails take a logarithm first.

    References:
        LeCun et al. 1998.
    """

    floor: float = setting(0.1, "share of the median deviation", low=1e-6, high=1.0)

    stage: ClassVar[Stage] = "data"
    treats: ClassVar[dict[str, int]] = {"unscaled-inputs": 1}

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """A low floor where the features have units of their own, a high one where they share theirs."""
        floors = (0.001, 0.1) if finding.cause == "very different" else (0.1, 0.001)
        return [cls(floor) for floor in floors]

    def prescribe(self, setup: Setup) -> Prescription:
        """How samples become rows of features depends on the shape of a batch."""
        inputs = self._inputs(setup)
        rows, shape = _layout(setup, inputs)
        table = _rows(inputs, rows).double()
        mean, std = table.mean(0), table.std(0)
        if not bool((std > 0).any()):
            raise RefusedError(f"{self.id()}: no feature varies; look at how the data is loaded")
        kept = std > 0
        low, high = SCALED
        centered = bool((mean[kept].abs() / std[kept]).median() < CENTERED)
        if centered and bool((std[kept] > low).all() and (std[kept] < high).all()):
            raise RefusedError(f"{self.id()}: the features have mean near 0 and deviation near 1 already")
        return Prescription(
            f"{len(mean)} input features standardized with the training samples' mean and deviation",
            "count, total, squares = 0, 0.0, 0.0\n"
            + one_pass(
                setup,
                "inputs, _",
                f"rows = inputs.double(){rows}  # one column a feature\n"
                "count, total, squares = count + len(rows), total + rows.sum(0), squares + rows.square().sum(0)",
            )
            + "mean = total / count\n"
            "std = (squares / count - mean.square()).clamp_min(0).sqrt()\n"
            f"std = std.clamp_min({self.floor!r} * std[std > 0].median())\n"
            "like = next(model.parameters())\n"
            f'model.register_buffer("input_mean", mean{shape}.to(like))\n'
            f'model.register_buffer("input_std", std{shape}.to(like))\n'
            "model.register_forward_pre_hook(\n"
            "    lambda module, args: ((args[0] - module.input_mean) / module.input_std, *args[1:])\n"
            ")\n",
        )

    def _inputs(self, setup: Setup) -> Tensor:
        """The inputs of the first batches, on top of each other."""
        if setup.step is not None:
            raise RefusedError(f"{self.id()}: with `step` it is not known which part of a batch the model is given; "
                               "standardize the data set")  # fmt: skip
        if hasattr(setup.model, "input_mean"):
            raise RefusedError(f"{self.id()}: the model has an attribute input_mean already")
        found = [batch[0] for batch in first_batches(setup, LOOKED_AT)]
        if not all(isinstance(one, Tensor) and one.is_floating_point() and one.ndim > 1 for one in found):
            raise RefusedError(f"{self.id()}: the inputs are no real numbers in columns, but such as token numbers or "
                               "several tensors; scale the numbers among them in the data set")  # fmt: skip
        if len({one.shape[1:] for one in found}) > 1:
            raise RefusedError(f"{self.id()}: the samples differ in shape between batches; standardize the data set")
        return torch.cat(found)


def _layout(setup: Setup, inputs: Tensor) -> tuple[str, str]:
    """The code that makes a batch a table with a column for each feature; that which gives a row the model's shape."""
    if inputs.ndim == 2:
        return "", ""
    channels_last = inputs.ndim == 3
    if channels_last:
        first = next((call.module for call in calls(setup) if isinstance(call.module, WEIGHTS)), None)
        channels_last = not isinstance(first, nn.Conv1d)
    if channels_last:
        return ".flatten(0, 1)", ""
    return ".movedim(1, -1).flatten(0, -2)", f".reshape(-1{', 1' * (inputs.ndim - 2)})"


def _rows(inputs: Tensor, code: str) -> Tensor:
    """The same layout, for a look."""
    if not code:
        return inputs
    return inputs.flatten(0, 1) if code == ".flatten(0, 1)" else inputs.movedim(1, -1).flatten(0, -2)
