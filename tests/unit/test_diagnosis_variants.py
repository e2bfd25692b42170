"""The benchmark's other ways to train are what they are said to be, and two faults at once are both there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

import trainclinic

pytest.importorskip("sklearn")
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import diagnosis_variants
from diagnosis_zoo import pairs, runs, scripts, variants
from diagnosis_zoo.faults import faults
from diagnosis_zoo.healthy import healthy
from diagnosis_zoo.judging import Answer
from diagnosis_zoo.pairs import Pair
from diagnosis_zoo.runs import Run
from diagnosis_zoo.variants import BF16, SCRIPT, THIRD, Job

TINY = "one sigmoid layer, circles"


def run_of(problem, words, twin=TINY):
    fault = next(one for one in faults() if one.problem == problem and one.name == f"{twin} | {words}")
    return Run(fault.name, fault.problem, 0)


@pytest.fixture
def one_epoch(monkeypatch):
    """The tiny plan with a single epoch, wherever it is asked for."""
    plan = next(plan for plan in healthy() if plan.name == TINY).but(epochs=1)
    for module in (runs, scripts, variants):
        monkeypatch.setattr(module, "plan_of", lambda run: plan)
    return plan


def test_a_pair_carries_both_faults():
    twin = "pyramid, friedman 2"
    pair = Pair(
        run_of("unscaled-inputs", "inputs times 300", twin),
        run_of("learning-rate-too-low", "learning rate a ten-thousandth", twin),
    )
    first, second = (runs.fault_of(run) for run in (pair.first, pair.second))
    assert pairs.places(first) == {"data"}
    assert pairs.places(second) == {"lr"}
    assert pairs.together(first, second)
    assert pair.plan.data == first.plan.data
    assert pair.plan.optimizer.keywords["lr"] == second.plan.optimizer.keywords["lr"]
    assert pairs.chosen([pair.first, pair.second], 5) == [Pair(*sorted((pair.first, pair.second), key=str))]


def test_what_overwrites_the_other_is_no_pair():
    twin = "few rows, gated"
    stale = run_of("stale-gradient", "zero_grad once an epoch", twin)
    penalty = run_of("over-regularized", "penalty of absolute weights", twin)
    assert not pairs.together(*map(runs.fault_of, (stale, penalty))), "both replace the loop"
    assert pairs.chosen([stale, penalty], 5) == []


def test_both_are_found_only_by_two_findings():
    twin = "pyramid, friedman 2"
    pair = Pair(
        run_of("poor-initialization", "deviation 0.005", "u-net, denoising"),
        run_of("exploding-gradient", "He's deviation times 8", twin),
    )
    one = Answer(pair.first, "poor-initialization", ("poor-initialization",), ("poor-initialization",), ())
    assert not diagnosis_variants.both_found(one, pair), "it stands for either, but for one"
    both = ("poor-initialization", "exploding-gradient")
    two = Answer(pair.first, both[0], both[:1], both, ())
    assert diagnosis_variants.both_found(two, pair)
    assert diagnosis_variants.explains(pair)


def test_the_script_trains_as_run_does_and_is_recorded_through_the_command(tmp_path, one_epoch, monkeypatch):
    run = Run(TINY, "", 0)
    text = scripts.text(run)
    assert "loss.backward()" in text
    # the script is a process of its own: there the plan is shortened by its own line
    shortened = text.replace("\nrandom.seed", "\nplan = plan.but(epochs=1)\nrandom.seed", 1)
    monkeypatch.setattr(scripts, "text", lambda run: shortened)
    variants.make(tmp_path, Job(SCRIPT, run))
    written = trainclinic.load(tmp_path / "a-script" / f"{run.stem}.clinic")
    plain = trainclinic.run(one_epoch.make, 0)
    assert written.steps == plain.steps > 10
    assert list(written.series("loss").values) == list(plain.series("loss").values)
    assert written.series("validation_loss").values[-1] == pytest.approx(plain.series("validation_loss").values[-1])


def test_a_plan_with_a_loop_of_its_own_keeps_it_in_the_script():
    text = scripts.text(run_of("stale-gradient", "zero_grad once an epoch", "few rows, gated"))
    assert "parts.loop(parts)" in text
    assert "backward" not in text


def test_training_in_bfloat16_is_another_training(tmp_path, one_epoch):
    run = Run(TINY, "", 0)
    variants.make(tmp_path, Job(BF16, run))
    found = trainclinic.load(tmp_path / "bf16-autocast" / f"{run.stem}.clinic").series("loss").values
    plain = trainclinic.run(one_epoch.make, 0).series("loss").values
    assert list(found) != list(plain)
    assert torch.allclose(torch.tensor(found), torch.tensor(plain), rtol=0.05)


def test_a_third_of_the_epochs():
    plan = next(plan for plan in healthy() if plan.name == TINY)
    assert variants.shortened(plan).epochs == round(plan.epochs / 3)
    assert variants.shortened(plan.but(epochs=1)).epochs == 1


def test_a_fault_brings_its_twin_where_outcomes_decide_again():
    fault = run_of("unscaled-inputs", "inputs times 300", "pyramid, friedman 2")
    assert [job.run.name for job in variants.jobs_of(THIRD, [fault])] == [fault.name, "pyramid, friedman 2"]
    assert [job.run.name for job in variants.jobs_of(SCRIPT, [fault])] == [fault.name]
