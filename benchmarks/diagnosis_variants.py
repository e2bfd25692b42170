"""Are the diagnoses as right on other ways of training and watching? `diagnosis_variants.py [--development]`.

First `diagnosis.py train` makes the recordings in the same folder. Of their Setups a fifth, by the hash of the name, is
kept for this comparison; of these, what counts there as healthy or as faulty is measured again:

    every step              each step is looked at (`every=1`) instead of the dense beginning and the sparse rest
    a third of the epochs   rounded, at least one; schedules are built for the third
    bf16 autocast           forward and loss of the training under torch.autocast("cpu", dtype=torch.bfloat16)
    a script                plain PyTorch in a file, through the command `trainclinic run SCRIPT`, which is told neither
                            the loss function nor the number of rows nor what the validation says

Where the training itself is another one (a third, bf16), outcomes decide again, as `diagnosis_zoo/verified.py` does,
what counts: what was healthy must be good again, and what was faulty must do harm again, against the twin that was
shortened or computed likewise and is good. What then counts no more is told, with the reason. The recordings as they
are stand beside each way on the same runs, and the difference in points has an interval from a bootstrap of whole
Setups.

**Two faults at once.** Pairs of faults of one twin and of different problems, each harmful alone, in the order of the
hash of both names. `diagnosis_zoo/pairs.py` leaves out those where both change the same place of the plan. Both are
found if two different findings stand for them. Where a rule of `diagnose.causes` says that the one problem explains the
other, the pair is counted apart, too. Intervals take all pairs of a twin together.

Results → `results/diagnosis-variants.json`. A run that is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sections
from diagnosis import shown
from diagnosis_zoo import judging, pairs, report, runs, variants
from diagnosis_zoo.judging import Answer, share
from diagnosis_zoo.pairs import Pair
from diagnosis_zoo.runs import Run, fault_of
from diagnosis_zoo.variants import TWO_FAULTS, WAYS, Job
from diagnosis_zoo.verified import Verified, verified
from rich.console import Console
from rich.markdown import Markdown

from trainclinic.diagnose.causes import EDGES

RESULTS = Path(__file__).with_name("results") / "diagnosis-variants.json"
BEGIN = "<!-- written by `make bench-diagnosis-variants`: begin -->"
PAIRS = 60
AS_IT_IS = "as it is"
FIRST, AMONG, ALARM = "root cause ranked first", "among the findings", "a problem found on a healthy run"
BOTH, ONE, ROOT = "both found", "at least one found", "the first root cause is one of the two"
APART = ("", ", neither explains the other", ", one explains the other")  # after the names of the shares of pairs


def main() -> None:
    options = _options()
    everything = runs.everything(development=options.development)
    seeds = _seeds_there(options.folder, everything)
    if not seeds or (seeds < runs.SEEDS_HEALTHY and not options.development):
        raise SystemExit(f"{options.folder}: expected every recording of this part; run benchmarks/diagnosis.py train "
                         "with the same folder first")  # fmt: skip
    counted = verified(options.folder, [run for run in everything if run.seed < seeds])
    kept = Verified(*([run for run in some if run.seed < options.seeds and runs.kept_for_comparison(run.name)]
                      for some in (counted.healthy, counted.faulty)))  # fmt: skip
    two = pairs.chosen([run for run in counted.faulty if run.seed < options.seeds], options.pairs)
    jobs = [job for way in options.ways for job in variants.jobs_of(way, [*kept.healthy, *kept.faulty])]
    left = variants.missing(options.folder, [*jobs, *(Job(TWO_FAULTS, pair) for pair in two)])
    for _ in shown("training", variants.train(options.folder, left, options.workers), len(left)):
        pass
    results = measured(options, kept, two) | {
        "seeds": options.seeds,
        "machine": sections.machine("cpu", None, [os.getloadavg()[0]]),
    }
    path = RESULTS.with_stem(f"{RESULTS.stem}-development") if options.development else RESULTS
    if set(options.ways) == {*WAYS} and options.pairs >= PAIRS:
        path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if not options.development:
            report.put(f"{BEGIN}\n{section(results).strip()}\n{report.END}", BEGIN)
    Console(width=None if Console().is_terminal else 150).print(Markdown(section(results)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Diagnoses on other ways of training; see this file's docstring.")
    parser.add_argument("--folder", type=Path, default=Path("out/diagnosis"), help="of the recordings")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--development", action="store_true", help="the part on which rules may be looked at")
    parser.add_argument("--seeds", type=int, default=1, help="of each Setup")
    parser.add_argument("--pairs", type=int, default=PAIRS, help="of faults, at most; fewer than that write no results")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="less than all writes no results")
    return parser.parse_args()


def _seeds_there(folder: Path, everything: Sequence[Run]) -> int:
    """How many seeds have all their runs, counted from the first."""
    absent = [run.seed for run in runs.missing(folder, list(everything))]
    return min(absent, default=runs.SEEDS_HEALTHY)


# -- figures


def measured(options: argparse.Namespace, kept: Verified, two: Sequence[Pair]) -> dict[str, Any]:
    """The content of the results file, but for where and when."""
    as_it_is = {answer.run: answer for answer in _asked(options, "", [*kept.healthy, *kept.faulty])}
    found = {AS_IT_IS: _shares([as_it_is[run] for run in kept.healthy], [as_it_is[run] for run in kept.faulty])}
    for way in options.ways:
        now = variants.counts(options.folder, way, kept)
        answers = {answer.run: answer for answer in _asked(options, way, [*now.healthy, *now.faulty])}
        found[way] = _compared(
            *([answers[run] for run in some] for some in (now.healthy, now.faulty)),
            *([as_it_is[run] for run in some] for some in (now.healthy, now.faulty)),
        ) | {"left out": dict(sorted(now.left_out.items()))}
    return {"ways": found, TWO_FAULTS: _two_faults(options, two)}


def _asked(options: argparse.Namespace, way: str, wanted: Sequence[Run]) -> list[Answer]:
    folder = variants.folder_of(options.folder, way)
    return list(shown(f"judging {way or AS_IT_IS}", judging.ask(folder, wanted, options.workers), len(wanted)))


def _first(one: Answer) -> bool:
    return one.named in one.right


def _among(one: Answer) -> bool:
    return bool({*one.right} & {*one.mentioned})


def _alarm(one: Answer) -> bool:
    return bool(one.problems)


def _shares(well: Sequence[Answer], ill: Sequence[Answer]) -> dict[str, Any]:
    return {FIRST: share(ill, _first), AMONG: share(ill, _among), ALARM: share(well, _alarm)}


def _compared(
    well: Sequence[Answer], ill: Sequence[Answer], well_before: Sequence[Answer], ill_before: Sequence[Answer]
) -> dict[str, Any]:
    """The shares, those of the same runs as they are, the points between, and the runs that are named otherwise."""
    before = {answer.run: answer for answer in (*well_before, *ill_before)}
    return _shares(well, ill) | {
        AS_IT_IS: _shares(well_before, ill_before),
        "difference in points": {
            FIRST: variants.difference(ill, ill_before, _first),
            AMONG: variants.difference(ill, ill_before, _among),
            ALARM: variants.difference(well, well_before, _alarm),
        },
        "named otherwise": sorted(
            f"{kind} {one.run.problem}".strip() + f": {one.run.name}, seed {one.run.seed}: "
            f"{before[one.run].named or judging.NOTHING} → {one.named or judging.NOTHING}"
            for kind, some in (("healthy", well), ("", ill))
            for one in some
            if one.named != before[one.run].named
        ),
    }


def _two_faults(options: argparse.Namespace, two: Sequence[Pair]) -> dict[str, Any]:
    folder = variants.folder_of(options.folder, TWO_FAULTS)
    there = {pair.run: pair for pair in two if not runs.broke_off(folder, pair.run)}
    said = sorted(_asked(options, TWO_FAULTS, list(there)), key=lambda one: (one.run.name, one.run.seed))
    # The intervals take each Setup whole: here that is the twin, and its pairs stand where the seeds do.
    pair_of = {Run(_twin(there[one.run]), "", place): there[one.run] for place, one in enumerate(said)}
    answers = [replace(one, run=run) for one, run in zip(said, pair_of, strict=True)]
    explained = [explains(pair_of[one.run]) for one in answers]
    apart = zip(APART, (answers, *([one for one, yes in zip(answers, explained, strict=True) if yes == wanted]
                                   for wanted in (False, True))), strict=True)  # fmt: skip
    holds: dict[str, Callable[[Answer], bool]] = {
        BOTH: lambda one: both_found(one, pair_of[one.run]),
        ONE: lambda one: any({*right} & {*one.mentioned} for right in _right(pair_of[one.run])),
        ROOT: lambda one: any(one.named in right for right in _right(pair_of[one.run])),
    }
    return {
        **{f"{name}{kind}": share(own, holds[name]) for kind, own in apart for name in holds},
        "not trained": sorted(pair.run.name for pair in two if pair.run not in there),
        "pairs": [f"{one.run.problem}: {one.run.name}: {', '.join(one.mentioned) or judging.NOTHING}" for one in said],
    }


def _twin(pair: Pair) -> str:
    return fault_of(pair.first).twin.name


def _right(pair: Pair) -> tuple[set[str], set[str]]:
    first, second = ({run.problem, *fault_of(run).dose.accepts} for run in (pair.first, pair.second))
    return first, second


def both_found(one: Answer, pair: Pair) -> bool:
    """Whether two different findings stand for the two faults."""
    first, second = (right & {*one.mentioned} for right in _right(pair))
    return bool(first and second) and len(first | second) > 1


def explains(pair: Pair) -> bool:
    """Whether a rule says that the one problem can explain the other."""
    two = {pair.first.problem, pair.second.problem}
    return any({edge.upstream, edge.downstream} == two for edge in EDGES)


# -- words

SECTION = """## Watched or trained otherwise

