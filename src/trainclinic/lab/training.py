"""One training of the lab, in a process of its own: it sends what the clinic measures, and obeys.

What goes in is plain data: settings that were checked, and ids of remedies; no code travels.
"""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from trainclinic.diagnose.diagnose import diagnose
from trainclinic.errors import LabError, TrainclinicError
from trainclinic.lab.clinic_words import PROBLEMS
from trainclinic.lab.controls import Values
from trainclinic.lab.experiment import Make
from trainclinic.lab.korean import korean
from trainclinic.lab.told import Choice, News, Told, Tried, found
from trainclinic.lab.words import Words, same
from trainclinic.measure.shadow import generators_kept
from trainclinic.measure.watch import Watch
from trainclinic.prove.cure import Treated
from trainclinic.prove.pairs import Job, run
from trainclinic.prove.search import Search
from trainclinic.prove.workers import Workers
from trainclinic.recording import Recording
from trainclinic.records import Attempt, Dose, Treatment
from trainclinic.setup import Setup, evaluate, train

PACES = {"slow": 8.0, "normal": 60.0, "full": float("inf")}  # most optimizer steps a second
SEND = 0.06  # seconds between two messages at least: some sixteen charts a second
DIAGNOSE = 1.0  # seconds between two diagnoses at least
LOOK = 4  # steps between two looks: as dense as a heatmap shows; a step of 20 layers costs about a third more
SEARCHED = 3000  # steps of a whole run up to which short runs compare remedies; else the first that fits is taken
SPENT = 4  # whole runs that such a comparison may take
MOST_SECONDS = 300  # of one training, pauses included


@dataclass(frozen=True)
class Order:
    """What is to be trained.

    Attributes:
        settings: of the experiment, checked.
        against: id of a problem that is treated first, or "".
        remedy: id of the remedy to take against it; "" for the one that short runs choose.
        paused: whether it begins paused, so that it can be stepped through.
        pace: how fast it may go, one of PACES.
    """

    settings: Values
    against: str = ""
    remedy: str = ""
    paused: bool = False
    pace: str = "normal"


def ready() -> None:
    """Does nothing: the first process that is started loads PyTorch for those that follow."""


def work(order: Order, connection: Connection) -> None:
    """The process: train what was ordered and send News, until it ends or is told to.

    Commands that come in: "pause", "go", "step", "stop", and ("pace", name).
    """
    torch.set_num_threads(1)
    try:
        _Training(order, connection).run()
    except (_StopError, BrokenPipeError, EOFError, ConnectionError, KeyboardInterrupt):
        pass  # nobody is there any more
    except LabError as error:
        _last_words(connection, Words(str(error), error.korean))
    except TrainclinicError as error:
        _last_words(connection, Words(str(error), korean(str(error))))
    except Exception as error:  # whatever it was, the page says so
        _last_words(connection, same(f"{type(error).__name__}: {error}"))
    finally:
        connection.close()


def _last_words(connection: Connection, said: Words) -> None:
    with contextlib.suppress(OSError):
        connection.send(News("failed", said=said))


class _StopError(BaseException):
    """Ends a training from within its optimizer's step; no `except Exception` of a loop holds it up."""


