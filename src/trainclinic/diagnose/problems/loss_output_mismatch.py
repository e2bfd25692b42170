"""loss-output-mismatch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trainclinic.diagnose.outcome import answers_well, hurts, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding

#: loss → operations that must not stand right before it → why
WRONG = {
    "cross_entropy": {"softmax": "softmax twice", "sigmoid": "probabilities for logits"},
    "binary_cross_entropy_with_logits": {"sigmoid": "sigmoid twice", "softmax": "probabilities for logits"},
    "nll_loss": {
        "softmax": "probabilities for log-probabilities",
        "sigmoid": "probabilities for log-probabilities",
        "addmm": "logits for log-probabilities",
        "mm": "logits for log-probabilities",
        "convolution": "logits for log-probabilities",
    },
}

ELEMENTWISE = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
NEVER_NEGATIVE = (*ELEMENTWISE, "cross_entropy", "binary_cross_entropy", "binary_cross_entropy_with_logits")

DEVELOPMENT = "benchmarks/diagnosis.py --development"  # what did harm there, and what did not


@dataclass(frozen=True)
class LossOutputMismatch(Problem):
    """The loss expects something else than the model gives it: logits, probabilities, another shape.

    What it is:
        cross_entropy and binary_cross_entropy_with_logits apply softmax or sigmoid themselves and want raw logits;
        nll_loss wants log-probabilities; mse_loss wants output and target of the same shape, and an output that can
        reach the targets: a ReLU, sigmoid or tanh at the end cannot give all numbers.

    Why training suffers:
        Softmax twice squeezes the logits into 0..1: the loss cannot fall below ln(e + K − 1) − 1 for K classes, 1.461
        for ten, however right the answers are, and the gradient is weak. With (N, 1) against (N,) the loss
        compares every output with every target, and the best answer is the mean.

    How it is measured:
        Exactly, without statistics: the autograd graph says which operation made the input of the loss; shapes are
        compared as they came, and read off the graph of a squared or absolute error by hand; the range of the last
        activation function is held against that of the targets; and an error of real numbers is not to be taken
        against the numbers of as many classes as the last layer has outputs.

    When it is harmless:
        log_softmax before cross_entropy changes nothing: it is idempotent, and is not reported. Where the answers
        are as good as those of similar samples, on doubtful labels, it is only mentioned.

    What to do:
        1. Return raw logits: remove the softmax or sigmoid at the end of the model, keep CrossEntropyLoss or
           BCEWithLogitsLoss; apply softmax only when you want to read probabilities.
        2. For nll_loss end with log_softmax.
        3. A linear layer at the end for targets of any size; standardize them.
        4. Give output and target the same shape: output.squeeze(-1), or target.unsqueeze(-1).

    References:
        PyTorch documentation of torch.nn.CrossEntropyLoss, BCEWithLogitsLoss, NLLLoss and MSELoss; Humbatova et al.
        2020 (taxonomy of real faults).
    """

    outside: float = limit(0.1, "1", "exact")
    learned: float = limit(0.95, "1", DEVELOPMENT, "below")

    reads: ClassVar[tuple[str, ...]] = ("loss",)
    in_checkup: ClassVar[bool] = True
    exact: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "loss_floor": "lowest loss that can be reached this way",
        "learned": "share of the loss that training removed, in training and validation",
        "last_loss": "loss at the end of the run",
        "outside": "how far targets lie outside of what the last activation can give, against their range",
        "lowest_loss": "lowest loss that was differentiated",
        "class_numbers": "classes whose numbers the loss takes for sizes",
        "broadcast": "elements compared, for each element that should be",
    }
    causes: ClassVar[dict[str, str]] = {
        "softmax twice": "The model ends with softmax, and cross_entropy applies softmax again.",
        "sigmoid twice": "The model ends with sigmoid, and binary_cross_entropy_with_logits applies sigmoid again.",
        "probabilities for logits": "The loss wants raw logits and gets probabilities.",
        "probabilities for log-probabilities": "nll_loss wants log-probabilities and gets probabilities.",
        "logits for log-probabilities": "nll_loss wants log-probabilities and gets raw outputs: it has no lower bound.",
        "range": "The last activation function cannot give all the targets: they lie outside of its range.",
        "sign": "The loss that is differentiated is negative, which this loss function never is: its sign is turned, "
        "and training makes the answers worse.",
        "class numbers": "The loss takes the number of the class for a size: class 4 is not twice class 2. One output "
        "is compared with it, and the others are not used.",
        "shapes broadcast": "Output and target have different shapes: broadcasting compares every output with every "
        "target.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Compare what the loss wants with what it gets."""
        loss = recording.facts.get("loss", {})
        graph = loss.get("graph") or []
        if not graph and not loss.get("name"):
            raise NotExaminedError("the loss is none of PyTorch's own, so what it expects is not known")
        for node in graph:
            cause = WRONG.get(node["loss"], {}).get(node["input"])
            if cause:
                yield self._finding(recording, cause, _floor(cause, node["loss"], loss))
                return
        ratio = max([_broadcast(loss), *(float(node.get("pairs", 1)) for node in graph)])
        outside = _outside(graph, recording.facts.get("targets", {}))
        lowest = float(np.nanmin(recording.series("loss").values, initial=math.inf))
        if ratio > 1:
            yield self._finding(recording, "shapes broadcast", (Evidence("broadcast", "", ratio, 1, "1"),))
        elif outside > self.outside:
            yield self._finding(recording, "range", (Evidence("outside", "", outside, self.outside, "1"),))
        elif _class_numbers(recording):
            classes = recording.facts["targets"]["max"] + 1
            yield self._finding(recording, "class numbers", (Evidence("class_numbers", "", classes, 1.0, "1"),))
        elif loss.get("name") in (*NEVER_NEGATIVE, "nll_loss") and len(graph) < 2 and lowest < 0:
            cause = "logits for log-probabilities" if loss["name"] == "nll_loss" else "sign"
            yield self._finding(recording, cause, (Evidence("lowest_loss", "", lowest, 0.0, "1", "below"),))

    def _finding(self, recording: Recording, cause: str, evidence: tuple[Evidence, ...]) -> Finding:
        result = outcome(recording)
        harm = hurts(result, self.learned) and not answers_well(recording)
        harm = harm or result.last < 0  # a loss without end is no success
        harm = harm or "checkup" in recording.facts  # of which nothing has come yet
        return Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=max(0.5, severity(result)) if harm else 0.3,
            confidence=1.0,
            layers=(),
            steps=(0, recording.steps - 1),
            evidence=(
                *evidence,
                Evidence("last_loss", "", result.last, math.nan, "1"),
                Evidence("learned", "", result.reached, self.learned, "1", "below"),
            ),
            cause=cause,
        )


