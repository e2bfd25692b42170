"""The figures of `results/diagnosis.json` as words and tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from diagnosis_zoo import picture
from diagnosis_zoo.healthy import healthy
from diagnosis_zoo.tasks import SEALED

ROOT = Path(__file__).parents[2]
PAGE, PICTURE = ROOT / "docs" / "guide" / "accuracy.md", ROOT / "docs" / "guide" / "accuracy.svg"
RATES = ROOT / "src" / "trainclinic" / "report" / "rates.json"
BEGIN, END = "<!-- written by `make bench-diagnosis`: begin -->", "<!-- end -->"
PROMISED = {
    "root cause ranked first": ("≥ 85 %", "맨 앞에 놓인 원인이 참인 비율"),
    "… at level problem": ("", "그 가운데 '문제'로 판정한 비율"),
    "root cause among the findings": ("≥ 95 %", "찾은 문제 가운데 참 원인이 있는 비율"),
    "… among those at level problem": ("", "그 가운데 '문제'로 판정한 것"),
    "a problem found on a healthy run": ("≤ 1 %", "건강한 학습에서 문제라고 한 비율"),
    "… of a good plan": ("", "그 가운데 고장을 넣지 않은 학습"),
    "… with a fault that did no harm": ("", "그 가운데 고장을 넣었으나 해가 없던 학습"),
    "… and another one named than is there": ("", "그 가운데 넣은 고장이 아닌 것을 문제라고 한 비율"),
    "an observation, and no problem, on a good plan": ("", "고장을 넣지 않은 학습에서 관찰만 적은 비율"),
}

#: what the tools are compared by
ASKED = ("root cause ranked first", "root cause among the findings", "a problem found on a healthy run")

READINGS = (
    "worse at all is harm<br>조금이라도 나쁘면 해로움 | 95 % | runs",
    "clearly worse is harm<br>뚜렷이 나빠야 해로움 | 95 % | runs",
)

SECTION = """{begin}
## On networks and data that no limit was set on

`make bench-diagnosis` trains Setups on data that the zoo above does not have, {new} of {all} plans with an architecture
that it does not have either: the healthy ones on six seeds, those with a fault on three. Whether a Setup counts is
decided by what it reaches on rows that nothing saw, before any diagnosis. A finding is a problem where it is seen to do
harm, else an observation; problems come first. An alarm is a problem. To say nothing is a miss. Intervals (95 %) are
from a bootstrap of whole Setups, since seeds of one Setup are not independent.

What counts as harm is read in two ways. **Worse at all**, as the promises word it: a fault does harm where it comes out
worse than its healthy twin on two of three seeds, by however little ({all_healthy} Setups count as healthy,
{all_faulty} as faulty). Of faults without any effect half do so by chance. **Clearly worse**: by 3 points of accuracy
or 5 of explained variance; all that costs less counts as healthy ({healthy_setups} Setups, {faulty_setups} faulty), and
is held against the tool where it calls it a problem. The tables of single problems below are made so.

한계값을 정할 때 쓰지 않은 자료와 신경망으로 다시 재었습니다. 해가 보이면 '문제', 보이지 않으면 '관찰'로 적고, 문제를
앞에 놓습니다. 아무 말도 하지 않은 것은 놓친 것으로 셉니다. 해로움은 두 가지로 셉니다. 고장이 없는 쌍둥이보다 세 시드
가운데 둘에서 조금이라도 나쁘면 해롭다고 보는 것(약속한 대로)과, 정확도 3포인트나 설명된 분산 5포인트 이상 나빠야
해롭다고 보는 것입니다.

| | promised | {readings} |
| --- | --- | --- | --- | --- | --- | --- | --- |
{promised}

Where a figure falls short of what is promised, the promise stands and the rules do not keep it yet.
재어 본 값이 약속에 못 미치는 곳은 아직 지키지 못한 약속입니다.

| what is held out | ranked first | among the findings | healthy runs with a problem |
| --- | --- | --- | --- |
{held_out}
{peers}
![What is wrong, and which root cause is named first](accuracy.svg)

A row is what is wrong, a column what is named first; the colour is the share of the row, the number counts runs. What a
fault accepts as equally right keeps its own name here. 행은 실제 원인, 열은 맨 앞에 놓인 원인입니다.

