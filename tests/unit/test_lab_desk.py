"""The desk: real processes that train, obey, queue, and end."""

from __future__ import annotations

import os
import signal
import time

import pytest

from trainclinic.lab.desk import Desk
from trainclinic.lab.experiment import values
from trainclinic.lab.page.kept import Kept
from trainclinic.lab.training import Order

SMALL = values({"depth": 2, "width": 16, "epochs": 3})
SICK = values({"depth": 20, "activation": "Sigmoid", "init": "xavier", "epochs": 10})
PATIENCE = 240  # seconds that anything may take on a busy machine


@pytest.fixture(scope="module")
def desk():
    made = Desk(2)
    made.warm_up()
    yield made
    made.close()


def until(condition, *trainings, kept=None):
    """Take what comes until the condition holds; all that has come."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, [(one.state, one.said) for one in trainings]
        for place, one in enumerate(trainings):
            for news in one.news():
                if kept is not None:
                    kept[place].add(news)
        time.sleep(0.01)


def test_a_training_tells_every_step_and_every_layer(desk):
    training, kept = desk.ask(Order(SMALL, pace="full")), Kept()
    until(lambda: training.over, training, kept=[kept])
    assert training.state == "ended"
    assert kept.loss.steps == list(range(66))
    assert kept.validation["accuracy"].steps == [0, 22, 44, 66]
    assert kept.heat["gradient_rms"].layers == ["Linear 1", "Linear 2", "Linear 3"]
    assert kept.news.step == kept.news.steps == 66
    assert kept.news.epoch == 3
    assert [finding.problem for finding in kept.findings] == ["undertrained"]  # three short epochs: so it is
    until(lambda: not training.is_alive(), training)


def test_a_training_that_stops_early_tells_its_validation_all_the_same(desk):
    settings = values({"depth": 2, "width": 16, "epochs": 60, "samples": 60, "learning_rate": 0.03, "patience": 2})
    training, kept = desk.ask(Order(settings, pace="full")), Kept()
    until(lambda: training.over, training, kept=[kept])
    losses = kept.validation["loss"].values
    assert kept.validation["accuracy"].steps == list(range(len(losses)))  # one batch an epoch
    assert 3 < len(losses) < 61
    assert kept.news.step == len(losses) - 1
    assert min(losses[1:]) == losses[-3], "two epochs without a better one end it"


def test_it_pauses_steps_and_goes_on(desk):
    training, kept = desk.ask(Order(SMALL, paused=True)), Kept()
    until(lambda: kept.news.step == 1 and training.state == "paused", training, kept=[kept])
    for step in (2, 3):
        training.tell("step")
        until(lambda step=step: kept.news.step == step and training.state == "paused", training, kept=[kept])
        time.sleep(0.2)
        assert not training.news()
    training.tell(("pace", "full"))
    training.tell("go")
    until(lambda: training.over, training, kept=[kept])
    assert training.state == "ended"
    assert kept.loss.steps == list(range(66))
    until(lambda: not training.is_alive())


def test_more_than_the_workers_wait_their_turn_and_none_sees_anothers_data(desk):
    orders = [Order(values({"depth": 2, "width": 16, "epochs": 1, "seed": seed}), pace="full") for seed in range(10)]
    trainings = [desk.ask(order) for order in orders]
    kept = [Kept() for _ in orders]
    assert [one.place for one in trainings] == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    until(lambda: all(one.over for one in trainings), *trainings, kept=kept)
    assert [one.state for one in trainings] == ["ended"] * 10
    assert all(one.loss.steps == list(range(22)) for one in kept)
    assert len({tuple(one.loss.values) for one in kept}) == 10
    again, alone = desk.ask(orders[7]), Kept()
    until(lambda: again.over, again, kept=[alone])
    assert alone.loss.values == kept[7].loss.values


def test_a_killed_process_is_told(desk):
    training = desk.ask(Order(SICK, pace="slow"))
    until(lambda: training.news() or training.state != "waiting", training)
    os.kill(training.pid, signal.SIGKILL)
    until(lambda: training.over, training)
    assert training.state == "died"
    assert not training.is_alive()


def test_closing_ends_the_process_and_lets_the_next_begin(desk):
    running = [desk.ask(Order(SICK, pace="slow")) for _ in range(2)]
    waiting = desk.ask(Order(SMALL, pace="full"))
    assert waiting.place == 1
    running[0].close()
    until(lambda: not running[0].is_alive(), running[1])
    until(lambda: waiting.over, waiting)
    assert waiting.state == "ended"
    running[1].close()
    until(lambda: not running[1].is_alive())


def test_what_cannot_be_trained_fails_in_words(desk):
    training = desk.ask(Order(SMALL, against="vanishing-gradient", pace="full"))
    until(lambda: training.over, training)
    assert training.state == "failed"
    assert "nothing to treat" in training.said.en
    assert "치료할 것이 없습니다" in training.said.ko


def test_a_remedy_that_does_not_fit_is_refused_in_words_of_both_languages(desk):
    training = desk.ask(Order(SICK, against="vanishing-gradient", remedy="he-init", pace="full"))
    until(lambda: training.over, training)
    assert training.state == "failed"
    assert "it is for ReLU and its kin" in training.said.en
    assert "He 초기화: ReLU 계열을 위한 것인데" in training.said.ko


def test_batch_normalisation_over_a_single_sample_is_refused_in_words(desk):
    training = desk.ask(Order(values({"norm": "batch", "samples": 1281, "batch_size": 128}), pace="full"))
    until(lambda: training.over, training)
    assert training.state == "failed"
    assert "1,281 samples in batches of 128, so that the last batch has 1" in training.said.en
    assert "마지막 배치에 1개만" in training.said.ko


def test_a_treatment_tells_what_was_tried_and_why_it_was_chosen(desk):
    training, kept = desk.ask(Order(SICK, against="vanishing-gradient", pace="full")), Kept()
    until(lambda: training.over, training, kept=[kept])
    choice = kept.choice
    untreated, *tries = choice.tried
    assert (untreated.remedies, untreated.outcome) == ((), "untreated")
    (taken,) = [one for one in tries if one.remedies == choice.treatment.remedies]
    assert taken.outcome == "cleared"
    assert choice.why == "cleared"
    assert taken.reached == max(one.reached for one in tries if one.outcome == "cleared") > untreated.reached
    assert choice.steps < kept.news.steps
    assert choice.measure == "accuracy"


def test_a_finding_carries_its_numbers_and_their_limits(desk):
    training, kept = desk.ask(Order(SICK, pace="full")), Kept()
    until(lambda: training.over, training, kept=[kept])
    (found,) = [one for one in kept.findings if one.problem == "vanishing-gradient"]
    (span,) = [one for one in found.evidence if one.signal == "backward_span"]
    assert span.observed < span.limit < 0
    assert (span.unit, span.side) == ("decades", "below")


@pytest.mark.slow
def test_a_treatment_is_chosen_and_trains_beside_the_sick_twin(desk):
    """Chapter 1 at depth 20: the twin stays at chance, treated it learns."""
    ends = []
    for seed in range(5):
        settings = values({"depth": 20, "activation": "Sigmoid", "init": "xavier", "seed": seed})
        pair = [desk.ask(Order(settings, pace="full")),
                desk.ask(Order(settings, against="vanishing-gradient", pace="full"))]  # fmt: skip
        kept = [Kept(), Kept()]
        until(lambda pair=pair: all(one.over for one in pair), *pair, kept=kept)
        assert [one.state for one in pair] == ["ended", "ended"]
        assert "vanishing-gradient" in [one.problem for one in kept[0].findings]
        assert "vanishing-gradient" not in [one.problem for one in kept[1].findings]
        assert kept[1].choice.treatment.changes
        ends.append([one.validation["accuracy"].values[-1] for one in kept])
    assert max(sick for sick, _ in ends) < 0.2
    assert sorted(treated for _, treated in ends)[2] >= 0.93, ends
