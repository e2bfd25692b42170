"""Live: what a person wants to be told while the training runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from trainclinic.errors import TrainingStoppedError
from trainclinic.recording import Recording
from trainclinic.records import Finding


@dataclass(frozen=True)
class Live:
    """Asked at the step at which something was decided exactly.

    What is found is not for `measure` to know, so the rule is handed in from outside.

    Attributes:
        find: the findings of a recording, each with what there is to say of it.
        on_finding: called with each.
        stop_on: ids of the problems that stop the training.
    """

    find: Callable[[Recording], Iterable[tuple[Finding, str]]]
    on_finding: Callable[[Finding], None] | None = None
    stop_on: frozenset[str] = frozenset()

    def tell(self, recording: Recording) -> None:
        """Tell the user what was found, and stop on it where that was asked for.

        Raises:
            TrainingStoppedError: `stop_on` names it.
        """
        for finding, said in self.find(recording):
            if self.on_finding is not None:
                self.on_finding(finding)
            if finding.problem in self.stop_on:
                raise TrainingStoppedError(f"{finding.problem}: {said}", finding)
