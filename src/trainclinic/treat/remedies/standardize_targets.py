"""standardize-targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainclinic.setup import Setup
from trainclinic.treat.loaders import one_pass
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage
from trainclinic.treat.surgery import calls, first_batches

LOOKED_AT = 20  # batches that tell whether there is anything to do
CENTERED, SCALED = 3.0, (0.1, 10.0)  # |mean| / deviation and deviation that need no treatment
#: loss → the power with which it grows with the unit of the targets
POWERS = {nn.MSELoss: 2, F.mse_loss: 2, nn.L1Loss: 1, F.l1_loss: 1}


@dataclass(frozen=True)
class StandardizeTargets(Remedy):
    """Let a regression learn targets of mean 0 and deviation 1, and answer in their own unit.

    What it does:
        Mean and deviation of the targets over the training samples become a fixed last layer of the model: what it
        computes, times the deviation, plus the mean. The gradient that comes back through it is divided by the
        deviation as often as the loss has multiplied it in. So each step is exactly that of standardized targets, while
        output, loss and metric keep their unit, and stay comparable with those of before.

    When it helps:
        Targets of hundreds or thousandths, or far from 0: the last layer has to grow or to shift by that much first,
        and the gradient has their scale, squared.

    Side effects:
        The weight decay, where there is one, pulls towards the mean of the targets instead of towards 0. For heavy
        tails take the logarithm of the targets first.

    References:
        LeCun et al. 1998; Bishop 1995.
    """

    stage: ClassVar[Stage] = "data"
    treats: ClassVar[dict[str, int]] = {
        "learning-rate-too-high": 1, "learning-rate-too-low": 1, "exploding-gradient": 1, "non-finite": 1,
        "constant-prediction": 1, "unscaled-inputs": 4,
    }  # fmt: skip

    def prescribe(self, setup: Setup) -> Prescription:
        """Refused where the targets are in scale, or the loss is none whose unit is known."""
        power = POWERS.get(setup.loss_fn, POWERS.get(type(setup.loss_fn)))
        if setup.step is not None or power is None:
            raise RefusedError(f"{self.id()}: the loss is neither MSELoss nor L1Loss of outputs and targets, so that "
                               "it is not known how it grows with the unit of the targets")  # fmt: skip
        targets = torch.cat([batch[1].reshape(len(batch[1]), -1) for batch in first_batches(setup, LOOKED_AT)]).double()
        mean, std = targets.mean(0), targets.std(0)
        if not bool((std > 0).all()):
            raise RefusedError(f"{self.id()}: a target does not vary; look at how the data is loaded")
        low, high = SCALED
        if bool((mean.abs() < CENTERED * std).all() and (std > low).all() and (std < high).all()):
            raise RefusedError(f"{self.id()}: the targets have mean near 0 and deviation near 1 already")
        self._check_output(setup)
        return Prescription(
            f"targets of mean {float(mean[0]):.3g} and deviation {float(std[0]):.3g} standardized inside the model",
            "seen = []\n"
            + one_pass(setup, "_, targets", "seen.append(targets.double())")
            + "like = next(model.parameters())\n"
            'model.register_buffer("target_mean", torch.cat(seen).mean(0).to(like))\n'
            'model.register_buffer("target_std", torch.cat(seen).std(0).to(like))\n\n\n'
            "def in_their_unit(module, args, output):\n"
            "    if output.requires_grad:  # the gradient of standardized targets; the loss keeps its unit\n"
            f"        output.register_hook(lambda grad: grad / module.target_std{' ** 2' if power == 2 else ''})\n"
            "    return output * module.target_std + module.target_mean\n\n\n"
            "model.register_forward_hook(in_their_unit)\n",
        )

    def _check_output(self, setup: Setup) -> None:
        if hasattr(setup.model, "target_mean"):
            raise RefusedError(f"{self.id()}: the model has an attribute target_mean already")
        batch = first_batches(setup, 1)[0]
        found = calls(setup)
        if found and isinstance(found[-1].module, nn.Sigmoid | nn.Tanh | nn.ReLU | nn.Softplus):
            raise RefusedError(f"{self.id()}: the model ends with {type(found[-1].module).__name__}, which bounds its "
                               "answers; remove it first")  # fmt: skip
        if not isinstance(batch[1], Tensor) or not found or found[-1].gives[1:2] not in ((), batch[1].shape[1:2], (1,)):
            raise RefusedError(f"{self.id()}: outputs and targets have different columns; give them the same shape")
