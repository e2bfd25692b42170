"""orthogonal-init."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy
from trainclinic.treat.surgery import WEIGHTS, calls, hidden, trainable


@dataclass(frozen=True)
class OrthogonalInit(Remedy):
    """Draw orthogonal hidden weights, and scale each layer until its outputs have variance 1 on a real batch (LSUV).

    What it does:
        Each hidden Linear or Conv layer gets a random orthogonal matrix and biases of 0; then, from the first layer
        to the last, one training batch is passed through and the layer is divided by the standard deviation of its
        outputs.

    When it helps:
        Whatever the activation functions, the inputs' scale and the order of the layers are: the signal has the same
        size in every layer. It needs no formula for the gain, and so it also mends what He and Glorot do not fit.

    Side effects:
        Weights that were loaded or trained before are lost. It passes as many batches as there are layers.

    References:
        Saxe et al. 2014 (orthogonal initialization); Mishkin & Matas 2016, "All you need is a good init" (LSUV).
    """

    treats: ClassVar[dict[str, int]] = {
        "poor-initialization": 3, "exploding-gradient": 3, "vanishing-gradient": 6, "saturated-activation": 4,
    }  # fmt: skip
    stage: ClassVar = "initialization"

    def prescribe(self, setup: Setup) -> Prescription:
        """The hidden layers by name, in the order of the forward pass."""
        if setup.step is not None:
            raise RefusedError(f"{self.id()}: with `step` it is not known what the model is called with; he-init or "
                               "glorot-init need no batch")  # fmt: skip
        layers = trainable(self.id(), hidden(calls(setup), WEIGHTS))
        code = (
            "inputs = next(iter(train_loader))[0]\n"
            f"for name in {layers!r}:\n"
            "    layer = model.get_submodule(name)\n"
            "    nn.init.orthogonal_(layer.weight)\n"
            "    if layer.bias is not None:\n"
            "        nn.init.zeros_(layer.bias)\n"
            f"for name in {layers!r}:\n"
            "    layer, seen = model.get_submodule(name), []\n"
            "    handle = layer.register_forward_hook(lambda module, args, output: seen.append(output.std()))\n"
            "    with torch.no_grad():\n"
            "        model(inputs)\n"
            "        layer.weight.div_(seen[0].clamp(min=1e-8))\n"
            "    handle.remove()\n"
        )
        return Prescription(f"{len(layers)} hidden layers orthogonal, scaled to outputs of variance 1", code)
