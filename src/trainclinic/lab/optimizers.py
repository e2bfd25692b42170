"""The family of gradient descent, each update written out by hand in NumPy, to read and to play with.

Every one takes the same steps as its namesake in `torch.optim` on the same gradients. In the formulas g is the
gradient, η the learning rate, t the number of the step from 1; vectors are taken element by element.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trainclinic.errors import LabError

Array = NDArray[np.float64]

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan et al. 2024: steepest at 0, so that small singular values grow fast
NEWTON_SCHULZ_STEPS = 5


class Optimizer:
    """Base of the family: parameters that move, and what is remembered between steps.

    Args:
        start: parameters, any shape; copied.
        learning_rate: η, at least 0.

    Attributes:
        parameters: as they are now.
        steps: how many were made.
        memory: name → what is remembered from the gradients so far, the shape of the parameters.

    Raises:
        LabError: the learning rate is negative or not finite.
    """

    source: ClassVar[str] = ""
    remembers: ClassVar[tuple[str, ...]] = ()
    dimensions: ClassVar[int] = 0  # that the parameters must have; 0: any

    def __init__(self, start: ArrayLike, learning_rate: float) -> None:
        if not 0 <= learning_rate < math.inf:
            raise LabError(f"learning_rate: expected a number from 0, got {learning_rate:g}; try 0.01")
        self.parameters: Array = np.array(start, dtype=np.float64)
        if self.dimensions and self.parameters.ndim != self.dimensions:
            raise LabError(f"start: expected {self.dimensions} dimensions for {type(self).__name__}, got shape "
                           f"{self.parameters.shape}; give a matrix")  # fmt: skip
        self.learning_rate = learning_rate
        self.steps = 0
        self.memory = {name: np.zeros_like(self.parameters) for name in self.remembers}

    def step(self, gradient: ArrayLike) -> Array:
        """Make one update.

        Args:
            gradient: of the loss at `parameters`, of their shape.

        Returns:
            The parameters after it; a new array.

        Raises:
            LabError: the gradient has another shape.
        """
        g = np.asarray(gradient, dtype=np.float64)
        if g.shape != self.parameters.shape:
            raise LabError(f"gradient: expected the parameters' shape {self.parameters.shape}, got {g.shape}; "
                           "take the gradient at the parameters")  # fmt: skip
        self.steps += 1
        self.parameters = self.parameters + self.change(g)
        return self.parameters

    def change(self, g: Array) -> Array:
        """What is added to the parameters; `memory` is brought up to date on the way."""
        raise NotImplementedError

    def workings(self) -> dict[str, Array]:
        """Name → the numbers behind the latest step, for who wants to check it by hand."""
        return dict(self.memory)

    def average(self, name: str, value: Array, beta: float) -> Array:
        """Bring an exponential moving average up to date: β · old + (1 − β) · value."""
        self.memory[name] = beta * self.memory[name] + (1 - beta) * value
        return self.memory[name]


class GradientDescent(Optimizer):
    """Gradient descent: w ← w − η g."""

    source = "Cauchy 1847; with random samples, Robbins & Monro 1951"

    def change(self, g: Array) -> Array:
        """−η g."""
        return -self.learning_rate * g


class Momentum(Optimizer):
    """Momentum: v ← μ v + g, w ← w − η v. Steps in the same direction add up, to 1/(1 − μ) times one of them."""

    source = "Polyak 1964"
    remembers = ("v",)

    def __init__(self, start: ArrayLike, learning_rate: float, momentum: float = 0.9) -> None:
        super().__init__(start, learning_rate)
        self.momentum = _share("momentum", momentum)

    def change(self, g: Array) -> Array:
        """−η v."""
        self.memory["v"] = self.momentum * self.memory["v"] + g
        return -self.learning_rate * self.memory["v"]


class Nesterov(Momentum):
    """Nesterov's momentum: v ← μ v + g, w ← w − η (g + μ v). The gradient acts where the momentum is about to lead.

    The form of Sutskever et al. 2013, written for the looked-ahead point, as PyTorch has it.
    """

    source = "Nesterov 1983"

    def change(self, g: Array) -> Array:
        """−η (g + μ v)."""
        super().change(g)
        return -self.learning_rate * (g + self.momentum * self.memory["v"])


class Adagrad(Optimizer):
    """Adagrad: s ← s + g², w ← w − η g / (√s + ε). Each parameter's rate falls with all the gradient it ever had."""

    source = "Duchi, Hazan & Singer 2011"
    remembers = ("s",)

    def __init__(self, start: ArrayLike, learning_rate: float, epsilon: float = 1e-10) -> None:
        super().__init__(start, learning_rate)
        self.epsilon = epsilon

    def change(self, g: Array) -> Array:
        """−η g / (√s + ε)."""
        self.memory["s"] = self.memory["s"] + g**2
        return -self.learning_rate * g / (np.sqrt(self.memory["s"]) + self.epsilon)


