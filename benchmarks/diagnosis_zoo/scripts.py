"""A run of the benchmark as the script that a person would have, watched by the command `trainclinic run SCRIPT`.

The script builds the plan's parts and trains them in a plain loop that it holds itself, seeded like `trainclinic.run`
and drawing random numbers in the same order: the weights are the same, only the watching knows less. Nobody tells it
the loss function, how many rows there are, or what the validation says.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from diagnosis_zoo.runs import Run, plan_of, write

SCRIPT = '''"""{name}, seed {seed}."""

import random
import sys

import numpy as np
import torch

sys.path.insert(0, {benchmarks!r})

from diagnosis_zoo.runs import Run, plan_of

plan = plan_of(Run({name!r}, {problem!r}, {seed}))
random.seed({seed})
np.random.seed({seed})
torch.manual_seed({seed})
parts = plan.build().setup
model, loss_fn, optimizer, scheduler = parts.model, parts.loss_fn, parts.optimizer, parts.scheduler

{loop}'''

PLAIN = """\
for epoch in range(parts.epochs):
    model.train()
    for x, y in parts.train_loader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        if parts.clip_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), parts.clip_grad_norm)
        optimizer.step()
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for x, y in parts.val_loader:
            total, count = total + loss_fn(model(x), y).item() * len(y), count + len(y)
    print(f"epoch {epoch}: validation loss {total / count:.4f}")
    if scheduler is not None:
        scheduler.step()
"""
OWN = "parts.loop(parts)\n"


def text(run: Run) -> str:
    """The script: with the plain loop, or with the plan's own where the mistake is in it."""
    benchmarks = str(Path(__file__).resolve().parents[1])
    loop = OWN if plan_of(run).loop else PLAIN
    return SCRIPT.format(name=run.name, problem=run.problem, seed=run.seed, benchmarks=benchmarks, loop=loop)


def record(folder: Path, run: Run) -> None:
    """Write the script, train it through the command; keep the recording, then how it ended."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / f"{run.stem}.py"
    script.write_text(text(run), encoding="utf-8")
    for old in folder.glob(f"{run.stem}*.clinic*"):  # of a run that was interrupted
        old.unlink()
    command = [sys.executable, "-m", "trainclinic", "run", "--no-html", "--output", str(folder), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    recorded = script.with_suffix(".clinic").exists()
    if done.returncode or not recorded:
        last = (done.stderr.strip().splitlines() or ["no recording"])[-1]
        write(folder, run, {"error": f"exit code {done.returncode}: {last}"})
    else:
        write(folder, run, {"exit code": 0})
