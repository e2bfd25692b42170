"""Each rule on hand-made recordings, just under and just over its limits, with and without harm."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from trainclinic import catalog
from trainclinic.diagnose.diagnose import PROBLEMS
from trainclinic.diagnose.problem import NotExaminedError
from trainclinic.recording import Layer, Recording, Series
from trainclinic.records import Finding

STEPS = np.arange(0, 200, 5)
LEARNS = np.linspace(2.3, 0.1, 200)  # from chance to good
STALLS = np.full(200, 2.3)
TEN_CLASSES = {"loss": {"name": "cross_entropy"}, "targets": {"classes": {str(k): 10 for k in range(10)}}}


def net(depth: int = 8, kind: str = "sigmoid") -> tuple[Layer, ...]:
    """`depth` hidden Linear layers, each with an activation behind it, and an output layer."""
    hidden = [
        layer
        for i in range(depth)
        for layer in (
            Layer(f"fc{i}", "Linear", "weight", 4096, (64, 64), 2 * i),
            Layer(f"act{i}", kind, "activation", position=2 * i + 1),
        )
    ]
    return (*hidden, Layer("out", "Linear", "weight", 640, (10, 64), 2 * depth))


def make(
    signals: dict[tuple[str, str], Any], loss: Any = LEARNS, layers: tuple[Layer, ...] = (), **facts: Any
) -> Recording:
    """A recording; a number stands for a constant series over the sampled steps."""
    series = {key: Series(STEPS, np.broadcast_to(value, STEPS.shape).astype(float)) for key, value in signals.items()}
    series["loss", ""] = Series(np.arange(len(loss)), np.asarray(loss, float))
    facts = {"steps": len(loss), **TEN_CLASSES, **facts}
    return Recording(layers or net(), {}, facts, {}, "completed", _series=series)


def find(problem: str, recording: Recording) -> Finding | None:
    found = list(catalog.entry(PROBLEMS, problem)().find(recording))
    assert len(found) <= 1
    return found[0] if found else None


def backward(span: float, depth: int = 8, forward: float = 0.0) -> dict[tuple[str, str], float]:
    """A backward signal that differs by `span` decades between first and last hidden layer; so does the forward one."""
    signals: dict[tuple[str, str], float] = {}
    for i in range(depth):
        share = 1 - i / (depth - 1)
        signals |= {
            ("backward_rms", f"fc{i}"): 1e-3 * 10 ** (span * share),
            ("activation_rms", f"fc{i}"): 10 ** (-forward * share),
            ("activation_derivative", f"act{i}"): 0.23,
            ("saturated_share", f"act{i}"): 0.0,
            ("weight_gain", f"fc{i}"): 1.0,
            ("weight_rms", f"fc{i}"): 1 / 8,
            ("update_ratio", f"fc{i}"): 1e-3,
        }
    return signals | {("backward_rms", "out"): 1e-2, ("weight_rms", "out"): 0.1, ("update_ratio", "out"): 1e-3}


@pytest.mark.parametrize(
    ("span", "loss", "level"),
    [(-2.9, STALLS, None), (-3.1, STALLS, "problem"), (-3.1, LEARNS, "observation"), (-9.0, STALLS, "problem")],
)
def test_vanishing_gradient(span: float, loss: Any, level: str | None) -> None:
    found = find("vanishing-gradient", make(backward(span), loss))
    assert (found.level if found else None) == level


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, "squashing activation"),
        ({"saturated_share": 0.9, "activation_derivative": 0.02}, "saturation"),
        ({"weight_gain": 0.1, "activation_derivative": 0.5}, "initialization too small"),
        ({"backward_rms": 0.0}, "dead block"),
    ],
)
def test_a_vanishing_gradient_names_its_cause(changes: dict[str, float], cause: str) -> None:
    signals = backward(-6.0)
    for signal, value in changes.items():
        for i in range(3 if signal == "backward_rms" else 8):
            owner = f"act{i}" if (signal, f"act{i}") in signals else f"fc{i}"
            signals[signal, owner] = value
    found = find("vanishing-gradient", make(signals, STALLS))
    assert found is not None
    assert found.cause == cause


def test_one_bad_layer_is_told_from_a_slow_decay() -> None:
    signals = backward(0.0)
    for i in range(4):
        signals["backward_rms", f"fc{i}"] = 1e-8
    found = find("vanishing-gradient", make(signals, STALLS))
    assert found is not None
    assert found.cause == "single layer"


@pytest.mark.parametrize(
    ("span", "loss", "level"),
    [(1.9, STALLS, None), (2.1, STALLS, "problem"), (2.1, LEARNS, "observation")],
)
def test_exploding_gradient(span: float, loss: Any, level: str | None) -> None:
    found = find("exploding-gradient", make(backward(span), loss))
    assert (found.level if found else None) == level


@pytest.mark.parametrize(("span", "level"), [(1.9, None), (2.1, "problem")])
def test_exploding_gradient_through_time(span: float, level: str | None) -> None:
    layers = (Layer("cell", "RNNCell", "weight", 100, (8, 8), 0),)
    found = find("exploding-gradient", make({("backward_call_span", "cell"): span}, STALLS, layers))
    assert (found.level if found else None) == level
    assert found is None or found.cause == "through time"


@pytest.mark.parametrize(("weight_rms", "found"), [(0.01, True), (0.12, False)])
def test_weights_too_small(weight_rms: float, found: bool) -> None:
    signals = backward(-6.0, forward=-6.0)
    signals |= {("weight_rms", f"fc{i}"): weight_rms for i in range(8)}
    result = find("poor-initialization", make(signals, STALLS))
    assert (result is not None) == found
    assert result is None or result.cause == "weights too small"


@pytest.mark.parametrize(
    ("share", "gain", "cause"),
    [
        (0.6, 2.1, "weights too large"),
        (0.4, 2.1, None),
        (0.6, 1.9, None),
        (0.4, 4.1, "gain far above 1"),
        (0.6, 4.1, "weights too large"),
    ],
)
def test_weights_too_large(share: float, gain: float, cause: str | None) -> None:
    signals = backward(0.0)
    signals |= {("saturated_share", f"act{i}"): share for i in range(8)}
    signals |= {("weight_rms", f"fc{i}"): gain / 8 for i in range(8)}
    result = find("poor-initialization", make(signals, 2.1 * STALLS))  # it begins at twice a guess
    assert (result.cause if result else None) == cause
    if cause == "gain far above 1":
        assert find("poor-initialization", make(signals, 1.9 * STALLS)) is None


@pytest.mark.parametrize(
    ("gain", "scales", "cause"),
    [
        (0.14, 0, "weights too small"),
        (0.16, 0, None),
        (0.14, 64, None),  # norms make up for it
        (4.1, 64, "hidden by norms"),
        (3.9, 64, None),
        (4.1, 1, None),  # a PReLU's slope is no norm
    ],
)
def test_a_gain_that_only_the_weights_tell(gain: float, scales: int, cause: str | None) -> None:
    signals = backward(0.0) | {("weight_rms", f"fc{i}"): gain / 8 for i in range(8)}
    parameters = [{"name": "fc0.weight", "shape": [64, 64]}] + [{"name": "norm.weight", "shape": [scales]}] * bool(
        scales
    )
    result = find("poor-initialization", make(signals, STALLS, parameters=parameters))
    assert (result.cause if result else None) == cause


@pytest.mark.parametrize(("gain", "found"), [(2.4, False), (2.6, True)])
def test_recurrent_weights_that_stretch_the_state(gain: float, found: bool) -> None:
    layers = (*net(), Layer("rnn.weight_hh_l0", "LSTM", "weight", 1024, (64, 16), 40))
    signals = backward(0.0) | {("weight_rms", "rnn.weight_hh_l0"): gain / 4}
    result = find("poor-initialization", make(signals, STALLS, layers))
    assert (result is not None and result.cause == "recurrent weights too large") == found


@pytest.mark.parametrize(("names", "cause"), [(["fc2"], "all alike"), (["head"], None), ([], None)])
def test_units_that_are_all_alike(names: list[str], cause: str | None) -> None:
    """Of the layer that ran last there is one unit for each answer: a start on purpose."""
    layers = (*net()[:-1], replace(net()[-1], name="head"))
    signals = {("activation_rms", layer.name): 1.0 for layer in layers}
    result = find("poor-initialization", make(backward(0.0) | signals, STALLS, layers, alike=names))
    assert (result.cause if result else None) == cause


@pytest.mark.parametrize(
    ("share", "loss", "level"), [(0.49, STALLS, None), (0.51, STALLS, "problem"), (0.51, LEARNS, "observation")]
)
def test_saturated_activation(share: float, loss: Any, level: str | None) -> None:
    signals = backward(0.0) | {("saturated_share", "act3"): share}
    found = find("saturated-activation", make(signals, loss))
    assert (found.level if found else None) == level
    assert found is None or found.layers == ("act3",)


@pytest.mark.parametrize(
    ("dead", "loss", "level"),
    [
        ([0.49] * 8, STALLS, None),
        ([0.6] * 8, STALLS, "problem"),
        ([0.6] + [0.0] * 7, STALLS, "observation"),
        ([1.0] + [0.0] * 7, STALLS, "problem"),
        ([1.0] * 8, LEARNS, "observation"),
    ],
)
def test_dead_relu(dead: list[float], loss: Any, level: str | None) -> None:
    signals = {("dead_unit_fraction", f"act{i}"): value for i, value in enumerate(dead)}
    signals |= {("activation_derivative", f"act{i}"): 0.5 for i in range(8)}
    found = find("dead-relu", make(signals, loss, net(kind="relu")))
    assert (found.level if found else None) == level
    assert found is None or found.cause == "died while training"


def test_too_few_samples_are_not_examined() -> None:
    with pytest.raises(NotExaminedError, match="too few samples"):
        find("dead-relu", make({}, STALLS, net(kind="relu")))


@pytest.mark.parametrize(
    ("ratio", "loss", "cause"),
    [
        (0.71, STALLS, "thrown off"),
        (0.69, STALLS, None),  # long, and nothing is broken: something else keeps it from learning
        (0.09, STALLS, None),
        (0.2, LEARNS, None),
        (0.2, np.concatenate([np.linspace(2.3, 0.3, 100), np.linspace(0.3, 0.9, 100)]), "rattles"),
        (0.01, np.linspace(2.3, 30, 200), "diverged"),
    ],
)
def test_learning_rate_too_high(ratio: float, loss: Any, cause: str | None) -> None:
    signals = {("update_ratio", layer.name): ratio for layer in net() if layer.role == "weight"}
    found = find("learning-rate-too-high", make(signals, loss))
    assert (found.cause if found else None) == cause


@pytest.mark.parametrize(("left", "cause"), [(0.26, None), (0.25, "thrown off")])
def test_long_steps_that_leave_units_flat(left: float, cause: str | None) -> None:
    signals: dict[tuple[str, str], Any] = {("update_ratio", layer.name): 0.2 for layer in net()}
    signals |= {("activation_derivative", "act0"): np.where(STEPS < 100, 0.5, 0.5 * left)}
    found = find("learning-rate-too-high", make(signals, np.linspace(2.3, 0.5, 200)))
    assert (found.cause if found else None) == cause


@pytest.mark.parametrize(("momentum", "cause"), [([0.9], None), ([0.99], "thrown off"), ([], None)])
def test_steps_grow_with_momentum_until_they_are_long(momentum: list[float], cause: str | None) -> None:
    grows = np.where(STEPS < 100, 0.01, 0.2)  # ten times as far with 0.99 as with 0.9
    signals = {("update_ratio", layer.name): grows for layer in net() if layer.role == "weight"}
    found = find("learning-rate-too-high", make(signals, STALLS, momentum=momentum))
    assert (found.cause if found else None) == cause


@pytest.mark.parametrize(
    ("ratio", "loss", "level"),
    [(4e-5, STALLS, "problem"), (1e-4, STALLS, "problem"), (3e-4, STALLS, ""), (4e-5, LEARNS, "observation")],
)
def test_learning_rate_too_low(ratio: float, loss: Any, level: str) -> None:
    signals = {("update_ratio", layer.name): ratio for layer in net() if layer.role == "weight"}
    found = find("learning-rate-too-low", make(signals, loss))
    assert (found.level if found else "") == level


@pytest.mark.parametrize(
    ("loss", "source", "cause"),
    [
        ("cross_entropy", "softmax", "softmax twice"),
        ("cross_entropy", "log_softmax", None),
        ("cross_entropy", "addmm", None),
        ("binary_cross_entropy_with_logits", "sigmoid", "sigmoid twice"),
        ("binary_cross_entropy", "sigmoid", None),
        ("nll_loss", "log_softmax", None),
        ("nll_loss", "addmm", "logits for log-probabilities"),
    ],
)
def test_loss_output_mismatch(loss: str, source: str, cause: str | None) -> None:
    facts = {"name": loss, "output_shape": [64, 10], "graph": [{"loss": loss, "input": source}]}
    found = find("loss-output-mismatch", _with(facts))
    assert (found.cause if found else None) == cause
    if cause == "softmax twice":
        assert found is not None
        assert found.evidence[0].observed == pytest.approx(1.4612, abs=1e-4)


@pytest.mark.parametrize(("output", "target", "found"), [([64, 1], [64], True), ([64, 1], [64, 1], False)])
def test_shapes_that_broadcast(output: list[int], target: list[int], found: bool) -> None:
    result = find("loss-output-mismatch", _with({"name": "mse_loss", "output_shape": output, "target_shape": target}))
    assert (result is not None) == found
    assert result is None or result.evidence[0].observed == 64


def _with(loss: dict[str, Any]) -> Recording:
    recording = make({}, STALLS)
    recording.facts["loss"] = loss
    return recording


@pytest.mark.parametrize(
    ("std", "first_output", "loss", "level"),
    [
        (1.0, 1.0, STALLS, None),
        (80.0, 50.0, STALLS, "problem"),
        (80.0, 1.0, STALLS, "observation"),  # scaled inside the model
        (80.0, 50.0, LEARNS, "observation"),
    ],
)
def test_unscaled_inputs(std: float, first_output: float, loss: Any, level: str | None) -> None:
    features = {"mean": [0.0] * 10, "std": [std] * 10, "min": [-1.0] * 10, "max": [1.0] * 10}
    inputs = {"kind": "float", "features": features}
    found = find("unscaled-inputs", make({("activation_rms", "fc0"): first_output}, loss, inputs=inputs))
    assert (found.level if found else None) == level
    normalized = make({("activation_rms", "fc0"): first_output}, loss, inputs=inputs, first_module="BatchNorm1d")
    assert find("unscaled-inputs", normalized) is None


def test_the_numbers_of_a_table_of_words_mean_nothing() -> None:
    """Codes for an embedding beside measurements: the first layer that measurements reach is looked at."""
    features = {"mean": [0.0] * 10, "std": [80.0] * 10, "min": [-1.0] * 10, "max": [1.0] * 10}
    layers = (Layer("words", "Embedding", "weight", 8, (30, 8), 0), *net())
    for kind, output, level in (("float", 50.0, "problem"), ("float", 1.0, "observation"), ("integer", 50.0, None)):
        signals = {("activation_rms", "words"): 1.0, ("activation_rms", "fc0"): output}
        inputs = {"kind": kind, "features": features}
        found = find("unscaled-inputs", make(signals, STALLS, layers, inputs=inputs, first_module="Embedding"))
        assert (found.level if found else None) == level


def parameter(**changes: Any) -> dict[str, Any]:
    return {
        "name": "fc0.weight", "shape": [4, 4], "dtype": "float32", "requires_grad": True, "in_optimizer": True,
        "looks": 10, "gradient_missing": 0, "gradient_zero": 0, "moved": 10, "learning_rate_zero": 0, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, None),
        ({"in_optimizer": False, "moved": 0}, "not in the optimizer"),
        ({"learning_rate_zero": 10, "moved": 0}, "learning rate 0"),
        ({"learning_rate_zero": 1, "moved": 9}, None),  # warm-up
        ({"gradient_missing": 10, "moved": 0}, "no gradient"),
        ({"requires_grad": False, "gradient_missing": 10, "moved": 0}, "declared frozen"),
        ({"dtype": "bfloat16", "moved": 0}, "rounds to nothing"),
        ({"gradient_zero": 10, "moved": 0}, None),  # a dead block, not a frozen one
    ],
)
def test_frozen_parameters(changes: dict[str, Any], cause: str | None) -> None:
    recording = make({("activation_rms", "fc0"): 1.0}, parameters=[parameter(**changes)])
    found = find("frozen-parameters", recording)
    assert (found.cause if found else None) == cause
    assert found is None or (found.level == "observation") == (cause == "declared frozen")


@pytest.mark.parametrize(
    ("size", "others", "loss", "cause"),
    [
        (1.0, 100, STALLS, "never trained"),
        (1.0, 100, LEARNS, "declared frozen"),  # random features that serve
        (1.05, 100, STALLS, "declared frozen"),  # they were trained somewhere
        (1.0, 9000, STALLS, "declared frozen"),  # the smaller part of the net
    ],
)
def test_what_was_frozen_as_it_was_drawn(size: float, others: int, loss: Any, cause: str) -> None:
    frozen = [parameter(name=f"fc{i}.weight", shape=[64, 64], requires_grad=False) for i in range(2)]
    signals = {("activation_rms", f"fc{i}"): 1.0 for i in range(2)}
    signals |= {("weight_rms", f"fc{i}"): size / math.sqrt(3 * 64) for i in range(2)}
    parameters = [*frozen, parameter(name="out.weight", shape=[others])]
    found = find("frozen-parameters", make(signals, loss, parameters=parameters))
    assert found is not None
    assert found.cause == cause


@pytest.mark.parametrize(("stale", "found"), [(0, False), (5, False), (6, True)])
def test_stale_gradient(stale: int, found: bool) -> None:
    result = find("stale-gradient", make({}, gradient_cleared={"looks": 10, "stale": stale}))
    assert (result is not None) == found


@pytest.mark.parametrize(
    ("passes", "evaluations", "kept", "cause"),
    [
        ((100, 0), (0, 20), 0, None),
        ((80, 20), (0, 20), 0, "trained in eval mode"),
        ((100, 0), (20, 0), 0, "evaluated in train mode"),
        ((100, 0), (0, 20), 10, "part in eval mode"),
    ],
)
def test_wrong_mode(passes: tuple[int, int], evaluations: tuple[int, int], kept: int, cause: str | None) -> None:
    modes = {
        "passes": dict(zip(("train", "eval"), passes, strict=True)),
        "evaluations": dict(zip(("train", "eval"), evaluations, strict=True)),
        "looks": 10,
        "sensitive": [{"name": "bn", "kind": "BatchNorm1d", "eval_looks": kept, "trainable": True}],
    }
    found = find("wrong-mode", make({("validation_loss", ""): 1.0}, modes=modes))
    assert (found.cause if found else None) == cause
    assert find("wrong-mode", make({}, modes=modes | {"sensitive": []})) is None


def test_overfitting_needs_a_rise_that_is_no_noise() -> None:
    falls = np.exp(-np.arange(40) / 8)
    rng = np.random.default_rng(0)
    rises = 0.4 + 0.6 * np.exp(-np.arange(40) / 3) + 0.01 * np.arange(40)

    memorizes = np.exp(-np.arange(200) / 40)

    def found(validation: Any, loss: Any = memorizes) -> bool:
        return find("overfitting", make({("validation_loss", ""): validation}, loss)) is not None

    assert found(rises)
    assert not found(falls)
    assert not found(0.3 + 0.01 * rng.standard_normal(40))  # as good as it gets
    assert not found(rises, np.full(200, 0.5))  # the training loss does not fall: another disease
    assert not found(np.abs(0.4 + 0.3 * rng.standard_normal(40)))  # a small, noisy validation set


@pytest.mark.parametrize(
    ("training", "validation", "expected"),
    [
        (0.02, 0.5, "observation"),  # 2.3 is what a guess costs: a fifth of it lies between
        (0.02, 0.3, ""),
        (0.11, 0.5, ""),  # not five times that of training
        (0.02, 1.1, "problem"),
    ],
)
def test_validation_that_never_came_near_training(training: float, validation: float, expected: str) -> None:
    loss = 2.3 * np.exp(-np.arange(200) / 10) + training
    curve = validation + 1.8 * np.exp(-np.arange(40) / 4)
    recording = make({("validation_loss", ""): curve}, loss)
    finding = find("overfitting", recording)
    assert (finding.level if finding else "") == expected
    assert not finding or finding.cause == "by heart"


def test_a_number_that_breaks_is_told_from_one_that_grows() -> None:
    failure = {"step": 150, "what": "loss", "loss": "nan", "gradients": ["fc0.weight"], "weights": []}
    sudden = np.concatenate([np.linspace(2.3, 0.5, 150), np.full(50, math.nan)])
    grown = np.concatenate([np.linspace(2.3, 1.0, 100), np.logspace(0, 8, 50), np.full(50, math.nan)])
    for loss, cause in ((sudden, "operation"), (grown, "growth")):
        found = find("non-finite", make({}, loss, non_finite=failure))
        assert found is not None
        assert (found.cause, found.steps[0], found.confidence) == (cause, 150, 1.0)
    assert find("non-finite", make({}, LEARNS, non_finite=None)) is None
