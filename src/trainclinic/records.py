"""The plain records that pass between the stages: frozen, JSON-able, free of torch.

A Finding carries no remedies and no prose. It says what was measured against which limit; the report joins
the words of the problem's page to it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from trainclinic.errors import SetupError

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
    """What is wrong with a run, root causes first, each followed by the findings it explains.

    Attributes:
        findings: what was found.
        not_examined: what could not be.
        recording: that it was read from.
        confirmations: what trials showed of its problems; empty unless `confirm` made them.
        interrupted: whether these trials were broken off from outside.
    """

    findings: tuple[Finding, ...]
    not_examined: tuple[NotExamined, ...] = ()
    recording: Recording | None = field(default=None, repr=False, compare=False)
    confirmations: tuple[Confirmation, ...] = ()
    interrupted: bool = False

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
            "confirmations": [asdict(entry) for entry in self.confirmations],
        }

    def _repr_html_(self) -> str:
        from trainclinic.report.html import fragment  # a notebook shows the report; nothing else needs it

        return fragment(self)


# -- treating and proving


Verdict = Literal["cured", "helped", "no effect", "harmed", "undecided"]


@dataclass(frozen=True)
class Dose:
    """A remedy (id) with its settings."""

    remedy: str
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        return f"{self.remedy}({said})" if said else self.remedy


@dataclass(frozen=True)
class Treatment:
    """What was changed.

    Attributes:
        remedies: in the order in which they were applied.
        changes: one plain line for each.
        code: plain PyTorch that makes the changes: what the trials ran, and what is to be pasted before the training.
    """

    remedies: tuple[Dose, ...]
    changes: tuple[str, ...]
    code: str


@dataclass(frozen=True)
class Confirmation:
    """What a short controlled trial shows of one problem of a diagnosis.

    Attributes:
        problem: the id.
        verdict: "confirmed" = a remedy gains something; "denied" = it can be rid of, and nothing is gained.
        treatment: of the treated runs that say so; empty where it is undecided.
        measure: what was compared: the metric's name, or "loss".
        differences: treated against untreated, one for each seed, as in a trial; empty where it is undecided.
        margin: a difference up to it counts for nothing, in the unit of the differences.
        cost: of all its runs [optimizer steps].
        why: the verdict in a sentence.
    """

    problem: str
    verdict: Literal["confirmed", "denied", "undecided"]
    treatment: Treatment
    measure: str
    differences: tuple[float, ...]
    margin: float
    cost: int
    why: str


@dataclass(frozen=True)
class Curve:
    """What one run reached.

    Attributes:
        seed: of the run.
        steps: at which it was evaluated [optimizer steps].
        values: of the measure [its unit]; the last one is of the finished run.
        error: why it broke off, or "".
    """

    seed: int
    steps: tuple[int, ...]
    values: tuple[float, ...]
    error: str = ""


@dataclass(frozen=True)
class Difference:
    """Paired differences, treated against control, where more is better.

    Attributes:
        values: one for each seed: of the metric itself, or ln(control / treated) where it is a loss.
        median: of them.
        low: of the interval of the median, from order statistics; its exact coverage is at least 95 %.
        high: of that interval.
        p_value: of the one-sided exact sign-flip test that the treatment does not help.
    """

    values: tuple[float, ...]
    median: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Trial:
    """A controlled trial: the same seeds with and without the treatment.

    Attributes:
        treatment: what the treated arm had and the control had not.
        measure: what was compared: the metric's name, or "loss".
        control: the untreated runs.
        treated: the treated runs, of the same seeds.
        half: differences at half of the run.
        full: differences at its end.
        margin: a difference below it counts for nothing, in the unit of the differences.
        problem: what was to be cured.
        cleared: share of the treated runs in which it is no longer found [0..1].
        new: problems that more than half of the treated runs have and no control run has.
        paired: whether both arms saw the same batches; treatments that change the data are paired by seed alone.
        cost: of both arms together [optimizer steps].
        verdict: see `why`.
        why: the verdict in a sentence.
    """

    treatment: Treatment
    measure: str
    control: tuple[Curve, ...]
    treated: tuple[Curve, ...]
    half: Difference
    full: Difference
    margin: float
    problem: str
    cleared: float
    new: tuple[str, ...]
    paired: bool
    cost: int
    verdict: Verdict
    why: str


@dataclass(frozen=True)
class Attempt:
    """A short run of the search: it proposes and proves nothing.

    Attributes:
        remedies: that were tried together.
        gain: over the untreated run after as many steps, in the unit of a trial's differences; NaN: it did not run.
        cleared: whether the problem was no longer found.
        cost: [optimizer steps].
        said: why it was refused, stopped or broke off, or "".
        reached: the measure at its end [its unit]; NaN: it did not get there.
    """

    remedies: tuple[Dose, ...]
    gain: float
    cleared: bool
    cost: int
    said: str = ""
    reached: float = math.nan


@dataclass(frozen=True)
class Part:
    """What a plan of several remedies is worth without one of them.

    Attributes:
        without: the remedy that was left out.
        loss: what is lost without it, paired, in the unit of a trial's differences.
        needed: whether that is more than the margin.
    """

    without: Dose
    loss: Difference
    needed: bool


@dataclass(frozen=True)
class Cure:
    """What was wrong, what was tried, and what is proven.

    Attributes:
        diagnosis: of the untreated run.
        said: the outcome in a sentence, such as "nothing to cure" or why nothing was treated.
        tried: the short runs of the search, in their order.
        trial: the confirming one, or None where there was none.
        parts: what each remedy of a plan of several is worth.
        cost: of everything together [optimizer steps].
        run_length: steps of one untreated run [optimizer steps].
        interrupted: whether it was broken off from outside, so that it says only what was known by then.
        unexplained: whether no rule names a cause, though the untreated run is no better than a guess.
    """

    diagnosis: Diagnosis
    said: str
    tried: tuple[Attempt, ...] = ()
    trial: Trial | None = None
    parts: tuple[Part, ...] = ()
    cost: int = 0
    run_length: int = 0
    interrupted: bool = False
    unexplained: bool = False
    _make: Any = field(default=None, repr=False, compare=False)

    @property
    def treatment(self) -> Treatment:
        """The treatment kept; an empty one where there is none."""
        return self.trial.treatment if self.trial else Treatment((), (), "")

    @property
    def verdict(self) -> str:
        """Of the trial; "nothing to cure" or "not treated" where there was none."""
        if self.trial:
            return self.trial.verdict
        return "not treated" if self.diagnosis.problems or self.unexplained else "nothing to cure"

    def make(self, seed: int) -> Any:
        """The treated Setup, built fresh and ready to train.

        Raises:
            SetupError: the Cure was loaded without the `make` that it treats.
        """
        if self._make is None:
            raise SetupError("Cure.make: expected the function whose Setups were treated, got none; "
                             "load it with tc.load(path, make)")  # fmt: skip
        return self._make(seed)

    def to_dict(self) -> dict[str, Any]:
        """The Cure as plain data, without the recording of the untreated run and without `make`."""
        return {
            "diagnosis": self.diagnosis.to_dict(),
            "said": self.said,
            "tried": [asdict(attempt) for attempt in self.tried],
            "trial": asdict(self.trial) if self.trial else None,
            "parts": [asdict(part) for part in self.parts],
            "cost": self.cost,
            "run_length": self.run_length,
            "interrupted": self.interrupted,
            "unexplained": self.unexplained,
        }

    def _repr_html_(self) -> str:
        from trainclinic.report.cure_html import fragment  # a notebook shows the report; nothing else needs it

        return fragment(self)
