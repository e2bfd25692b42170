"""The plain records that pass between the stages: frozen, JSON-able, free of torch.

A Finding carries no remedies and no prose. It says what was measured against which limit; the report joins
the words of the problem's page to it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from trainclinic.recording import Recording

Level = Literal["problem", "observation"]
Side = Literal["above", "below", "equal"]


@dataclass(frozen=True)
class Evidence:
    """One number against its limit.

    Attributes:
        signal: a recorded signal, or a quantity its problem derives from signals and names in `measures`.
        layer: the layer it was measured in, or "" for the whole run.
        observed: the measured value [unit]; NaN means not measured.
        limit: the value it is held against [unit]; NaN where the evidence only informs.
        unit: of both numbers; "1" for a pure number.
        side: on which side of the limit the abnormal lies.
    """

    signal: str
    layer: str
    observed: float
    limit: float
    unit: str
    side: Side = "above"


@dataclass(frozen=True)
class Finding:
    """One problem, found in one run.

    Attributes:
        problem: the id, such as "vanishing-gradient".
        level: "problem" = abnormal and it hurts; "observation" = abnormal, no harm seen.
        severity: 0..1, how much it hurts.
        confidence: 0..1, how sure the rule is; exact checks say 1.
        layers: names of the layers concerned, in the order of the forward pass.
        steps: first and last optimizer step at which it was seen.
        evidence: the numbers, most telling first.
        cause: the key of the sentence in the problem's `causes` that says why, or "".
        explained_by: the id of the finding upstream that explains this one, or "" for a root cause.
    """

    problem: str
    level: Level
    severity: float
    confidence: float
    layers: tuple[str, ...]
    steps: tuple[int, int]
    evidence: tuple[Evidence, ...]
    cause: str = ""
    explained_by: str = ""


@dataclass(frozen=True)
class NotExamined:
    """A problem that this run could neither show nor rule out, and why."""

    problem: str
    why: str


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a run, root causes first, each followed by the findings it explains."""

    findings: tuple[Finding, ...]
    not_examined: tuple[NotExamined, ...] = ()
    recording: Recording | None = field(default=None, repr=False, compare=False)

    @property
    def roots(self) -> tuple[Finding, ...]:
        """The findings that no other finding explains."""
        return tuple(finding for finding in self.findings if not finding.explained_by)

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The root causes at level `problem`."""
        return tuple(finding for finding in self.roots if finding.level == "problem")

    def explained(self, root: Finding) -> tuple[Finding, ...]:
        """The findings that `root` explains, directly or through another."""
        below: list[str] = [root.problem]
        found: list[Finding] = []
        for finding in self.findings:
            if finding.explained_by in below:
                below.append(finding.problem)
                found.append(finding)
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """The diagnosis as plain data, without the recording."""
        return {
            "findings": [asdict(finding) for finding in self.findings],
            "not_examined": [asdict(entry) for entry in self.not_examined],
        }

    def _repr_html_(self) -> str:
        from trainclinic.report.html import fragment  # a notebook shows the report; nothing else needs it

        return fragment(self)