class RMSprop(Optimizer):
    """RMSprop: s ← ρ s + (1 − ρ) g², w ← w − η g / (√s + ε). Adagrad that forgets: an average in place of the sum."""

    source = "Hinton, lecture 6e of Neural Networks for Machine Learning, 2012"
    remembers = ("s",)

    def __init__(self, start: ArrayLike, learning_rate: float, rho: float = 0.99, epsilon: float = 1e-8) -> None:
        super().__init__(start, learning_rate)
        self.rho, self.epsilon = _share("rho", rho), epsilon

    def change(self, g: Array) -> Array:
        """−η g / (√s + ε)."""
        return -self.learning_rate * g / (np.sqrt(self.average("s", g**2, self.rho)) + self.epsilon)


class Adadelta(Optimizer):
    """Adadelta: s ← ρ s + (1 − ρ) g², d = √(u + ε) / √(s + ε) · g, u ← ρ u + (1 − ρ) d², w ← w − η d.

    The size of the past steps takes the place of the learning rate, which is 1 unless something else is asked for. It
    starts from u = 0, so that the first steps are about √ε long.
    """

    source = "Zeiler 2012"
    remembers = ("s", "u")

    def __init__(self, start: ArrayLike, learning_rate: float = 1.0, rho: float = 0.9, epsilon: float = 1e-6) -> None:
        super().__init__(start, learning_rate)
        self.rho, self.epsilon = _share("rho", rho), epsilon

    def change(self, g: Array) -> Array:
        """−η d."""
        root = np.sqrt(self.average("s", g**2, self.rho) + self.epsilon)
        delta = np.sqrt(self.memory["u"] + self.epsilon) / root * g
        self.average("u", delta**2, self.rho)
        return -self.learning_rate * delta


