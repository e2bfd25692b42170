"""What does a checkup find before any training? `diagnosis_checkup.py [--development] [--folder out/diagnosis]`.

Of a part of its own (`diagnosis_zoo/tasks.py`, `BEFORE`), which nobody looked at before the rules of a checkup were
frozen: each healthy plan, and each fault of the data, of the integrity of the training and of gradients and
initialization (`diagnosis_zoo/doses.py`), on the first seed on which it hurts. What a plan reaches and what hurts is
known once they have been trained, on three seeds: runs that are not in the folder yet are made first, half an hour on
two cores beside other work. Then each Setup is examined as if it had never been trained, in ten minutes.

Right is what counts as right in `diagnosis.py`: the first root cause, or one that the fault accepts. What is not
examined is a miss. A finding at level `problem` on a healthy plan is a false alarm. Seconds are of one process with one
thread, beside as many others as there are workers.

With `--development` the same of all parts on which rules may be looked at, as far as they have been trained.

Results → `results/diagnosis-checkup.json`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import sections
from diagnosis import shown
from diagnosis_zoo import runs
from diagnosis_zoo.judging import Answer, share
from diagnosis_zoo.runs import Run, plan_of
from diagnosis_zoo.verified import verified
from rich.console import Console

RESULTS = Path(__file__).with_name("results") / "diagnosis-checkup.json"


def main() -> None:
    parser = argparse.ArgumentParser(description="What a checkup finds. Method: see this file's docstring.")
    parser.add_argument("--folder", type=Path, default=Path("out/diagnosis"), help="of the recordings")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--development", action="store_true", help="the parts on which rules may be looked at")
    options = parser.parse_args()
    everything = runs.before_training(development=options.development)
    if not options.development:
        left = runs.missing(options.folder, everything)
        for _ in shown("training", runs.train(options.folder, left, options.workers), len(left)):
            pass
    counted = verified(options.folder, [run for run in everything if (options.folder / f"{run.stem}.json").exists()])
    healthy = [run for run in counted.healthy if not run.problem and run.seed == 0]
    faulty = list({(run.problem, run.name): run for run in reversed(counted.faulty)}.values())
    jobs = [*healthy, *faulty]
    with multiprocessing.get_context("spawn").Pool(options.workers, runs.alone) as pool:
        found = list(shown("examining", pool.imap_unordered(_examined, jobs), len(jobs)))
    results = rates(found) | {"machine": sections.machine("cpu", None, [])}
    path = RESULTS.with_stem(f"{RESULTS.stem}-development") if options.development else RESULTS
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name in ("first root cause", "among the findings", "a problem found on a healthy plan", "seconds"):
        Console().print(f"{name}: {results[name]}")


def _examined(run: Run) -> tuple[Answer, float]:
    """What a checkup says of one Setup, and how long it took [s]."""
    from trainclinic.diagnose.diagnose import diagnose
    from trainclinic.errors import TrainclinicError
    from trainclinic.measure.checkup import checkup

    warnings.simplefilter("ignore")
    begun = time.perf_counter()
    try:
        diagnosis = diagnose(checkup(plan_of(run).make, run.seed))
    except TrainclinicError:  # it is refused: nothing is found
        return Answer(run, "", (), (), ()), time.perf_counter() - begun
    problems = tuple(finding.problem for finding in diagnosis.findings if finding.level == "problem")
    named = diagnosis.problems[0].problem if diagnosis.problems else ""
    unknown = tuple(entry.problem for entry in diagnosis.not_examined)
    answer = Answer(run, named, problems, tuple(finding.problem for finding in diagnosis.findings), unknown)
    return answer, time.perf_counter() - begun


def rates(found: list[tuple[Answer, float]]) -> dict[str, Any]:
    """The content of the results file, but for where and when."""
    answers = sorted((answer for answer, _ in found), key=lambda one: (one.run.problem, one.run.name))
    ill, well = [one for one in answers if one.run.problem], [one for one in answers if not one.run.problem]
    seconds = [taken for _, taken in found]
    return {
        "first root cause": share(ill, lambda one: one.named in one.right),
        "among the findings": share(ill, lambda one: bool({*one.right} & {*one.problems})),
        "a problem found on a healthy plan": share(well, lambda one: bool(one.problems)),
        "seconds": {"median": round(float(np.median(seconds)), 2), "most": round(max(seconds), 2)},
        "by problem": {
            problem: {
                "first": share(own, lambda one: one.named in one.right),
                "among": share(own, lambda one: bool({*one.right} & {*one.problems})),
                "not examined": sum(problem in one.not_examined for one in own),
            }
            for problem in sorted({one.run.problem for one in ill})
            for own in [[one for one in ill if one.run.problem == problem]]
        },
        "false alarms": [f"{one.run.name}: {', '.join(one.problems)}" for one in well if one.problems],
    }


if __name__ == "__main__":
    main()
