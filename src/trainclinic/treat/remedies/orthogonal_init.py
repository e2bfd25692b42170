"""orthogonal-init."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.passages import initialized
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage
from trainclinic.treat.surgery import calls, drawn_anew


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
        "poor-initialization": 2, "exploding-gradient": 2, "saturated-activation": 4, "vanishing-gradient": 5,
    }  # fmt: skip
    stage: ClassVar[Stage] = "initialization"

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Recurrent weights are none of its business."""
        return [] if finding.cause == "through time" else [cls()]

    def prescribe(self, setup: Setup) -> Prescription:
        """The hidden layers by name, in the order of the forward pass."""
        if setup.step is not None:
            raise RefusedError(f"{self.id()}: with `step` it is not known what the model is called with; he-init or "
                               "glorot-init need no batch")  # fmt: skip
        layers = [call.name for call in drawn_anew(self.id(), calls(setup))]
        code = (
            initialized(layers, "nn.init.orthogonal_(layer.weight)") + _batch(setup) + f"for name in {layers!r}:\n"
            "    layer, seen = model.get_submodule(name), []\n"
            "    handle = layer.register_forward_hook(lambda module, args, output: seen.append(output.std()))\n"
            "    with torch.no_grad():\n"
            "        model(inputs)\n"
            "        layer.weight /= seen[0].clamp(min=1e-8)\n"
            "    handle.remove()\n"
        )
        return Prescription(f"{len(layers)} hidden layers orthogonal, scaled to outputs of variance 1", code)


def _batch(setup: Setup) -> str:
    """Code that takes the inputs of a batch; a generator of the loader's own stands then where it stood."""
    take = "inputs = next(iter(train_loader))[0]\n"
    if getattr(setup.train_loader, "generator", None) is None:
        return take
    return ("order = train_loader.generator.get_state()\n" + take
            + "train_loader.generator.set_state(order)  # the batches come as they would have\n")  # fmt: skip
