"""Other processes and other threads."""

from __future__ import annotations

import pytest
from arms import both
from by_hand import compare, relu, tanh
from scenarios import X, Y, processes

import trainclinic as tc
from trainclinic import clinic_file

WIDE, TARGET = X.double(), Y.double()


def by_hand(first, act, last):
    def loss_of(hand):
        z = hand.linear(last, hand.act(act, tanh, hand.linear(first, WIDE), True))
        return (z - TARGET).square().mean()

    return loss_of


MLP = by_hand("0", "1", "2")


@pytest.mark.parametrize("scenario", [
    pytest.param(processes.iterable, marks=pytest.mark.row("IterableDataset, no workers")),
    pytest.param(processes.forked, marks=pytest.mark.row("DataLoader workers, fork")),
    pytest.param(processes.spawned, marks=pytest.mark.row("DataLoader workers, spawn")),
    pytest.param(processes.asking, marks=pytest.mark.row("DataLoader workers that call the watched model")),
])  # fmt: skip
def test_workers(scenario, tmp_path):
    """every value; the file holds what the training process saw"""
    [(diary, recording)] = both(scenario, path=tmp_path / "run.clinic")
    expected = diary.expected(MLP)
    compare(recording, expected)
    compare(tc.load(tmp_path / "run.clinic"), expected)


@pytest.mark.filterwarnings("ignore:.*only the process that this one was forked from")
@pytest.mark.row("a forked child trains the watched model")
def test_forked_training(tmp_path, monkeypatch):
    """every value of the parent; the child does not crash and writes nothing"""
    monkeypatch.setattr(clinic_file, "FLUSH_EVERY", 0.0)  # each step is written
    [(diary, recording)] = both(processes.forked_training, path=tmp_path / "run.clinic")
    expected = diary.expected(MLP)
    compare(recording, expected)
    compare(tc.load(tmp_path / "run.clinic"), expected)


@pytest.mark.row("training in another thread than the one that attached")
def test_other_thread(tmp_path):
    """every value, in memory and in the file"""
    [(diary, recording)] = both(processes.other_thread, path=tmp_path / "run.clinic")
    expected = diary.expected(MLP)
    compare(recording, expected)
    compare(tc.load(tmp_path / "run.clinic"), expected)


@pytest.mark.row("two trainings in two threads, one watch each")
def test_two_threads():
    """every value of each"""
    watched = both(processes.two_threads)
    for diary, recording in watched:
        compare(recording, diary.expected(by_hand("first", "tanh", "last")))
    rates = [recording.series("learning_rate", "group 0").values[0] for _, recording in watched]
    assert rates == pytest.approx([0.01, 0.005])


@pytest.mark.row("an evaluation thread beside the training")
def test_evaluation_thread():
    """every value, of the training passes alone"""

    def loss_of(hand):
        return (hand.linear("last", hand.act("act", relu, hand.linear("first", WIDE))) - TARGET).square().mean()

    [(diary, recording)] = both(processes.evaluation_thread)
    told = ["validation_loss", "validation_r2"]
    compare(recording, diary.expected(loss_of), but_for=told)
    assert recording.facts["modes"]["passes"] == {"train": len(diary.steps), "eval": 0}
