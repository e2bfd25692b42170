"""Chapter 9 of the lab: every update by hand against `torch.optim`, paths on the surfaces, the race, the spirals."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch

import trainclinic
from trainclinic.errors import LabError
from trainclinic.lab.chapter import Table, chapters
from trainclinic.lab.chapters._optimizers import CHOICES, RACE, starting
from trainclinic.lab.controls import defaults
from trainclinic.lab.experiment import Make
from trainclinic.lab.optimizers import FAMILY, GradientDescent, Momentum, Muon, RAdam, made, orthogonalised
from trainclinic.lab.settings import OPTIMIZERS
from trainclinic.lab.surfaces import SURFACES, path

STEPS = 40
PAIRS = {
    "GradientDescent": ("SGD", {}),
    "Momentum": ("SGD", {"momentum": 0.9}),
    "Nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "Adagrad": ("Adagrad", {}),
    "Adadelta": ("Adadelta", {}),
    "RMSprop": ("RMSprop", {}),
    "Adam": ("Adam", {}),
    "AdaMax": ("Adamax", {}),
    "NAdam": ("NAdam", {}),
    "RAdam": ("RAdam", {}),
    "AdamW": ("AdamW", {}),
    "Muon": ("Muon", {}),
}
needs_muon = pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this PyTorch has no Muon")


@pytest.fixture(scope="module")
def chapter():
    return chapters()["optimizers"]


def gradients(shape):
    """Large, small and changing sign: what tells the members of the family apart."""
    drawn = np.random.default_rng(3)
    scale = 10.0 ** drawn.uniform(-3, 1, size=shape)
    return [scale * (drawn.normal(size=shape) + 0.3) for _ in range(STEPS)]


def farthest(name, shape=(5, 3), rate=0.05):
    """The largest difference between our parameters and PyTorch's, over all steps; and within a single step."""
    kind, more = PAIRS[name]
    start = np.random.default_rng(4).normal(size=shape)
    theirs = torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = getattr(torch.optim, kind)([theirs], lr=rate, **more)
    ours = made(name, start, rate)
    apart, in_a_step = 0.0, 0.0
    for gradient in gradients(shape):
        before = ours.parameters - theirs.detach().numpy()
        theirs.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
        ours.step(gradient)
        now = ours.parameters - theirs.detach().numpy()
        apart, in_a_step = max(apart, np.abs(now).max()), max(in_a_step, np.abs(now - before).max())
    assert np.abs(ours.parameters - start).max() > 5 * 1e-6  # it moved, so that the comparison means something
    return apart, in_a_step


@pytest.mark.parametrize("name", [name for name in FAMILY if name != "Muon"])
def test_every_step_is_pytorchs(name):
    assert farthest(name)[0] < 1e-6


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
@needs_muon
def test_muon_is_pytorchs_as_far_as_bfloat16_goes(shape):
    assert farthest("Muon", shape, rate=0.05)[1] < 0.1 * 0.05 * math.sqrt(max(1, shape[0] / shape[1]))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
@needs_muon
def test_muon_is_pytorchs_when_both_have_the_same_precision(shape, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.double)
    assert farthest("Muon", shape)[0] < 1e-6


def test_the_family_is_the_lectures_and_every_one_names_its_source():
    assert list(FAMILY) == list(PAIRS)
    assert all(re.search(r"\b(18|19|20)\d\d\b", kind.source) for kind in FAMILY.values())
    assert all("←" in kind.__doc__ or "ρₜ" in kind.__doc__ for kind in FAMILY.values())


def test_muon_pushes_singular_values_together_and_keeps_the_directions():
    matrix = np.random.default_rng(0).normal(size=(4, 6))
    matrix[0] *= 100
    before = np.linalg.svd(matrix, compute_uv=False)
    after = np.linalg.svd(orthogonalised(matrix), compute_uv=False)
    assert before[0] / before[-1] > 50
    assert ((after > 0.6) & (after < 1.25)).all()
    assert orthogonalised(matrix.T) == pytest.approx(orthogonalised(matrix).T, abs=1e-9)
    assert np.sum(orthogonalised(matrix) * matrix) > 0


def test_radam_waits_five_steps():
    optimizer = RAdam([1.0], 0.1)
    factors = []
    for _ in range(7):
        optimizer.step([1.0])
        factors.append(optimizer.rectified())
    assert factors[:5] == [0.0] * 5
    assert 0 < factors[5] < factors[6] < 1


def test_momentum_comes_to_one_over_one_minus_mu_gradients():
    optimizer = Momentum([0.0], 0.1, momentum=0.8)
    for _ in range(100):
        before = optimizer.parameters
        after = optimizer.step([1.0])
    assert before - after == pytest.approx(0.1 / (1 - 0.8), abs=1e-9)


