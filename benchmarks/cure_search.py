"""Searches for a cure side by side: ours, at random, and Optuna's TPE, over the same remedies and settings.

The target is never shown to any of them; each is stopped from outside.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from cure_common import FIXED, Options, Work, case, level, stem, twin
from torch.optim.optimizer import register_optimizer_step_post_hook

from trainclinic import catalog
from trainclinic.measure.run import build
from trainclinic.measure.shadow import generators_kept
from trainclinic.prove import cure as prove
from trainclinic.prove.pairs import Job, Run, run, score
from trainclinic.prove.trial import measure_for
from trainclinic.prove.workers import Workers
from trainclinic.records import Dose, Finding
from trainclinic.treat.operation import REMEDIES
from trainclinic.treat.remedy import RefusedError

SEEDS = (0, 100, 200, 300, 400)
MOST_RUNS = 20


def search(options: Options) -> Iterator[Work]:
    for name in FIXED:
        module = case(name)
        for seed in SEEDS:
            for method in ("trainclinic", "random", "tpe"):
                yield f"{name} {seed} {method}", lambda m=module, s=seed, how=method: _reached(m, s, how)


class _ReachedError(Exception):
    """The target is reached: the search may stop."""


class _Account:
    """Steps that a search has spent, and when a run of its first reached the target."""

    def __init__(self, measure: str, target: float, length: int) -> None:
        self._measure, self._target, self._length = measure, score(measure, target), length
        self.spent = 0

    def add(self, one: Run, whole: bool = True) -> None:
        """A run; a loss that will rise again passes the target early: there the end of a whole run counts alone."""
        curve = one.losses if self._measure == "loss" else one.curve
        points = list(zip(curve.steps, curve.values, strict=True))
        if self._measure == "loss":
            points = [(one.steps, points[-1][1])] if whole and points else []
        for step, value in points:
            if score(self._measure, value) >= self._target:
                self.spent += step
                raise _ReachedError
        self.spent += one.steps
        if self.spent >= MOST_RUNS * self._length:
            raise TimeoutError


_targets: dict[str, tuple[str, float, int]] = {}


def _reached(module: Any, seed: int, method: str) -> dict[str, Any]:
    measure, target, length = _target(module)
    account = _Account(measure, target, length)
    reached = False
    try:
        {"trainclinic": _ours, "random": _random, "tpe": _tpe}[method](module.faulty, seed, length, measure, account)
    except _ReachedError:
        reached = True
    except TimeoutError:
        pass
    return {"reached": reached, "steps": account.spent, "runs": round(account.spent / length, 2), "target": target}


def _target(module: Any) -> tuple[str, float, int]:
    name = module.__name__
    if name not in _targets:
        measure, value = twin(module.healthy, measure_for(stem(module)), 1)
        _targets[name] = measure, level(measure, value), run(Job(module.faulty, 0)).steps
    return _targets[name]


class _Counted(Workers):
    """Counts every optimizer step of the process: those of the runs, and those made while looking for settings."""

    def __init__(self, account: _Account) -> None:
        super().__init__(1)
        self._account, self._made, self._counted = account, 0, 0
        self._handle = register_optimizer_step_post_hook(self._another)

    def _another(self, *_: Any) -> None:
        self._made += 1

    def runs(self, jobs: Any) -> Iterator[Run]:
        for job, one in zip(jobs, super().runs(jobs), strict=True):
            self._account.spent += self._made - self._counted - one.steps
            self._counted = self._made
            if one.steps:
                self._account.add(one, job.share == 1.0)
            yield one

    def close(self) -> None:
        self._handle.remove()
        super().close()


def _ours(make: Any, seed: int, length: int, measure: str, account: _Account) -> None:
    """The search as it is; its proof's first treated run is the first whole run of the plan."""
    with _Counted(account) as workers:
        prove._Case(make, MOST_RUNS, seed, workers, lambda doing, share: None).cure()


def _space(make: Any, seed: int) -> list[Dose]:
    """The settings that each remedy offers for this training, against any problem that it treats.

    Those that a remedy learns by a test on a copy are a gift to the others: its steps are not charged to them.
    """
    found: list[Dose] = []
    with generators_kept():
        setup = build(make, seed)
        for name, kind in catalog.entries(REMEDIES).items():
            for problem in kind.treats:
                try:
                    options = kind.options(setup, Finding(problem, "problem", 1.0, 1.0, (), (0, 0), ()))
                    doses = [Dose(name, one.to_dict()) for one in options]
                    found += [dose for dose in doses if dose not in found]
                except RefusedError:
                    pass
            if not any(dose.remedy == name for dose in found):
                found.append(Dose(name, kind().to_dict()))
    return found


def _random(make: Any, seed: int, length: int, measure: str, account: _Account) -> None:
    """One to three remedies, drawn anew each time, one whole run each."""
    drawn, space = random.Random(seed), _space(make, seed)
    names = sorted({dose.remedy for dose in space})
    account.add(run(Job(make, seed, length=length, measure=measure)))
    while True:
        chosen = drawn.sample(names, drawn.choice((1, 1, 2, 3)))
        doses = tuple(drawn.choice([dose for dose in space if dose.remedy == name]) for name in chosen)
        _pay(run(Job(make, seed, doses, length, measure=measure)), account)


def _tpe(make: Any, seed: int, length: int, measure: str, account: _Account) -> None:
    """Optuna's TPE with its defaults: for each remedy whether it is used, and its setting."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = _space(make, seed)
    names = sorted({dose.remedy for dose in space})
    account.add(run(Job(make, seed, length=length, measure=measure)))

    def objective(trial: Any) -> float:
        doses = []
        for place in range(trial.suggest_int("remedies", 1, 3)):
            name = trial.suggest_categorical(f"remedy {place}", names)
            options = [dose for dose in space if dose.remedy == name]
            chosen = options[trial.suggest_int(f"{name}", 0, len(options) - 1)]
            if all(dose.remedy != name for dose in doses):
                doses.append(chosen)
        one = run(Job(make, seed, tuple(doses), length, measure=measure))
        _pay(one, account)
        if one.refused:
            raise optuna.TrialPruned
        return score(one.measure, one.end)

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=2000)


def _pay(one: Run, account: _Account) -> None:
    """A refusal costs nothing but may not go on for ever."""
    account.spent += 0 if one.steps else 1
    account.add(one)
