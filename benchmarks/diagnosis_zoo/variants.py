"""The ways in which a Setup is trained and watched otherwise than in the main figures, and what then counts.

A fault counts where it counted at full length and does harm again in this way, against a twin that was trained in this
way and is good in it (`verified.verified`, on this way's own outcomes). Where the training is the same to the bit, and
only the watching differs, nothing has to be decided anew.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diagnosis_zoo import runs, scripts
from diagnosis_zoo.judging import RESAMPLED, Answer
from diagnosis_zoo.pairs import Pair
from diagnosis_zoo.plan import Plan
from diagnosis_zoo.runs import Run, fault_of, plan_of
from diagnosis_zoo.verified import Verified, verified
from trainclinic.setup import Setup

EVERY_STEP, THIRD, BF16, SCRIPT = "every step", "a third of the epochs", "bf16 autocast", "a script"
WAYS = (EVERY_STEP, THIRD, BF16, SCRIPT)
SAME_TRAINING = (EVERY_STEP, SCRIPT)
TWO_FAULTS = "two faults"


@dataclass(frozen=True)
class Job:
    """One training to make: in this way, a run or a pair."""

    way: str
    of: Run | Pair

    @property
    def run(self) -> Run:
        return self.of.run if isinstance(self.of, Pair) else self.of


class Autocast(Setup):
    """Forward and loss of a training step in bfloat16 where PyTorch holds that safe; validation as ever."""

    def loss(self, batch: Any) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return super().loss(batch)


def shortened(plan: Plan) -> Plan:
    """A third of its epochs, rounded, at least one; the schedule is built for these."""
    return plan.but(epochs=max(1, round(plan.epochs / 3)))


def folder_of(folder: Path, way: str) -> Path:
    """Where this way's recordings lie, within the folder of the others."""
    return folder / way.replace(" ", "-")


def make(folder: Path, job: Job) -> None:
    """Train it, watched; what breaks the training off is kept as the reason."""
    own, run = folder_of(folder, job.way), job.run
    own.mkdir(parents=True, exist_ok=True)
    try:
        if isinstance(job.of, Pair):
            runs.record(own, run, job.of.plan)
        elif job.way == SCRIPT:
            scripts.record(own, run)
        elif job.way == THIRD:
            runs.record(own, run, shortened(plan_of(run)))
        elif job.way == BF16:
            runs.record(own, run, dressed=lambda setup: Autocast(**vars(setup)))
        else:
            runs.record(own, run, every=1)
    except Exception as error:
        runs.write(own, run, {"error": f"{type(error).__name__}: {error}"})


def train(folder: Path, jobs: Sequence[Job], workers: int) -> Iterator[Job]:
    """Make each in a process with one thread; yields each as it is done."""
    with multiprocessing.get_context("spawn").Pool(workers, runs.alone) as pool:
        yield from pool.imap_unordered(_made, [(folder, job) for job in jobs])


def _made(job: tuple[Path, Job]) -> Job:
    make(*job)
    return job[1]


def missing(folder: Path, jobs: Sequence[Job]) -> list[Job]:
    """Those that are not there yet."""
    return [job for job in jobs if runs.missing(folder_of(folder, job.way), [job.run])]


def jobs_of(way: str, counted: Sequence[Run]) -> list[Job]:
    """The runs in this way; where their outcomes decide anew, their twins on the same seeds, too."""
    wanted = dict.fromkeys(counted)
    if way not in SAME_TRAINING:
        wanted |= dict.fromkeys(Run(fault_of(run).twin.name, "", run.seed) for run in counted if run.problem)
    return [Job(way, run) for run in wanted]


def counts(folder: Path, way: str, before: Verified) -> Verified:
    """Of the runs that counted before, those that count in this way, too, and as the same; why the others do not."""
    own, counted = folder_of(folder, way), [*before.healthy, *before.faulty]
    if way in SAME_TRAINING:
        broken = {run.name: "the training broke off" for run in counted if runs.broke_off(own, run)}
        now = Verified([*before.healthy], [*before.faulty], [], broken)
    else:
        now = verified(own, [job.run for job in jobs_of(way, counted)])
    found = Verified(left_out={run.name: now.left_out[run.name] for run in counted if run.name in now.left_out})
    found.healthy = [run for run in before.healthy if run.name not in found.left_out and run in now.healthy]
    found.faulty = [run for run in before.faulty if run.name not in found.left_out and run in now.faulty]
    for run in counted:
        if run not in (*found.healthy, *found.faulty):
            harm = "no harm" if run in before.faulty else "harm"
            found.left_out.setdefault(run.name, f"it does {harm} in this way on seed {run.seed}")
    return found


def difference(
    after: Sequence[Answer], before: Sequence[Answer], holds: Callable[[Answer], bool]
) -> dict[str, float] | None:
    """How many points more hold after than before, on the same runs; 95 % from a bootstrap of the Setups."""
    was = {answer.run: holds(answer) for answer in before}
    grouped: dict[str, list[int]] = {}
    for answer in after:
        grouped.setdefault(answer.run.name, []).append(holds(answer) - was[answer.run])
    if not grouped:
        return None
    gained = np.array([sum(own) for own in grouped.values()])
    count = np.array([len(own) for own in grouped.values()])
    draws = np.random.default_rng(0).integers(0, len(count), (RESAMPLED, len(count)))
    low, high = np.quantile(gained[draws].sum(1) / count[draws].sum(1), (0.025, 0.975))
    if not gained.any():
        high = 1 - 0.05 ** (1 / len(count))  # no change seen in n Setups: the bound of 95 %, either way
        low = -high
    shares = {"points": gained.sum() / count.sum(), "low": low, "high": high}
    return {name: round(100 * float(value), 1) for name, value in shares.items()}