| problem | runs | ranked first | among the findings | nothing said | false alarms on healthy runs |
| --- | --- | --- | --- | --- | --- |
{problems}

{confused}

Of the faults, {harmless} were not clearly worse and count as healthy: a finding at level `problem` is held against the
tool there, too. {left_out} Setups count nowhere, because the healthy plan, or the healthy twin of a fault, missed its
level on one seed, or because the training broke off. All names stand in `benchmarks/results/diagnosis.json`.
{end}
"""

PEERS = """
A fifth of these Setups, chosen by a hash of their names, was trained again under two other tools, on two of the
same seeds. They do not name root causes, so what they say is read generously: it is right if any of what it may mean
is right, everything at the highest severity that they give counts as ranked first, and hints of style or mere
information raise no alarm (`benchmarks/diagnosis_peers.py`); ours is held to one first cause. Who says much is right
often: "by chance" is how often a tool's answers would be right first if they were dealt to the faulty runs at random.

같은 학습을 다른 도구와 함께 다시 하여 견준 표입니다. "by chance"는 그 도구의 답을 고장 난 학습들에 아무렇게나
나누어 주었을 때 맞는 비율입니다.

| tool | true cause ranked first | by chance | among the findings | a problem found on a healthy run |
| --- | --- | --- | --- | --- |
{tools}

{runs}{errors} Figures for each problem stand in `benchmarks/results/diagnosis-peers.json`.
"""


def write(results_path: Path, peers_path: Path) -> None:
    """The section of the guide and its picture, and the rates that the package cites."""
    results = json.loads(results_path.read_text(encoding="utf-8"))
    peers = json.loads(peers_path.read_text(encoding="utf-8")) if peers_path.exists() else None
    put(section(results, peers), BEGIN)
    RATES.write_text(json.dumps(rates(results), indent=1) + "\n", encoding="utf-8")
    picture.draw(results["confusion"], PICTURE)


def put(text: str, begin: str) -> None:
    """Write a section of the guide in the place of the one that begins so; it carries both marks itself."""
    before, rest = PAGE.read_text(encoding="utf-8").split(begin, 1)
    PAGE.write_text(before + text.rstrip("\n") + rest.split(END, 1)[1], encoding="utf-8")


def rates(results: dict[str, Any]) -> dict[str, Any]:
    """The content of the package's `rates.json`."""
    return {"problems": {name: _rate(found) for name, found in results["by problem"].items()}}


def _rate(found: dict[str, Any]) -> dict[str, Any]:
    first, alarms = found["first"], found["on healthy runs"]
    return {
        "runs": first["runs"],
        "first": first["yes"],
        "among": found["among"]["yes"],
        "interval": [first["low"], first["high"]],
        "healthy": alarms["runs"],
        "alarms": alarms["yes"],
        "instead": found["named instead"],
    }


def section(results: dict[str, Any], peers: dict[str, Any] | None = None) -> str:
    """The section as Markdown, with the table of the other tools where they were asked."""
    kinds, at_all = results["by what is held out"], results["where worse at all is harm"]
    plans = [plan for plan in healthy() if plan.task.part == SEALED]
    return SECTION.format(
        begin=BEGIN,
        end=END,
        new=sum(not plan.known for plan in plans),
        all=len(plans),
        healthy_setups=results["a problem found on a healthy run"]["setups"],
        faulty_setups=results["root cause ranked first"]["setups"],
        all_healthy=at_all["a problem found on a healthy run"]["setups"],
        all_faulty=at_all["root cause ranked first"]["setups"],
        readings=" | ".join(READINGS),
        promised="\n".join(_promise(name, at_all[name], results[name]) for name in PROMISED),
        held_out="\n".join(f"| {kind} | {' | '.join(_share(one) for one in found.values())} |"
                           for kind, found in kinds.items()),
        problems="\n".join(_problem(name, found) for name, found in results["by problem"].items()),
        confused=_confused(results["by problem"]),
        peers=_peers(peers) if peers else "",
        harmless=len(results["harmless faults, counted as healthy"]),
        left_out=len(results["left out"]),
    )  # fmt: skip


def _promise(name: str, *readings: dict[str, Any]) -> str:
    limit, korean = PROMISED[name]
    figures = (f"**{_share(found)}** | {_interval(found)} | {found['runs']}" for found in readings)
    return f"| {name}<br>{korean} | {limit} | {' | '.join(figures)} |"


