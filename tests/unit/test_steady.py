"""The short way through a step gives what the full path gives, whatever comes in between."""

from __future__ import annotations

import copy
import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import trainclinic as tc
from trainclinic.measure import steady

STEPS, WHEN = 150, 120  # what comes in between comes at step 120: the looks there are 103, 123, 147


class Net(nn.Module):
    """With a part that draws, one that counts, and one that fails on a batch that has a NaN."""

    def __init__(self):
        super().__init__()
        self.first, self.drop, self.out = nn.Linear(6, 8), nn.Dropout(0.2), nn.Linear(8, 3)
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x, extra=None):
        self.seen += 1
        h = self.drop(torch.tanh(self.first(x)))
        if extra == "raise":
            raise ValueError("forward failed")
        return self.out(h.log() if extra == "log" else h)


class Training:
    def __init__(self):
        torch.manual_seed(0)
        self.model = Net()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05)
        self.x, self.y = torch.randn(12, 6), torch.randint(3, (12,))

    def loss(self, *extra):
        return F.cross_entropy(self.model(self.x, *extra), self.y)

    def step(self, *extra, before=lambda: None):
        self.optimizer.zero_grad()
        loss = self.loss(*extra)
        before()
        loss.backward()
        before()
        self.optimizer.step()


def evaluation(training):
    with torch.no_grad():
        training.loss()
    training.step()


def evaluation_within(training):
    def evaluate():
        with torch.no_grad():
            training.loss()

    training.step(before=evaluate)


def in_eval_mode(training):
    training.model.eval()
    training.step()
    training.model.train()


def accumulation(training):
    training.loss().backward()
    training.step()


def batch_left_out(training):
    training.loss()
    training.step()


def failing_forward(training):
    with pytest.raises(ValueError, match="forward failed"):
        training.loss("raise")
    training.step()


def closure(training):
    def again():
        training.optimizer.zero_grad()
        loss = training.loss()
        loss.backward()
        return loss

    training.optimizer.step(again)


def another_optimizer(training):
    torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0).step()
    training.optimizer = torch.optim.Adam(training.model.parameters(), lr=0.01)
    training.step()


def other_loss(training):
    def differentiate():
        nn.Linear(6, 1)(training.x).sum().backward()

    training.step(before=differentiate)


def other_thread(training):
    def differentiate():
        thread = threading.Thread(target=lambda: nn.Linear(6, 1)(training.x).sum().backward())
        thread.start()
        thread.join()

    training.step(before=differentiate)


def by_name(training):
    training.optimizer.zero_grad()
    F.cross_entropy(training.model(x=training.x), training.y).backward()
    training.optimizer.step()


def step_without_backward(training):
    training.optimizer.step()


def scaled(training):
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    training.optimizer.zero_grad()
    scaler.scale(training.loss()).backward()
    scaler.step(training.optimizer)
    scaler.update()


def nan_in_the_model(training):
    training.step("log")


def nan_in_the_batch(training):
    kept, training.x = training.x, training.x.clone()
    training.x[3, 2] = torch.nan
    training.step()
    training.x = kept


def nan_in_the_gradient(training):
    training.optimizer.zero_grad()
    training.loss().backward()
    training.model.first.bias.grad[1] = torch.inf
    training.optimizer.step()


DISTURBANCES = [evaluation, evaluation_within, in_eval_mode, accumulation, batch_left_out, failing_forward, closure,
                another_optimizer, other_loss, other_thread, by_name, step_without_backward, scaled, nan_in_the_model,
                nan_in_the_batch, nan_in_the_gradient]  # fmt: skip


def watched(disturb):
    """What was recorded, the weights, and how many steps began on the short way, before and after the disturbance."""
    training, short = Training(), 0
    with tc.watch(training.model, training.optimizer) as watch:
        for number in range(STEPS):
            is_short = "before_step" in vars(watch)
            if number == WHEN:
                before, was_short = short, is_short
                disturb(training)
                assert watch.step == WHEN + 1
            else:
                training.step()
            short += is_short
    assert not set(vars(watch)) & set(steady._DOORS)
    weights = [parameter.detach() for parameter in training.model.parameters()]
    return watch.recording, weights, (before, was_short, short - before)


@pytest.mark.parametrize("disturb", DISTURBANCES)
def test_what_comes_in_between_is_seen_as_on_the_full_path(monkeypatch, disturb):
    found, weights, short = watched(disturb)
    assert short[1]
    monkeypatch.setattr(steady, "_WORTH", 10**9)  # never worth it
    expected, as_expected, none = watched(disturb)
    assert none == (0, False, 0)
    for weight, other in zip(weights, as_expected, strict=True):
        assert np.array_equal(weight.numpy(), other.numpy(), equal_nan=True)
    assert found.facts == expected.facts
    assert found._series.keys() == expected._series.keys()
    for key, series in expected._series.items():
        assert np.array_equal(found._series[key].steps, series.steps), key
        assert np.array_equal(found._series[key].values, series.values, equal_nan=True), key


def test_it_comes_back_after_a_look_and_after_an_evaluation():
    _, _, short = watched(evaluation)
    assert short[0] > 40
    assert short[2] > 10


@pytest.mark.parametrize("disturb", [accumulation, evaluation_within, closure, by_name, scaled])
def test_what_is_never_a_plain_step_is_not_tried_for_long(disturb):
    training, entered = Training(), 0
    with tc.watch(training.model, training.optimizer) as watch:
        for number in range(STEPS):
            (disturb if number >= 50 else Training.step)(training)
            entered += "before_step" in vars(watch) and number >= 50
    assert entered <= STEPS / steady._PATIENCE + 1


def test_a_copy_made_on_the_short_way_is_not_watched():
    training = Training()
    with tc.watch(training.model, training.optimizer) as watch:
        while "before_step" not in vars(watch):
            training.step()
        other = copy.deepcopy(training.model)
        steps = watch.step
        F.cross_entropy(other(training.x), training.y).backward()
        training.step()
        assert watch.step == steps + 1
