"""Which problem explains which: data before integrity before loss before initialisation before learning rate.

A finding that another one explains is shown under it. Only a finding that hurts can explain one that hurts; a mistake
that seemed to do no harm does, where what it brings about is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trainclinic.records import Finding


@dataclass(frozen=True)
class Edge:
    """`upstream` explains `downstream`, depending on the causes that the two findings name.

    Attributes:
        unless: causes of the downstream finding that it does not explain.
        only: causes of the downstream finding that alone it explains; all when empty.
        when: causes of the upstream finding with which alone it explains; all when empty.
    """

    upstream: str
    downstream: str
    unless: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    when: tuple[str, ...] = ()

    def holds(self, upstream: Finding, downstream: Finding) -> bool:
        """Whether it explains this pair of findings."""
        return (
            (self.upstream, self.downstream) == (upstream.problem, downstream.problem)
            and downstream.cause not in self.unless
            and (not self.only or downstream.cause in self.only)
            and (not self.when or upstream.cause in self.when)
        )


#: problems in the order in which they are cured
PRECEDENCE = (
    "constant-feature",
    "misaligned-data",
    "unscaled-inputs",
    "unshuffled-data",
    "class-imbalance",
    "noisy-labels",
    "data-leak",
    "wrong-mode",
    "unequal-replicas",
    "stale-gradient",
    "frozen-parameters",
    "batchnorm-small-batch",
    "loss-output-mismatch",
    "constant-prediction",
    "poor-initialization",
    "exploding-gradient",
    "vanishing-gradient",
    "saturated-activation",
    "dead-relu",
    "learning-rate-too-high",
    "learning-rate-too-low",
    "non-finite",
    "over-regularized",
    "oscillating-loss",
    "overfitting",
    "underfitting",
    "undertrained",
)

_FROM_THE_START = ("dead from the start",)
_SATURATED_FROM_THE_START = ("saturated from the start",)
_SEEN_TO_LEARN = ("learned by heart", "validation")  # so that nothing is wrong with the net
_OF_ITS_OWN = ("squashing activation", "initialization too small", "")  # not for want of units that pass it on

#: of a number that is not finite, where nothing that grew is to blame
_ONE_OPERATION = ("operation", "input", "masked row", "loss", "backward", "not localised")


def _explains(upstream: str, *downstream: str, **causes: tuple[str, ...]) -> tuple[Edge, ...]:
    return tuple(Edge(upstream, problem, **causes) for problem in downstream)


#: constant predictions of which the network's input, not the network, is the reason
_INPUT_LOST = ("input lost",)
_NEVER_DIFFERED = ("never differed",)  # the input is lost within the network: no gradient comes back, and units die
_NOT_LEARNED = ("not learned", "a guess")
_DRIVEN = ("saturated while training",)
_SEEN_IN_SIGNALS = ("weights too small", "weights too large", "all alike", "hidden by norms",
                    "recurrent weights too large")  # fmt: skip
_NARROW = ("narrow layer",)

_LABELS_BY_DOUBT = ("all labels", "sure answers", "other targets")  # what a network in ruins shows as well
_BUILT_IN = (
    "no activation function",
    "part in line",
    "few units",
    "thin layer",
    "few steps",
    "few passes",
    "long memory",
    "few samples",
)  # no other problem brings them about
#: what leaves a network as it was, or makes a ruin of it: it neither fits nor settles, and answers the same to all
_RUINS = (
    "unscaled-inputs",
    "wrong-mode",
    "unequal-replicas",
    "stale-gradient",
    "frozen-parameters",
    "batchnorm-small-batch",
    "loss-output-mismatch",
    "poor-initialization",
    "exploding-gradient",
    "vanishing-gradient",
    "saturated-activation",
    "dead-relu",
    "learning-rate-too-high",
    "learning-rate-too-low",
    "non-finite",
    "over-regularized",
)

#: which come with training, and explain nothing that was so before it
_OF_THE_STEPS = ("learning-rate-too-high", "learning-rate-too-low", "over-regularized", "stale-gradient")

EDGES = (
    *_explains("constant-feature", "misaligned-data", "noisy-labels", "overfitting", "learning-rate-too-high",
               "learning-rate-too-low"),
    *_explains("misaligned-data", "exploding-gradient", "vanishing-gradient", "saturated-activation", "dead-relu",
               "learning-rate-too-high", "learning-rate-too-low", "overfitting", when=_SEEN_TO_LEARN),
    *_explains("unshuffled-data", "exploding-gradient", "learning-rate-too-high", "learning-rate-too-low",
               "overfitting"),
    *_explains("unshuffled-data", "dead-relu", unless=_FROM_THE_START),
    *_explains("unshuffled-data", "saturated-activation", unless=_SATURATED_FROM_THE_START),
    *_explains("unshuffled-data", "non-finite", unless=_ONE_OPERATION),
    *_explains("class-imbalance", "overfitting", "noisy-labels"),
    *_explains("noisy-labels", "overfitting"),
    # Where neither net nor neighbours find anything, the net is the first to be doubted.
    *(edge for broken in _RUINS for edge in _explains(broken, "misaligned-data", only=_NOT_LEARNED)),
    *_explains("constant-prediction", "misaligned-data", when=_NEVER_DIFFERED, only=_NOT_LEARNED),
    *(edge for name in ("constant-feature", "misaligned-data", "unshuffled-data", "class-imbalance")
      for edge in (*_explains(name, "underfitting", "undertrained", "oscillating-loss"),
                   *_explains(name, "constant-prediction", unless=_INPUT_LOST))),
    *(edge for name in _RUINS if name != "saturated-activation"
      for edge in _explains(name, "underfitting", "undertrained", "oscillating-loss")),
    *_explains("saturated-activation", "undertrained", "oscillating-loss"),
    *_explains("saturated-activation", "underfitting", unless=_NARROW),
    *_explains("saturated-activation", "underfitting", when=_SATURATED_FROM_THE_START),
    # A few units are driven to their ends to tell many classes apart.
    *_explains("underfitting", "saturated-activation", when=_NARROW, only=_DRIVEN),
    *(edge for name in _RUINS if name not in ("dead-relu", "vanishing-gradient", *_OF_THE_STEPS)
      for edge in _explains(name, "constant-prediction", unless=_INPUT_LOST)),
    *(edge for name in _OF_THE_STEPS
      for edge in _explains(name, "constant-prediction", unless=(*_INPUT_LOST, *_NEVER_DIFFERED))),
    *_explains("constant-prediction", *_OF_THE_STEPS, when=_NEVER_DIFFERED),
    *_explains("dead-relu", "constant-prediction", unless=(*_INPUT_LOST, *_NEVER_DIFFERED)),
    *_explains("dead-relu", "constant-prediction", when=_FROM_THE_START, unless=_INPUT_LOST),
    *_explains("vanishing-gradient", "constant-prediction", unless=(*_INPUT_LOST, *_NEVER_DIFFERED)),
    *_explains("vanishing-gradient", "constant-prediction", when=(*_OF_ITS_OWN, "saturation", "single layer"),
               unless=_INPUT_LOST),
    *_explains("constant-prediction", "dead-relu", when=_NEVER_DIFFERED, unless=_FROM_THE_START),
    *_explains("constant-prediction", "vanishing-gradient", when=_NEVER_DIFFERED, only=("dead block",)),
    *_explains("constant-prediction", "dead-relu", "vanishing-gradient", "saturated-activation", "poor-initialization",
               "exploding-gradient", "learning-rate-too-low", "learning-rate-too-high", "overfitting",
               when=_INPUT_LOST),
    *_explains("constant-prediction", "underfitting", "undertrained"),
    *_explains("constant-prediction", "misaligned-data", when=_INPUT_LOST),
    # Overlapping classes look like wrong labels; where something else is wrong they are not what is.
    *(edge for name in (*_RUINS, "undertrained", "underfitting", "oscillating-loss", "data-leak", "constant-prediction")
      for edge in _explains(name, "noisy-labels", only=_LABELS_BY_DOUBT)),
    # Errors of what was learned by heart have two sizes, too; a mixture of targets is told apart by a little only.
    *_explains("overfitting", "noisy-labels", only=("other targets",)),
    *_explains("misaligned-data", "noisy-labels"),
    *_explains("batchnorm-small-batch", "exploding-gradient", "vanishing-gradient", "saturated-activation", "dead-relu",
               "learning-rate-too-high", "learning-rate-too-low", "overfitting"),
    *_explains("over-regularized", "vanishing-gradient", "dead-relu", "saturated-activation", "learning-rate-too-low"),
    *_explains("over-regularized", "learning-rate-too-high", when=("weight decay", "penalty", "dropout")),
    *_explains("learning-rate-too-high", "over-regularized", only=("decay of long steps",)),
    *_explains("oscillating-loss", "overfitting", "underfitting", "undertrained"),
    *_explains("overfitting", "underfitting"),
    *_explains("underfitting", "undertrained"),
    *_explains("underfitting", "oscillating-loss", "vanishing-gradient", "exploding-gradient", "poor-initialization",
               "overfitting", when=("no activation function",)),
    *_explains("underfitting", "oscillating-loss", "vanishing-gradient", "exploding-gradient", "dead-relu",
               "saturated-activation", "poor-initialization", "constant-prediction", "undertrained",
               when=("few units",)),
    *_explains("unshuffled-data", "misaligned-data", only=(*_NOT_LEARNED, "learned by heart")),
    *_explains("undertrained", "constant-prediction", when=("few steps",), unless=(*_INPUT_LOST, *_NEVER_DIFFERED)),
    *_explains("learning-rate-too-high", "non-finite", only=("masked row",)),  # where numbers overflow, none is left
    # Rows of which nothing is left are all alike.
    *_explains("constant-prediction", "data-leak", when=_INPUT_LOST),
    *_explains("unscaled-inputs", "poor-initialization", "exploding-gradient", "vanishing-gradient", "dead-relu",
               "saturated-activation", "learning-rate-too-high", "learning-rate-too-low", "non-finite"),
    *_explains("wrong-mode", "overfitting", "learning-rate-too-low", "learning-rate-too-high", "exploding-gradient"),
    *_explains("unequal-replicas", "learning-rate-too-low", "learning-rate-too-high", "overfitting"),
    *_explains("stale-gradient", "exploding-gradient", "saturated-activation", "learning-rate-too-high",
               "non-finite", "overfitting", "vanishing-gradient"),
    *_explains("stale-gradient", "dead-relu", unless=_FROM_THE_START),
    *_explains("frozen-parameters", "learning-rate-too-low", "overfitting", "vanishing-gradient"),
    *_explains("loss-output-mismatch", "vanishing-gradient", "learning-rate-too-low", "learning-rate-too-high",
               "saturated-activation", "exploding-gradient"),
    *_explains("poor-initialization", "vanishing-gradient", "saturated-activation", "dead-relu",
               "learning-rate-too-low", "learning-rate-too-high", "non-finite"),
    # A gain that is known by what it does is named by it.
    *_explains("poor-initialization", "exploding-gradient", when=_SEEN_IN_SIGNALS),
    *_explains("exploding-gradient", "poor-initialization", only=("gain far above 1",)),
    *_explains("exploding-gradient", "learning-rate-too-high"),
    *_explains("exploding-gradient", "saturated-activation", unless=_SATURATED_FROM_THE_START),
    *_explains("exploding-gradient", "non-finite", unless=_ONE_OPERATION),
    *_explains("exploding-gradient", "dead-relu", unless=_FROM_THE_START),
    *_explains("vanishing-gradient", "learning-rate-too-low"),
    *_explains("vanishing-gradient", "dead-relu", unless=_FROM_THE_START, when=_OF_ITS_OWN),
    *_explains("saturated-activation", "vanishing-gradient", "learning-rate-too-low", unless=("squashing activation",)),
    *_explains("saturated-activation", "exploding-gradient", when=_SATURATED_FROM_THE_START,
               only=("", "steep activation")),
    *_explains("dead-relu", "vanishing-gradient", only=("dead block", "single layer")),
    *_explains("dead-relu", "learning-rate-too-low"),
    *_explains("learning-rate-too-high", "dead-relu", unless=_FROM_THE_START),
    *_explains("learning-rate-too-high", "saturated-activation", unless=_SATURATED_FROM_THE_START),
    *_explains("learning-rate-too-high", "non-finite", unless=_ONE_OPERATION),
    *_explains("learning-rate-too-high", "vanishing-gradient", unless=("squashing activation",)),
    *_explains("learning-rate-too-high", "overfitting"),
    *_explains("non-finite", "learning-rate-too-high", when=tuple(c for c in _ONE_OPERATION if c != "masked row")),
    *_explains("non-finite", "overfitting", when=_ONE_OPERATION),
)  # fmt: skip


#: nobody means these, so that one of them is to blame for what it explains, however far the loss fell
_MISTAKES = ("unshuffled-data", "wrong-mode", "unequal-replicas", "stale-gradient", "loss-output-mismatch")
_MEANT = ("part in eval mode",)
_TOO_LITTLE = ("underfitting", "constant-prediction")


def explain(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings with `explained_by` filled in: roots first, each followed by what it explains."""
    linked = _linked(findings)
    unexplained = [finding for finding in linked if finding.level == "problem" and not finding.explained_by]
    linked = _linked([_raised(finding, unexplained) for finding in findings])

    def below(problem: str) -> list[Finding]:
        return [part for child in linked if child.explained_by == problem for part in (child, *below(child.problem))]

    return tuple(part for root in linked if not root.explained_by for part in (root, *below(root.problem)))


