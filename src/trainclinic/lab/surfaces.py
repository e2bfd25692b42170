"""Loss surfaces of two parameters, with their gradients: where the path of an optimizer can be looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainclinic.lab.optimizers import Optimizer
from trainclinic.lab.words import Words

Array = NDArray[np.float64]

FAR = 1e6  # a path that goes further has diverged


@dataclass(frozen=True)
class Surface:
    """A loss of two parameters x and y.

    Attributes:
        title: what it is called.
        formula: in LaTeX.
        loss: (x, y) → loss; takes arrays too.
        gradient: (x, y) → (∂loss/∂x, ∂loss/∂y).
        start: where a path begins.
        minima: where the loss is least.
        low: lower left corner of what is drawn.
        high: upper right corner of it.
    """

    title: Words
    formula: str
    loss: Callable[[Any, Any], Any]
    gradient: Callable[[float, float], tuple[float, float]]
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...]
    low: tuple[float, float]
    high: tuple[float, float]

    @property
    def least(self) -> float:
        """The least loss there is."""
        return min(float(self.loss(*point)) for point in self.minima)


def path(surface: Surface, optimizer: Optimizer, steps: int) -> Array:
    """The points that an optimizer passes, from `surface.start` on, as (steps + 1, 2); fewer where it diverges.

    Args:
        surface: where it moves.
        optimizer: its parameters are two numbers, in any shape.
        steps: that it makes.
    """
    points = [optimizer.parameters.ravel()]
    for _ in range(steps):
        gradient = np.reshape(surface.gradient(*map(float, points[-1])), optimizer.parameters.shape)
        points.append(optimizer.step(gradient).ravel())
        if not np.abs(points[-1]).max() < FAR:
            break
    return np.array(points)


def _beale(x: Any, y: Any) -> Any:
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _beale_gradient(x: float, y: float) -> tuple[float, float]:
    terms = [(c - x + x * y**power, power) for c, power in ((1.5, 1), (2.25, 2), (2.625, 3))]
    return (
        sum(2 * value * (y**power - 1) for value, power in terms),
        sum(2 * value * power * x * y ** (power - 1) for value, power in terms),
    )


SURFACES: dict[str, Surface] = {
    "bowl": Surface(
        Words("bowl", "둥근 그릇"),
        r"\tfrac12 (x^2 + y^2)",
        lambda x, y: (x**2 + y**2) / 2,
        lambda x, y: (x, y),
        (-4.0, 2.0),
        ((0.0, 0.0),),
        (-5.0, -3.0),
        (5.0, 3.0),
    ),
    "valley": Surface(
        Words("narrow valley", "좁은 골짜기"),
        r"\tfrac12 (x^2 + 25\,y^2)",
        lambda x, y: (x**2 + 25 * y**2) / 2,
        lambda x, y: (x, 25 * y),
        (-4.0, 1.5),
        ((0.0, 0.0),),
        (-5.0, -2.5),
        (3.0, 2.5),
    ),
    "saddle": Surface(
        Words("saddle", "안장점"),
        r"\tfrac12 x^2 - \tfrac12 y^2 + \tfrac14 y^4",
        lambda x, y: x**2 / 2 - y**2 / 2 + y**4 / 4,
        lambda x, y: (x, y**3 - y),
        (-2.0, 0.001),
        ((0.0, 1.0), (0.0, -1.0)),
        (-2.5, -1.8),
        (2.5, 1.8),
    ),
    "rosenbrock": Surface(
        Words("Rosenbrock's banana", "로젠브록(바나나)"),
        r"(1 - x)^2 + 100\,(y - x^2)^2",
        lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        lambda x, y: (-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)),
        (-1.2, 1.0),
        ((1.0, 1.0),),
        (-2.0, -1.0),
        (2.0, 2.5),
    ),
    "beale": Surface(
        Words("Beale", "빌(Beale)"),
        r"(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
        _beale,
        _beale_gradient,
        (1.0, 1.5),
        ((3.0, 0.5),),
        (-1.0, -1.5),
        (4.5, 2.5),
    ),
}