`make bench-diagnosis-variants` takes a fifth of the Setups, chosen by the hash of their names, and watches each step,
trains a third of the epochs, trains in bfloat16, and trains a plain script through `trainclinic run`. In brackets the
difference in points from the recordings as they are, on the same runs, with its interval (95 %, bootstrap of whole
Setups). In a third of the epochs and in bfloat16 outcomes decide again whether a training is good and a fault does
harm; {left_out}.

설정 가운데 5분의 1을 이름의 해시로 골라, 매 단계를 보거나, 에폭을 3분의 1로 줄이거나, bfloat16으로 학습하거나,
평범한 스크립트를 `trainclinic run`으로 돌려 다시 재었습니다. 괄호 안은 같은 실행에서의 차이(퍼센트포인트)입니다.

| | ranked first | among the findings | a problem on a healthy run | faulty and healthy runs |
| --- | --- | --- | --- | --- |
{ways}

**Two faults at once.** {pairs} pairs of faults of one network, each harmful alone and of different problems, neither of
which overwrites what the other changes. 해로운 고장 두 가지를 한 설정에 함께 넣었습니다.

| | both found | at least one found | the first root cause is one of the two | pairs |
| --- | --- | --- | --- | --- |
{two}

All names stand in `benchmarks/results/diagnosis-variants.json`.
"""


def section(results: dict[str, Any]) -> str:
    """The figures as a section of the guide, in Markdown."""
    ways, two = results["ways"], results[TWO_FAULTS]
    lost = Counter({way: len(found.get("left out", ())) for way, found in ways.items()})
    told = [f"{count} Setups count no more in “{way}”" for way, count in lost.items() if count]
    return SECTION.format(
        left_out=", ".join(told) or "all count again",
        ways="\n".join(_way(way, found) for way, found in ways.items()),
        pairs=two[BOTH]["runs"],
        two="\n".join(_kind(kind, two) for kind in APART),
    )


def _kind(kind: str, two: dict[str, Any]) -> str:
    cells = " | ".join(_share(two[f"{name}{kind}"]) for name in (BOTH, ONE, ROOT))
    return f"| {kind.lstrip(', ') or 'all'} | {cells} | {two[f'{BOTH}{kind}']['runs']} |"


def _way(way: str, found: dict[str, Any]) -> str:
    points = found.get("difference in points", {})
    cells = " | ".join(_share(found[name]) + _points(points.get(name)) for name in (FIRST, AMONG, ALARM))
    return f"| {way} | {cells} | {found[FIRST]['runs']}, {found[ALARM]['runs']} |"


def _share(found: dict[str, Any]) -> str:
    if not found["runs"]:
        return "–"
    return f"{100 * found['share']:.1f} % ({100 * found['low']:.0f} to {100 * found['high']:.0f})"


def _points(found: dict[str, float] | None) -> str:
    return f" [{found['points']:+.1f}, {found['low']:+.1f} to {found['high']:+.1f}]" if found else ""


if __name__ == "__main__":
    main()
