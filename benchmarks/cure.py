"""Does the cure cure? `cure.py [--part cases|remedies|search|calibration] [--workers 2] [--only NAME]`; two hours.

Resumable: every result is written as soon as it is there, and what stands in the file is not made again (`--again`
forgets it). Everything is counted in optimizer steps, and in runs: one untreated training of that case.

    cases         every faulty case: its verdict, and how far the cured measure is from the healthy twin's (medians
                  over six seeds); every healthy case: whether it is left alone.
    remedies      `cure_cases/`: each remedy alone in a trial on the case that it alone is for.
    search        trainclinic, random search and Optuna's TPE over the same remedies and settings, on eight cases and
                  five seeds: optimizer steps until a run first reaches the target, which is the healthy twin's median
                  less 2 points (5 % of a loss). Who has not reached it after 20 runs has not. The proof's other
                  eleven runs come after it for everyone alike, and are not in the figure.
    calibration   placebos (another seed, a tenth more width), of which none should help, and true cures.

A `target` is never shown to any of the searches; each is stopped from outside. Neither is the list of healthy twins.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import pkgutil
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sections
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from trainclinic import catalog
from trainclinic.measure.run import build
from trainclinic.prove import cure as prove
from trainclinic.prove.pairs import Job, Run, run, score
from trainclinic.prove.trial import LOSS_MARGIN, measure_for
from trainclinic.prove.workers import Workers
from trainclinic.records import Dose
from trainclinic.treat.operation import REMEDIES

RESULTS = Path(__file__).with_name("results") / "cure.json"
OWN_CASES = Path(__file__).with_name("cure_cases")
SEEDS = range(1, 7)
FIXED = (  # of the comparison of searches: chosen before the first run of it, two of each kind of cause
    "vanishing_gradient", "saturated_activation", "poor_initialization", "dead_relu",
    "learning_rate_too_high", "learning_rate_too_low", "unscaled_inputs", "overfitting",
)  # fmt: skip
SEARCH_SEEDS = (0, 100, 200, 300, 400)
MOST_RUNS = 20
PLACEBOS = 40


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    results: dict[str, Any] = {} if options.again else sections.read(RESULTS)
    for part in options.part or PARTS:
        works = [(name, work) for name, work in PARTS[part](options) if name not in results.setdefault(part, {})]
        works = [(name, work) for name, work in works if not options.only or options.only in name]
        with sections_bar(part, len(works)) as told:
            for done, (name, work) in enumerate(works):
                told(name, done)
                begun = time.monotonic()
                results[part][name] = work() | {"seconds": round(time.monotonic() - begun, 1)}
                results["machine"] = sections.machine("cpu", None, [])
                results["summary"] = summary(results)
                RESULTS.write_text(json.dumps(results, indent=1, default=str) + "\n")
    show(results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Does the cure cure? Method: see this file's docstring.")
    parser.add_argument("--part", action="append", choices=tuple(PARTS))
    parser.add_argument("--only", help="entries whose name holds this")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="forget what stands in the file")
    return parser.parse_args()


Work = tuple[str, Callable[[], dict[str, Any]]]


# -- cases


def cases(options: argparse.Namespace) -> Iterator[Work]:
    for name in catalog.entries("trainclinic.cases"):
        module = importlib.import_module(f"trainclinic.cases.{name.replace('-', '_')}")
        yield name, lambda module=module: _case(module, options.workers)
    for name in catalog.entries("trainclinic.cases"):
        module = importlib.import_module(f"trainclinic.cases.{name.replace('-', '_')}")
        yield f"healthy {name}", lambda module=module: _left_alone(module, options.workers)


def _case(module: Any, workers: int) -> dict[str, Any]:
    found = prove.cure(module.faulty, workers=workers)
    measure = found.trial.measure if found.trial else ""
    twin = _twin(module.healthy, measure, workers)
    entry = {
        "verdict": found.verdict,
        "said": found.said,
        "roots": [one.problem for one in found.diagnosis.problems],
        "remedies": [str(dose) for dose in found.treatment.remedies],
        "runs": round(found.cost / found.run_length, 2),
        "steps": found.cost,
        "tried": len(found.tried),
        "healthy": twin["median"],
        "measure": twin["measure"],
    }
    if found.trial:
        cured = _median([curve.values[-1] for curve in found.trial.treated])
        control = _median([curve.values[-1] for curve in found.trial.control])
        entry |= {"control": control, "cured": cured, "as_good": _as_good(twin["measure"], cured, twin["median"])}
    return entry


def _left_alone(module: Any, workers: int) -> dict[str, Any]:
    found = prove.cure(module.healthy, workers=workers)
    return {"verdict": found.verdict, "said": found.said, "left_alone": found.verdict == "nothing to cure"}


def _twin(make: Any, measure: str, workers: int) -> dict[str, Any]:
    with Workers(workers) as pool:
        runs = list(pool.runs([Job(make, seed, measure=measure) for seed in SEEDS]))
    return {"measure": runs[0].measure, "median": _median([one.end for one in runs])}


def _as_good(measure: str, value: float, twin: float) -> bool:
    return value <= 1.05 * twin if measure == "loss" else value >= twin - 0.02


def _median(values: list[float]) -> float:
    return round(statistics.median(values), 5)


# -- remedies


def remedies(options: argparse.Namespace) -> Iterator[Work]:
    sys.path.insert(0, str(OWN_CASES.parent))
    for info in pkgutil.iter_modules([str(OWN_CASES)]):
        module = importlib.import_module(f"cure_cases.{info.name}")
        yield info.name.replace("_", "-"), lambda module=module: _alone(module, options.workers)


def _alone(module: Any, workers: int) -> dict[str, Any]:
    name = module.__name__.rsplit(".", 1)[-1].replace("_", "-")
    found = prove.trial(module.faulty, [Dose(name, module.SETTINGS)], module.PROBLEM, workers=workers)
    return {
        "verdict": found.verdict,
        "why": found.why,
        "problem": module.PROBLEM,
        "measure": found.measure,
        "control": _median([curve.values[-1] for curve in found.control]),
        "treated": _median([curve.values[-1] for curve in found.treated]),
    }


# -- search


def search(options: argparse.Namespace) -> Iterator[Work]:
    for name in FIXED:
        module = importlib.import_module(f"trainclinic.cases.{name}")
        for seed in SEARCH_SEEDS:
            for method in ("trainclinic", "random", "tpe"):
                yield f"{name} {seed} {method}", lambda m=module, s=seed, how=method: _reached(m, s, how)


class _ReachedError(Exception):
    """The target is reached: the search may stop."""


class _Account:
    """Steps that a search has spent, and when a run of its first reached the target."""

    def __init__(self, measure: str, target: float, length: int) -> None:
        self._measure, self._target, self._length = measure, score(measure, target), length
        self.spent = 0

    def add(self, one: Run) -> None:
        for step, value in zip(one.curve.steps, one.curve.values, strict=True):
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
        measure = measure_for(name.rsplit(".", 1)[-1].replace("_", "-"))
        twin = _twin(module.healthy, measure, 1)
        length = run(Job(module.faulty, 0, share=1.0)).steps
        target = 1.05 * twin["median"] if twin["measure"] == "loss" else twin["median"] - 0.02
        _targets[name] = twin["measure"], target, length
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
        for one in super().runs(jobs):
            self._account.spent += self._made - self._counted - one.steps
            self._counted = self._made
            if one.steps:
                self._account.add(one)
            yield one

    def close(self) -> None:
        self._handle.remove()
        super().close()


def _ours(make: Any, seed: int, length: int, measure: str, account: _Account) -> None:
    """The search as it is; its proof's first treated run is the first whole run of the plan."""
    with _Counted(account) as workers:
        prove._Case(make, MOST_RUNS, seed, workers, lambda doing, share: None).cure()


