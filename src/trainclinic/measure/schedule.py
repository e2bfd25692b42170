"""When to look: dense at first, sparse later, by the step's number alone, so that it is the same in every run."""

from __future__ import annotations

from collections.abc import Callable

DENSE = 8  # steps looked at one after the other
GROWTH = 5  # then every step that is a fifth further on
WIDEST = 200  # steps between two looks at most: 82 looks in 10,000 steps

Schedule = Callable[[int], int]  # a step that is looked at → the next one; the first is step 0


def default_schedule(step: int) -> int:
    """The first 8 steps, then gaps of a fifth of the steps done, at most 200: 37 looks in the first 1,000 steps."""
    return step + min(WIDEST, max(1, step // GROWTH if step >= DENSE else 1))


def every_step(interval: int) -> Schedule:
    """Each `interval`-th step; 1 for every step."""
    return lambda step: step + interval


class UnitWindows:
    """When to gather samples for dead units: runs of consecutive steps, ever further apart.

    `begin` is the first step of the window that is open, or else of the next.

    After a window of L steps that ended at step e the next begins after max(3 L, e) more steps, at most 2,000.
    """

    def __init__(self) -> None:
        self.begin = 0
        self.open = False

    def update(self, step: int) -> bool:
        """Whether this step belongs to a window."""
        if not self.open and step >= self.begin:
            self.open = True
            self.begin = step
        return self.open

    def finish(self, step: int) -> None:
        """The window has seen enough at `step`."""
        self.open = False
        self.begin = step + min(2000, max(3 * (step - self.begin + 1), step))