def _share(found: dict[str, Any]) -> str:
    return f"{100 * found['share']:.1f} %" if found["runs"] else "–"


def _interval(found: dict[str, Any]) -> str:
    return f"{100 * found['low']:.1f} to {100 * found['high']:.1f} %" if found["runs"] else "–"


def _with_interval(found: dict[str, Any]) -> str:
    return f"{_share(found)} ({_interval(found)})"


def _problem(name: str, found: dict[str, Any]) -> str:
    columns = (found["first"], found["among"], found["nothing said"])
    alarms = found["on healthy runs"]
    shares = " | ".join(map(_share, columns))
    return f"| {name} | {found['first']['runs']} | {shares} | {alarms['yes']} of {alarms['runs']} |"


def _peers(results: dict[str, Any]) -> str:
    tools = results["tools"]
    errors = {tool: sum(row["errors"].values()) for tool, row in tools.items()}
    broken = " and ".join(f"{count} under {tool}" for tool, count in errors.items() if count)
    ours = next(iter(tools.values()))
    return PEERS.format(
        tools="\n".join(
            f"| {tool} {results['versions'][tool]} | {' | '.join(_compared(row))} |" for tool, row in tools.items()
        ),
        runs=f"{ours[ASKED[0]]['runs']} faulty and {ours[ASKED[2]]['runs']} healthy runs.",
        errors=f" Runs that ended with an error, which counts as nothing said: {broken}." if broken else "",
    )


def _compared(row: dict[str, Any]) -> list[str]:
    first, *others = (_with_interval(row[key]) for key in ASKED)
    return [first, f"{100 * row['… by chance']:.1f} %", *others]


def _confused(problems: dict[str, dict[str, Any]], most: int = 10) -> str:
    """The commonest mistakes, in a sentence."""
    pairs = [
        (-count / found["first"]["runs"], truth, named, count)
        for truth, found in problems.items()
        for named, count in found["named instead"].items()
        if named
    ]
    told = [f"{truth} as {named} ({count})" for _, truth, named, count in sorted(pairs)[:most]]
    return (
        f"What is most often taken for what, in runs: {'; '.join(told)}." if told else "Nothing is taken for another."
    )


def show(results: dict[str, Any], console: Console) -> None:
    """The same on the terminal."""
    for name, (limit, _) in PROMISED.items():
        readings = (results["where worse at all is harm"][name], results[name])
        at_all, clearly = (f"{_with_interval(found)} of {found['runs']} runs" for found in readings)
        console.print(f"{name}: {at_all}{f', promised {limit}' if limit else ''}; clearly worse: {clearly}")
    table = Table("problem", "runs", "Setups", "first", "among", "nothing said", "not examined", "false alarms")
    for name, found in results["by problem"].items():
        first = found["first"]
        shares = (_share(found[key]) for key in ("first", "among", "nothing said"))
        alarms = str(found["on healthy runs"].get("yes", 0))
        table.add_row(name, str(first["runs"]), str(first["setups"]), *shares, str(found["not examined"]), alarms)
    console.print(table)
    for title in ("false alarms", "harmless faults, counted as healthy"):
        console.print(f"\n[bold]{title}[/]: {len(results[title])}")
        for told in results[title]:
            console.print(f"  {told}", markup=False, highlight=False)
    console.print(f"\n[bold]left out[/]: {len(results['left out'])}")
    for name, why in results["left out"].items():
        console.print(f"  {name}: {why}", markup=False, highlight=False)


def show_peers(results: dict[str, Any], console: Console) -> None:
    """The other tools beside ours, on the terminal."""
    table = Table("tool", "first", "by chance", "among", "healthy runs with a problem", "errors")
    for tool, row in results["tools"].items():
        table.add_row(f"{tool} {results['versions'][tool]}", *_compared(row), str(sum(row["errors"].values())))
    console.print(table)
    table = Table("problem", "runs", *(f"{tool}: first, among" for tool in results["tools"]))
    for name, found in results["by problem"].items():
        counts = (f"{one['first']['yes']}, {one['among']['yes']}" for one in found.values())
        table.add_row(name, str(next(iter(found.values()))["first"]["runs"]), *counts)
    console.print(table)
    for tool, row in results["tools"].items():
        for error, count in row["errors"].items():
            console.print(f"{tool}, {count} runs: {error}", markup=False, highlight=False)