def _space() -> list[Dose]:
    """Every remedy with every setting that it can offer against anything, a number's range cut into five."""
    found = []
    for name, kind in catalog.entries(REMEDIES).items():
        options = [{}]
        for one in kind.settings():
            options = [{**given, one.name: value} for given in options for value in _values(kind, one.name)]
        found += [Dose(name, given) for given in options[:12]]
    return found


def _values(kind: Any, name: str) -> list[Any]:
    item = kind.__dataclass_fields__[name]
    low, high, choices = (item.metadata.get(key) for key in ("low", "high", "choices"))
    if choices:
        return list(choices)
    if isinstance(item.default, bool):
        return [True, False]
    if isinstance(item.default, str) or low is None or high is None:
        return [item.default]
    if low > 0 and high / low > 20:
        found = [low * (high / low) ** (index / 4) for index in range(5)]
    else:
        found = [low + (high - low) * index / 4 for index in range(5)]
    return [round(value) for value in found] if isinstance(item.default, int) else found


def _random(make: Any, seed: int, length: int, measure: str, account: _Account) -> None:
    """One to three remedies, drawn anew each time, one whole run each."""
    drawn, space = random.Random(seed), _space()
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
    space = _space()
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


# -- calibration


def calibration(options: argparse.Namespace) -> Iterator[Work]:
    for index in range(PLACEBOS):
        name = FIXED[index % len(FIXED)]
        module = importlib.import_module(f"trainclinic.cases.{name}")
        seeds = range(1000 + 100 * index, 1006 + 100 * index)
        kind = ("another seed", "wider")[index // len(FIXED) % 2]
        yield f"placebo {index}: {kind}, {name}", lambda m=module, k=kind, s=seeds: _placebo(m, k, s, options.workers)
    for index in range(PLACEBOS):
        name = FIXED[index % len(FIXED)]
        module = importlib.import_module(f"trainclinic.cases.{name}")
        seeds = range(9000 + 100 * index, 9006 + 100 * index)
        yield f"cure {index}: {name}", lambda m=module, s=seeds: _true_cure(m, s, options.workers)


def _placebo(module: Any, kind: str, seeds: range, workers: int) -> dict[str, Any]:
    problem = module.__name__.rsplit(".", 1)[-1].replace("_", "-")
    treated = OtherSeed(module.faulty) if kind == "another seed" else Wider(module.faulty)
    found = prove.trial(module.faulty, (), problem, seeds=seeds, workers=workers, treated=treated)
    return {"verdict": found.verdict, "median": round(found.full.median, 5), "low": round(found.full.low, 5)}


def _true_cure(module: Any, seeds: range, workers: int) -> dict[str, Any]:
    """The healthy twin as the treated arm: the fault's own line is mended, nothing else."""
    problem = module.__name__.rsplit(".", 1)[-1].replace("_", "-")
    found = prove.trial(module.faulty, (), problem, seeds=seeds, workers=workers, treated=module.healthy)
    return {"verdict": found.verdict, "median": round(found.full.median, 5), "low": round(found.full.low, 5)}


class OtherSeed:
    """A `make` that draws other initial weights and another order."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, seed: int) -> Any:
        return build(self._make, seed + 50_000)


class Wider:
    """A `make` whose hidden Linear layers are a tenth wider, drawn as they were."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, seed: int) -> Any:
        setup = self._make(seed)
        layers = [m for m in setup.model.modules() if isinstance(m, nn.Linear)]
        widths = [max(layer.out_features + 1, round(1.1 * layer.out_features)) for layer in layers[:-1]]
        with torch.no_grad():
            for index, layer in enumerate(layers):
                given = layer.in_features if index == 0 else widths[index - 1]
                gives = layer.out_features if index == len(layers) - 1 else widths[index]
                _grow(layer, given, gives)
        return setup


def _grow(layer: nn.Linear, given: int, gives: int) -> None:
    """More rows and columns, drawn again from the weights that are there, with the scale that fan-in asks for."""
    weight, bias = layer.weight, layer.bias
    old = weight.detach().clone()
    rows, columns = torch.arange(gives) % old.shape[0], torch.arange(given) % old.shape[1]
    grown = old[rows][:, columns]
    fresh = (torch.arange(gives)[:, None] >= old.shape[0]) | (torch.arange(given)[None] >= old.shape[1])
    drawn = old.flatten()[torch.randint(old.numel(), (gives, given))]
    weight.data = torch.where(fresh, drawn, grown) * math.sqrt(old.shape[1] / given)
    bias.data = bias.detach()[torch.arange(gives) % len(bias)].clone()
    layer.in_features, layer.out_features = given, gives


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Work]]] = {
    "cases": cases,
    "remedies": remedies,
    "search": search,
    "calibration": calibration,
}


