"""Classes, labels and pairs: their rules on hand-made recordings, just under and just over each limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hand_made import EVEN, GOOD, GUESSED, LEARNS, STALLS, TURNED, found, labels, make, verdict

from trainclinic.diagnose.causes import explain
from trainclinic.diagnose.problem import NotExaminedError
from trainclinic.recording import Recording, Series
from trainclinic.records import Finding

# -- class-imbalance


def imbalanced(right: int, adjusted: int, *, lost: int = 0, count: int = 40, ratio: int = 25) -> Recording:
    """The first class once for `ratio` samples of each other one; a shift costs each of these `lost` right answers."""
    recording = make(counts={**EVEN, "0": 200 // ratio})
    recording.facts["classes"] = {
        "samples": [count] + [40] * 9, "right": [right] + [38] * 9, "right_adjusted": [adjusted] + [38 - lost] * 9,
        "predicted": [right] + [40] * 9,
    }  # fmt: skip
    return recording


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        (imbalanced(10, 35), ("problem", "decision")),
        (imbalanced(10, 35, ratio=10), None),  # not above the limit
        (imbalanced(35, 36), ("observation", "")),  # found all the same
        (imbalanced(10, 35, lost=4), ("observation", "")),  # a shift takes as much as it gives
        (imbalanced(27, 30), ("problem", "behind")),  # 0.675 against 0.95: at least 0.13 less
        (imbalanced(29, 32), ("observation", "")),
        (imbalanced(32, 36), ("observation", "")),  # 4 of 40 more: chance
        (imbalanced(1, 4, count=4), ("problem", "unseen")),  # four samples say nothing, and never will
        (imbalanced(1, 4, count=4, ratio=12), ("observation", "")),
        (imbalanced(0, 0), ("problem", "not learned")),
    ],
)
def test_class_imbalance(recording: Recording, expected: tuple[str, str] | None) -> None:
    assert verdict("class-imbalance", recording) == expected


def test_a_net_that_answers_one_class_only_is_not_the_rare_class_s_fault() -> None:
    recording = imbalanced(0, 0)
    recording.facts["classes"]["right"] = [0, 40] + [0] * 8
    recording.facts["classes"]["predicted"] = [0, 400] + [0] * 8
    recording.facts["targets"]["classes"]["0"] = 15
    assert verdict("class-imbalance", recording) == ("observation", "")


@pytest.mark.parametrize(("ratio", "level"), [(10, None), (20, "observation"), (25, "problem")])
def test_before_training_the_ratio_of_the_classes_decides(ratio: int, level: str | None) -> None:
    finding = found("class-imbalance", make(counts={**EVEN, "0": 200 // ratio}), checkup=True)
    assert (finding.level if finding else None) == level


@pytest.mark.parametrize(
    "recording",
    [
        make(targets={"classes": {"0": 5, "1": 995}, "shape": [64, 12]}),  # a text
        make(targets={"classes": {"0": 5, "1": 995}, "shape": [768]}),  # the same, flattened
        make(counts={"0": 5, "1": 995}, data={"order": {"pairs": 900, "alike": 1.0, "expected": 0.5, "score": 30.0}}),
        make(targets={"dtype": "float32", "shape": [64]}),
    ],
)
def test_frequencies_that_are_not_those_of_samples_are_not_judged(recording: Recording) -> None:
    with pytest.raises(NotExaminedError):
        found("class-imbalance", recording)


# -- noisy-labels


@pytest.mark.parametrize(
    ("odd", "held", "validation", "right", "expected"),
    [
        (0.2, 0.95, TURNED, 0.75, ("problem", "training labels")),
        (0.2, 0.95, GOOD, 0.95, ("observation", "training labels")),  # nothing learned by heart
        (0.04, 0.95, TURNED, 0.75, None),  # 4 % of 500 may be 3 %
        (0.06, 0.95, TURNED, 0.75, ("problem", "training labels")),
        (0.2, 0.8, TURNED, 0.75, ("problem", "all labels")),
        (0.1, 0.8, TURNED, 0.75, ("observation", "all labels")),  # classes that overlap look like this
        (0.2, 0.95, np.full(20, 1.0), 0.75, ("problem", "training labels")),  # below what the neighbours reach
    ],
)
def test_noisy_labels(odd: float, held: float, validation: Any, right: float, expected: tuple[str, str] | None) -> None:
    assert verdict("noisy-labels", make(LEARNS, validation, right=right, data=labels(odd, held))) == expected


def test_sequences_and_tokens_may_contradict_their_neighbours_where_labels_are_right() -> None:
    for inputs in ({"kind": "integer", "shape": [64, 12]}, {"kind": "float", "shape": [64, 24, 2]}):
        recording = make(LEARNS, TURNED, right=0.75, data=labels(0.2, 0.8), inputs=inputs)
        assert verdict("noisy-labels", recording) == ("observation", "all labels")


@pytest.mark.parametrize(("link", "level"), [(0.76, "observation"), (0.66, "problem")])
def test_so_many_wrong_labels_need_no_further_harm(link: float, level: str) -> None:
    finding = found("noisy-labels", make(STALLS, data=labels(0.3, 0.95, link)))
    assert finding is not None
    assert finding.level == level


def test_a_net_that_does_not_learn_does_not_learn_wrong_labels_by_heart() -> None:
    recording = make(STALLS, np.full(20, 2.3), right=0.1, data=labels(0.15))
    assert verdict("noisy-labels", recording) == ("observation", "training labels")


@pytest.mark.parametrize(
    ("odd", "held", "level"),
    [(0.1, 0.95, "problem"), (0.1, 0.8, "observation"), (0.2, 0.8, "observation"), (0.02, 0.95, None)],
)
def test_labels_are_judged_before_training(odd: float, held: float, level: str | None) -> None:
    finding = found("noisy-labels", make(data=labels(odd, held)), checkup=True)
    assert (finding.level if finding else None) == level


@pytest.mark.parametrize(
    "recording",
    [
        make(data=labels(0.3, unanimous=40)),
        make(data=labels(0.3), loss={"name": "cross_entropy", "graph": [{"loss": "nll_loss"}, {"loss": "nll_loss"}]}),
        make(),
        make(data={"link": {"rows": 500, "agreement": 0.7, "null": -0.1, "guess": 0.0}}),  # real targets
    ],
)
def test_labels_that_cannot_be_judged(recording: Recording) -> None:
    with pytest.raises(NotExaminedError):
        found("noisy-labels", recording)


# -- misaligned-data

NO_LINK = {"link": {"rows": 1000, "agreement": 0.1, "null": 0.13, "guess": 0.1}}
LINKED = {"rows": 1000, "agreement": 0.95, "null": 0.13, "guess": 0.1}


@pytest.mark.parametrize(
    ("agreement", "loss", "validation", "right", "expected"),
    [
        (0.12, LEARNS, GUESSED, 0.1, ("problem", "learned by heart")),
        (0.12, STALLS, GUESSED, 0.1, ("problem", "not learned")),
        (0.14, LEARNS, GUESSED, 0.1, None),  # neighbours tell more than permuted ones
        (0.12, LEARNS, GOOD, 0.95, None),  # parity: the net finds what neighbours do not
        (0.12, LEARNS, GUESSED, 0.3, None),  # a weighted loss, and answers that are none the worse
    ],
)
def test_misaligned_data(
    agreement: float, loss: Any, validation: Any, right: float, expected: tuple[str, str] | None
) -> None:
    data = {"link": {**NO_LINK["link"], "agreement": agreement}}
    assert verdict("misaligned-data", make(loss, validation, right=right, data=data)) == expected


@pytest.mark.parametrize(
    ("network", "fit", "expected"),
    [
        (0.18, 0.18, ("observation", "not learned")),
        (0.20, 0.18, None),  # a tenth of what a guess leaves
        (0.18, 0.20, None),  # the fit knows something: it is the training that failed
        (0.18, np.nan, None),
    ],
)
def test_where_a_fit_in_closed_form_knows_nothing_either(network: float, fit: float, expected: Any) -> None:
    data = {**NO_LINK, "validation": {"rows": 400, "closed_form": fit}}
    recording = make(LEARNS, GUESSED, right=0.3, data=data)  # some evaluation was better than a guess
    recording._series["validation_accuracy", ""] = Series(np.arange(20), np.full(20, network))
    assert verdict("misaligned-data", recording) == expected


@pytest.mark.parametrize(
    ("held", "loss", "validation", "right", "found_"),
    [(0.0, LEARNS, GUESSED, 0.0, True), (0.3, LEARNS, GUESSED, 0.0, False), (0.0, LEARNS, GOOD, 0.95, False)],
)
def test_a_validation_set_that_goes_with_another_training_set(
    held: float, loss: Any, validation: Any, right: float, found_: bool
) -> None:
    data = {"link": LINKED, "validation": {"rows": 400, "agreement": held}}
    recording = make(loss, validation, right=right, data=data)
    assert verdict("misaligned-data", recording) == (("problem", "validation") if found_ else None)
    assert (verdict("misaligned-data", recording, checkup=True) is not None) == (held == 0.0)


def test_before_training_only_tables_and_images_are_held_to_their_neighbours() -> None:
    assert verdict("misaligned-data", make(data=NO_LINK), checkup=True) == ("problem", "no link")
    for inputs in ({"kind": "float", "shape": [64, 24, 2]}, {"kind": "integer", "shape": [64, 24]}):
        with pytest.raises(NotExaminedError, match="sequences"):
            found("misaligned-data", make(data=NO_LINK, inputs=inputs), checkup=True)


@pytest.mark.parametrize(
    ("change", "validation"),
    [({"rows": 100}, GUESSED), ({"guess": 0.8}, GUESSED), ({}, None)],
)
def test_a_link_that_could_not_show_or_a_run_without_validation(change: dict[str, Any], validation: Any) -> None:
    data = {"link": {**NO_LINK["link"], **change}}
    with pytest.raises(NotExaminedError):
        found("misaligned-data", make(LEARNS, validation, data=data))


@pytest.mark.parametrize(
    ("loss", "root"), [(LEARNS, "misaligned-data"), (STALLS, "learning-rate-too-low")], ids=["by heart", "not learned"]
)
def test_what_was_learned_by_heart_acquits_the_net_and_what_was_not_does_not(loss: Any, root: str) -> None:
    pairs = found("misaligned-data", make(loss, GUESSED, right=0.1, data=NO_LINK))
    assert pairs is not None
    slow = Finding("learning-rate-too-low", "problem", 1.0, 0.8, (), (0, 199), ())
    first, second = explain([slow, pairs])
    assert (first.problem, second.explained_by) == (root, root)
