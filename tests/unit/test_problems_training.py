"""The rules for the training as a whole, on hand-made recordings just under and just over their limits."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from trainclinic import catalog
from trainclinic.diagnose.causes import explain
from trainclinic.diagnose.diagnose import PROBLEMS, diagnose
from trainclinic.diagnose.outcome import serves
from trainclinic.diagnose.problem import NotExaminedError
from trainclinic.recording import Layer, Recording, Series
from trainclinic.records import Finding

COUNT = 400
LEARNS, STALLS = np.geomspace(2.3, 0.02, COUNT), np.full(COUNT, 2.3)
CLASSES = {"classes": {str(k): 10 for k in range(10)}, "dtype": "int64"}
LAYERS = tuple(Layer(f"fc{i}", "Linear", "weight", 9, (3, 3), i) for i in range(3))


def make(
    loss: Any = STALLS, validation: Any = (), signals: dict[tuple[str, str], Any] | None = None, **facts: Any
) -> Recording:
    """A recording of ten classes; a number stands for a constant series over 20 looks."""
    looks = np.linspace(0, len(loss) - 1, 20).astype(int)
    series = {
        key: Series(looks, np.broadcast_to(value, looks.shape).astype(float)) for key, value in (signals or {}).items()
    }
    series["loss", ""] = Series(np.arange(len(loss)), np.asarray(loss, float))
    if len(validation):
        at = np.linspace(1, len(loss), len(validation)).astype(int)
        series["validation_loss", ""] = Series(at, np.asarray(validation, float))
    name = facts.pop("loss_name", "cross_entropy")
    known = {"steps": len(loss), "loss": {"name": name}, "targets": CLASSES, "modes": {}, **facts}
    return Recording(LAYERS, {}, known, {}, "completed", _series=series)


def find(problem: str, recording: Recording) -> Finding | None:
    found = list(catalog.entry(PROBLEMS, problem)().find(recording))
    assert len(found) <= 1
    return found[0] if found else None


def level(problem: str, recording: Recording) -> str:
    finding = find(problem, recording)
    return finding.level if finding else ""


# -- batchnorm-small-batch


@pytest.mark.parametrize(
    ("values", "loss", "found"), [(7, STALLS, "problem"), (8, STALLS, ""), (7, LEARNS, "observation")]
)
def test_batch_norm_over_few_values(values, loss, found):
    assert level("batchnorm-small-batch", make(loss, batch_norm={"bn": values}, batch_size=values)) == found


@pytest.mark.parametrize(("samples", "found"), [(3, "problem"), (4, "")])
def test_two_pictures_are_few_however_many_positions_they_have(samples, found):
    seen = {"kind": "float", "shape": [samples, 3, 10, 10]}
    facts = {"batch_norm": {"bn": 100 * samples}, "batch_size": samples}
    assert level("batchnorm-small-batch", make(STALLS, **facts, inputs=seen)) == found
    assert level("batchnorm-small-batch", make(STALLS, **facts, inputs={"kind": "integer", "shape": [2, 600]})) == ""


@pytest.mark.parametrize(("targets", "found"), [([2], "problem"), ([24], ""), ([2, 24], ""), ([], "")])
def test_two_series_are_few_where_each_has_one_target(targets, found):
    facts = {"batch_norm": {"bn": 48}, "batch_size": 2, "inputs": {"kind": "float", "shape": [2, 24, 3]}}
    facts["targets"] = CLASSES | {"shape": targets}
    assert level("batchnorm-small-batch", make(STALLS, **facts)) == found


def test_a_part_of_the_network_may_see_fewer_samples_than_the_batch_has():
    assert level("batchnorm-small-batch", make(STALLS, batch_norm={"bn": 64, "expert": 2}, batch_size=64)) == "problem"


# -- constant-prediction


@pytest.mark.parametrize(
    ("late", "loss", "found"), [(0.049, STALLS, "problem"), (0.051, STALLS, ""), (0.049, LEARNS, "")]
)
def test_outputs_that_do_not_differ(late, loss, found):
    assert level("constant-prediction", make(loss, signals={("output_spread", ""): late})) == found


def test_why_outputs_do_not_differ():
    faded = {("output_spread", ""): np.geomspace(1.0, 0.001, 20)}
    assert find("constant-prediction", make(signals=faded, first_spread=0.1)).cause == "became constant"
    assert find("constant-prediction", make(signals=faded, first_spread=1e-7)).cause == "input lost"
    assert find("constant-prediction", make(signals={("output_spread", ""): 0.01}, first_spread=0.1)).cause == ""
    none = {("output_spread", ""): 1e-9}
    assert find("constant-prediction", make(signals=none, first_spread=0.1)).cause == "never differed"


def test_real_outputs_are_held_against_the_targets():
    facts = {"loss_name": "mse_loss", "targets": {"std": 100.0, "dtype": "float32"}}
    flat = np.full(COUNT, 100.0**2)
    for spread, found in ((4.9, "problem"), (5.1, "")):
        signals = {("output_spread", ""): spread, ("target_std", ""): 100.0}
        assert level("constant-prediction", make(flat, signals=signals, **facts)) == found


def test_a_beginning_is_no_constant():
    with pytest.raises(NotExaminedError):
        find("constant-prediction", make(STALLS[:49], signals={("output_spread", ""): 0.01}))


# -- over-regularized


def decayed(left: float, gradient: float, *, loss: Any = STALLS) -> Recording:
    """L2 of 0.1 on weights of size 1 at the start; `gradient`: RMS of the loss's own."""
    signals = {("weight_rms", layer.name): np.linspace(1.0, left, 20) for layer in LAYERS}
    signals |= {("gradient_rms", layer.name): gradient for layer in LAYERS}
    return make(loss, signals=signals, weight_decay=[{"weight_decay": 0.1, "decoupled": False}])