# -- what was promised


def summary(results: dict[str, Any]) -> dict[str, Any]:
    """The shares and medians that were promised, of what has been measured so far."""
    found: dict[str, Any] = {}
    faulty = {name: one for name, one in results.get("cases", {}).items() if not name.startswith("healthy")}
    healthy = [one for name, one in results.get("cases", {}).items() if name.startswith("healthy")]
    if faulty:
        found["faulty cases"] = len(faulty)
        found["cured"] = sum(one["verdict"] == "cured" for one in faulty.values())
        found["cured as good as the twin"] = sum(bool(one.get("as_good")) for one in faulty.values())
    if healthy:
        found["healthy cases"] = len(healthy)
        found["left alone"] = sum(one["left_alone"] for one in healthy)
    if results.get("remedies"):
        found["remedies with a case of their own"] = len(results["remedies"])
        found["of them cured"] = sum(one["verdict"] == "cured" for one in results["remedies"].values())
    for method in ("trainclinic", "random", "tpe"):
        own = [one for name, one in results.get("search", {}).items() if name.endswith(f" {method}")]
        if own:
            found[f"{method}: searches"] = len(own)
            found[f"{method}: reached the target"] = round(sum(one["reached"] for one in own) / len(own), 3)
            found[f"{method}: median runs until then"] = statistics.median(
                one["runs"] if one["reached"] else math.inf for one in own
            )
    for kind in ("placebo", "cure"):
        own = [one["verdict"] for name, one in results.get("calibration", {}).items() if name.startswith(kind)]
        if own:
            wanted = ("cured", "helped") if kind == "placebo" else ("cured",)
            found[f"{kind} trials"] = len(own)
            found[f"{kind} trials: {' or '.join(wanted)}"] = sum(verdict in wanted for verdict in own)
    found["margin of a loss [nats]"] = round(LOSS_MARGIN, 3)
    return found


def sections_bar(title: str, total: int) -> Any:
    """A bar over entries, with the time left."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    @contextmanager
    def bar() -> Iterator[Callable[[str, int], None]]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as shown:
            task = shown.add_task(title, total=total)
            yield lambda name, done: shown.update(task, description=f"{title}: {name}", completed=done)

    return bar()


def show(results: dict[str, Any]) -> None:
    """Everything measured so far, as tables."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 150)
    for part in PARTS:
        if not results.get(part):
            continue
        columns = list(dict.fromkeys(key for one in results[part].values() for key in one))
        columns = [key for key in columns if key not in ("said", "why", "seconds")]
        table = Table(title=part)
        for column in ("", *columns):
            table.add_column(column, overflow="fold")
        for name, one in results[part].items():
            table.add_row(name, *(str(one.get(key, "")) for key in columns))
        console.print(table)
    for name, value in results.get("summary", {}).items():
        console.print(f"{name}: {value}", highlight=False)


if __name__ == "__main__":
    main()