def _linked(findings: Sequence[Finding]) -> list[Finding]:
    """In the order in which they are cured, each with what explains it."""
    ranked = sorted(findings, key=_rank)
    upstream: dict[str, str] = {}
    for finding in ranked:
        upstream[finding.problem] = _upstream(finding, ranked, upstream)
    return [replace(finding, explained_by=upstream[finding.problem]) for finding in ranked]


def _raised(finding: Finding, unexplained: Sequence[Finding]) -> Finding:
    """A mistake that alone explains what hurts is a problem itself; so is what was frozen, where too little is left."""
    mistake = finding.problem in _MISTAKES and finding.cause not in _MEANT
    frozen = finding.problem == "frozen-parameters"
    if finding.level == "problem" or not (mistake or frozen):
        return finding
    suffering = [other for other in unexplained if other.problem in _TOO_LITTLE or mistake]
    brought = [other for other in suffering if _precedes(finding, other) and other.problem != "overfitting"]
    severity = max((other.severity for other in brought), default=finding.severity)
    return replace(finding, level="problem", severity=severity) if brought else finding


def _upstream(finding: Finding, ranked: Sequence[Finding], known: dict[str, str]) -> str:
    """The nearest finding upstream, which may itself be explained by another; never one that this one explains."""
    candidates = [
        other
        for other in ranked
        if (other.level == "problem" or finding.level == "observation")
        and _precedes(other, finding)
        and finding.problem not in _chain(other.problem, known)
    ]
    for other in candidates:
        if not any(_precedes(other, further) for further in candidates):
            return other.problem
    return candidates[0].problem if candidates else ""


def _chain(problem: str, known: dict[str, str]) -> list[str]:
    """The problem and everything that explains it."""
    chain = [problem]
    while known.get(chain[-1]):
        chain.append(known[chain[-1]])
    return chain


def _precedes(upstream: Finding, downstream: Finding) -> bool:
    if downstream.cause in _BUILT_IN:
        return False
    return any(edge.holds(upstream, downstream) for edge in EDGES)


def _rank(finding: Finding) -> tuple[int, int, float]:
    return (finding.level != "problem", _place(finding), -finding.severity)


def _place(finding: Finding) -> int:
    return PRECEDENCE.index(finding.problem) if finding.problem in PRECEDENCE else len(PRECEDENCE)
