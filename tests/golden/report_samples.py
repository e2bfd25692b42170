"""Runs that were never run: recordings, findings and a small catalogue, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from trainclinic.clinic_file import ClinicFile
from trainclinic.diagnose.problem import Problem, limit
from trainclinic.ranks import merged
from trainclinic.recording import Layer, Recording
from trainclinic.records import Diagnosis, Evidence, Finding, NotExamined

NAN = float("nan")


@dataclass(frozen=True)
class VanishingGradient(Problem):
    """The training signal shrinks on its way back, so the first layers hardly learn.

    What it is:
        The gradient reaches a layer as a product of one factor per layer behind it. When the factors are
        smaller than one, the product falls by a constant factor per layer.

    Why training suffers:
        The first layers keep their random weights, and all later layers are fed with noise.

    How it is measured:
        The RMS of the backward signal `∂L/∂z` at every layer, in decades from the last layer to the first.

    When it is harmless:
        - In residual networks, where the signal has a second way.
        - With normalisation layers, which undo the scale.

    What to do:
        1. Replace the squashing activation by ReLU or GELU and initialise with He's scheme:
           `nn.init.kaiming_normal_(layer.weight)`.
        2. Put a normalisation layer in front of every activation.
        3. Add skip connections, so that the signal has a second way back.

    References:
        Hochreiter 1991, Untersuchungen zu dynamischen neuronalen Netzen.
        He et al. 2015, https://arxiv.org/abs/1502.01852.
    """

    reads = ("backward_rms", "activation_derivative", "weight_gain", "loss")
    measures: ClassVar = {
        "backward_span": "backward signal, first layer against last",
        "loss_improvement": "what the loss gained in the whole run",
    }
    causes: ClassVar = {
        "squashing": "every sigmoid multiplies the signal by at most 0.25 on its way back, so that "
        "sixteen of them leave a first layer that hardly learns.",
        "small-init": "the weights are drawn so small that every layer shrinks the signal.",
    }
    span: float = limit(-3.0, "decades", "benchmarks/results/diagnosis.json")
    slowest: float = limit(0.01, "1", "Glorot & Bengio 2010")

    def find(self, recording: Recording) -> Iterable[Finding]:
        return ()


@dataclass(frozen=True)
class ConstantPrediction(Problem):
    """The network answers the same whatever it is shown.

    What to do:
        Cure what explains it first.
    """

    reads = ("output_std", "loss")
    exact = True

    def find(self, recording: Recording) -> Iterable[Finding]:
        return ()


@dataclass(frozen=True)
class LearningRateTooHigh(Problem):
    """The steps are too long for the loss to follow.

    When it is harmless:
        While a warm-up is still going on.
    """

    reads = ("update_ratio",)
    causes: ClassVar = {"diverged": "the loss left its start within a few steps and never came back."}

    def find(self, recording: Recording) -> Iterable[Finding]:
        return ()


CATALOGUE = {
    "constant-prediction": ConstantPrediction,
    "learning-rate-too-high": LearningRateTooHigh,
    "vanishing-gradient": VanishingGradient,
}
for _name, _problem in CATALOGUE.items():
    _problem.id = classmethod(lambda cls, name=_name: name)  # an id is a file's stem; these share one file


def layer_names(depth: int) -> list[str]:
    return [f"body.{index}" for index in range(depth)]


def sigmoid_run(names: list[str] | None = None, steps: int = 60, path: Path | None = None) -> Recording:
    """A deep sigmoid network whose loss does not fall; each name is a linear layer before a sigmoid."""
    names = layer_names(16) if names is None else names
    file = ClinicFile(path)
    layers = []
    for index, name in enumerate(names):
        layers.append(Layer(name, "Linear", "weight", 48 * 49, (48, 48), 2 * index))
        if index + 1 < len(names):
            layers.append(Layer(name + ".sigmoid", "sigmoid", "activation", 0, (), 2 * index + 1))
    file.put("layers", [asdict(layer) for layer in layers])
    file.put("units", {"loss": "nat"})
    file.put("environment", {"python": "3.11", "torch": "2.13.0", "device": "cpu"})
    file.put("steps", steps)
    _measure(file, names, steps)
    file.put("ended", "completed")
    return file.close()


def _measure(file: ClinicFile, names: list[str], steps: int) -> None:
    run, inside, after = file.stream("run"), file.stream("layers"), file.stream("epochs")
    for signal, place in (("loss", ""), ("gradient_norm", ""), ("learning_rate", "group 0")):
        run.column(signal, place)
    for signal in ("validation_loss", "validation_accuracy"):
        after.column(signal)
    for step in range(1, steps + 1):
        run.append(step, [2.303 + 0.05 * np.cos(step), 0.4, 0.001])
        row: dict[int, float] = {}
        for index, name in enumerate(names):
            left = len(names) - 1 - index
            size = 0.02 * 0.14**left * (1 + 0.2 * np.sin(step + index))
            measured = {
                "backward_rms": size,
                "gradient_rms": size / 2,
                "weight_gain": 0.58,
                "update_ratio": 1e-3 * 0.5**left,
                "activation_rms": 0.5,
                "weight_rms": 0.08,
            }
            row |= {inside.column(signal, name): value for signal, value in measured.items()}
            if left:
                row[inside.column("activation_derivative", name + ".sigmoid")] = 0.24
                row[inside.column("saturated_share", name + ".sigmoid")] = 0.01 * index / len(names)
        inside.append(step, [row[column] for column in range(len(row))])
        if step % 20 == 0 or step == steps:
            after.append(step, [2.305, 0.1])


def sigmoid_diagnosis(recording: Recording | None = None) -> Diagnosis:
    recording = sigmoid_run() if recording is None else recording
    names = [layer.name for layer in recording.layers if layer.role == "weight"]
    first, last = (names[0], names[-1]) if names else ("", "")
    steps = (1, max(1, recording.steps))
    root = Finding(
        "vanishing-gradient", "problem", 0.95, 0.9, tuple(names[:-1]), steps,
        (
            Evidence("backward_span", "", -12.81, -3.0, "decades", "below"),
            Evidence("backward_rms", first, 3.1e-15, NAN, "1"),
            Evidence("update_ratio", first, 3.05e-8, 1e-5, "1", "below"),
            Evidence("loss_improvement", "", 0.0012, 0.05, "nat", "below"),
        ),
        cause="squashing",
    )  # fmt: skip
    below = Finding(
        "constant-prediction", "problem", 0.8, 1.0, (last,) if last else (), steps,
        (Evidence("output_std", "", 0.0, 0.0, "1", "equal"),),
        explained_by="vanishing-gradient",
    )  # fmt: skip
    seen = Finding(
        "unscaled-inputs", "observation", 0.2, 0.7, (), (1, 1), (Evidence("input_std", "", 74.2, 10.0, "1"),)
    )
    skipped = (
        NotExamined("data-leak", "needs the training and the validation set"),
        NotExamined("noisy-labels", "needs the training and the validation set"),
        NotExamined("overfitting", "fewer than 3 validations were seen"),
    )
    return Diagnosis((root, below, seen), skipped, recording)


def diverged_diagnosis(steps: int = 40) -> Diagnosis:
    """A run whose loss climbs and is then not finite any more."""
    file = ClinicFile(None)
    file.put("layers", [asdict(Layer("net", "Linear", "weight", 10, (2, 5), 0))])
    file.put("steps", steps)
    file.put("ended", "error: RuntimeError: loss is not finite\nat step 31")
    stream = file.stream("run")
    for signal, place in (("loss", ""), ("update_ratio", "net"), ("gradient_norm", "")):
        stream.column(signal, place)
    for step in range(1, steps + 1):
        gone = step > 30
        stream.append(step, [NAN if gone else 1.5**step, float("inf") if gone else 0.3 * step, 1.7**step])
    finding = Finding(
        "learning-rate-too-high", "problem", 1.0, 0.9, ("net",), (3, 31),
        (Evidence("update_ratio", "net", float("inf"), 0.1, "1"), Evidence("loss", "", NAN, NAN, "1")),
        cause="diverged",
    )  # fmt: skip
    return Diagnosis((finding,), (), file.close())


def ranks_diagnosis() -> Diagnosis:
    """Four processes: one ended well, one lost its numbers, one was killed, one was never watched."""
    found = {}
    for rank, (steps, ended) in enumerate(((30, "completed"), (30, "completed"), (12, "unknown"))):
        file = ClinicFile(None)
        file.put("steps", steps)
        broken = {"step": 20, "what": "gradient", "loss": "1.5", "gradients": [], "weights": []} if rank == 1 else None
        distributed = {"rank": rank, "world_size": 4, "kind": "fully_shard", "sharded": {}}
        file.put("facts", {"distributed": distributed, "non_finite": broken})
        file.put("ended", ended)
        stream, after = file.stream("run"), file.stream("epochs")
        for signal in ("loss", "gradient_norm"):
            stream.column(signal)
        after.column("validation_loss")
        for step in range(steps):
            stream.append(step, [NAN if rank == 1 and step > 20 else 2.0 + rank - step / 30, 0.5 + rank])
        if rank == 0:
            after.append(steps - 1, [1.25])
        found[rank] = file.close()
    return Diagnosis((), (NotExamined("unequal-replicas", "rank 3 of 4: no file"),), merged(found, {3: "no file"}))
