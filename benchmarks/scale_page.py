"""Writes docs/guide/scale.md and its figure from benchmarks/results/scale.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from trainclinic.report.drawing import BLUE, GREEN, ORANGE, Chart, line, picture
from trainclinic.report.svg import draw

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "scale.json"
GUIDE = HERE.parent / "docs" / "guide"
PAGE, FIGURE = GUIDE / "scale.md", GUIDE / "scale.svg"
NAMES = {
    "layers-10": "10 layers",
    "layers-100": "100 layers",
    "layers-1000": "1,000 layers",
    "wide": "Linear of 100 M",
    "embedding": "Embedding of 100 M",
}

PAGE_TEXT = """# Long runs, many layers, large layers

`make bench-scale` measures what is on this page, and writes it: bare and watched trainings by turns, on one thread and
one core. The method stands in `benchmarks/scale.py`, all figures with their number of pairs and quartiles in
`benchmarks/results/scale.json` ({cpu}, torch {torch}, CPU, {date}).

## {steps} steps

![The cost of a step, the memory and the file, over the steps of the run](scale.svg)

A tiny network: a step of {tiny_us} µs, nearly all of it Python, so that here a watch weighs most. What counts is that
nothing grows but the file.

{long}

The file takes {bytes_per_step} bytes a step once it is closed: the loss and the mode of every step, and the look at one
step in a hundred (then; today in two hundred). While it is open SQLite keeps a log beside it,
here of up to {log_kb} kB. In a large network it is
the looks that count: {bytes_per_layer} bytes a layer and look.

## Many layers, large layers

**10, 100, 1,000 layers**: Linear of width 16 + ReLU, batch 8; the cost of a step is all calls. **Linear of 100 M**:
10,000 × 10,000, batch 4, SGD without momentum. **Embedding of 100 M**: 1,000,000 × 100, sparse gradients, 32 rows a
step.

{networks}

- **A plain step** looks at the loss and at the gradients of a few small weights, whatever the size of the model.
- **A look** is linear in the number of layers: {look_per_layer} µs a layer, where a bare step takes
  {bare_per_layer} µs. The default looks at one step in two hundred.
- **Large tensors are not copied.** Norms are taken in place; where a number must be converted first (bfloat16, or a
  gradient so small that its square is lost in float32), a quarter of a million elements are converted at a time. Of a
  weight with more than a million elements and a *sparse* gradient, `weight_rms` is that of 16,384 of them: a training
  step does not read all of such a weight either. Updates and cosines are those of about 1,000 elements of each weight.
- **A page shows at most 240 layers of a heatmap**, evenly chosen, and says so; a screen has no more lines. The chain of
  factors, the JSON and the recording hold all of them.

