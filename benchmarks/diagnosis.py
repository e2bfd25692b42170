"""Are the diagnoses right? `diagnosis.py [train] [judge] [peers] [page] [--folder out/diagnosis] [--workers 2]`.

    train   the report part (`diagnosis_zoo/`): healthy plans on six seeds, faulty ones on three, each watched. The
            recordings and their outcomes stay in the folder: a run that is there is not made again, so it can be
            stopped at any time. A quarter of an hour on two cores.
    judge   asks the present rules about every recording (under five minutes) → `results/diagnosis.json`.
    peers   trains a fifth of the Setups again under torchmortem and torch-audit, and counts what they say as our rules'
            answers are counted → `results/diagnosis-peers.json`. What a tool said of a run is kept in the folder:
            it is asked once, four seconds a run. Left out where the tools are not installed.
    page    the section of docs/guide/accuracy.md, its picture, and the rates that `trainclinic explain` cites.

Without a word it does all four. No plan of the report part shares its data with `zoo.py`, on which the limits are
set, nor with the development part; most have an architecture that is not there either, and the figures are given
for the two kinds apart.

**Two parts.** Rules and limits may be looked at on `zoo.py` and, with `--development`, on the tasks that are not sealed
(→ `results/diagnosis-development.json`). The report is made from the sealed ones (`Task.sealed`), once the limits are
frozen: they were written without a look at any rule, none of their data and few of their architectures were seen
before, and what becomes of them was set by outcomes alone.

**What counts.** A healthy plan counts where it reaches its task's level on each of its seeds, on rows that nothing saw,
and its validation loss does not turn. A fault counts where it comes out worse than its healthy twin on at least two of
three seeds, and then with the seeds on which it does; one that does not counts as healthy. This is counted twice: worse
at all, as the promises word it, and worse by a margin fixed beforehand (`diagnosis_zoo/outcome.py`), which all tables
of single problems are made with. Leaks, overfitting and numbers that break are held to what they do; what is clearly
worse than its twin in another way counts nowhere. Whether it counts is decided by outcomes alone, never by what is
diagnosed. Right is the root cause that was built in, or one of those that the fault accepts for a reason that stands
with it; to say nothing is a miss. Intervals are of 95 %, from a bootstrap of whole Setups.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import diagnosis_peers
import sections
from diagnosis_zoo import judging, peers, report, runs
from diagnosis_zoo.runs import Run
from diagnosis_zoo.verified import Verified, verified
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

RESULTS = Path(__file__).with_name("results") / "diagnosis.json"
PEERS_RESULTS = RESULTS.with_name("diagnosis-peers.json")
PEER_SEEDS = 2  # a training takes four seconds under each tool
PARTS = ("train", "judge", "peers", "page")


def main() -> None:
    options = _options()
    everything = runs.everything(development=options.development)
    everything += runs.more() if options.development and options.further else []
    chosen = [run for run in everything if options.only in f"{run.problem} {run.name}"]
    chosen = [run for run in chosen if run.seed < options.seeds]
    for part in options.part or PARTS:
        {"train": train, "judge": judge, "peers": compare, "page": page}[part](options, chosen)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Are the diagnoses right? Method: see this file's docstring.")
    parser.add_argument("part", nargs="*", choices=(*PARTS, []), help="what to do; everything without")
    parser.add_argument("--folder", type=Path, default=Path("out/diagnosis"), help="of the recordings")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="runs whose problem or name holds this; writes no results")
    parser.add_argument("--development", action="store_true", help="the part on which rules may be looked at")
    parser.add_argument("--further", action="store_true", help="and further faults on it; writes no results")
    parser.add_argument("--seeds", type=int, default=runs.SEEDS_HEALTHY, help="at most so many")
    return parser.parse_args()


def train(options: argparse.Namespace, chosen: Sequence[Run]) -> None:
    """Make the runs that are not there yet."""
    left = runs.missing(options.folder, list(chosen))
    begun = time.monotonic()
    for _ in shown("training", runs.train(options.folder, left, options.workers), len(left)):
        pass
    if left:
        Console(stderr=True).print(f"{len(left)} runs in {time.monotonic() - begun:.0f} s")


def judge(options: argparse.Namespace, chosen: Sequence[Run]) -> None:
    """Ask the rules, and write what they got right."""
    sorted_runs, at_all = (verified(options.folder, chosen, at_all=how) for how in (False, True))
    counted = list(dict.fromkeys((*sorted_runs.healthy, *sorted_runs.faulty, *at_all.healthy, *at_all.faulty)))
    begun = time.monotonic()
    answers = list(shown("judging", judging.ask(options.folder, counted, options.workers), len(counted)))
    results = judging.rates(answers, sorted_runs, at_all) | {
        "machine": sections.machine("cpu", None, []),
        "seconds to judge": round(time.monotonic() - begun),
    }
    keep(options, RESULTS, results)
    report.show(results, _console())


def compare(options: argparse.Namespace, chosen: Sequence[Run]) -> None:
    """Ask other tools about a fifth of the Setups, and count what they and our rules got right on these."""
    if not peers.installed():
        _console().print("peers: left out, since torchmortem and torch-audit are not both installed; "
                         "install '.[benchmarks]' and ask for this part again", markup=False)  # fmt: skip
        return
    kept = peers.kept(verified(options.folder, chosen))
    sorted_runs = Verified(*([run for run in some if run.seed < PEER_SEEDS] for some in (kept.healthy, kept.faulty)))
    counted = [*sorted_runs.healthy, *sorted_runs.faulty]
    jobs = peers.missing(options.folder, counted)
    for _ in shown("other tools", peers.ask(jobs, options.workers), len(jobs)):
        pass
    answers = shown("judging", judging.ask(options.folder, counted, options.workers), len(counted))
    opinions = {"trainclinic": [peers.ours(answer) for answer in answers]}
    for tool in diagnosis_peers.PEERS:
        opinions[tool] = [peers.opinion(options.folder, run, tool) for run in counted]
    results = peers.compared(opinions, sorted_runs) | {"machine": sections.machine("cpu", None, [])}
    keep(options, PEERS_RESULTS, results)
    report.show_peers(results, _console())


def page(options: argparse.Namespace, chosen: Sequence[Run]) -> None:
    """Write down the report part's figures where they are read."""
    if options.development:
        _console().print("page: nothing written, since the page and the rates are of the report part")
        return
    report.write(RESULTS, PEERS_RESULTS)


def keep(options: argparse.Namespace, path: Path, results: dict[str, Any]) -> None:
    """Write the results of a whole part, beside those of the report for the development part."""
    if options.development:
        path = path.with_name(f"{path.stem}-development.json")
    whole = not (options.only or options.further)
    if whole and (options.development or options.seeds == runs.SEEDS_HEALTHY):
        path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _console() -> Console:
    return Console(width=None if Console().is_terminal else 150)


def shown(doing: str, work: Iterable[Any], total: int) -> Iterable[Any]:
    """The same, behind a bar with the time that is left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(doing, total=total)
        for one in work:
            bar.advance(task)
            yield one


if __name__ == "__main__":
    main()
