"""Signal: what every file under `signals/` holds. One signal, one unit, one way of measuring it.

There are four kinds, by what they look at. The first three see one call of one layer; over several calls in a step
(micro-batches, a shared module, time steps) their totals are added before `finish` turns the mean into the value.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

if TYPE_CHECKING:
    from trainclinic.measure.activations import Activation
    from trainclinic.measure.parameters import ParameterStep
    from trainclinic.measure.run_step import RunStep


class Signal:
    """Base class.

    Class attributes:
        unit: of the value; "1" for a pure number.
    """

    unit: ClassVar[str] = "1"
    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.name = cls.id()  # looked up often

    @classmethod
    def id(cls) -> str:
        """The file's stem: the name of the signal everywhere."""
        return cls.__module__.rsplit(".", 1)[-1]

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(cls) or "").split("\n", 1)[0]


class _CallSignal(Signal):
    """Seen call by call: `mean over elements, then finish`."""

    @staticmethod
    def total(value: float) -> float:
        """What one call adds, given the number it measured."""
        return value

    @staticmethod
    def finish(mean: float) -> float:
        """The value, given the mean over all elements of all calls."""
        return mean


class RootMeanSquare:
    """For a signal that measures norms: its value is the root of the mean square over all elements."""

    @staticmethod
    def total(value: float) -> float:
        """Sum of squares."""
        return value * value

    @staticmethod
    def finish(mean: float) -> float:
        """Root of the mean square."""
        return math.sqrt(mean)


class OutputSignal(_CallSignal):
    """Looks at the output of a layer in the forward pass."""

    def applies(self, output: Tensor) -> bool:
        """Whether it means anything for this output."""
        return True

    def measure(self, output: Tensor) -> Tensor:
        """A 0-dim tensor whose `total` is a sum over the elements of `output`."""
        raise NotImplementedError


class BackwardSignal(_CallSignal):
    """Looks at the gradient of the loss by a layer's output in the backward pass."""

    def measure(self, gradient: Tensor) -> Tensor:
        """A 0-dim tensor whose `total` is a sum over the elements of `gradient`."""
        raise NotImplementedError


class ActivationSignal(_CallSignal):
    """Looks at the derivative of an activation function, on a sample of its elements."""

    def applies(self, activation: Activation) -> bool:
        """Whether it means anything for this function."""
        return True

    def measure(self, derivative: Tensor, activation: Activation) -> Tensor:
        """A 0-dim tensor whose `total` is a sum over the elements of `derivative`, φ' at the sample."""
        raise NotImplementedError


class ParameterSignal(Signal):
    """Looks at all weights at once, at the optimizer's step."""

    def values(self, step: ParameterStep) -> Sequence[float]:
        """One value per weight of `step.weights`; NaN where it could not be measured."""
        raise NotImplementedError


class RunSignal(Signal):
    """Looks at the run as a whole, at the optimizer's step."""

    def values(self, step: RunStep) -> Mapping[str, float]:
        """Place → value; the place is "" for the whole run, or "group 0", … for the optimizer's groups."""
        raise NotImplementedError
