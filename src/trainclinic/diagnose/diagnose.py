"""diagnose: every problem of the catalogue is asked; the answers are put in the order of cause and effect."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from trainclinic import catalog
from trainclinic.diagnose.causes import explain
from trainclinic.diagnose.outcome import serves
from trainclinic.diagnose.problem import NotExaminedError
from trainclinic.errors import RecordingError
from trainclinic.ranks import load
from trainclinic.recording import Recording
from trainclinic.records import Diagnosis, Finding, NotExamined

PROBLEMS = "trainclinic.diagnose.problems"
NO_HARM = 0.2  # severity of what is abnormal, and did no harm that can be seen


def diagnose(source: Any) -> Diagnosis:
    """Say what is wrong with a run.

    Args:
        source: a Recording, an open or closed Watch, or the path of a `.clinic` file.

    Returns:
        The findings, root causes first, and what could not be examined.

    Raises:
        RecordingError: there is no such recording, or it holds no optimizer step.
    """
    recording = _recording(source)
    if not recording.steps:
        raise RecordingError("recording: expected at least one optimizer step, got none; watch the optimizer that "
                             "steps, and keep the training loop inside the watch")  # fmt: skip
    findings: list[Finding] = []
    unseen = []
    both = (False, True)
    excused = {(surely, fit): serves(recording, surely=surely, fit=fit) for surely in both for fit in both}
    not_seen = recording.facts.get("layers_not_seen")
    because = f" (layers not looked at: {not_seen})" if not_seen else ""
    for name, problem in catalog.entries(PROBLEMS).items():
        rule = problem()
        try:
            found = rule.examine(recording) if "checkup" in recording.facts else rule.find(recording)
            harmless = excused[rule.exact, not rule.in_the_rows] and not rule.beyond_answers
            findings.extend(_harmless(one) if harmless or one.level == "observation" else one for one in found)
        except NotExaminedError as reason:
            unseen.append(NotExamined(name, f"{reason}{because}"))
    return Diagnosis(explain(findings), tuple(unseen), recording)


def _harmless(finding: Finding) -> Finding:
    """As an observation: it weighs little, whatever the loss says."""
    return replace(finding, level="observation", severity=min(finding.severity, NO_HARM))


def _recording(source: Any) -> Recording:
    if isinstance(source, str | Path):
        return load(source)
    found = source if isinstance(source, Recording) else getattr(source, "recording", None)
    if not isinstance(found, Recording):
        raise RecordingError(f"diagnose: expected a Recording, a Watch or the path of a .clinic file, got "
                             f"{type(source).__name__}; pass what tc.watch or tc.run gave you")  # fmt: skip
    return found