class _Training:
    def __init__(self, order: Order, connection: Connection) -> None:
        self._order, self._connection = order, connection
        self._paused, self._one = order.paused, False
        self._pace = PACES[order.pace]
        self._begun = self._sent = self._diagnosed = time.monotonic()
        self._due = 0.0
        self._told = Told()
        self._steps = self._per_epoch = 1
        self._step = 0

    def run(self) -> None:
        make = Make(self._order.settings)
        seed = int(self._order.settings["seed"])
        doses, choice = self._chosen(make, seed)
        setup, treatment = Treated(make, doses).treated(seed)
        if choice is not None:
            self._connection.send(News("running", choice=replace(choice, treatment=treatment)))
        self._per_epoch = max(1, len(setup.train_loader))  # type: ignore[arg-type]
        self._steps = setup.epochs * self._per_epoch
        with Watch(setup.model, setup.optimizer, setup.loss_fn, every=LOOK) as watch:
            self._train(setup, watch)
        self._send(watch.recording, "ended", finished=True)

    def _train(self, setup: Setup, watch: Watch) -> None:
        self._watch, self._setup = watch, setup
        with generators_kept():
            watch.validate(**evaluate(setup))
        handle = register_optimizer_step_post_hook(self._after_step)  # after the watch's own: its step is done
        try:
            train(setup, None if setup.loop else watch.validate)
        finally:
            handle.remove()

    # -- what comes in

    def _after_step(self, optimizer: Optimizer, *_: Any) -> None:
        if optimizer is not self._setup.optimizer:
            return
        self._step += 1
        if self._setup.loop is not None and self._step % self._per_epoch == 0:  # its own evaluations stay in the loop
            with generators_kept():
                self._watch.validate(**evaluate(self._setup))
        now = time.monotonic()
        if self._one or now - self._sent >= SEND:
            self._send(self._watch.recording, "running")
        if now - self._begun > MOST_SECONDS:
            raise LabError(
                f"training: it may take {MOST_SECONDS} s, and was at step {self._step} of {self._steps} then; take "
                "fewer "
                "epochs or a smaller network",
                f"훈련은 {MOST_SECONDS}초까지 할 수 있는데 그때 {self._steps}스텝 중 {self._step}스텝이었습니다. 에폭 "
                "수나 "
                "신경망을 줄이세요",
            )
        self._one = False
        self._obey()
        self._keep_pace()

    def _obey(self) -> None:
        """Take the commands that are there; where it is paused, wait for the next."""
        if self._paused:
            self._send(self._watch.recording, "paused")
        while self._paused or self._connection.poll():
            if self._paused and not self._connection.poll(MOST_SECONDS):
                raise _StopError  # forgotten
            self._take(self._connection.recv())
            if self._one:
                return

    def _take(self, command: Any) -> None:
        if command == "stop":
            raise _StopError
        if isinstance(command, tuple):
            self._pace = PACES[command[1]]
        else:
            self._one = command == "step"
            self._paused = command != "go"

    def _keep_pace(self) -> None:
        if self._pace == float("inf") or self._paused:
            return
        now = time.monotonic()
        self._due = max(self._due + 1 / self._pace, now - 0.2)
        if self._due > now:
            time.sleep(self._due - now)

    # -- what goes out

    def _send(self, recording: Recording, state: str, finished: bool = False) -> None:
        news = self._told.since(recording)
        told = None
        now = time.monotonic()
        if finished or now - self._diagnosed >= DIAGNOSE:
            told = found(diagnose(recording))
            self._diagnosed = now
        self._connection.send(replace(news, state=state, step=self._step, steps=self._steps,
                                      epoch=self._step / self._per_epoch, findings=told))  # fmt: skip
        self._sent = now

    # -- the treatment

    def _chosen(self, make: Make, seed: int) -> tuple[tuple[Dose, ...], Choice | None]:
        """The doses of the treatment and how they were chosen: none where nothing is to be treated."""
        if not self._order.against:
            return (), None
        self._say("the untreated run, for comparison")
        control = run(Job(make, seed))
        root = next((one for one in control.diagnosis.findings if one.problem == self._order.against), None)
        if root is None:
            name = PROBLEMS[self._order.against][0].ko if self._order.against in PROBLEMS else self._order.against
            raise LabError(
                f"treatment: expected {self._order.against}, but a whole run from this seed does not show it; there is "
                "nothing to treat",
                f"이 시드로 끝까지 훈련해 보니 ‘{name}’ 문제가 나타나지 않아 치료할 것이 없습니다",
            )
        with Workers(1) as workers:
            allowance = SPENT * control.steps if control.steps <= SEARCHED else 0
            only = (self._order.remedy,) if self._order.remedy else ()
            search = Search(make, control, allowance, workers, lambda doing, _: self._say(doing), only)
            plan = search.plan(root) if allowance else search.first(root)
        if not plan:
            reasons = list(dict.fromkeys(search.why_not)) or ["nothing that was tried made it better"]
            raise LabError(
                f"treatment: {'; '.join(reasons)}",
                f"여기에 맞으면서 더 나아지게 하는 치료법을 찾지 못했습니다. {'; '.join(map(korean, reasons))}",
            )
        return plan, _choice(search, plan, bool(only))

    def _say(self, doing: str) -> None:
        while self._connection.poll():
            self._take(self._connection.recv())
        self._connection.send(News("running", said=same(doing)))


def _choice(search: Search, plan: tuple[Dose, ...], asked: bool) -> Choice:
    """How the plan was chosen; what it changes is known once it is applied."""
    nothing = Treatment(plan, (), "")
    if search.compared is None:
        return Choice(nothing, "asked for" if asked else "first that fits")
    attempts = [one for one in search.tried if one.cost == 0 or not math.isnan(one.gain)]  # tests on copies left out
    untreated = Tried((), search.compared.end, "untreated")
    tried = (untreated, *(_tried(one) for one in attempts))
    cleared = any(one.remedies == plan and one.outcome == "cleared" for one in tried)
    why = "asked for" if asked else "cleared" if cleared else "gained"
    return Choice(nothing, why, search.compared.measure, search.compared.steps, tried)


def _tried(attempt: Attempt) -> Tried:
    if attempt.said:
        refused = attempt.cost == 0
        return Tried(attempt.remedies, attempt.reached, "does not fit" if refused else "given up",
                     attempt.said if refused else "")  # fmt: skip
    return Tried(attempt.remedies, attempt.reached, "cleared" if attempt.cleared else "still there")
