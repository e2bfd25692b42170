"""insert-activation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.activations import kind
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy
from trainclinic.treat.surgery import NORMS, WEIGHTS, Call, calls, check_rebuildable, counted, hidden, rehearsed

PASSING = (nn.Identity, nn.Flatten, nn.Dropout, nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
MISSING = ("no activation function", "part in line")


@dataclass(frozen=True)
class InsertActivation(Remedy):
    """Put a ReLU between layers that follow one another with nothing but linear maps between them.

    What it does:
        Where one layer with weights leads to the next and no activation function stands between the two, a ReLU is
        put there: in the place of an Identity, else behind a norm, else behind the layer. Weights stay as they are.

    When it helps:
        Layers in line are together one linear map, however many there are: what is not linear cannot be learned. It
        is what is left when an activation function was forgotten, or taken out for a test.

    Side effects:
        Two layers in line can be meant: a matrix written as the product of two smaller ones, or a depthwise before a
        pointwise convolution.

    References:
        Cybenko 1989; Hornik 1991 (what layers can represent with an activation function between them).
    """

    treats: ClassVar[dict[str, int]] = {"underfitting": 1}

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Only where that is what is missing."""
        return [cls()] if finding.cause in MISSING else []

    def prescribe(self, setup: Setup) -> Prescription:
        """The places by name."""
        found = calls(setup)
        places = [place for layer in hidden(found) if (place := _place(found, layer))]
        if not places:
            raise RefusedError(f"{self.id()}: between all layers that are called as modules there is something that is "
                               "not linear, or that cannot be followed")  # fmt: skip
        check_rebuildable(self.id(), setup, places)
        code = (
            f"for name in {list(dict.fromkeys(call.name for call in places))!r}:\n"
            "    model.set_submodule(name, nn.Sequential(model.get_submodule(name), nn.ReLU()))\n"
        )
        change = f"ReLU behind {counted(len(places), 'layer')} that had no activation function"
        return rehearsed(self.id(), setup, Prescription(change, code))


def _place(found: tuple[Call, ...], layer: Call) -> Call | None:
    """Where the activation function is missing behind a layer; None where there is one, or the way is not known."""
    place = here = layer
    while following := [call for call in found if call.source == here.name]:
        here = following[0]
        if len(following) > 1 or sum(call.name == here.name for call in found) > 1:
            return None  # the way parts, or one module stands in several places
        if isinstance(here.module, WEIGHTS):
            return place
        if kind(here) or not isinstance(here.module, (*NORMS, *PASSING)):
            return None
        if isinstance(here.module, (*NORMS, nn.Identity)) and not isinstance(place.module, nn.Identity):
            place = here
    return None