@pytest.mark.parametrize(
    ("left", "gradient", "loss", "found"),
    [(0.1, 0.1, STALLS, "weight decay"), (0.9, 0.1, STALLS, ""), (0.1, 0.13, STALLS, ""), (0.1, 0.1, LEARNS, "")],
)
def test_decay_that_is_stronger_than_the_loss(left, gradient, loss, found):
    finding = find("over-regularized", decayed(left, gradient, loss=loss))
    assert (finding.cause if finding else "") == found


@pytest.mark.parametrize(("strength", "found"), [(20.0, "weight decay"), (2.0, "")])
def test_decoupled_decay_against_the_step(strength, found):
    signals = {("weight_rms", layer.name): np.linspace(1.0, 0.1, 20) for layer in LAYERS}
    signals |= {("update_ratio", layer.name): 0.02 for layer in LAYERS}
    signals["learning_rate", "group 0"] = 1e-3
    recording = make(signals=signals, weight_decay=[{"weight_decay": strength, "decoupled": True}])
    finding = find("over-regularized", recording)
    assert (finding.cause if finding else "") == found


@pytest.mark.parametrize(
    ("dropped", "validation", "found"), [(0.6, 2.0, True), (0.59, 2.0, False), (0.79, 2.2, False), (0.8, 2.2, True)]
)
def test_dropout_that_leaves_too_little(dropped, validation, found):
    modes = {"sensitive": [{"name": "drop", "kind": "Dropout", "dropout": dropped}]}
    finding = find("over-regularized", make(validation=[validation] * 10, modes=modes, weight_decay=[]))
    assert (finding is not None) == found
    assert not found or finding.cause == "dropout"


@pytest.mark.parametrize(
    ("term", "validation", "found"), [(True, 1.5, "penalty"), (True, 1.6, ""), (False, 1.5, ""), (True, 0.2, "")]
)
def test_a_penalty_that_outweighs_the_task(term, validation, found):
    recording = make(validation=[validation] * 10, weight_decay=[])
    recording.facts["loss"]["penalty"] = term
    finding = find("over-regularized", recording)
    assert (finding.cause if finding else "") == found


def test_a_penalty_that_has_taken_the_weights_needs_no_gap():
    series = {("weight_rms", "fc0"): np.linspace(1.0, 0.2, 20), ("gradient_rms", "fc0"): np.ones(20)}
    recording = make(validation=[2.3] * 10, weight_decay=[{"weight_decay": 0.0, "decoupled": False}], signals=series)
    recording.facts["loss"]["penalty"] = True
    assert find("over-regularized", recording).cause == "penalty"


# -- underfitting and undertrained


