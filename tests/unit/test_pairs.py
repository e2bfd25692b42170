"""One run of a trial: how far it goes, when it is evaluated, and that looking changes nothing."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from small_cures import data, healthy, vanishing
from torch import nn

import trainclinic as tc
from trainclinic.prove import pairs
from trainclinic.prove.pairs import Job, run, score
from trainclinic.records import Dose

LENGTH = 80


def test_a_whole_run_is_evaluated_from_the_untrained_network_to_its_end():
    made = run(Job(healthy, 1))
    assert made.curve.steps == (0, 10, 20, 40, 60, 80)
    assert made.steps == LENGTH
    assert made.start == made.curve.values[0]
    assert made.half == made.curve.values[3]
    assert made.end == made.curve.values[-1]
    assert len(made.batches) == 8 * LENGTH
    assert made.by_loss().end == made.losses.values[-1] < made.losses.values[0]


def test_a_short_run_ends_at_its_share_whatever_the_loop_catches():
    def loop(setup):
        for _ in range(setup.epochs):
            for batch in setup.train_loader:
                try:
                    setup.optimizer.zero_grad()
                    setup.loss(batch).backward()
                    setup.optimizer.step()
                except Exception:
                    pytest.fail("the end of a short run is no error of the loop's")

    made = run(Job(lambda seed: dataclasses.replace(healthy(seed), loop=loop), 1, length=LENGTH, share=0.25))
    assert made.steps == 20
    assert made.curve.steps == (0, 10, 20)
    assert not made.curve.error


def test_a_hopeless_run_is_given_up_after_an_eighth():
    made = run(Job(healthy, 1, length=LENGTH, share=0.5, hopeless=math.inf))
    assert made.stopped
    assert made.steps == 10
    assert not run(Job(healthy, 1, length=LENGTH, share=0.5, hopeless=-math.inf)).stopped


def test_looking_on_the_way_changes_nothing(monkeypatch):
    def noisy(seed):
        setup = healthy(seed)
        setup.model.insert(2, nn.Dropout(0.3))
        return setup

    looked = run(Job(noisy, 1))
    monkeypatch.setattr(pairs, "EVALUATED", (0.125,))
    assert run(Job(noisy, 1)).curve.values[-1] == looked.curve.values[-1]


def test_a_part_in_eval_mode_stays_in_eval_mode():
    def frozen(seed):
        setup = healthy(seed)
        setup.model.insert(1, nn.BatchNorm1d(24))

        def loop(setup):
            setup.model.train()
            setup.model[1].eval()
            for batch in setup.train_loader:
                setup.optimizer.zero_grad()
                setup.loss(batch).backward()
                setup.optimizer.step()
                assert not setup.model[1].training
                assert setup.model.training

        return dataclasses.replace(setup, loop=loop)

    assert not run(Job(frozen, 1)).curve.error


def test_an_error_of_the_training_is_told_and_counts_as_the_worst():
    def broken(seed):
        def step(model, batch):
            calls.append(1)
            if len(calls) > 30:
                raise RuntimeError("out of memory")
            return nn.functional.cross_entropy(model(batch[0]), batch[1])

        calls = []
        return dataclasses.replace(healthy(seed), step=step, metric="loss")

    made = run(Job(broken, 1))
    assert "out of memory" in made.curve.error
    assert math.isnan(made.end)
    assert score("loss", made.end) == -math.log(pairs.WORST)


def test_a_remedy_that_does_not_fit_is_refused_and_nothing_is_trained():
    made = run(Job(healthy, 1, (Dose("replace-activation", {"activation": "ReLU"}),)))
    assert made.refused
    assert made.steps == 0


@pytest.mark.parametrize("arm", [(), (Dose("insert-batch-norm"),)])
def test_the_batches_of_both_arms_are_the_same(arm):
    assert run(Job(vanishing, 4, arm)).batches == run(Job(vanishing, 4)).batches
    assert run(Job(vanishing, 5, arm)).batches != run(Job(vanishing, 4)).batches


def test_a_loader_without_a_length_is_counted():
    class Endless:
        def __init__(self, loader):
            self.loader = loader

        def __iter__(self):
            return iter(self.loader)

    def make(seed):
        model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
        train, val = data(seed)
        return tc.Setup(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), Endless(train), val, 2)

    assert run(Job(make, 0)).curve.steps == (0, 4, 8, 16, 24, 32)


def test_the_beginning_of_a_whole_run_is_the_short_run_of_its_seed():
    whole = run(Job(vanishing, 3))
    short = run(Job(vanishing, 3, length=whole.steps, share=0.25))
    assert whole.until(0.25).curve == short.curve
    assert whole.until(0.25).problems == short.problems == ("vanishing-gradient",)
    assert whole.until(0.25).steps == short.steps
