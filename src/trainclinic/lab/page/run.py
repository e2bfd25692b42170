"""One training on a page: what was ordered, what it has told, and where it stands in words."""

from __future__ import annotations

from trainclinic.lab.clinic_words import REMEDIES
from trainclinic.lab.controls import NOTHING, Values
from trainclinic.lab.desk import Desk, Training
from trainclinic.lab.labels import LABELS
from trainclinic.lab.page.fields import written
from trainclinic.lab.page.kept import Kept
from trainclinic.lab.settings import SETTINGS
from trainclinic.lab.training import Order


class Run:
    """One training on the page.

    Attributes:
        order: what is trained.
        kept: all that it has told.
        name: key of its label.
        training: at the desk, or None before it is started.
    """

    def __init__(self, order: Order, name: str) -> None:
        self.order, self.name = order, name
        self.kept = Kept()
        self.training: Training | None = None

    @property
    def state(self) -> str:
        """Of the training, or "idle"."""
        return self.training.state if self.training else "idle"

    @property
    def over(self) -> bool:
        """Whether it was started and nothing more will come."""
        return self.training is not None and self.training.over

    def start(self, desk: Desk) -> None:
        """Ask for a worker."""
        self.training = desk.ask(self.order)

    def close(self) -> None:
        """End the training; what is drawn stays."""
        if self.training is not None:
            self.training.close()

    def take(self) -> bool:
        """Take what has come; whether anything has."""
        news = self.training.news() if self.training else []
        for one in news:
            self.kept.add(one)
        return bool(news)

    def status(self, language: str) -> str:
        """Where it stands, in words."""
        state, news = self.state, self.kept.news
        said = self.training.said if self.training else NOTHING
        if state == "running" and not news.steps and said.en:
            return LABELS["treating"].format(said=_doing(said.en, language))[language]
        place = self.training.place if self.training else 0
        words = LABELS[state].format(
            place=place, said=said[language], step=news.step, steps=news.steps, epoch=f"{news.epoch:.1f}"
        )
        lost = "" if self.kept.lost is None else LABELS["lost"].format(step=self.kept.lost)[language]
        return words[language] + lost

    def title(self, beside: Values, language: str) -> str:
        """Its name; of a run that was kept, also which of its settings are not those of another."""
        name = LABELS[self.name][language]
        if self.name != "beside":
            return name
        differs = [
            f"{control.label[language]} {written(control, self.order.settings[key], language)}"
            for key, control in SETTINGS.items()
            if self.order.settings[key] != beside[key]
        ]
        settings = ", ".join(differs) or LABELS["no difference"][language]
        return LABELS["differs"].format(name=name, settings=settings)[language]


def _doing(said: str, language: str) -> str:
    """What the search for a treatment does, in the words of the page."""
    if not said.startswith("trying "):
        return LABELS["compared"][language]
    names = [REMEDIES[name][language] for name in said.removeprefix("trying ").split(" and ") if name in REMEDIES]
    return LABELS["trying"].format(names=", ".join(names))[language]
