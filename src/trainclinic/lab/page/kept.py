"""Kept: all that has been told of one training, thinned to what a chart can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trainclinic.lab.told import Choice, Found, News

POINTS = 400  # of a curve; twice as many are gathered before every other one is dropped
COLUMNS = 120  # of a heatmap
LINEAR = ("activation_derivative", "activation_mean", "saturated_share", "dead_unit_fraction")  # the rest by decades

Number = float | None


@dataclass
class Curve:
    """Values over steps, never more than twice `most`.

    Attributes:
        most: points that are shown at least where there are as many.
        steps: [optimizer steps].
        values: of whatever is drawn.
    """

    most: int = POINTS
    steps: list[int] = field(default_factory=list)
    values: list[Number] = field(default_factory=list)

    def add(self, steps: Sequence[int], values: Sequence[Number]) -> None:
        """More points at its end; where there are too many, neighbours are averaged into one."""
        self.steps += steps
        self.values += values
        while len(self.steps) > 2 * self.most:
            odd = len(self.steps) % 2  # the newest point stays as it is
            last = self.steps[-odd:] if odd else [], self.values[-odd:] if odd else []
            pairs = zip(self.values[: -odd or None : 2], self.values[1::2], strict=True)
            self.values = [_mean(pair) for pair in pairs] + last[1]
            self.steps = self.steps[1::2] + last[0]


@dataclass
class Heat:
    """One signal in every layer over the steps.

    Attributes:
        layers: their names, in the order of the forward pass.
        steps: of the columns [optimizer steps].
        columns: one value a layer each; None: not measured.
    """

    layers: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    columns: list[list[Number]] = field(default_factory=list)

    def add(self, layers: list[str], steps: list[int], columns: list[list[Number]]) -> None:
        """More columns at its end; where there are too many, every other one goes."""
        if layers != self.layers:  # a layer was seen for the first time: the columns before have no value for it
            places = [self.layers.index(name) if name in self.layers else None for name in layers]
            self.columns = [[None if at is None else column[at] for at in places] for column in self.columns]
            self.layers = layers
        self.steps += steps
        self.columns += columns
        while len(self.steps) > 2 * COLUMNS:
            self.steps, self.columns = self.steps[1::2], self.columns[1::2]

    @property
    def latest(self) -> list[Number]:
        """The last value of each layer that was measured."""
        return [
            next((column[row] for column in reversed(self.columns[-8:]) if column[row] is not None), None)
            for row in range(len(self.layers))
        ]


class Kept:
    """What a training has told so far.

    Attributes:
        news: the last message.
        loss: of the training batches.
        validation: metric → its curve; the loss is one of them.
        heat: signal → its values in the layers.
        findings: of the last diagnosis; None before the first.
        choice: of a treatment, where it is a treated run.
        count: messages that have come.
        lost: the first step whose loss was no finite number, or None.
    """

    def __init__(self) -> None:
        self.news = News("idle")
        self.loss = Curve()
        self.validation: dict[str, Curve] = {}
        self.heat: dict[str, Heat] = {}
        self.findings: tuple[Found, ...] | None = None
        self.choice: Choice | None = None
        self.count = 0
        self.lost: int | None = None

    def add(self, news: News) -> None:
        """One message more."""
        self.count += 1
        if news.steps:
            self.news = news
        self.loss.add(*news.losses)
        if self.lost is None:
            self.lost = next((step for step, value in zip(*news.losses, strict=True) if value is None), None)
        for metric, curve in news.validation.items():
            self.validation.setdefault(metric, Curve()).add(*curve)
        for signal, (steps, columns) in news.columns.items():
            self.heat.setdefault(signal, Heat()).add(news.layers[signal], steps, columns)
        if news.findings is not None:
            self.findings = news.findings
        self.choice = news.choice or self.choice


def _mean(pair: Sequence[Number]) -> Number:
    known = [value for value in pair if value is not None]
    return sum(known) / len(known) if len(known) == len(pair) else None