@pytest.mark.parametrize(
    ("linear", "hidden", "loss", "expected"),
    [
        (1, 8, STALLS, ""),
        (2, 8, STALLS, "problem"),
        (2, 8, LEARNS, "observation"),
        (2, 1, STALLS, ""),  # a factorization
        (3, 1, STALLS, "problem"),
    ],
)
def test_layers_without_an_activation_function(linear, hidden, loss, expected):
    layers = (
        Layer("in", "Linear", "weight", hidden, (hidden, 5), 0),
        Layer("out", "Linear", "weight", 4, (4, hidden), 1),
    )
    recording = replace(make(loss, validation=loss[::40]), layers=layers)
    recording.facts["loss"]["linear"] = linear
    try:
        finding = find("underfitting", recording)
    except NotExaminedError:
        finding = None
    assert (finding.level if finding else "") == expected


@pytest.mark.parametrize(
    ("kind", "stacked", "found"), [("Linear", 3, "observation"), ("Linear", 1, ""), ("LSTM", 3, "")]
)
def test_layers_in_line_in_a_part_of_a_network_are_observed(kind, stacked, found):
    layers = tuple(Layer(f"fc{i}", kind, "weight", 8, (8, 8), i) for i in range(3))
    recording = replace(make(STALLS, validation=STALLS[::40]), layers=layers)
    recording.facts["loss"] |= {"linear": 0, "stacked": stacked}
    try:
        assert level("underfitting", recording) == found
    except NotExaminedError:
        assert not found


def test_a_parameter_of_a_module_of_ones_own_does_not_hide_layers_in_line():
    layers = [Layer("embed", "Embedding", "weight", 300, (12, 24), 0)]
    layers += [Layer(f"fc{i}", "Linear", "weight", 9, shape, i + 1) for i, shape in enumerate(((48, 24), (24, 48)))]
    layers += [Layer("head", "Linear", "weight", 9, (12, 24), 3), Layer("", "Decoder", "weight", 9, (20, 24), 4)]
    recording = replace(make(STALLS, validation=STALLS[::40]), layers=tuple(layers))
    recording.facts["loss"] |= {"linear": 0, "stacked": 2}
    assert level("underfitting", recording) == "observation"


@pytest.mark.parametrize(("fit", "found"), [(0.71, "a fit knows more"), (0.69, ""), (0.5, "")])
def test_a_network_at_rest_that_a_fit_beats_is_observed(fit, found):
    recording = against_neighbours(0.6, 0.6, RESTS, [1.1] * 10)
    recording.facts["data"]["validation"]["closed_form"] = fit
    finding = find("underfitting", recording)
    assert (finding.cause if finding else "") == found
    assert not finding or finding.level == "observation"


@pytest.mark.parametrize(
    ("widths", "loss", "cause"),
    [
        ((3, 3), STALLS, "few units"),
        ((3, 3), LEARNS, ""),
        ((4, 4), STALLS, ""),
        ((32, 2), STALLS, "few units"),
        ((32, 3), STALLS, ""),
        ((32, 2, 20), STALLS, ""),  # an autoencoder's code
    ],
)
def test_hardly_any_units(widths, loss, cause):
    sizes = (20, *widths[:2], widths[2] if len(widths) > 2 else 10)
    layers = tuple(
        Layer(f"fc{index}", "Linear", "weight", size, (size, before), index)
        for index, (before, size) in enumerate(pairwise(sizes))
    )
    signals = {("activation_rms", layer.name): 1.0 for layer in layers}
    recording = replace(make(loss, validation=loss[::40], signals=signals), layers=layers)
    try:
        finding = find("underfitting", recording)
    except NotExaminedError:
        finding = None
    assert (finding.cause if finding else "") == cause


@pytest.mark.parametrize(("steps", "passes", "found"), [(99, 2.4, "few steps"), (99, 2.6, ""), (101, 2.4, "")])
def test_few_steps_teach_little(steps, passes, found):
    samples = steps * 32 / passes
    recording = make(np.full(steps, 2.0), batch_size=32, training_samples=samples)
    finding = find("undertrained", recording)
    assert (finding.cause if finding else "") == found
    rests = make(np.full(50, 1.6), [1.61, 1.6], batch_size=32, training_samples=800)
    assert find("undertrained", rests) is None
    moves = make(np.full(101, 1.6), [2.0, 1.8, 1.7, 1.6], batch_size=32, training_samples=800)
    assert (find("undertrained", moves).level, find("undertrained", moves).cause) == ("observation", "few passes")
    idle = make(np.full(50, 2.3), [2.3, 2.3], batch_size=32, training_samples=800)
    assert find("undertrained", idle).cause == "few steps"
    untold = make(np.full(25, 2.0), batch_size=32, data={"training": {"rows": 800}})
    assert find("undertrained", untold).cause == "few steps"
    assert find("undertrained", make(np.full(60, 2.0), batch_size=32, data={"training": {"rows": 1900}})) is None


