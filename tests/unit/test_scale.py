"""What is large stays usable: layers of many parameters are not copied, models of many layers are watched whole."""

from __future__ import annotations

import importlib
import json
import math
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import trainclinic as tc
from trainclinic.measure.reductions import is_zero, norm
from trainclinic.report import charts
from trainclinic.report.html import page

ROOT = Path(__file__).parents[2]
SIZE = 2048  # a weight of 16 MB in float32; pieces of it that are converted take 2 MB


def large_allocations(train, bound):
    """Sizes of the tensors of at least `bound` bytes that are allocated while `train` runs, sorted."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as found:
        train()
    return sorted(event.self_cpu_memory_usage for event in found.events() if event.self_cpu_memory_usage >= bound)


@pytest.mark.parametrize("every", [1, 10**9], ids=["look", "plain"])
@pytest.mark.parametrize("micro_batches", [1, 3])
@pytest.mark.parametrize("set_to_none", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.complex64], ids=str)
def test_no_step_copies_a_large_weight_or_its_gradient(every, micro_batches, set_to_none, dtype):
    model = nn.Linear(SIZE, SIZE, bias=False, dtype=dtype)  # no small parameter speaks for it
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    x = torch.randn(2, SIZE, dtype=dtype)

    def step():
        optimizer.zero_grad(set_to_none=set_to_none)
        for _ in range(micro_batches):
            model(x).abs().square().mean().backward()
        optimizer.step()

    def train():
        for _ in range(2):
            step()

    step()
    bound = SIZE * SIZE  # bytes: not even a mask of its elements
    bare = large_allocations(train, bound)
    with tc.watch(model, optimizer, every=every):
        step()
        assert large_allocations(train, bound) == bare
    assert bare, "the gradient itself is seen"


def test_a_look_does_not_read_all_of_a_large_embedding_with_sparse_gradients():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(20_000, 100, sparse=True), nn.Flatten(), nn.Linear(400, 3))
    exact = model[0].weight.detach().double().square().mean().sqrt().item()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with tc.watch(model, optimizer, every=1) as watch:
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(model(torch.randint(20_000, (8, 4))), torch.randint(3, (8,))).backward()
            optimizer.step()
    seen = watch.recording.series("weight_rms", "0").values
    assert len(seen) == 3
    assert seen[0] != pytest.approx(exact, rel=1e-4), "a sample"
    assert seen[0] == pytest.approx(exact, rel=0.02), "whose norm is right to half a percent"


@pytest.mark.parametrize(
    "tensor",
    [
        torch.randn(1, 700_000) * 1e-21,
        (torch.randn(70, 90, 101) * 1e20).transpose(0, 2),
        torch.randn(3000, 300).bfloat16(),
        torch.randn(600, 600, dtype=torch.complex64) * 1e-25,
        torch.zeros(300_000),
    ],
    ids=["small", "large, transposed", "bfloat16", "complex", "zero"],
)
def test_a_norm_taken_piece_by_piece_is_that_of_the_whole(tensor):
    exact = np.linalg.norm(tensor.to(torch.complex128 if tensor.is_complex() else torch.float64).numpy().ravel())
    assert norm(tensor).item() == pytest.approx(exact, rel=1e-4, abs=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.complex64], ids=str)
def test_zero_is_told_from_the_smallest_number_and_from_nan(dtype):
    tensor = torch.zeros(3, 5, dtype=dtype)
    assert is_zero(tensor)
    assert is_zero(-tensor)
    assert is_zero(tensor[:0])
    for value in (1e-7 if dtype == torch.float16 else 1e-45, math.nan, math.inf):
        for sign in (1, -1):
            tensor[1, 2] = sign * value
            assert not is_zero(tensor)


# -- many layers

LAYERS = 1_000


@pytest.fixture(scope="module")
def deep():
    """A thousand layers, so that the signals fade away to below the smallest float."""
    torch.manual_seed(0)
    parts = [part for _ in range(LAYERS) for part in (nn.Linear(8, 8), nn.ReLU())]
    model = nn.Sequential(*parts, nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with tc.watch(model, optimizer, every=1) as watch:
        for _ in range(4):
            optimizer.zero_grad()
            F.cross_entropy(model(torch.randn(8, 8)), torch.randint(3, (8,))).backward()
            optimizer.step()
    return tc.diagnose(watch)


def test_a_model_of_a_thousand_layers_is_watched_whole(deep):
    recording = deep.recording
    assert len(recording.layers) == 2 * LAYERS + 1
    assert [layer.name for layer in recording.measured("backward_rms")] == [str(2 * at) for at in range(LAYERS + 1)]
    assert len(recording.measured("activation_derivative")) == LAYERS
    assert len(recording.facts["parameters"]) == 2 * (LAYERS + 1)


def test_it_is_diagnosed_and_reported(deep, tmp_path):
    assert "vanishing-gradient" in [finding.problem for finding in deep.findings]
    document = json.loads(tc.report(deep, tmp_path / "report.json").read_text())
    assert len(document["run"]["layers"]) == 2 * LAYERS + 1
    links = document["chain"]["early"]
    assert [(link["layer"], link["activation"]) for link in links] == [
        *((str(2 * at), str(2 * at + 1)) for at in range(LAYERS)),
        (str(2 * LAYERS), None),
    ]
    assert tc.report(deep, tmp_path / "report.txt").stat().st_size < 10_000


def test_its_page_stays_small_and_says_what_it_leaves_out(deep):
    from plotly.offline import get_plotlyjs

    chart = charts.heatmap(deep.recording, "backward_rms")
    shown = chart["data"][0]["y"]
    assert (len(shown), shown[0], shown[-1]) == (charts.MOST_ROWS, "0", str(2 * LAYERS))
    assert len(chart["data"][0]["z"]) == charts.MOST_ROWS
    assert chart["layout"]["yaxis"]["title"]["text"] == f"{charts.MOST_ROWS} of 1,001 layers, evenly chosen"
    assert len(page(deep)) - len(get_plotlyjs()) < 1_500_000


# -- the page of the benchmark


@pytest.fixture
def scale_page(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module("scale_page")
    sys.modules.pop("scale_page")


def test_the_guide_is_that_of_the_results(scale_page):
    results = json.loads(scale_page.RESULTS.read_text())
    assert scale_page.PAGE.read_text(encoding="utf-8") == scale_page.page(results), "run benchmarks/scale_page.py"
    assert scale_page.FIGURE.read_text(encoding="utf-8") == scale_page.figure(results), "run benchmarks/scale_page.py"


def test_the_figure_is_a_file_of_its_own_with_whole_axes(scale_page):
    results = json.loads(scale_page.RESULTS.read_text())
    root = ElementTree.fromstring(scale_page.figure(results))
    svg = "{http://www.w3.org/2000/svg}"
    panels = root.findall(f"{svg}svg")
    assert len(panels) == 3
    for panel, lowest in zip(panels, ("1", "0", "0"), strict=True):
        texts = panel.findall(f"{svg}text")
        assert texts[0].text == lowest, "the axis of heights begins there"
        last = next(text for text in texts if text.text == "100000")
        assert float(last.get("x")) + 0.5 * 7 * len(last.text) <= 640, "and no label is cut"
