"""The rules of a checkup on hand-made recordings, just under and just over each limit; and the rehearsal itself."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hand_made import labels, make, verdict
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainclinic as tc
from trainclinic.diagnose.problem import NotExaminedError
from trainclinic.measure.rehearsal import rehearse
from trainclinic.recording import Layer, Recording, Series

CHANCE = math.log(10)  # the loss of a guess among ten classes


def rehearsed(
    *losses: float, training: float = 2.0, share: float = 1.0, answers: dict[str, float] | None = None, **facts: Any
) -> Recording:
    """A checkup whose rehearsal had these validation losses."""
    told = {"steps": 90, "share": share, "training": training, "validation": list(losses)}
    seen = {"own": 0.1, "luck": 0.16, "order": 0.1, "before": 0.1, "after": 0.1} | (answers or {})
    return make(checkup={"rehearsal": told}, answers=seen, **facts)


def link(agreement: float) -> dict[str, dict[str, Any]]:
    return {"link": {"rows": 1000, "agreement": agreement, "null": 0.13, "guess": 0.1}}


HELD = {"rows": 400, "again": 0.0, "copies": 0.0, "training_batches": 0.0, "fewest_copies": 0.0}
SEQUENCES = {"inputs": {"kind": "float", "shape": [64, 20, 3]}}
GUESSES, GAINS = (2.31, 2.32, 2.33, 2.34), (2.3, 1.5, 1.1, 1.0)


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        (rehearsed(*GUESSES, data=link(0.1), **SEQUENCES), ("problem", "not learned")),
        (rehearsed(*GUESSES, training=0.2, share=0.3, data=link(0.1), **SEQUENCES), ("problem", "learned by heart")),
        (rehearsed(*GUESSES, data=link(0.14), **SEQUENCES), None),  # the neighbours tell something
        (rehearsed(*GAINS, data=link(0.1), **SEQUENCES), None),  # the network does
        (rehearsed(*GUESSES, answers={"own": 0.17}, data=link(0.1), **SEQUENCES), None),
        (rehearsed(*GUESSES, data={}, **SEQUENCES), ("problem", "not learned")),  # a target at every position
        (rehearsed(*GUESSES, share=0.9, data=link(0.1)), ("problem", "no link")),  # of a table
        (rehearsed(*GUESSES, answers={"after": 0.17}, data=link(0.1)), ("problem", "shifted")),
        (rehearsed(*GUESSES, answers={"after": 0.15}, data=link(0.14)), None),
    ],
)
def test_misaligned_data_by_a_rehearsal(recording: Recording, expected: tuple[str, str] | None) -> None:
    assert verdict("misaligned-data", recording, checkup=True) == expected


@pytest.mark.parametrize("share", [0.9, math.nan])
def test_what_a_short_rehearsal_has_not_learned_is_not_examined(share: float) -> None:
    with pytest.raises(NotExaminedError, match="so short"):
        verdict("misaligned-data", rehearsed(*GUESSES, share=share, data=link(0.1), **SEQUENCES), checkup=True)


LEARNED = {"own": 0.6, "surest": 0.6, "surest_rows": 100}


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        (rehearsed(*GAINS, answers=LEARNED), ("problem", "sure answers")),
        (rehearsed(*GAINS, answers=LEARNED | {"surest": 0.75}), ("observation", "sure answers")),  # up to 82 %
        (rehearsed(*GAINS, answers=LEARNED | {"own": 0.15}), None),  # nothing was learned
        (rehearsed(*GAINS, answers=LEARNED, data=labels(0.0, 0.7)), None),  # neighbours do better
        (rehearsed(*GAINS, answers=LEARNED, data={"training": {"rows": 100}}), None),
        (rehearsed(*GAINS, share=0.5, answers=LEARNED, data=labels(0.0)), None),  # it is still learning
        (rehearsed(2.3, 1.04, 1.02, 1.0, share=0.5, answers=LEARNED), ("problem", "sure answers")),
        (rehearsed(*GAINS, answers=LEARNED | {"surest": 1.0}, data=labels(0.3, 0.7)), ("observation", "all labels")),
        (rehearsed(*GAINS, data=labels(0.3, 0.7)), ("problem", "all labels")),
        (rehearsed(*GAINS, share=0.5, data=labels(0.3, 0.7)), ("observation", "all labels")),  # it is still learning
        (rehearsed(*GAINS, answers=LEARNED | {"surest": 1.0}, data=labels(0.2)), ("problem", "training labels")),
        (rehearsed(*GAINS, data=labels(0.2, copies=0.5)), None),  # rows whose neighbours are themselves
    ],
)
def test_noisy_labels_by_a_rehearsal(recording: Recording, expected: tuple[str, str] | None) -> None:
    assert verdict("noisy-labels", recording, checkup=True) == expected


def test_targets_of_other_rows_by_a_rehearsal() -> None:
    answers = {"own": 0.5, "luck": 0.2, "order": 0.0, "mixture": 0.5, "mixture_gain": 0.2}
    assert verdict("noisy-labels", rehearsed(*GAINS, answers=answers), checkup=True) == ("problem", "other targets")
    assert verdict("noisy-labels", rehearsed(*GAINS, answers=answers | {"mixture": 0.86}), checkup=True) is None


@pytest.mark.parametrize(
    ("found", "share", "expected"),
    [
        (2, 1.0, ("problem", "decision")),
        (38, 1.0, ("observation", "")),  # found all the same
        (38, 0.9, ("problem", "")),  # which a part of the training does not tell
    ],
)
def test_a_rehearsal_tells_whether_rare_classes_suffer(found: int, share: float, expected: tuple[str, str]) -> None:
    classes = {"samples": [40] * 10, "right": [found] + [38] * 9, "right_adjusted": [38] * 10,
               "predicted": [found] + [40] * 9}  # fmt: skip
    counts = {"0": 8, **{str(label): 200 for label in range(1, 10)}}
    recording = rehearsed(*GAINS, share=share, counts=counts, classes=classes)
    assert verdict("class-imbalance", recording, checkup=True) == expected
    recording.facts["classes"]["predicted"] = [0, 400, *[0] * 8]
    assert verdict("class-imbalance", recording, checkup=True) == ("problem", "")


@pytest.mark.parametrize(
    ("size", "expected"), [(3, ("problem", "")), (4, None), (0, None)]
)  # 0: the batch was not seen
def test_before_training_samples_are_counted_and_not_their_positions(
    size: int, expected: tuple[str, str] | None
) -> None:
    recording = make(batch_size=size, batch_norm={"norm": 64 * size or 64}, checkup={})
    assert verdict("batchnorm-small-batch", recording, checkup=True) == expected
    assert verdict("batchnorm-small-batch", recording) == (("observation", "") if 0 < size < 4 else None)


def weights(size: float, *, norms: bool, name: str = "fc") -> Recording:
    """Three layers of 64 inputs whose weights have this gain, in a checkup that could not fit its batch."""
    layers = tuple(Layer(f"{name}{i}", "Linear", "weight", 64, (64, 64), i) for i in range(3))
    once = np.arange(1)
    series = {("weight_rms", one.name): Series(once, np.array([size / 8])) for one in layers}
    series |= {("activation_rms", one.name): Series(once, np.ones(1)) for one in layers}
    series |= {("backward_rms", one.name): Series(once, np.ones(1)) for one in layers}
    series["loss", ""] = Series(np.arange(20), np.full(20, 2.3))
    entries = [{"name": "norm.weight", "shape": [64]}] if norms else []
    facts = {"steps": 20, "parameters": entries, "checkup": {}}
    return Recording(layers, {}, facts, {}, "completed", _series=series)


@pytest.mark.parametrize(("size", "norms", "found"), [(4.1, True, True), (3.9, True, False), (4.1, False, False)])
def test_norms_hide_weights_that_are_too_large(size: float, norms: bool, found: bool) -> None:
    expected = ("problem", "hidden by norms") if found else None
    assert verdict("poor-initialization", weights(size, norms=norms), checkup=True) == expected


def test_over_which_dimensions_a_weight_of_ones_own_sums_is_not_known() -> None:
    """Batched matrices, four of 16 × 16, are He normal where a convolution of this shape would stretch fourfold."""
    recording = weights(1.0, norms=True)
    own = tuple(replace(layer, kind="Grouped", shape=(4, 16, 16)) for layer in recording.layers)
    size = {("weight_rms", layer.name): Series(np.arange(1), np.array([0.3])) for layer in own}
    recording = replace(recording, layers=own, _series=recording._series | size)
    assert verdict("poor-initialization", recording, checkup=True) is None
    kernels = tuple(replace(layer, kind="Conv1d") for layer in own)
    found = verdict("poor-initialization", replace(recording, layers=kernels), checkup=True)
    assert found == ("problem", "hidden by norms")


def shrinking(span: float, share: float, fitted: float = 0.12, validation: float = 1.5) -> Recording:
    """Six layers through which the signal loses `span` decades; the first are updated `share` as much as the last.

    `fitted`: share of the loss of a guess that is gone on the one batch; `validation`: loss of the rehearsal.
    """
    layers = tuple(Layer(f"fc{i}", "Linear", "weight", 64, (64, 64), i) for i in range(6))
    once = np.arange(1)
    series = {("backward_rms", one.name): Series(once, np.array([10 ** (-span * (4 - i) / 4)]))
              for i, one in enumerate(layers)}  # fmt: skip
    series |= {("update_ratio", one.name): Series(once, np.array([share if i < 1 else 1.0]))
               for i, one in enumerate(layers)}  # fmt: skip
    series["loss", ""] = Series(np.arange(20), np.full(20, (1 - fitted) * CHANCE))
    facts = {"steps": 20, "checkup": {"rehearsal": {"validation": [validation]}}, "loss": {"name": "cross_entropy"},
             "targets": {"classes": {str(label): 100 for label in range(10)}}}  # fmt: skip
    return Recording(layers, {}, facts, {}, "completed", _series=series)


def level(recording: Recording) -> str | None:
    found = verdict("vanishing-gradient", recording, checkup=True)
    return found[0] if found else None


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        (shrinking(2.9, 0.009), None),
        (shrinking(3.1, 0.009), "problem"),
        (shrinking(3.1, 0.011), "observation"),
        (shrinking(4.9, 0.011), "observation"),
        (shrinking(5.1, 0.011), "problem"),
        (shrinking(3.1, 0.011, fitted=0.09), "problem"),  # not even one batch
        (shrinking(3.1, 0.011, validation=2.31), "problem"),  # steps as large that lead nowhere
    ],
)
def test_a_signal_that_shrinks_and_is_enough_to_learn_by(recording: Recording, expected: str | None) -> None:
    assert level(recording) == expected
    trained = replace(recording, facts={name: one for name, one in recording.facts.items() if name != "checkup"})
    assert (verdict("vanishing-gradient", trained) or [None])[0] == ("problem" if expected else None)  # its loss tells


@pytest.mark.parametrize(("optimizer", "expected"), [("SGD", "problem"), ("Adam", "observation")])
def test_where_nothing_was_rehearsed_the_optimizer_tells_whether_steps_mean_learning(
    optimizer: str, expected: str
) -> None:
    recording = shrinking(3.1, 0.011)
    recording.facts["checkup"] = {}
    assert level(replace(recording, environment={"optimizer": optimizer})) == expected


@pytest.mark.parametrize(("size", "cause"), [(1.0, "never trained"), (1.2, "declared frozen")])
def test_recurrent_weights_frozen_as_they_were_drawn(size: float, cause: str) -> None:
    name = "rnn.weight_hh_l0"
    layer = Layer(name, "GRU", "weight", 96 * 32, (96, 32), 0)
    entry = {"name": name, "shape": [96, 32], "requires_grad": False}
    series = {("weight_rms", name): Series(np.arange(1), np.array([size / math.sqrt(3 * 32)]))}
    facts = {"steps": 20, "parameters": [entry], "checkup": {}}
    recording = Recording((layer,), {}, facts, {}, "completed", _series=series)
    found = verdict("frozen-parameters", recording, checkup=True)
    assert found is not None
    assert found[1] == cause


# -- what is measured


def sound(*, held: bool = True, epochs: int = 4) -> tc.Setup:
    torch.manual_seed(0)
    x = torch.randn(400, 5)
    data = TensorDataset(x, (x[:, 0] > 0).long())
    model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    loader = DataLoader(data, 20, shuffle=True)
    return tc.Setup(model, nn.CrossEntropyLoss(), optimizer, loader, DataLoader(data, 100) if held else None, epochs)


def test_a_rehearsal_tells_how_far_it_came() -> None:
    found = rehearse(sound(), 80)
    assert (found["steps"], found["share"]) == (80, 1.0)
    assert found["validation"][-1] < 0.3
    assert found["answers"]["surest"] > 0.95
    cut = rehearse(sound(epochs=10_000), 200_000, seconds=0.2)
    assert 0 < cut["share"] < 0.1
    assert len(cut["validation"]) == 4
    late = rehearse(sound(epochs=10_000), 200_000, until=time.perf_counter() + 0.5)
    assert 0 < late["share"] < 0.1


def test_nothing_is_rehearsed_without_rows_held_back_or_time() -> None:
    assert rehearse(sound(held=False), 80) == {}
    assert rehearse(sound(), 80, seconds=0.0) == {}
    assert rehearse(sound(), 80, until=time.perf_counter()) == {}


def test_a_number_that_is_not_finite_only_after_a_while_is_seen() -> None:
    def breaks(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        loss = nn.functional.cross_entropy(output, target)
        return loss / (loss.detach() > 0.1)

    def make(seed: int) -> tc.Setup:
        setup = sound(epochs=30)
        setup.loss_fn = breaks
        return setup

    assert rehearse(make(0), 600)["non_finite"]
    found = tc.checkup(make)
    assert "non-finite" in [finding.problem for finding in found.problems]
    assert found.recording.facts["checkup"]["rehearsal"] == {}


def test_targets_that_the_loss_gets_as_another_kind_are_those_that_it_gets() -> None:
    def make(seed: int) -> tc.Setup:
        setup = sound()
        setup.loss_fn = lambda output, target: nn.functional.mse_loss(output[:, 0], target.float())
        return setup

    found = tc.checkup(make)
    assert found.recording.facts["targets"]["dtype"] == "float32"
    assert [finding.cause for finding in found.problems if finding.problem == "loss-output-mismatch"] == [
        "class numbers"
    ]
