"""Desk: trainings wait here for a worker; each is a process of its own and ends when nobody looks any more."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections import deque
from multiprocessing.connection import Connection
from typing import Any

from trainclinic.lab.controls import NOTHING
from trainclinic.lab.told import News
from trainclinic.lab.training import Order, ready, work
from trainclinic.lab.words import Words

WAITING = 64  # trainings that may wait at once
FULL = Words(
    f"more than {WAITING} trainings are waiting; try again in a while",
    f"대기 중인 훈련이 {WAITING}개를 넘었습니다. 잠시 뒤에 다시 해 보세요",
)


class Desk:
    """Gives at most `workers` trainings a process at a time, in the order in which they came.

    Args:
        workers: trainings at a time, each with one thread.
    """

    def __init__(self, workers: int = 2) -> None:
        self.workers = workers
        methods = multiprocessing.get_all_start_methods()
        self._context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        if "forkserver" in methods:  # its children find PyTorch loaded, and begin within milliseconds
            self._context.set_forkserver_preload(["trainclinic.lab.preload"])
        self._waiting: deque[Training] = deque()
        self._running: list[Training] = []
        self._lock = threading.RLock()

    def warm_up(self) -> None:
        """Load PyTorch where the trainings are made; it takes seconds, so it is done before the first asks."""
        process = self._context.Process(target=ready)
        process.start()
        process.join()

    def ask(self, order: Order) -> Training:
        """A training, which begins as soon as a worker is free."""
        training = Training(self, order)
        with self._lock:
            if len(self._waiting) >= WAITING:
                training._end("failed", FULL)
            else:
                self._waiting.append(training)
                self.advance()
        return training

    def advance(self) -> None:
        """Let go of those that have ended, and begin those that can."""
        with self._lock:
            self._running = [one for one in self._running if one.is_alive()]
            while self._waiting and len(self._running) < self.workers:
                training = self._waiting.popleft()
                training._begin(self._context)
                self._running.append(training)

    def place(self, training: Training) -> int:
        """How many are before it, itself included; 0 for one that does not wait."""
        with self._lock:
            return self._waiting.index(training) + 1 if training in self._waiting else 0

    def leave(self, training: Training) -> None:
        """It does not wait any longer."""
        with self._lock:
            if training in self._waiting:
                self._waiting.remove(training)
            self.advance()

    def close(self) -> None:
        """End every training."""
        with self._lock:
            for training in (*self._waiting, *self._running):
                training.close()


class Training:
    """One training, seen from outside.

    Attributes:
        order: what is trained.
        state: "waiting", "running", "paused", "ended", "failed", "died" (its process went away), or "closed".
        said: why it failed, or what is being done.
    """

    def __init__(self, desk: Desk, order: Order) -> None:
        self.order = order
        self.state = "waiting"
        self.said = NOTHING
        self._desk = desk
        self._process: Any = None
        self._connection: Connection | None = None

    @property
    def pid(self) -> int | None:
        """Of its process, where it has one."""
        return self._process.pid if self._process is not None else None

    @property
    def place(self) -> int:
        """In the queue, from 1; 0 where it does not wait."""
        return self._desk.place(self)

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("ended", "failed", "died", "closed")

    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.is_alive()

    def news(self) -> list[News]:
        """What has come since the last call; it does not wait."""
        self._desk.advance()
        found: list[News] = []
        connection = self._connection
        if connection is None:
            return found
        try:
            while connection.poll():
                found.append(connection.recv())
        except (EOFError, OSError):
            connection.close()
            self._connection = None
        for one in found:
            self.state, self.said = one.state, one.said
        if self._connection is None and not self.over:
            self._end("died", NOTHING)
        if self.over:
            self._let_go()
        return found

    def tell(self, command: str | tuple[str, str]) -> None:
        """Send a command: "pause", "go", "step", ("pace", name)."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.send(command)

    def close(self) -> None:
        """End it: nobody looks any more."""
        self.tell("stop")
        if not self.over:
            self.state = "closed"
        self._let_go()
        self._desk.leave(self)

    def _begin(self, context: Any) -> None:
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(self.order, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.state = "paused" if self.order.paused else "running"

    def _end(self, state: str, said: Words) -> None:
        self.state, self.said = state, said

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None and self._process.is_alive():
            self._process.terminate()