class Adam(Optimizer):
    """Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← w − η m̂ / (√v̂ + ε).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) make up for the averages' start at 0; the first step is η long for every
    parameter, whatever its gradient.
    """

    source = "Kingma & Ba 2015"
    remembers = ("m", "v")

    def __init__(
        self, start: ArrayLike, learning_rate: float, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        super().__init__(start, learning_rate)
        self.beta1, self.beta2, self.epsilon = _share("beta1", beta1), _share("beta2", beta2), epsilon

    def root(self) -> Array:
        """√v̂ + ε."""
        root: Array = np.sqrt(self.memory["v"] / (1 - self.beta2 ** max(1, self.steps))) + self.epsilon
        return root

    def moments(self, g: Array) -> Array:
        """Bring both averages up to date; returns m̂."""
        self.average("v", g**2, self.beta2)
        return self.average("m", g, self.beta1) / (1 - self.beta1**self.steps)

    def change(self, g: Array) -> Array:
        """−η m̂ / (√v̂ + ε)."""
        step: Array = -self.learning_rate * self.moments(g) / self.root()
        return step

    def workings(self) -> dict[str, Array]:
        """Both averages, and what they come to without the bias of their start at 0."""
        corrected = self.memory["m"] / (1 - self.beta1 ** max(1, self.steps))
        return {**self.memory, "m̂": corrected, "√v̂ + ε": self.root()}


class AdaMax(Optimizer):
    """AdaMax: m as Adam, u ← max(β₂ u, |g| + ε), w ← w − η m̂ / u: the largest gradient in place of the mean square."""

    source = "Kingma & Ba 2015, section 7"
    remembers = ("m", "u")

    def __init__(
        self, start: ArrayLike, learning_rate: float, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        super().__init__(start, learning_rate)
        self.beta1, self.beta2, self.epsilon = _share("beta1", beta1), _share("beta2", beta2), epsilon

    def change(self, g: Array) -> Array:
        """−η m̂ / u."""
        corrected = self.average("m", g, self.beta1) / (1 - self.beta1**self.steps)
        self.memory["u"] = np.maximum(self.beta2 * self.memory["u"], np.abs(g) + self.epsilon)
        return -self.learning_rate * corrected / self.memory["u"]


class NAdam(Adam):
    """NAdam: Adam with Nesterov's look ahead.

    w ← w − η (μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ)) / (√v̂ + ε), where μₜ = β₁ (1 − ½ · 0.96^(t ψ)) and
    Πₜ = μ₁ μ₂ … μₜ; ψ is 0.004.
    """

    source = "Dozat 2016"

    def __init__(self, start: ArrayLike, learning_rate: float, momentum_decay: float = 0.004, **more: float) -> None:
        super().__init__(start, learning_rate, **more)
        self.momentum_decay, self.product = momentum_decay, 1.0

    def change(self, g: Array) -> Array:
        """−η (μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ)) / (√v̂ + ε)."""
        self.moments(g)
        now, following = (
            self.beta1 * (1 - 0.5 * 0.96 ** (step * self.momentum_decay)) for step in (self.steps, self.steps + 1)
        )
        self.product *= now
        ahead = following * self.memory["m"] / (1 - self.product * following)
        step: Array = -self.learning_rate * (ahead + (1 - now) * g / (1 - self.product)) / self.root()
        return step


class RAdam(Adam):
    """RAdam: Adam that waits until its v is worth something.

    ρₜ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ), with ρ∞ = 2 / (1 − β₂) − 1, is how many gradients v stands for. While ρₜ ≤ 5 the step
    is −η m̂, momentum alone; then it is Adam's times r = √((ρₜ−4)(ρₜ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρₜ)), which grows to 1: a
    warm-up built in. ε stands beside √v, as in PyTorch.
    """

    source = "Liu et al. 2020"

    def change(self, g: Array) -> Array:
        """−η m̂ at first, then −η r m̂ √(1 − β₂ᵗ) / (√v + ε)."""
        corrected = self.moments(g)
        rectified = self.rectified()
        if rectified == 0:
            return -self.learning_rate * corrected
        scale = math.sqrt(1 - self.beta2**self.steps) / (np.sqrt(self.memory["v"]) + self.epsilon)
        return -self.learning_rate * rectified * corrected * scale

    def rectified(self) -> float:
        """The factor r of the present step; 0 while v is worth too little."""
        longest = 2 / (1 - self.beta2) - 1
        left = self.beta2**self.steps
        length = longest - 2 * self.steps * left / (1 - left)
        if length <= 5:
            return 0.0
        ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        return math.sqrt(ratio)


class AdamW(Adam):
    """AdamW: w ← (1 − η λ) w, then Adam's step. The weight decay is apart from the gradient (see chapter 7)."""

    source = "Loshchilov & Hutter 2019"

    def __init__(self, start: ArrayLike, learning_rate: float, weight_decay: float = 0.01, **more: float) -> None:
        super().__init__(start, learning_rate, **more)
        self.weight_decay = weight_decay

    def change(self, g: Array) -> Array:
        """−η λ w − η m̂ / (√v̂ + ε)."""
        return super().change(g) - self.learning_rate * self.weight_decay * self.parameters


class Muon(Optimizer):
    """Muon: B ← μ B + (1 − μ) g, O = orthogonalised((1 − μ) g + μ B), W ← (1 − η λ) W − η √max(1, rows/columns) O.

    For matrices alone. The step's direction has singular values near 1: all directions of the matrix move alike. Ours
    orthogonalises in float64; `torch.optim.Muon` does so in bfloat16, whose numbers have 8 bits, so that in each step
    the two agree to a tenth of η and no better. With the same precision they agree to 1e-6.
    """

    source = "Jordan et al. 2024"
    remembers = ("B",)
    dimensions = 2

    def __init__(
        self, start: ArrayLike, learning_rate: float, momentum: float = 0.95, weight_decay: float = 0.1
    ) -> None:
        super().__init__(start, learning_rate)
        self.momentum, self.weight_decay = _share("momentum", momentum), weight_decay

    def change(self, g: Array) -> Array:
        """−η λ W − η √max(1, rows/columns) O."""
        buffer = self.average("B", g, self.momentum)
        direction = orthogonalised(self.momentum * buffer + (1 - self.momentum) * g)
        rows, columns = self.parameters.shape
        scale = math.sqrt(max(1.0, rows / columns))
        return -self.learning_rate * (self.weight_decay * self.parameters + scale * direction)


def orthogonalised(matrix: ArrayLike, steps: int = NEWTON_SCHULZ_STEPS) -> Array:
    """The matrix with its singular values pushed towards 1, by a Newton–Schulz iteration.

    X ← a X + (b A + c A²) X with A = X Xᵀ, from X of norm 1: on every singular value σ it is a σ + b σ³ + c σ⁵, and no
    singular value decomposition is needed. Most end between 0.68 and 1.2; what was tiny ends below.

    Args:
        matrix: (rows, columns).
        steps: of the iteration.

    Raises:
        LabError: it is no matrix.
    """
    x = np.array(matrix, dtype=np.float64)
    if x.ndim != 2:
        raise LabError(f"matrix: expected two dimensions, got shape {x.shape}; give a matrix")
    a, b, c = NEWTON_SCHULZ
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / max(float(np.linalg.norm(x)), 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


FAMILY: dict[str, type[Optimizer]] = {
    kind.__name__: kind
    for kind in (
        GradientDescent,
        Momentum,
        Nesterov,
        Adagrad,
        Adadelta,
        RMSprop,
        Adam,
        AdaMax,
        NAdam,
        RAdam,
        AdamW,
        Muon,
    )
}


def made(name: str, start: ArrayLike, learning_rate: float, **more: Any) -> Optimizer:
    """One of the family by its name; `more` are its own arguments.

    Raises:
        LabError: there is none of that name.
    """
    if name not in FAMILY:
        raise LabError(f"optimizer: expected one of {', '.join(FAMILY)}, got {name!r:.40}")
    return FAMILY[name](start, learning_rate, **more)


def _share(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise LabError(f"{name}: expected a number from 0 to below 1, got {value:g}; 0.9 is usual")
    return value
