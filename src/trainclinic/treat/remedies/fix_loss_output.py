"""fix-loss-output."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from trainclinic.diagnose.problems.loss_output_mismatch import WRONG
from trainclinic.measure.loss_graph import describe
from trainclinic.measure.shadow import generators_kept, uncompiled
from trainclinic.setup import Setup, pair
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage
from trainclinic.treat.surgery import calls, first_batch

MODULES = {"softmax": (nn.Softmax, nn.Softmax2d), "sigmoid": (nn.Sigmoid,)}
#: loss → operation before it → what makes its output the input that the loss wants
INVERSES = {
    "cross_entropy": {"softmax": "output.clamp_min(1e-8).log()", "sigmoid": "output.logit(1e-6)"},
    "binary_cross_entropy_with_logits": {"softmax": "output.logit(1e-6)", "sigmoid": "output.logit(1e-6)"},
    "nll_loss": {"softmax": "output.clamp_min(1e-8).log()", "sigmoid": "output.logit(1e-6).log_softmax(1)"},
}
LOGITS = "output.log_softmax(1)"  # for nll_loss, of raw outputs


@dataclass(frozen=True)
class FixLossOutput(Remedy):
    """Give the loss what it expects: logits, log-probabilities, or two tensors of one shape.

    What it does:
        A softmax or sigmoid module at the end of the model is taken out in front of a loss that applies it itself, or
        becomes a log-softmax in front of NLLLoss. Where the model calls a function instead, the loss undoes it. Raw
        outputs for NLLLoss pass through log-softmax first. Outputs of another shape than their targets, with as many
        numbers, get the shape of the targets.

    When it helps:
        The loss cannot fall below a floor, its gradient is weak, or the best answer is the mean.

    Side effects:
        The model gives logits where it gave probabilities: apply softmax or sigmoid where they are read.

    References:
        PyTorch documentation (CrossEntropyLoss, BCEWithLogitsLoss, NLLLoss, MSELoss); Humbatova et al. 2020.
    """

    stage: ClassVar[Stage] = "loss"
    treats: ClassVar[dict[str, int]] = {"loss-output-mismatch": 1}

    def prescribe(self, setup: Setup) -> Prescription:
        """What stands before the loss is read off the autograd graph of one batch, on a copy."""
        if setup.step is not None:
            raise RefusedError(f"{self.id()}: with `step` the loss is inside of it; repair it there")
        loss, output, target = self._first_loss(setup)
        for node in describe(loss):
            if node["input"] in WRONG.get(node["loss"], {}):
                return self._transform(setup, node["loss"], node["input"])
        elementwise = any(node["loss"] in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
                          for node in describe(loss))  # fmt: skip
        if elementwise and output.shape != target.shape:
            return self._shape(output, target)
        raise RefusedError(f"{self.id()}: the loss gets what it expects, as far as its graph tells")

    def _first_loss(self, setup: Setup) -> tuple[Tensor, Tensor, Tensor]:
        inputs, target = pair(first_batch(setup))
        with generators_kept():
            try:
                output = copy.deepcopy(uncompiled(setup.model))(inputs)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of shapes that broadcast: that is what is repaired
                    return setup.loss_fn(output, target), output, target
            except Exception as error:
                raise RefusedError(f"{self.id()}: model and loss cannot be run on a batch ({type(error).__name__}: "
                                   f"{error})") from error  # fmt: skip

    def _transform(self, setup: Setup, loss: str, before: str) -> Prescription:
        found = calls(setup)
        last = found[-1] if found else None
        if last is not None and isinstance(last.module, MODULES.get(before, ())) and last.name:
            kind = type(last.module).__name__
            if loss == "nll_loss" and before == "softmax":
                new = f"nn.LogSoftmax(dim={getattr(last.module, 'dim', 1)!r})"
                return Prescription(f"{kind} at the end replaced by LogSoftmax",
                                    f"model.set_submodule({last.name!r}, {new})\n")  # fmt: skip
            if loss != "nll_loss":
                return Prescription(f"{kind} at the end taken out: {loss} applies it itself",
                                    f"model.set_submodule({last.name!r}, nn.Identity())\n")  # fmt: skip
        new = INVERSES[loss].get(before, LOGITS)
        return Prescription(f"{loss} gets what it expects: {new}", _wrapped(f"loss({new}, target)"))

    def _shape(self, output: Tensor, target: Tensor) -> Prescription:
        shapes = f"{tuple(output.shape)} for targets of {tuple(target.shape)}"
        if output.numel() != target.numel():
            raise RefusedError(f"{self.id()}: outputs of {shapes} differ in how many numbers they are; make the last "
                               "layer as wide as the targets")  # fmt: skip
        return Prescription(f"outputs of {shapes} get the shape of the targets",
                            _wrapped("loss(output.reshape(target.shape), target)"))  # fmt: skip


def _wrapped(call: str) -> str:
    return f"loss_fn = lambda output, target, loss=loss_fn: {call}\n"  # bound: a loop has a `loss` of its own
