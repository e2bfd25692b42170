"""The benchmark of the diagnoses is what it is said to be, and works from the training to the figures."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from trainclinic import catalog
from trainclinic.diagnose.diagnose import PROBLEMS

pytest.importorskip("sklearn")
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import zoo
from diagnosis_zoo import judging, picture, report, runs
from diagnosis_zoo.faults import MOST, faults, further
from diagnosis_zoo.healthy import healthy
from diagnosis_zoo.outcome import Outcome, good, hurts
from diagnosis_zoo.runs import Run
from diagnosis_zoo.tasks import BEFORE, FRIEDMAN2, SEALED
from diagnosis_zoo.verified import verified

REPORT = [plan for plan in healthy() if plan.task.part == SEALED]
CHECKUPS = [plan for plan in healthy() if plan.task.part == BEFORE]


def tasks_of(plans):
    return {plan.task.name: plan.task for plan in plans}


def test_there_are_enough_healthy_setups():
    names = [plan.name for plan in healthy()]
    assert len(set(names)) == len(names)
    assert len(REPORT) * runs.SEEDS_HEALTHY >= 330
    assert len(CHECKUPS) >= 100
    assert len(names) - len(REPORT) - len(CHECKUPS) >= 62
    assert all(plan.epochs >= 8 for plan in healthy()), "validated too seldom"


@pytest.mark.parametrize("plans", [REPORT, CHECKUPS], ids=["report", "checkups"])
def test_what_is_reported_is_of_many_tasks_and_architectures(plans):
    tasks = tasks_of(plans).values()
    assert len(tasks) >= 18
    assert sum(not plan.known for plan in plans) >= 36
    assert {"accuracy", "label_accuracy", "r2"} == {task.metric for task in tasks}
    assert any(task.tokens for task in tasks)
    assert any(task.each for task in tasks)
    assert any(task.length == 12 for task in tasks)


def test_the_parts_are_all_there_is_and_share_nothing():
    report_part, development, checkups = runs.everything(), runs.everything(development=True), runs.before_training()
    names = [{run.name for run in part} for part in (report_part, development, checkups)]
    assert len(set.union(*names)) == sum(map(len, names))
    others = [fault for fault in faults() if fault.twin.task.part != BEFORE]
    wanted = (len(healthy()) - len(CHECKUPS)) * runs.SEEDS_HEALTHY + len(others) * runs.SEEDS_FAULTY
    assert len(report_part) + len(development) == wanted
    assert {plan.name for plan in CHECKUPS} < names[2]
    assert {run.name for run in runs.before_training(development=True)} < names[1]
    assert not any(fault.twin.task.sealed for fault in further())
    assert not any(runs.fault_of(run).twin.task.sealed for run in runs.more())


@pytest.mark.parametrize(("part", "most"), MOST.items())
def test_every_problem_has_its_faults(part, most):
    own = [fault for fault in faults() if fault.twin.task.part == part]
    names = [fault.name for fault in own]
    count = Counter(fault.problem for fault in own)
    assert len(set(names)) == len(names)
    assert len(names) * runs.SEEDS_FAULTY >= 420
    assert set(count) >= set(catalog.entries(PROBLEMS)) - {"unequal-replicas"}, "needs several processes, has its own"
    assert all(4 <= number <= most for number in count.values())
    assert all(len({fault.twin.family for fault in own if fault.problem == problem}) >= 2 for problem in count)


def test_what_is_accepted_has_a_reason():
    known = {fault.problem for fault in faults()}
    for fault in faults():
        assert bool(fault.dose.accepts) == bool(fault.dose.why), fault.name
        assert set(fault.dose.accepts) <= known - {fault.problem}, fault.name


def test_no_part_has_data_of_another():
    """No inputs are those of the zoo, on which the limits are set; no sealed ones are of the development part."""
    zoos = [value.data()[0] for value in vars(zoo).values() if isinstance(value, zoo.Task)]
    assert len(zoos) >= 10
    looked_at = tasks_of(plan for plan in healthy() if not plan.task.sealed)
    sealed = tasks_of([*REPORT, *CHECKUPS])
    assert not {*looked_at} & {*sealed}
    for task in looked_at.values():
        assert not alike(task.draw(0)[0], zoos), task.name
    seen = [*zoos, *(task.draw(0)[0] for task in looked_at.values())]
    for task in sealed.values():
        assert not alike(task.draw(0)[0], seen), task.name
        seen.append(task.draw(0)[0])


def alike(x, others):
    return any(x.shape == other.shape and torch.allclose(x.float(), other.float()) for other in others)


def test_a_fault_hurts_by_the_margin_that_was_fixed():
    twin = Outcome(score=0.95, loss=0.1, reported=0.95, risen=0.0)
    assert good(twin, FRIEDMAN2)
    assert not good(Outcome(0.95, 0.1, 0.95, risen=0.2), FRIEDMAN2)
    assert not good(Outcome(float("nan"), 0.1, 0.95, 0.0), FRIEDMAN2)
    assert hurts(Outcome(0.89, 0.1, 0.9, 0.0), twin, FRIEDMAN2)
    assert not hurts(Outcome(0.91, 0.1, 0.9, 0.0), twin, FRIEDMAN2)
    assert hurts(Outcome(float("nan"), 0.1, 0.9, 0.0), twin, FRIEDMAN2)
    assert hurts(Outcome(0.9, 0.1, 0.96, 0.0), twin, FRIEDMAN2, "report")
    assert not hurts(Outcome(0.93, 0.1, 0.96, 0.0), twin, FRIEDMAN2, "report")
    assert hurts(Outcome(0.95, 0.13, 0.9, 0.06), twin, FRIEDMAN2, "overfit")
    assert not hurts(Outcome(0.95, 0.13, 0.9, 0.04), twin, FRIEDMAN2, "overfit")
    assert hurts(Outcome(float("nan"), 0.1, 0.9, 0.0), twin, FRIEDMAN2, "breaks")
    assert not hurts(Outcome(0.5, 0.1, 0.9, 0.0), twin, FRIEDMAN2, "breaks")


def test_worse_at_all_is_by_however_little():
    twin = Outcome(score=0.95, loss=0.1, reported=0.96, risen=0.0)
    little = Outcome(score=0.9499, loss=0.1001, reported=0.96, risen=0.0)
    for how in ("score", "report", "overfit"):
        assert hurts(little, twin, FRIEDMAN2, how, at_all=True), how
        assert not hurts(twin, twin, FRIEDMAN2, how, at_all=True), how
    assert hurts(Outcome(float("nan"), float("nan"), 0.9, 0.0), twin, FRIEDMAN2, at_all=True)
    assert not hurts(little, twin, FRIEDMAN2, "breaks", at_all=True)


def chosen():
    """A healthy plan and two faults of it, as they stand in the benchmark."""
    plan = next(plan for plan in healthy() if plan.name == "one sigmoid layer, circles")
    own = [fault for fault in faults() if fault.twin.name == plan.name][:2]
    return [Run(plan.name, "", 0), *(Run(fault.name, fault.problem, 0) for fault in own)]


def test_from_the_training_to_the_figures(tmp_path):
    wanted = chosen()
    for run in wanted:
        runs.record(tmp_path, run)
    assert runs.missing(tmp_path, wanted) == []
    assert all((tmp_path / f"{run.stem}.clinic").exists() for run in wanted)
    found = verified(tmp_path, wanted)
    assert wanted[0] in found.healthy
    assert len(found.healthy) + len(found.faulty) == len(wanted)
    results = judging.rates(judging.ask(tmp_path, [*found.healthy, *found.faulty], workers=1), found, found)
    assert results["a problem found on a healthy run"]["runs"] == len(found.healthy)
    assert sum(sum(row.values()) for row in results["confusion"].values()) == len(wanted)
    assert "benchmarks/results/diagnosis.json" in report.section(results)
    picture.draw(results["confusion"], tmp_path / "confusion.svg")
    assert "root cause named first" in (tmp_path / "confusion.svg").read_text()


def answer(problem, named, seed, found=()):
    run = Run(next(fault.name for fault in faults() if fault.problem == problem), problem, seed)
    return judging.Answer(run, named, tuple(found) or ((named,) if named else ()), tuple(found), ())


def test_shares_know_that_seeds_belong_together():
    stale = [answer("stale-gradient", "stale-gradient", seed) for seed in range(3)]
    dead = [answer("dead-relu", "", seed) for seed in range(3)]
    found = judging.share([*stale, *dead], lambda one: one.named in one.right)
    assert (found["yes"], found["runs"], found["setups"], found["share"]) == (3, 6, 2, 0.5)
    assert (found["low"], found["high"]) == (0.0, 1.0), "two Setups say little, whatever their seeds"
    nothing = judging.share(dead, lambda one: one.named in one.right)
    assert nothing["high"] == pytest.approx(0.95)
    everything = judging.share(stale, lambda one: one.named in one.right)
    assert everything["low"] == pytest.approx(0.05)


def test_to_say_nothing_is_a_miss():
    found = runs_of("dead-relu")
    results = judging.rates([answer("dead-relu", "", run.seed) for run in found.faulty], found, found)
    assert results["root cause ranked first"]["yes"] == 0
    assert results["nothing found on a faulty run"]["share"] == 1.0
    assert results["confusion"] == {"dead-relu": {"nothing": 2}}


def runs_of(problem):
    from diagnosis_zoo.verified import Verified

    name = next(fault.name for fault in faults() if fault.problem == problem)
    return Verified(faulty=[Run(name, problem, seed) for seed in range(2)])