def test_passes_are_counted_where_gradients_are_accumulated():
    known = {"batch_size": 8, "training_samples": 400, "modes": {"passes": {"train": 450, "eval": 0}}}
    assert find("undertrained", make(np.full(90, 2.0), **known)) is None  # nine times through
    assert find("undertrained", make(np.full(90, 2.0), batch_size=8)) is None  # of how many is not known


def test_an_error_that_halves_is_unfinished():
    real = {"dtype": "float32", "std": 1.0}
    for last, found in ((0.12, "problem"), (0.07, "")):
        loss = np.geomspace(last * 8, last, COUNT)  # falls to less than a half over the last two fifths
        assert level("undertrained", make(loss, validation=loss[::40], targets=real, loss_name="mse_loss")) == found


def against_neighbours(network: float, neighbours: float, loss: Any, validation: Any) -> Recording:
    data = {"validation": {"rows": 1000, "agreement": neighbours}}
    return make(loss, validation, {("validation_accuracy", ""): network}, data=data)


RESTS = np.concatenate((np.linspace(2.3, 1.0, 100), np.full(300, 1.0)))


@pytest.mark.parametrize(
    ("network", "loss", "validation", "found"),
    [
        (0.81, RESTS, 1.1, True),
        (0.83, RESTS, 1.1, False),  # neighbours are hardly better
        (0.81, RESTS, 2.6, False),  # a gap: not for want of capacity
        (0.81, np.geomspace(2.3, 0.5, COUNT), 0.6, False),  # still falling
    ],
)
def test_a_network_at_rest_that_neighbours_beat(network, loss, validation, found):
    recording = against_neighbours(network, 0.9, loss, [validation] * 10)
    assert (find("underfitting", recording) is not None) == found


@pytest.mark.parametrize(("units", "cause"), [(2, "narrow layer"), (3, "")])
def test_a_layer_narrower_than_the_outputs_is_named(units, cause):
    recording = against_neighbours(0.5, 0.9, RESTS, [1.1] * 10)
    shapes = ((units, 9), (3, units))
    layers = tuple(Layer(f"fc{i}", "Linear", "weight", 9, shape, i) for i, shape in enumerate(shapes))
    finding = find("underfitting", replace(recording, layers=layers))
    assert finding
    assert (finding.cause, finding.layers) == (cause, ("fc0",) if cause else ())


def test_rest_is_not_told_from_a_slow_start_in_a_short_run():
    with pytest.raises(NotExaminedError):
        find("underfitting", against_neighbours(0.5, 0.9, RESTS[:199], [1.0] * 5))


FALLING = np.linspace(2.3, 1.6, COUNT)


@pytest.mark.parametrize(
    ("loss", "network", "validation", "found"),
    [
        (FALLING, 0.5, [2.2, 2.0, 1.8, 1.7], True),
        (FALLING, 0.95, [2.2, 2.0, 1.8, 1.7], False),  # as good as neighbours, and not steep
        (FALLING, 0.5, [2.0, 1.7, 1.9, 2.1], False),  # in validation it has turned
        (RESTS, 0.5, [2.2, 2.0, 1.8, 1.7], False),  # at rest
        (np.geomspace(2.3, 0.9, COUNT), 0.89, [2.2, 1.9, 1.5, 1.0], True),  # steep in both
        (np.geomspace(2.3, 0.9, COUNT), 0.91, [2.2, 1.9, 1.5, 1.0], False),  # the answers are right: they become surer
        (LEARNS, 0.5, [2.2, 1.0, 0.2, 0.1], False),  # it has arrived
    ],
)
def test_a_training_that_ended_on_its_way(loss, network, validation, found):
    assert (find("undertrained", against_neighbours(network, 0.9, loss, validation)) is not None) == found


# -- oscillating-loss


def swinging(size: float, level: float = 1.0) -> list[float]:
    """Twenty evaluations around `level`, up and down by that share."""
    return [level * (1 + size * (-1) ** index) for index in range(20)]