def _floor(cause: str, loss: str, facts: dict[str, Any]) -> tuple[Evidence, ...]:
    """The lowest loss with outputs in 0..1: of K classes, or of a balanced yes or no."""
    shape = facts.get("output_shape", [])
    if loss == "cross_entropy" and len(shape) > 1:
        classes = shape[1]
        value = math.log(math.e + classes - 1) - 1
    elif loss == "binary_cross_entropy_with_logits":
        value = 0.5 * (math.log(2) + math.log(1 + math.exp(-1)))
    else:
        return ()
    return (Evidence("loss_floor", "", value, 0.0, "1"),)


def _broadcast(facts: dict[str, Any]) -> float:
    """Elements of the broadcast result over elements of the target, for losses that compare element by element."""
    output, target = facts.get("output_shape", []), facts.get("target_shape", [])
    if facts.get("name") not in ELEMENTWISE or output == target:
        return 1.0
    size = 1
    for index in range(1, max(len(output), len(target)) + 1):
        size *= max((shape[-index] if index <= len(shape) else 1) for shape in (output, target))
    return float(size / max(1, math.prod(target)))


#: what makes an output that is a layer's own, not one that was gathered or averaged from several on purpose
_LAYERS = (["addmm"], ["mm"])


def _class_numbers(recording: Recording) -> bool:
    """Whether an error of real numbers is taken against 0 to K - 1, by a network with K outputs."""
    loss, targets = recording.facts.get("loss", {}), recording.facts.get("targets", {})
    last = [layer for layer in recording.measured("activation_rms") if layer.role == "weight" and layer.shape][-1:]
    shape = loss.get("output_shape") or [0, 0]
    one = (len(shape) == 1 or shape[-1] == 1) and [node["input"] for node in loss.get("graph", ())] in _LAYERS
    counted = targets.get("whole", False) and targets.get("min") == 0 and targets["max"] >= 1
    return loss.get("name") in ELEMENTWISE and one and counted and bool(last) and last[0].shape[0] == targets["max"] + 1


#: operation that made the input of the loss → what it can give
RANGES = {"relu": (0.0, math.inf), "sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "softplus": (0.0, math.inf)}


def _outside(graph: list[dict[str, Any]], targets: dict[str, Any]) -> float:
    """How far the targets reach beyond what the last operation can give, against their range; 0 where they do not."""
    if len(graph) != 1 or graph[0]["loss"] not in ELEMENTWISE or graph[0]["input"] not in RANGES:
        return 0.0
    low, high = targets.get("min", math.nan), targets.get("max", math.nan)
    lowest, highest = RANGES[graph[0]["input"]]
    beyond = max(lowest - low, high - highest)
    return float(beyond / (high - low)) if high > low and beyond > 0 else 0.0