def test_a_step_leaves_what_was_given_alone():
    start, gradient = np.ones(2), np.ones(2)
    optimizer = GradientDescent(start, 0.5)
    first = optimizer.parameters
    assert optimizer.step(gradient).tolist() == [0.5, 0.5]
    assert start.tolist() == gradient.tolist() == first.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: made("Adamm", [1.0], 0.1), "expected one of GradientDescent"),
        (lambda: GradientDescent([1.0], -1.0), "learning_rate: expected"),
        (lambda: Momentum([1.0], 0.1, momentum=1.0), "momentum: expected"),
        (lambda: made("Adam", [1.0], 0.1, beta2=1.0), "beta2: expected"),
        (lambda: Muon([1.0], 0.1), "expected 2 dimensions for Muon"),
        (lambda: GradientDescent([1.0], 0.1).step([1.0, 2.0]), "gradient: expected the parameters' shape"),
        (lambda: orthogonalised([1.0, 2.0]), "matrix: expected two dimensions"),
    ],
)
def test_nonsense_is_refused(call, says):
    with pytest.raises(LabError, match=says):
        call()


# -- surfaces


@pytest.mark.parametrize("name", SURFACES)
def test_gradients_of_the_surfaces_are_those_of_autograd(name):
    surface = SURFACES[name]
    drawn = np.random.default_rng(1)
    for x, y in [surface.start, *surface.minima, *drawn.uniform(-2, 2, size=(20, 2))]:
        point = torch.tensor([x, y], dtype=torch.float64, requires_grad=True)
        surface.loss(point[0], point[1]).backward()
        assert surface.gradient(x, y) == pytest.approx(point.grad.tolist(), abs=1e-9)


@pytest.mark.parametrize("name", SURFACES)
def test_minima_are_minima_and_everything_is_in_the_picture(name):
    surface = SURFACES[name]
    x, y = np.meshgrid(*(np.linspace(surface.low[axis], surface.high[axis], 201) for axis in (0, 1)))
    assert surface.loss(x, y).min() >= surface.least - 1e-12
    for point in (*surface.minima, surface.start):
        assert all(low < at < high for low, at, high in zip(surface.low, point, surface.high, strict=True))
    for minimum in surface.minima:
        assert surface.gradient(*minimum) == pytest.approx((0, 0), abs=1e-12)
        assert surface.loss(*minimum) == pytest.approx(surface.least, abs=1e-12)


def test_a_path_that_diverges_ends_early():
    points = path(SURFACES["rosenbrock"], starting("GradientDescent", SURFACES["rosenbrock"].start, 0.01, 0.0), 300)
    assert len(points) < 10
    assert points[0].tolist() == [-1.2, 1.0]


# -- plays


def ends(play):
    yield defaults(play.controls)
    for control in play.controls:
        for value in control.choices or (control.low, control.high):
            yield {**defaults(play.controls), control.name: value}


@pytest.mark.parametrize("name", ["paths", "one-step"])
def test_every_play_answers_in_both_languages(chapter, name):
    from plotly.graph_objects import Figure

    play = chapter.plays()[name]
    for values in ends(play):
        for language in ("en", "ko"):
            for one in play.show(values, language):
                if isinstance(one, Table):
                    assert {len(row) for row in one.rows} == {len(one.header)}
                else:
                    Figure(one)
                    assert all(np.isfinite(trace["x"]).all() for trace in one["data"])
    assert play.show(defaults(play.controls), "en") != play.show(defaults(play.controls), "ko")


def arrivals(chapter, **values):
    play = chapter.plays()["paths"]
    _, table = play.show({**defaults(play.controls), **values}, "en")
    return [row[3] for row in table.rows]


def test_the_numbers_that_the_text_gives_for_the_valley(chapter):
    assert arrivals(chapter) == ["110", "34"]
    assert arrivals(chapter, optimizer_b="Nesterov")[1] == "28"
    assert arrivals(chapter, momentum=0.95, steps=300)[1] == "160"


def test_gradient_descent_zigzags_below_the_limit_and_diverges_above_it(chapter):
    valley = SURFACES["valley"]
    below, above = (path(valley, GradientDescent(valley.start, rate), 150) for rate in (0.079, 0.081))
    assert (np.sign(below[1:10, 1]) == -np.sign(below[:9, 1])).all()
    assert abs(below[-1, 1]) < abs(valley.start[1]) < abs(above[-1, 1])