@pytest.mark.parametrize(
    ("validation", "found"),
    [
        (swinging(0.4), True),
        (swinging(0.1), False),  # as evaluations do
        (swinging(0.4, 0.01), False),  # around next to nothing
        (list(np.linspace(2.3, 0.3, 20)), False),  # a slow course is no swing
    ],
)
def test_a_validation_loss_that_swings(validation, found):
    assert (find("oscillating-loss", make(LEARNS, validation)) is not None) == found


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"momentum": [0.98]}, "long memory"),
        ({"momentum": [0.97]}, None),
        ({"batch_size": 2}, "few samples"),
        ({"batch_size": 3}, None),
        ({"batch_size": 2, "modes": {"passes": {"train": 4 * COUNT, "eval": 0}}}, None),  # accumulated
        ({"batch_size": 1, "targets": CLASSES | {"shape": [1, 128]}}, None),  # a target for each token
    ],
)
def test_settings_with_which_most_trainings_swing_are_observed(facts, cause):
    found = find("oscillating-loss", make(LEARNS, np.geomspace(2.0, 0.1, 20), **facts))
    assert (found.cause if found else None) == cause
    assert found is None or found.level == "observation"


def test_few_evaluations_show_no_swing():
    with pytest.raises(NotExaminedError):
        find("oscillating-loss", make(LEARNS, swinging(0.4)[:7]))


def test_a_training_that_is_still_running_is_not_called_undertrained():
    running = replace(against_neighbours(0.5, 0.9, FALLING, [2.2, 2.0, 1.8, 1.7]), ended="unknown")
    with pytest.raises(NotExaminedError):
        find("undertrained", running)


# -- exact, and harmless


@pytest.mark.parametrize(("loss", "found"), [(STALLS, "problem"), (LEARNS, "observation")])
def test_a_mistake_that_costs_nothing_is_only_mentioned(loss, found):
    assert level("stale-gradient", make(loss, gradient_cleared={"looks": 10, "stale": 9})) == found
    sensitive = [{"name": "bn", "kind": "BatchNorm1d", "eval_looks": 9, "trainable": True}]
    modes = {"passes": {"train": 1, "eval": 9}, "looks": 10, "evaluations": {"train": 0, "eval": 0}}
    assert level("wrong-mode", make(loss, modes=modes | {"sensitive": sensitive})) == found


# -- loss-output-mismatch


def mismatched(last: str, targets: tuple[float, float], lowest: float = 0.5) -> str:
    """The cause, of an mse_loss on what an operation `last` gives, for targets of that range."""
    facts = {"dtype": "float32", "std": 1.0, "min": targets[0], "max": targets[1]}
    recording = make(np.linspace(1.0, lowest, COUNT), targets=facts, loss_name="mse_loss")
    recording.facts["loss"]["graph"] = [{"loss": "mse_loss", "input": last}]
    finding = find("loss-output-mismatch", recording)
    return finding.cause if finding else ""


@pytest.mark.parametrize(
    ("last", "targets", "cause"),
    [
        ("relu", (-1.0, 5.0), "range"),
        ("relu", (-0.5, 5.0), ""),  # a tenth of the range
        ("relu", (0.0, 5.0), ""),
        ("sigmoid", (0.0, 1.0), ""),
        ("sigmoid", (0.0, 2.0), "range"),
        ("tanh", (-1.0, 1.0), ""),
        ("addmm", (-9.0, 9.0), ""),
    ],
)
def test_an_output_that_cannot_reach_its_targets(last, targets, cause):
    assert mismatched(last, targets) == cause


def test_a_squared_error_below_zero_has_its_sign_turned():
    assert mismatched("addmm", (-1.0, 1.0), lowest=-0.1) == "sign"
    assert mismatched("addmm", (-1.0, 1.0), lowest=0.0) == ""


def test_log_probabilities_that_make_a_loss_below_zero_are_none_whatever_made_them():
    for lowest, cause in ((-0.1, "logits for log-probabilities"), (0.0, "")):
        recording = make(np.linspace(1.0, lowest, COUNT), loss_name="nll_loss")
        recording.facts["loss"]["graph"] = [{"loss": "nll_loss", "input": "add"}]
        finding = find("loss-output-mismatch", recording)
        assert (finding.cause if finding else "") == cause


# -- exploding-gradient, in a net of few layers


