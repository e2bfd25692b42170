"""What the last evaluation tells of the targets, on answers whose story is known; and what rules make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hand_made import make, verdict
from torch import Tensor, nn
from torch.nn import functional as F

import trainclinic as tc
from trainclinic.measure.answers import ROWS, Answers


def told(name: str, output: Tensor, target: Tensor) -> dict[str, Any]:
    """As an evaluation in two batches would show it."""
    answers = Answers()
    for rows in torch.arange(len(output)).chunk(2):
        answers.add(name, output[rows], target[rows])
    answers.end()
    return answers.to_dict()


def classes(count: int = 600, kinds: int = 4) -> tuple[Tensor, Tensor, torch.Generator]:
    """Scores of a good network: the surer the more they differ; and the classes it names."""
    draw = torch.Generator().manual_seed(0)
    labels = torch.randint(kinds, (count,), generator=draw)
    scores = F.one_hot(labels, kinds) * (1 + 3 * torch.rand(count, 1, generator=draw))
    return scores, labels, draw


def test_wrong_labels_contradict_the_surest_answers_and_hard_samples_do_not():
    scores, labels, draw = classes()
    unsure = scores.amax(1) < 2
    hard = torch.where(unsure & (torch.rand(600, generator=draw) < 0.6), (labels + 1) % 4, labels)
    wrong = torch.where(torch.rand(600, generator=draw) < 0.4, (labels + 1) % 4, labels)
    assert told("cross_entropy", scores, hard)["surest"] == 1
    assert told("cross_entropy", scores, wrong)["surest"] == pytest.approx(0.6, abs=0.1)
    assert told("cross_entropy", scores, wrong)["surest_rows"] == 120


def test_yes_and_no_and_every_position_count_as_answers():
    scores, labels, _ = classes()
    yes = (labels > 1).float()
    assert told("binary_cross_entropy_with_logits", 4 * yes - 2, yes)["own"] == 1
    each = told("cross_entropy", scores.reshape(60, 10, 4).movedim(2, 1), labels.reshape(60, 10))
    assert (each["rows"], each["own"]) == (600, 1)
    assert each["guess"] == pytest.approx(0.25, abs=0.05)
    rare = torch.stack((yes, (labels > 2).float()), 1)
    assert told("binary_cross_entropy_with_logits", 4 * rare - 2, rare)["guess"] == pytest.approx(0.62, abs=0.05)


def test_targets_that_slipped_by_a_row_fit_the_answers_of_the_next():
    scores, labels, _ = classes()
    found = told("cross_entropy", scores, labels.roll(1))
    assert found["after"] > 0.9
    assert max(found["own"], found["before"], found["order"]) < found["luck"]
    x = torch.randn(400, 1, generator=torch.Generator().manual_seed(1))
    numbers = told("mse_loss", x, x.roll(-1, 0))
    assert numbers["before"] == pytest.approx(1, abs=0.02)
    assert numbers["own"] < numbers["luck"]


def test_other_rows_targets_are_a_mixture_and_noise_is_none():
    draw = torch.Generator().manual_seed(0)
    truth, noise = (torch.randn(600, 2, generator=draw) for _ in range(2))
    mixed = torch.where(
        torch.rand(truth.shape, generator=draw) < 0.5, truth[torch.randperm(600, generator=draw)], truth
    )
    half = told("mse_loss", truth / 2 + 0.1 * noise, mixed)  # what is best where half the targets are another row's
    assert half["mixture"] == pytest.approx(0.5, abs=0.1)
    assert half["mixture_gain"] > 0.1
    plain = told("mse_loss", truth, truth + 0.7 * noise)
    assert plain["mixture"] > 0.9 or plain["mixture_gain"] < 0.02


def test_a_figure_is_flattered_by_the_rows_that_are_known():
    scores, labels, _ = classes()
    copied = torch.arange(600) < 300
    wrong = torch.where(copied | (torch.arange(600) % 2 > 0), labels, (labels + 1) % 4)  # of the others half are right
    answers = Answers()
    answers.add("cross_entropy", scores, wrong)
    assert answers.to_dict((copied, wrong))["flattered"] == pytest.approx(0.25)
    assert "flattered" not in answers.to_dict((copied, wrong.roll(1)))  # the rows came in another order
    assert "flattered" not in answers.to_dict((torch.arange(600) < 590, wrong))  # too few others
    assert "flattered" not in answers.to_dict()


def test_what_cannot_be_read_gives_no_numbers_and_much_is_bounded():
    scores, labels, _ = classes(20)
    assert told("cross_entropy", scores, labels) == {}  # too few
    scores, labels, _ = classes()
    assert told("nll_loss", scores, labels) == {}
    assert told("cross_entropy", scores * torch.nan, labels) == {}
    assert told("mse_loss", torch.zeros(100, 1), torch.zeros(100)) == {}  # broadcast
    assert told("mse_loss", torch.zeros(100, 1), torch.zeros(100, 1))["mixture"] == 1
    answers = Answers()
    for _ in range(100):
        answers.add("cross_entropy", scores, labels)
    assert sum(len(rows) for rows, _ in answers._now) <= ROWS + len(scores)


def test_a_watched_evaluation_has_its_answers():
    scores, labels, _ = classes(200)
    model = nn.Linear(4, 4)
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    with tc.watch(model, optimizer) as watch:
        for _ in range(20):
            optimizer.zero_grad()
            F.cross_entropy(model(scores), labels).backward()
            optimizer.step()
        with torch.no_grad():
            F.cross_entropy(model(scores), labels)
    assert watch.recording.facts["answers"]["surest"] == 1


# -- what the rules make of it

RESTS = [2.3, 1.9, 1.5, 1.5, 1.45, 1.4]  # 0.07 in the later half
SURE = {"rows": 600, "own": 0.6, "luck": 0.3, "surest_rows": 120, "before": 0.1, "after": 0.1, "order": 0.1}
NUMBERS = {"rows": 600, "own": 0.6, "luck": 0.2, "before": 0.0, "after": 0.0, "order": 0.0}
LABELS = {"link": {"rows": 1000, "agreement": 0.5, "null": 0.13, "guess": 0.1, "odd": 0.0, "unanimous": 500}}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({**SURE, "surest": 0.7}, ("problem", "sure answers")),
        ({**SURE, "surest": 0.75}, ("observation", "sure answers")),  # 120 rows may be 0.82 of all
        ({**SURE, "surest": 0.86}, None),
        ({**SURE, "surest": 0.7, "own": 0.29}, None),  # surer by more than luck
        ({**SURE, "surest": 0.5, "own": 0.27}, ("observation", "sure answers")),  # by two standard errors no luck
        ({**SURE, "surest": 0.5, "own": 0.25}, None),  # nothing was learned that a label could contradict
        ({**NUMBERS, "own": 0.51, "mixture": 0.5, "mixture_gain": 0.06}, ("problem", "other targets")),
        ({**NUMBERS, "own": 0.53, "mixture": 0.5, "mixture_gain": 0.06}, ("observation", "other targets")),
        ({**NUMBERS, "own": 0.61, "mixture": 0.5, "mixture_gain": 0.06}, None),  # more than half of it is right
        ({**NUMBERS, "own": 0.5, "mixture": 0.5, "mixture_gain": 0.04}, ("observation", "other targets")),
        ({**NUMBERS, "own": 0.5, "mixture": 0.5, "mixture_gain": 0.01}, None),
        ({**NUMBERS, "own": 0.09, "mixture": 0.5, "mixture_gain": 0.06}, None),  # it may be luck
        ({**NUMBERS, "mixture": 0.82, "mixture_gain": 0.3}, None),
    ],
)
def test_answers_tell_of_noisy_labels(answers: dict[str, float], expected: tuple[str, str] | None) -> None:
    losses = (np.linspace(2.3, 1.4, 200), RESTS)
    assert verdict("noisy-labels", make(*losses, answers=answers, data=LABELS)) == expected
    assert verdict("noisy-labels", make(*losses, answers=answers)) == expected  # neighbours were not seen
    assert verdict("noisy-labels", make(losses[0], [*RESTS[:-1], 1.3], answers=answers)) is None  # it is still learning


@pytest.mark.parametrize(
    ("changes", "slipped"),
    [
        ({"after": 0.7, "own": 0.2}, True),
        ({"before": 0.7, "own": 0.2}, True),
        ({"after": 0.6}, False),  # no better than their own
        ({"after": 0.29, "own": 0.2}, False),  # luck
        ({"after": 0.7, "own": 0.2, "order": 0.5}, False),  # windows of one series
    ],
)
def test_answers_tell_of_targets_that_slipped(changes: dict[str, float], slipped: bool) -> None:
    recording = make(answers={**SURE, "surest": 0.9, **changes}, data=LABELS)
    assert verdict("misaligned-data", recording) == (("problem", "shifted") if slipped else None)


def test_what_no_loss_would_compare_or_nobody_could_name_is_left_out():
    scores, labels, _ = classes()
    assert told("mse_loss", torch.tensor(1.0).expand(2), torch.zeros(2)) == {}
    answers = Answers()
    answers.add("mse_loss", torch.tensor(1.0), torch.zeros(5))
    answers.add("binary_cross_entropy_with_logits", torch.tensor(1.0), torch.tensor(1.0))
    answers.add("cross_entropy", torch.eye(8).repeat(1, 1), torch.arange(8))  # each row's partner in the batch
    assert answers.to_dict() == {}
    ignored = torch.where(torch.arange(600) < 300, torch.tensor(255), labels)
    assert told("cross_entropy", scores, ignored)["rows"] == 300


def test_noise_of_two_sizes_is_no_mixture_of_targets():
    draw = torch.Generator().manual_seed(0)
    truth = torch.randn(800, 1, generator=draw)
    size = torch.where(torch.rand(800, 1, generator=draw) < 0.5, 0.1, 2.0)
    found = told("mse_loss", truth, truth + size * torch.randn(800, 1, generator=draw))
    assert found["mixture_gain"] < 0.05


def test_windows_of_a_series_hold_the_target_of_the_row_before():
    held = {"validation": {"rows": 400, "overlap": 1.0}}
    slipped = {**SURE, "surest": 0.9, "after": 0.7, "own": 0.2}
    assert verdict("misaligned-data", make(answers=slipped, data={**LABELS, **held})) is None