def test_rmsprop_does_not_notice_that_the_valley_is_narrow(chapter):
    for surface in ("bowl", "valley"):
        assert arrivals(chapter, surface=surface, optimizer_a="RMSprop", rate_a=0.1)[0] == "18"


def test_a_divergence_is_said_and_not_drawn_as_an_arrival(chapter):
    play = chapter.plays()["paths"]
    _, table = play.show({**defaults(play.controls), "surface": "rosenbrock", "rate_a": 0.01}, "en")
    assert table.rows[0][1:] == ("—", "diverged after 4 steps", "—")


def one_step(chapter, **values):
    play = chapter.plays()["one-step"]
    (table,) = play.show({**defaults(play.controls), **values}, "en")
    return {row[0]: tuple(map(float, row[1:])) for row in table.rows}


def test_adams_first_step_is_the_learning_rate_whatever_the_gradient(chapter):
    assert one_step(chapter)["update Δw"] == pytest.approx((-0.1, -0.1), abs=1e-6)
    assert one_step(chapter, optimizer="GradientDescent")["update Δw"] == pytest.approx((-0.4, -0.001))


@pytest.mark.parametrize("name", CHOICES)
def test_the_numbers_of_one_step_add_up(chapter, name):
    rows = one_step(chapter, optimizer=name, step=7, large=2.0)
    for before, change, after in zip(
        rows["parameter w before"], rows["update Δw"], rows["parameter w after"], strict=True
    ):
        assert before + change == pytest.approx(after, abs=1e-4)
    if "m̂ now" in rows and name in ("Adam", "AdamW"):
        expected = [-0.1 * m / root for m, root in zip(rows["m̂ now"], rows["√v̂ + ε now"], strict=True)]
        assert rows["update Δw"] == pytest.approx(expected, rel=1e-4)


def test_a_gradient_of_zero_has_no_effective_rate(chapter):
    assert math.isnan(one_step(chapter, small=0.0)["Δw / (−η g)"][1])


# -- text, race and experiment


def test_the_code_of_the_text_runs(chapter, capsys):
    momentum, muon, family = (section.code for section in chapter.text if section.code)
    exec(momentum, {})
    moves = [float(text.split("[")[1].rstrip("]")) for text in capsys.readouterr().out.splitlines()]
    assert moves == pytest.approx([-0.1, -0.18, -0.244, -0.2952, -0.33616])
    exec(muon, {})
    assert "before: [93.39" in capsys.readouterr().out
    exec(family, {})
    assert len(capsys.readouterr().out.splitlines()) == len(FAMILY)


@pytest.mark.slow
@needs_muon
def test_the_race_shows_five_that_all_arrive(chapter):
    left, right = chapter.drawings()["race"].draw().axes
    assert [line.get_label() for line in right.lines] == [f"{name}, lr {rate}" for name, rate in RACE.items()]
    for loss, accuracy in zip(left.lines, right.lines, strict=True):
        assert len(loss.get_ydata()) == 10
        assert loss.get_ydata()[-1] < 0.5 * loss.get_ydata()[0]
        assert accuracy.get_ydata()[-1] > 0.9


def outcome(chapter, **changed):
    recording = trainclinic.run(Make({**chapter.experiment.settings, **changed}), seed=0)
    problems = [finding.problem for finding in trainclinic.diagnose(recording).findings if finding.level == "problem"]
    return recording.series("loss").late(0.05), recording.series("validation_accuracy").values[-1], problems


@pytest.mark.slow
def test_momentum_learns_the_spirals_where_sgd_does_not(chapter):
    loss, accuracy, _ = outcome(chapter)
    assert loss > 0.8
    assert accuracy < 0.6
    loss, accuracy, problems = outcome(chapter, **chapter.tries[0].then)
    assert loss < 0.05
    assert accuracy > 0.97
    assert problems == []


@pytest.mark.slow
def test_ten_times_the_rate_does_what_momentum_did(chapter):
    assert outcome(chapter, **chapter.tries[1].settings)[1] > 0.97


@pytest.mark.slow
def test_a_hundred_times_adams_rate_kills_units(chapter):
    assert outcome(chapter, **chapter.tries[2].settings)[1] > 0.97
    _, accuracy, problems = outcome(chapter, **chapter.tries[3].settings)
    assert accuracy < 0.95
    assert "dead-relu" in problems


def test_the_experiment_and_every_try_are_settings_that_exist(chapter):
    assert set(chapter.experiment.shown) >= {"optimizer", "learning_rate"}
    for one in chapter.tries:
        Make({**chapter.experiment.settings, **one.settings})
    assert set(RACE) <= set(OPTIMIZERS)