@pytest.mark.parametrize(("gain", "start", "found"), [(2.6, 24.0, "problem"), (2.4, 24.0, ""), (2.6, 22.0, "")])
def test_weights_that_stretch_and_a_start_far_above_a_guess(gain, start, found):
    signals = {("backward_rms", layer.name): 1.0 for layer in LAYERS}
    signals |= {("weight_gain", layer.name): gain for layer in LAYERS}
    loss = np.concatenate(([start], np.full(COUNT - 1, 2.3)))
    assert level("exploding-gradient", make(loss, signals=signals)) == found


@pytest.mark.parametrize(("first", "found"), [(1.1, "problem"), (0.9, "")])
def test_growth_that_the_steps_made_is_not_the_weights(first, found):
    """Two decades over ten layers in the first looks; half of it, or less, before the first step."""
    layers = tuple(Layer(f"fc{i}", "Linear", "weight", 9, (3, 3), i) for i in range(10))
    signals = {}
    for index, layer in enumerate(layers):
        values = np.full(20, 10 ** ((8 - index) * 2.5 / 8))
        values[0] = 10 ** ((8 - index) * first / 8)
        signals["backward_rms", layer.name] = values
    recording = replace(make(signals=signals), layers=layers)
    assert level("exploding-gradient", recording) == found


# -- data-leak


@pytest.mark.parametrize(("proxy", "found"), [(0.996, "problem"), (0.994, "")])
def test_a_target_among_the_inputs(proxy, found):
    data = {"link": {"proxy": proxy}, "validation": {"rows": 100}}
    assert level("data-leak", make(LEARNS, data=data)) == found


@pytest.mark.parametrize(
    ("near", "usual", "found"), [(0.28, 0.0, "problem"), (0.22, 0.0, ""), (0.28, 0.06, ""), (0.9, 0.06, "problem")]
)
def test_copies_with_a_little_noise(near, usual, found):
    held = {"rows": 400, "copies": 0.0, "fewest_copies": 0.0, "training_batches": 0.0, "again": 0.0,
            "near": near, "near_in_training": usual}  # fmt: skip
    training = {"rows": 1000, "again": 0.0, "constant": 0.0, "bits": 200.0}
    assert level("data-leak", make(LEARNS, data={"training": training, "validation": held})) == found


@pytest.mark.parametrize(("flattered", "found"), [(0.04, "problem"), (0.03, "observation"), (None, "problem")])
def test_copies_that_flatter_nothing_are_observed(flattered, found):
    held = {"rows": 400, "copies": 0.5, "fewest_copies": 0.5, "training_batches": 0.0, "again": 0.0}
    data = {"training": {"rows": 1000, "again": 0.0, "constant": 0.0, "bits": 200.0}, "validation": held}
    answers = {} if flattered is None else {"flattered": flattered}
    assert level("data-leak", make(LEARNS, data=data, answers=answers)) == found


# -- where a fault does no harm


def answered(
    accuracy: Any, neighbours: float = 0.8, linear: float = 0.7, fit: float = math.nan, **facts: Any
) -> Recording:
    """A run whose loss says little, with the accuracies of its evaluations; a guess is right in a tenth."""
    data = {"link": {"rows": 1000, "guess": 0.1, "null": 0.13, "agreement": neighbours, "linear": linear},
            "validation": {"rows": 400, "agreement": neighbours, "closed_form": fit}}  # fmt: skip
    looks = np.linspace(20, COUNT, len(accuracy)).astype(int)
    recording = make(np.geomspace(2.3, 1.0, COUNT), validation=np.geomspace(2.3, 1.0, 20), data=data, **facts)
    recording._series["validation_accuracy", ""] = Series(looks, np.asarray(accuracy, float))
    return recording


@pytest.mark.parametrize(
    ("recording", "good"),
    [
        (answered([0.8] * 20), True),
        (answered([0.72] * 20), False),  # less than 0.7 of what a guess leaves
        (answered([0.8] * 20, neighbours=0.9), False),
        (answered([0.8] * 20, linear=0.9), False),
        (answered([0.8, 0.6, 0.6, 0.8] * 5), False),  # as often it is not
        (answered([0.8] * 20, checkup={}), False),
    ],
)
def test_good_answers_that_nothing_simpler_beats_excuse_a_fault(recording, good):
    assert serves(recording) == good


