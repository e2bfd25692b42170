"""The figures of `results/diagnosis.json` as words, tables and a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
PAGE, PICTURE = GUIDE / "accuracy.md", GUIDE / "accuracy.svg"
BEGIN, END = "<!-- written by `make bench-diagnosis`: begin -->", "<!-- end -->"
PROMISED = {
    "root cause ranked first": ("≥ 85 %", "맨 앞에 놓인 원인이 참인 비율"),
    "root cause among the findings": ("≥ 95 %", "찾은 문제 가운데 참 원인이 있는 비율"),
    "a problem found on a healthy run": ("≤ 1 %", "건강한 학습에서 문제라고 한 비율"),
    "… of a good plan": ("", "그 가운데 고장을 넣지 않은 학습"),
    "… with a fault that did no harm": ("", "그 가운데 고장을 넣었으나 해가 없던 학습"),
}

SECTION = """{begin}
## On networks and data that no limit was set on

`make bench-diagnosis` trains {healthy_setups} Setups that are healthy and {faulty_setups} with one fault each, none on
data of the zoo above, and most of an architecture that is not in it; five and three seeds. Whether a Setup counts is
decided by what it reaches on rows that nothing saw, before any diagnosis. To say nothing is a miss. Intervals (95 %)
are from a bootstrap of whole Setups, since seeds of one Setup are not independent.

학습에 쓰지 않은 자료와 구조로 다시 재었습니다. 건강한 설정 {healthy_setups}개, 고장을 하나씩 넣은 설정
{faulty_setups}개입니다. 아무 말도 하지 않은 것은 놓친 것으로 셉니다.

| | promised | measured | 95 % | runs |
| --- | --- | --- | --- | --- |
{promised}

| what is held out | ranked first | among the findings | healthy runs with a problem |
| --- | --- | --- | --- |
{held_out}

![What is wrong, and which root cause is named first](accuracy.svg)

A row is what is wrong, a column what is named first; shares of the row. What a fault accepts as equally right keeps its
own name here. 행은 실제 원인, 열은 맨 앞에 놓인 원인입니다.

| problem | runs | ranked first | among the findings | nothing said | false alarms on healthy runs |
| --- | --- | --- | --- | --- | --- |
{problems}

{confused}

Of the faults, {harmless} did no harm and count as healthy: a finding at level `problem` is held against the tool there,
too. {left_out} Setups count nowhere, because the healthy plan missed its level on one seed, or the training broke off.
All names stand in `benchmarks/results/diagnosis.json`.
{end}
"""


def write(results_path: Path) -> None:
    """The section of the guide and its picture."""
    results = json.loads(results_path.read_text(encoding="utf-8"))
    text = PAGE.read_text(encoding="utf-8")
    if BEGIN not in text:
        text = text.replace("\n## On scripts", f"\n{BEGIN}\n{END}\n\n## On scripts", 1)
    before, rest = text.split(BEGIN, 1)
    PAGE.write_text(before + section(results).rstrip("\n") + rest.split(END, 1)[1], encoding="utf-8")
    draw(results["confusion"], PICTURE)


def section(results: dict[str, Any]) -> str:
    """The section as Markdown."""
    kinds = results["by what is held out"]
    return SECTION.format(
        begin=BEGIN,
        end=END,
        healthy_setups=results["a problem found on a healthy run"]["setups"],
        faulty_setups=results["root cause ranked first"]["setups"],
        promised="\n".join(_promise(name, results[name]) for name in PROMISED),
        held_out="\n".join(f"| {kind} | {' | '.join(_share(one) for one in found.values())} |"
                           for kind, found in kinds.items()),
        problems="\n".join(_problem(name, found) for name, found in results["by problem"].items()),
        confused=_confused(results["confusion"]),
        harmless=len(results["harmless faults, counted as healthy"]),
        left_out=len(results["left out"]),
    )  # fmt: skip


def _promise(name: str, found: dict[str, Any]) -> str:
    limit, korean = PROMISED[name]
    return f"| {name}<br>{korean} | {limit} | **{_share(found)}** | {_interval(found)} | {found['runs']} |"


def _share(found: dict[str, Any]) -> str:
    return f"{100 * found['share']:.1f} %" if found["runs"] else "–"


def _interval(found: dict[str, Any]) -> str:
    return f"{100 * found['low']:.1f} to {100 * found['high']:.1f} %" if found["runs"] else "–"


def _problem(name: str, found: dict[str, Any]) -> str:
    columns = (found["first"], found["among"], found["nothing said"])
    alarms = found["on healthy runs"]
    shares = " | ".join(map(_share, columns))
    return f"| {name} | {found['first']['runs']} | {shares} | {alarms['yes']} of {alarms['runs']} |"


def _confused(confusion: dict[str, dict[str, int]], most: int = 10) -> str:
    """The commonest mistakes, in a sentence."""
    pairs = [
        (count / sum(row.values()), truth, named, count)
        for truth, row in confusion.items()
        for named, count in row.items()
        if truth not in (named, "healthy") and named != "nothing"
    ]
    told = [f"{truth} as {named} ({count})" for _, truth, named, count in sorted(pairs, reverse=True)[:most]]
    return (
        f"What is most often taken for what, in runs: {'; '.join(told)}." if told else "Nothing is taken for another."
    )


def draw(confusion: dict[str, dict[str, int]], path: Path) -> None:
    """The confusion matrix: shares of each row, and the number of runs in the cells."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "trainclinic", "svg.fonttype": "none", "font.size": 8})
    import matplotlib.pyplot as plt

    truths = [name for name in confusion if name != "healthy"] + ["healthy"] * ("healthy" in confusion)
    named = {name for row in confusion.values() for name in row}
    columns = [name for name in truths if name != "healthy"] + sorted(named - {*truths, "nothing"}) + ["nothing"]
    shares = [[confusion[truth].get(name, 0) / sum(confusion[truth].values()) for name in columns] for truth in truths]
    figure, axes = plt.subplots(figsize=(1.5 + 0.34 * len(columns), 1.5 + 0.3 * len(truths)))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, truth in enumerate(truths):
        for column, name in enumerate(columns):
            if count := confusion[truth].get(name, 0):
                colour = "white" if shares[row][column] > 0.55 else "#333333"
                axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=7)
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right")
    axes.set_yticks(range(len(truths)), truths)
    axes.set_xlabel("root cause named first")
    axes.set_ylabel("what is wrong")
    figure.savefig(path, bbox_inches="tight", facecolor="white", metadata={"Date": None})
    plt.close(figure)


def show(results: dict[str, Any], console: Console) -> None:
    """The same on the terminal."""
    for name, (limit, _) in PROMISED.items():
        found = results[name]
        told = f"{_share(found)} ({_interval(found)}) of {found['runs']} runs"
        console.print(f"{name}: {told}{f', promised {limit}' if limit else ''}")
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