The memory over bare holds the package's modules too.
"""


def page(results: dict[str, Any]) -> str:
    """The page as Markdown."""
    long, networks = results["long"], results["networks"]
    machine = long["machine"]
    deep = networks["layers-1000"]
    values = {
        "cpu": machine["cpu"],
        "torch": machine["torch"],
        "date": machine["date"].split()[0],
        "steps": f"{long['steps']:,}",
        "tiny_us": f"{np.median([point['bare_step_us'] for point in long['points']]):.0f}",
        "long": _long_table(long),
        "bytes_per_step": f"{1e3 * long['closed_file_kb'] / long['steps']:.0f}",
        "bytes_per_layer": f"{_bytes_per_layer_and_look(networks):.0f}",
        "log_kb": f"{max(point['file_kb'] for point in long['points']) - long['closed_file_kb']:,.0f}",
        "networks": _networks_table(networks),
        "look_per_layer": f"{1e3 * deep['look_ms'] / 1e3:.0f}",
        "bare_per_layer": f"{1e3 * deep['bare_step_ms'] / 1e3:.0f}",
    }
    return PAGE_TEXT.format(**values)


def _bytes_per_layer_and_look(networks: dict[str, Any]) -> float:
    """From the files of the runs of 100 and of 1,000 layers, which have as many looks and windows."""
    few, many = networks["layers-100"]["processes"]["default"], networks["layers-1000"]["processes"]["default"]
    looks = networks["layers-1000"]["default"]["spread_1000"]["looks_per_step"] * many["steps"]
    return 1e3 * (many["file_kb"] - few["file_kb"]) / (900 * looks)


def _long_table(long: dict[str, Any]) -> str:
    rows = [_row("steps", "a step over bare [95 %]", "resident memory [MB]", "file, open [kB]"), _row(*["---"] * 4)]
    at = {point["step"]: point for point in long["points"]}
    begins = [int(begin) for begin in long["stretches"]]
    for begin, end in zip(begins, [*begins[1:], long["steps"]], strict=True):
        ratio, point = long["stretches"][str(begin)], at[end]
        low, high = ratio["ratio_median_95"]
        said = f"{ratio['ratio_median']:.3f} [{low:.3f}–{high:.3f}]"
        rows.append(_row(f"{begin:,} to {end:,}", said, f"{point['resident_mb']:.1f}", f"{point['file_kb']:,.0f}"))
    rows.append(_row("closed", "", "", f"{long['closed_file_kb']:,.0f}"))
    return "\n".join(rows)


def _networks_table(networks: dict[str, Any]) -> str:
    def row(title: str, form: str, *path: str) -> str:
        cells = []
        for name in NAMES:
            value: Any = networks[name]
            for key in path:
                value = value[key]
            cells.append(form.format(value))
        return _row(title, *cells)

    def ratio(title: str, kind: str) -> str:
        found = [networks[name]["kinds"][kind] for name in NAMES]
        intervals = ["{:.3f}–{:.3f}".format(*entry["ratio_median_95"]) for entry in found]
        return _row(title, *(f"{one['ratio_median']:.3f} [{two}]" for one, two in zip(found, intervals, strict=True)))

    process = ("processes", "default")
    rows = [
        _row("", *NAMES.values()),
        _row(*["---"] * (1 + len(NAMES))),
        row("parameters", "{:,}", "parameters"),
        row("bare step [ms]", "{:.3g}", "bare_step_ms"),
        ratio("A/A control, bare over bare", "control"),
        ratio("plain step over bare", "plain"),
        row("a look, in addition [ms]", "{:.3g}", "look_ms"),
        row("a step in a window for dead units, in addition [ms]", "{:.2g}", "window_over_plain_ms"),
        row("default over bare, run of 10,000 steps", "{:.3f}", "default", "spread_10000", "ratio"),
        row("peak memory over bare [MB]", "{:.1f}", "memory_over_bare_mb"),
        row("attach [s]", "{:.2f}", *process, "attach_s"),
        row("close [s]", "{:.2f}", *process, "close_s"),
        row("steps recorded", "{:,}", *process, "steps"),
        row("file [kB]", "{:,.0f}", *process, "file_kb"),
        row("read the file [s]", "{:.2f}", *process, "load_s"),
        row("diagnose [s]", "{:.2f}", *process, "diagnose_s"),
        row("write the HTML page [s]", "{:.2f}", *process, "html_s"),
        row("HTML page with plotly.js [kB]", "{:,.0f}", *process, "html_kb"),
    ]
    return "\n".join(rows)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


# -- the figure


def figure(results: dict[str, Any]) -> str:
    """Cost of a step, memory and file over the steps, one under the other, as one SVG file."""
    long = results["long"]
    panels = [
        _panel(long, "ratio", "a step, watched ÷ bare", "median of 10 pairs of 100 steps", BLUE, low=1.0),
        _panel(long, "resident_mb", "resident memory [MB]", "of the process, with both trainings", GREEN),
        _panel(long, "file_kb", "file, open [kB]", "with what SQLite keeps beside it", ORANGE),
    ]
    top, parts, width = 0, [], 0
    for panel, alt in panels:
        drawn = draw(panel, alt)
        width, height = (int(number) for number in drawn.split('viewBox="0 0 ')[1].split('"')[0].split())
        parts.append(drawn.replace("<svg ", f'<svg y="{top}" height="{height}" ', 1))
        top += height
    ground = '<rect width="100%" height="100%" fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}">{ground}{"".join(parts)}</svg>\n'


def _panel(long: dict[str, Any], key: str, title: str, name: str, colour: str, low: float = 0.0) -> tuple[Chart, str]:
    steps = np.array([point["step"] for point in long["points"]])
    values = np.array([point[key] for point in long["points"]])
    chart = picture([line(name, steps, values, colour)], "optimizer steps", title)
    chart["layout"]["yaxis"]["range"] = [low, float(values.max())]
    return chart, f"{title} over the optimizer's steps"


if __name__ == "__main__":
    found = json.loads(RESULTS.read_text())
    PAGE.write_text(page(found), encoding="utf-8")
    FIGURE.write_text(figure(found), encoding="utf-8")
