"""What is left of the problems after a confirming trial? `diagnosis_confirm.py [--development]`.

First `diagnosis.py train` makes the recordings in the same folder. `trainclinic.confirm` is then asked about

    every healthy run that has a finding at level `problem`: good plans, and faults that did no harm;
    of every faulty Setup the first run that has one, on the first seed on which the fault does harm.

It gets the diagnosis of the recording and the plan's `make`, on three fresh seeds. It sees training and validation
rows; the rows by which harm was decided it never sees. A healthy run without a problem needs no trial, and counts as
silent.

Results → `results/diagnosis-confirm.json`. A trial that is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import sections
from diagnosis import shown
from diagnosis_zoo import judging, report, runs
from diagnosis_zoo.judging import share
from diagnosis_zoo.runs import Run, plan_of
from diagnosis_zoo.verified import verified
from rich.console import Console
from rich.markdown import Markdown

RESULTS = Path(__file__).with_name("results") / "diagnosis-confirm.json"
BEGIN = "<!-- written by `make bench-diagnosis-confirm`: begin -->"
FRESH = 1000  # seeds of the trials begin here


class Asked(NamedTuple):
    """One run before and after its trials.

    Attributes:
        run: that was asked about.
        before: problem and level of each finding, in their order.
        after: the same after the trials.
        verdicts: of each trial: problem, verdict.
        cost: of all trials, in untreated runs.
    """

    run: Run
    before: list[list[str]]
    after: list[list[str]]
    verdicts: list[list[str]]
    cost: float

    def first(self, *, after: bool) -> str:
        """The first finding at level `problem`, or ""."""
        found = self.after if after else self.before
        return next((name for name, level in found if level == "problem"), "")


def main() -> None:
    options = _options()
    everything = runs.everything(development=options.development)
    counted = verified(options.folder, [run for run in everything if (options.folder / f"{run.stem}.json").exists()])
    well = _alarmed(options, counted.healthy)
    ill = list({(run.problem, run.name): run for run in reversed(_alarmed(options, counted.faulty))}.values())
    with multiprocessing.get_context("spawn").Pool(options.workers, runs.alone) as pool:
        jobs = [(options.folder, run) for run in (*well, *ill)]
        found = {one.run: one for one in shown("trials", pool.imap_unordered(_asked, jobs), len(jobs))}
    first = {(run.problem, run.name): run for run in reversed(counted.faulty)}
    results = measured(found, counted.healthy, first) | {"machine": sections.machine("cpu", None, [])}
    path = RESULTS.with_stem(f"{RESULTS.stem}-development") if options.development else RESULTS
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if not options.development:
        report.put(f"{BEGIN}\n{section(results).strip()}\n{report.END}", BEGIN)
    Console(width=None if Console().is_terminal else 150).print(Markdown(section(results)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Problems after a trial. Method: see this file's docstring.")
    parser.add_argument("--folder", type=Path, default=Path("out/diagnosis"), help="of the recordings")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--development", action="store_true", help="the part on which rules may be looked at")
    return parser.parse_args()


def _alarmed(options: argparse.Namespace, some: Sequence[Run]) -> list[Run]:
    """Those with a finding at level `problem`, in their order."""
    asked = judging.ask(options.folder, some, options.workers)
    loud = {answer.run for answer in shown("judging", asked, len(some)) if answer.problems}
    return [run for run in some if run in loud]


def _asked(job: tuple[Path, Run]) -> Asked:
    import trainclinic

    folder, run = job
    kept = folder / "confirmed" / f"{run.stem}.json"
    if not kept.exists():
        warnings.simplefilter("ignore")
        before = trainclinic.diagnose(folder / f"{run.stem}.clinic")
        after = trainclinic.confirm(plan_of(run).make, before, seed=FRESH + 10 * run.seed)
        steps = max(1, before.recording.steps)
        cost = sum(one.cost for one in after.confirmations) / steps
        told = {
            "before": [[one.problem, one.level] for one in before.findings],
            "after": [[one.problem, one.level] for one in after.findings],
            "verdicts": [[one.problem, one.verdict] for one in after.confirmations],
            "cost": cost,
        }
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.with_suffix(".tmp").write_text(json.dumps(told))
        kept.with_suffix(".tmp").rename(kept)
    return Asked(run, **json.loads(kept.read_text()))


# -- figures


class _Of(NamedTuple):
    run: Run
    holds: bool


def measured(found: dict[Run, Asked], healthy: Sequence[Run], faulty: dict[tuple[str, str], Run]) -> dict[str, Any]:
    """The content of the results file, but for where and when.

    Args:
        found: every run that was asked about.
        healthy: every healthy run.
        faulty: of every faulty Setup, by problem and name, the run that stands for it where none has a problem.
    """
    ill = [one for one in found.values() if one.run not in set(healthy)]
    known = {(one.run.problem, one.run.name): one for one in ill}
    stands = [known.get(name) or Asked(run, [], [], [], 0.0) for name, run in sorted(faulty.items())]
    results: dict[str, Any] = {}
    for title, after in (("before", False), ("after", True)):
        results[title] = {
            "a problem on a healthy run": _share(healthy, _loud(found, after)),
            "… of a good plan": _share([run for run in healthy if not run.problem], _loud(found, after)),
            "… with a fault that did no harm": _share([run for run in healthy if run.problem], _loud(found, after)),
            "root cause first, at level problem": share(stands, _right(after)),
        }
    return results | {
        "verdicts on healthy runs": _verdicts([found[run] for run in healthy if run in found]),
        "verdicts on faulty runs": _verdicts(ill),
        "right on faulty runs, and denied": sorted(
            f"{one.run.problem}: {one.run.name}, seed {one.run.seed}"
            for one in ill if _right(False)(one) and not _right(True)(one)
        ),
        "problems left on healthy runs": sorted(
            f"{run.problem or 'healthy'}: {run.name}, seed {run.seed}: {found[run].first(after=True)}"
            for run in healthy if _loud(found, True)(run)
        ),
        "cost": {
            "median": round(float(np.median([one.cost for one in found.values()])), 1),
            "most": round(max(one.cost for one in found.values()), 1),
        },
    }  # fmt: skip


def _loud(found: dict[Run, Asked], after: bool) -> Callable[[Run], bool]:
    return lambda run: run in found and bool(found[run].first(after=after))


def _right(after: bool) -> Callable[[Asked], bool]:
    return lambda one: one.first(after=after) in judging.right(one.run)


def _share(some: Sequence[Run], holds: Callable[[Run], bool]) -> dict[str, Any]:
    return share([_Of(run, holds(run)) for run in some], lambda one: one.holds)


def _verdicts(some: Sequence[Asked]) -> dict[str, int]:
    return dict(Counter(verdict for one in some for _, verdict in one.verdicts).most_common())


# -- words

SECTION = """
### After a confirming trial