@pytest.mark.parametrize(
    ("recording", "good"),
    [
        (answered([0.6] * 20, 0.5, 0.5, fit=0.62), True),  # one standard error is 0.024
        (answered([0.6] * 20, 0.5, 0.5, fit=0.63), False),
        (answered([0.36] * 20, 0.3, 0.3, fit=0.36), False),  # less than 0.3 of what a guess leaves is little
        (answered([0.38] * 20, 0.3, 0.3, fit=0.38), True),
        (answered([0.6] * 20, neighbours=0.66, linear=0.5, fit=0.6), False),  # two standard errors
        (answered([0.6] * 20, neighbours=0.64, linear=0.64, fit=0.6), True),
        (answered([0.8] * 20, fit=0.95), True),  # good enough by itself: a fit that knows more accuses nobody
        (answered([0.6, 0.3, 0.3, 0.6] * 5, 0.5, 0.5, fit=0.6), False),
    ],
)
def test_answers_as_good_as_a_fit_in_closed_form_excuse_a_fault(recording, good):
    assert serves(recording) == good


def test_what_is_in_the_rows_is_not_excused_by_a_fit_that_suffers_as_well():
    recording = answered([0.6] * 20, 0.5, 0.5, fit=0.6)
    assert serves(recording)
    assert not serves(recording, fit=False)
    assert {"noisy-labels", "misaligned-data", "constant-feature"} == {
        name for name, problem in catalog.entries(PROBLEMS).items() if problem.in_the_rows
    }


def test_a_fault_that_did_no_harm_is_an_observation_and_a_leak_is_none():
    for accuracy, expected in (([0.8] * 20, "observation"), ([0.5] * 20, "problem")):
        recording = answered(accuracy, batch_norm={"bn": 4}, batch_size=4)
        recording.facts["data"]["link"]["proxy"] = 1.0
        levels = {finding.problem: finding.level for finding in diagnose(recording).findings}
        assert levels["batchnorm-small-batch"] == expected
        assert levels["data-leak"] == "problem"


# -- who is named first


def explained(*pairs: tuple[str, str]) -> dict[str, str]:
    """Problem → what explains it, of findings that hurt, by problem and cause."""
    findings = [Finding(name, "problem", 0.5, 0.5, (), (0, 1), (), cause) for name, cause in pairs]
    return {finding.problem: finding.explained_by for finding in explain(findings)}


def test_an_input_lost_within_the_network_explains_that_nothing_comes_back():
    blind = ("constant-prediction", "never differed")
    assert explained(blind, ("vanishing-gradient", "dead block")) == {
        "constant-prediction": "", "vanishing-gradient": "constant-prediction"}  # fmt: skip
    assert explained(blind, ("dead-relu", "died while training"))["dead-relu"] == "constant-prediction"
    assert explained(blind, ("dead-relu", "dead from the start"))["constant-prediction"] == "dead-relu"
    assert explained(blind, ("vanishing-gradient", "squashing activation"))["vanishing-gradient"] == ""


@pytest.mark.parametrize(
    ("narrow", "when", "root"),
    [
        ("narrow layer", "saturated while training", "underfitting"),
        ("", "saturated while training", "saturated-activation"),
        ("narrow layer", "saturated from the start", "saturated-activation"),
    ],
)
def test_a_few_units_are_driven_to_their_ends(narrow, when, root):
    links = explained(("underfitting", narrow), ("saturated-activation", when))
    assert [name for name, above in links.items() if not above] == [root]


# -- learning-rate-too-high


@pytest.mark.parametrize(("late", "found"), [(1.2, ""), (1.6, "rattles")])
def test_a_rise_must_last_to_be_a_rattle(late, found):
    loss = np.concatenate((np.linspace(2.3, 0.5, 100), np.full(180, 0.5), np.full(100, 0.5 * late), np.full(20, 1.0)))
    finding = find("learning-rate-too-high", make(loss, signals={("update_ratio", "fc0"): 0.2}))
    assert (finding.cause if finding else "") == found


@pytest.mark.parametrize(("steps", "found"), [(19, ""), (20, "thrown off")])
def test_a_beginning_was_not_thrown_off(steps, found):
    finding = find("learning-rate-too-high", make(STALLS[:steps], signals={("update_ratio", "fc0"): 0.8}))
    assert (finding.cause if finding else "") == found
