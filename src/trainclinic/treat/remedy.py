"""Remedy: what every file under `remedies/` holds.

A remedy writes plain PyTorch code for the Setup in front of it. That code is what is run in the trials and what the
user pastes: there is no second form of the same change that could differ from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal, NamedTuple

from trainclinic.catalog import Entry
from trainclinic.errors import TrainclinicError
from trainclinic.records import Finding
from trainclinic.setup import Setup

SECTIONS = ("What it does", "When it helps", "Side effects", "References")

Stage = Literal["data", "model", "initialization", "loss", "optimizer", "schedule", "loop"]
STAGES: tuple[Stage, ...] = ("data", "model", "initialization", "loss", "optimizer", "schedule", "loop")


class RefusedError(TrainclinicError):
    """A remedy does not fit this Setup. The message says why, in words for a person."""


class Setting(NamedTuple):
    """A setting as it stands in a remedy's page."""

    name: str
    default: Any
    unit: str
    range: str


@dataclass(frozen=True)
class Prescription:
    """What a remedy does to one Setup.

    Attributes:
        change: one plain line, such as "16 Sigmoid replaced by ReLU".
        code: plain PyTorch, to be run after the names it uses are there and before the training begins. It may use and
            set `model`, `loss_fn`, `optimizer`, `train_loader`, `val_loader`, `epochs`, `scheduler` and `train`, and
            finds `torch`, `nn` and `F` imported; whatever else it needs it imports. A Setup's `step` may be used.
    """

    change: str
    code: str


def setting(default: Any, unit: str, *, low: float | None = None, high: float | None = None,
            choices: tuple[str, ...] = ()) -> Any:  # fmt: skip
    """A remedy's setting as a dataclass field: its default, its unit and its range.

    Args:
        default: a number [unit], a string or a bool: it travels as JSON.
        unit: "1" for a pure number or a name.
        low: smallest value allowed.
        high: largest value allowed.
        choices: the names allowed.
    """
    return field(default=default, metadata={"unit": unit, "low": low, "high": high, "choices": choices})


@dataclass(frozen=True)
class Remedy(Entry):
    """Base class of the catalogue's entries.

    Class attributes:
        treats: problem (id) it is a remedy for → its rank among the remedies for that problem; 1 is tried first.
        stage: when it is applied, among others: the order of STAGES.
        ladder: whether its options are rungs that are all tried, the best of them being kept; else the first that
            clears the problem is taken.
    """

    sections: ClassVar[tuple[str, ...]] = SECTIONS
    treats: ClassVar[dict[str, int]] = {}
    stage: ClassVar[Stage] = "model"
    ladder: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for item in fields(self):
            value, rule = getattr(self, item.name), item.metadata
            low, high, choices = rule.get("low"), rule.get("high"), rule.get("choices")
            outside = (low is not None and not value >= low) or (high is not None and not value <= high)
            if outside or (choices and value not in choices):
                raise RefusedError(
                    f"{self.id()}: expected {item.name} {_range(rule)}, got {value!r}; choose one inside"
                )

    def prescribe(self, setup: Setup) -> Prescription:
        """The change and its code for this Setup, which is only looked at.

        Raises:
            RefusedError: it does not fit: there is nothing to replace, the loss is of another kind, …
        """
        raise NotImplementedError

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """The settings worth a trial against `finding`, the most promising first; by default the defaults."""
        return (cls(),)

    @classmethod
    def settings(cls) -> tuple[Setting, ...]:
        """Every setting, in the order of the fields."""
        return tuple(
            Setting(item.name, item.default, item.metadata["unit"], _range(item.metadata))
            for item in fields(cls)
            if "unit" in item.metadata
        )

    def to_dict(self) -> dict[str, Any]:
        """Its settings as plain data."""
        return asdict(self)


def _range(rule: Any) -> str:
    if rule.get("choices"):
        return "one of " + ", ".join(rule["choices"])
    low, high = rule.get("low"), rule.get("high")
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {low:g}"
    return f"at most {high:g}" if low is None else f"from {low:g} to {high:g}"