One run cannot tell whether a mistake that is there does harm; a trial can. `trainclinic confirm` was asked about every
healthy run with a problem, and about one run of each faulty Setup, on three fresh seeds each
(`make bench-diagnosis-confirm`). What a trial denies becomes an observation.

한 번의 학습만으로는 있는 실수가 해로운지 알 수 없지만, 대조 시험은 알 수 있습니다. 문제가 있다고 한 건강한 학습 전부와
고장 난 설정마다 한 학습에 `trainclinic confirm`을 써서, 시험이 부정한 것은 관찰로 낮추었습니다.

| | before<br>시험 전 | after<br>시험 후 | 95 % | runs |
| --- | --- | --- | --- | --- |
{rows}

Of the problems on healthy runs, trials denied {denied} and confirmed {confirmed}; {undecided} stayed undecided. On the
faulty runs they confirmed {ill_confirmed}, denied {ill_denied} and left {ill_undecided} undecided: no remedy fits or
helps, or a trial cannot show it, as with wrong labels, which are wrong in validation, too. A diagnosis took {median:g}
untreated runs in the median and {most:g} at most.
"""

KOREAN = {
    "a problem on a healthy run": "건강한 학습에서 문제라고 한 비율",
    "… of a good plan": "그 가운데 고장을 넣지 않은 학습",
    "… with a fault that did no harm": "그 가운데 고장을 넣었으나 해가 없던 학습",
    "root cause first, at level problem": "고장 난 학습에서 참 원인을 '문제'로 맨 앞에 놓은 비율",
}


def section(results: dict[str, Any]) -> str:
    """For the page, in both languages."""
    rows = [
        f"| {name}<br>{KOREAN[name]} | {before['share']:.1%} | **{after['share']:.1%}** | {after['low'] * 100:.1f} to "
        f"{after['high']:.1%} | {after['runs']} |"
        for name, after in results["after"].items()
        for before in [results["before"][name]]
    ]
    well, ill = results["verdicts on healthy runs"], results["verdicts on faulty runs"]
    text = SECTION.format(
        rows="\n".join(rows), **{name: well.get(name, 0) for name in ("confirmed", "denied", "undecided")},
        **{f"ill_{name}": ill.get(name, 0) for name in ("confirmed", "denied", "undecided")}, **results["cost"],
    )  # fmt: skip
    return text.replace("%", " %").replace("  %", " %")


if __name__ == "__main__":
    main()
