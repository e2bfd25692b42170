"""Chapter 1 on real networks: its numbers, its figures, its plays, and what its answers claim."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import trainclinic as tc
from trainclinic.errors import LabError
from trainclinic.lab import backward
from trainclinic.lab.chapter import Table
from trainclinic.lab.chapters import _vanishing_gradient_figures as shown
from trainclinic.lab.chapters._vanishing_gradient import _pre_activations
from trainclinic.lab.chapters.vanishing_gradient import VanishingGradient
from trainclinic.lab.controls import defaults
from trainclinic.lab.experiment import Make, loaders, network, values

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
PLAYS = VanishingGradient.plays()


def network_by_hand(name, depth, seed=0):
    """The network and batch of `backward`, put together once more."""
    init = "he" if name == "ReLU" else "xavier"
    chosen = values({"data": "spirals", "depth": depth, "activation": name, "init": init})
    torch.manual_seed(seed)
    train, _, inputs, outputs = loaders(chosen, seed)
    return (network(chosen, inputs, outputs), *next(iter(train)))


# -- forward and back


@pytest.mark.parametrize("name", ["Sigmoid", "Tanh", "ReLU", "GELU"])
def test_a_chain_of_units_is_that_of_autograd(name):
    x, weight, layers = 0.7, 1.3, 6
    phi = getattr(nn, name)()
    weights = torch.full((layers,), weight, dtype=torch.float64, requires_grad=True)
    signal, before = torch.tensor(x, dtype=torch.float64), []
    for layer in range(layers):
        before.append(weights[layer] * signal)
        before[-1].retain_grad()
        signal = phi(before[-1])
    signal.backward()
    found = backward.units(name, x, weight, layers)
    np.testing.assert_allclose(found.before, [z.item() for z in before])
    np.testing.assert_allclose(found.after[-1], signal.item())
    np.testing.assert_allclose(found.delta, [z.grad.item() for z in before])
    np.testing.assert_allclose(found.gradient, weights.grad.numpy())


def test_one_unit_after_another_multiplies_the_slopes():
    found = backward.units("Sigmoid", 1.0, 1.0, 5)
    assert found.delta[0] == pytest.approx(np.prod(found.slope))
    assert found.delta[0] == pytest.approx(0.0005, rel=0.05)  # as the text says
    assert backward.units("ReLU", 1.0, 1.0, 5).delta.tolist() == [1] * 5


# -- one update


@pytest.mark.parametrize(("name", "depth", "rate"), [("Sigmoid", 20, 0.1), ("ReLU", 20, 0.03), ("Tanh", 1, 5.0)])
def test_one_update_is_that_of_pytorchs_optimizer(name, depth, rate):
    model, x, y = network_by_hand(name, depth)
    layers = [module for module in model if isinstance(module, nn.Linear)]
    before = [layer.weight.detach().clone() for layer in layers]
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    for update in backward.one_update(name, depth, rate):
        weight = layers[update.layer - 1].weight
        assert update.before == before[update.layer - 1][update.index].item()
        assert update.gradient == weight.grad[update.index].item()
        assert abs(update.gradient) == weight.grad.abs().max().item()
        assert update.after == pytest.approx(weight[update.index].item(), rel=1e-6)
        assert update.step == rate * update.gradient
    assert update.layer == depth + 1


def test_the_first_of_20_sigmoid_layers_does_not_move_at_all():
    first, last = backward.one_update("Sigmoid", 20, 0.1)
    assert abs(first.gradient) < 1e-12 < 1e-2 < abs(last.gradient)
    assert first.after == first.before  # less than the last bit of a 32-bit number
    assert last.after == pytest.approx(last.before - 0.1 * last.gradient, rel=1e-6)
    assert first.steps_to_a_percent > 1e11
    still, _ = backward.one_update("Sigmoid", 20, 10.0)
    assert still.after == still.before  # nor with a learning rate of 10, as the text says
    moved, _ = backward.one_update("ReLU", 20, 0.1)
    assert moved.after != moved.before


def test_whoever_plays_draws_nothing_from_the_generator():
    state = torch.get_rng_state()
    backward.one_update("ReLU", 3, 0.1)
    backward.passage("ReLU", 3, 1.0)
    assert torch.equal(torch.get_rng_state(), state)


# -- explosion


@pytest.mark.parametrize("gain", [0.5, 1.5, 3.0])
def test_the_growth_per_layer_is_that_of_he_times_the_gain(gain):
    usual, found = backward.passage("ReLU", 20, 1.0), backward.passage("ReLU", 20, gain)
    assert usual.forward_growth == pytest.approx(1, abs=0.15)
    assert usual.backward_growth == pytest.approx(1, abs=0.15)
    assert found.forward_growth == pytest.approx(gain * usual.forward_growth, rel=0.01)
    assert found.backward_growth == pytest.approx(gain * usual.backward_growth, rel=0.01)


@pytest.mark.parametrize("clip", [0.0, 0.5, 1e9])
def test_the_pass_and_its_clipping_are_pytorchs(clip):
    model, x, y = network_by_hand("ReLU", 6)
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.Linear):
                layer.weight *= 2
    model.double()
    error = nn.functional.cross_entropy(model(x.double()), y)
    error.backward()
    found = backward.passage("ReLU", 6, 2.0, clip)
    hidden = [layer for layer in model if isinstance(layer, nn.Linear)][:-1]
    assert found.error == pytest.approx(error.item())
    np.testing.assert_allclose(found.gradient, [layer.weight.grad.square().mean().sqrt().item() for layer in hidden])
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip or math.inf).item()
    after = torch.nn.utils.get_total_norm([parameter.grad for parameter in model.parameters()]).item()
    assert found.norm == pytest.approx(norm)
    assert found.clipped == pytest.approx(after)


@pytest.mark.parametrize(
    ("call", "subject"),
    [
        (lambda: backward.units("Step", 1, 1, 1), "activation"),
        (lambda: backward.units("ReLU", 1, 1, 0), "layers"),
        (lambda: backward.units("ReLU", math.nan, 1, 1), "x and weight"),
        (lambda: backward.one_update("ReLU", 0, 0.1), "depth"),
        (lambda: backward.one_update("ReLU", 2, 0), "learning_rate"),
        (lambda: backward.passage("ReLU", 2, 1.0, -1), "clip"),
        (lambda: backward.passage("ReLU", 2, 100.0), "gain"),
    ],
)
def test_nonsense_is_refused(call, subject):
    with pytest.raises(LabError, match=f"^{subject}: expected"):
        call()


# -- figures


def test_the_sigmoid_is_drawn_with_its_peak():
    axes = VanishingGradient.drawings()["sigmoid"].draw().axes[0]
    curve, derivative, _ = axes.lines
    assert (curve.get_color(), derivative.get_color()) == ("blue", "red")
    x, y = derivative.get_data()
    assert (x[y.argmax()], y.max()) == (0, 0.25)
    np.testing.assert_allclose(curve.get_ydata(), 1 / (1 + np.exp(-x)))
    assert axes.get_title() == "Sigmoid Function and its Derivative"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["σ(x)", "σ'(x)"]


def test_the_measured_chain_keeps_under_the_bound():
    axes = VanishingGradient.drawings()["chain"].draw().axes[0]
    bound, product, arriving = (line.get_ydata() for line in axes.lines)
    assert axes.get_yscale() == "log"
    assert list(bound[:3]) == [0.25, 0.0625, 0.015625]
    assert len(bound) == len(product) == len(arriving) == 20
    assert (product <= bound).all()
    assert product[0] == shown.links()[-2].derivative  # from the last hidden layer back
    assert (product[1:] < product[:-1]).all()
    assert np.exp(np.log(product[-1]) / 20) == pytest.approx(0.234, abs=0.01)  # as the text says
    assert product[-1] == pytest.approx(2.5e-13, rel=0.5)
    each = (arriving[-1] / arriving[0]) ** (1 / 19)  # the signal falls as the slopes do: the weights' gain is 1
    assert each == pytest.approx(0.233, abs=0.01)


def test_the_gradient_falls_with_sigmoid_and_stays_level_with_the_remedies():
    axes = VanishingGradient.drawings()["gradient_per_layer"].draw().axes[0]
    sizes = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert list(sizes) == ["Sigmoid", *(name.en for name in shown.CURES)]
    assert axes.get_yscale() == "log"
    assert all(len(values) == 21 for values in sizes.values())
    assert sizes["Sigmoid"][0] < 1e-10 * sizes["Sigmoid"][-1]
    for name in shown.CURES:
        assert max(sizes[name.en]) < 10 * min(sizes[name.en])
        found = shown.links(**shown.CURES[name])
        assert (found[0].backward / found[-2].backward) ** (1 / 19) == pytest.approx(0.97, abs=0.03)  # factor per layer


def test_heavier_weights_saturate_the_network():
    axes = VanishingGradient.drawings()["saturated_share"].draw().axes[0]
    shares = [np.mean(line.get_ydata()) for line in axes.lines]
    assert [line.get_label() for line in axes.lines] == ["weights × 1", "weights × 4", "weights × 8"]
    assert shares[0] < 0.01
    assert shares == sorted(shares)
    assert shares[2] == pytest.approx(0.48, abs=0.05)


# -- plays


@pytest.mark.parametrize("name", PLAYS)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_play_answers_at_both_ends_of_every_control(name, language):
    play = PLAYS[name]
    usual = defaults(play.controls)
    ends = [usual]
    for control in play.controls:
        ends += [usual | {control.name: end} for end in control.choices or (control.low, control.high)]
    for given in ends:
        given = {control.name: control.read(given[control.name]) for control in play.controls}
        for one in play.show(given, language):
            if isinstance(one, Table):
                assert all(len(row) == len(one.header) for row in one.rows)
                assert not any("nan" in cell for row in one.rows for cell in row)
            else:
                assert one["layout"]["height"] == 320
                assert all(len(trace["x"]) == len(trace["y"]) > 0 for trace in one["data"])


def test_the_bounds_table_is_the_lectures():
    table, chart = PLAYS["bound"].show({"layers": 20, "spread": 0.0}, "en")
    assert [row[1] for row in table.rows] == ["0 to 0.25", "0 to 0.0625", "0 to 0.015625", "0 to 9.095e-13", "limit 0"]
    assert chart["data"][1]["y"] == [0.25**n for n in range(1, 21)]
    _, spread = PLAYS["bound"].show({"layers": 20, "spread": 2.0}, "en")
    assert spread["data"][0]["y"][-1] < chart["data"][1]["y"][-1] / 100


def test_the_share_of_saturated_units_climbs_with_the_inputs():
    shares = PLAYS["saturation"].show({"scale": 1.0, "activation": "Tanh"}, "en")[1]["data"]
    for trace in shares:
        assert trace["y"] == sorted(trace["y"])
        assert trace["y"][0] == 0
        assert trace["y"][-1] > 0.8
    z = _pre_activations()
    assert z.std() == pytest.approx(1, abs=0.05)
    table = PLAYS["saturation"].show({"scale": 3.0, "activation": "Tanh"}, "en")[0]
    assert table.rows[1][1] == f"{(1 - np.tanh(3 * z) ** 2 < 0.1).mean():.1%}"


def test_the_tables_of_update_and_explosion_say_what_the_text_says():
    (update,) = PLAYS["update"].show({"learning_rate": 0.1, "depth": 20, "activation": "Sigmoid"}, "en")
    rows = {row[0]: row[1:] for row in update.rows}
    assert rows["Wᵢ₋₁, before"][0] == rows["Wᵢ, after"][0]
    assert [float(rows[name][1]) for name in ("Wᵢ₋₁, before", "Wᵢ, after")] == pytest.approx([0.0740, 0.0845], abs=1e-4)
    assert float(rows["η ∂Error/∂W"][0]) == pytest.approx(-2.4e-15, rel=0.1)
    explosion, _ = PLAYS["explosion"].show({"gain": 1.5, "depth": 20, "clip": 1.0}, "en")
    rows = {row[0]: row[1:] for row in explosion.rows}
    assert rows["growth per layer, forward"][0] == "× 1.40"
    assert float(rows["norm of the gradient"][0]) == pytest.approx(5182, rel=0.01)
    assert float(rows["norm after clipping"][0]) == pytest.approx(1, abs=1e-3)
    assert float(rows["error of the batch"][0]) == pytest.approx(411, rel=0.01)


# -- the experiment


def train(seed=0, **changed):
    return tc.run(Make({**VanishingGradient.experiment.settings, **changed}), seed)


def problems(recording):
    return {finding.problem for finding in tc.diagnose(recording).findings if finding.level == "problem"}


def accuracy(recording):
    return recording.series("validation_accuracy").values[-1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_20_sigmoid_layers_are_diagnosed_and_the_two_remedies_are_clean(seed):
    sick = train(seed)
    assert "vanishing-gradient" in problems(sick)
    assert accuracy(sick) < 0.2
    for cure in shown.CURES.values():
        cured = train(seed, **cure)
        names = {finding.problem for finding in tc.diagnose(cured).findings}
        assert not names & {"vanishing-gradient", "exploding-gradient"}
        assert accuracy(cured) > 0.8


@pytest.mark.slow
def test_three_layers_train_and_six_do_not():
    *_, depth, _, _ = VanishingGradient.tries
    assert depth.settings == {"depth": 3}
    three, six = train(**depth.settings), train(depth=6)
    assert "vanishing-gradient" not in problems(three)
    assert "vanishing-gradient" in problems(six)
    assert accuracy(three) > 0.7 > 0.4 > accuracy(six)


@pytest.mark.slow
def test_a_larger_learning_rate_is_no_cure():
    larger = train(**VanishingGradient.tries[3].settings)
    assert {"vanishing-gradient", "learning-rate-too-high", "saturated-activation"} <= problems(larger)
    assert accuracy(larger) < 0.2


@pytest.mark.slow
def test_clipping_keeps_an_exploding_network_alive():
    settings = VanishingGradient.tries[4].settings
    lost, clipped = train(**settings), train(**settings, clip=1.0)
    assert {"exploding-gradient", "non-finite"} <= problems(lost)
    assert np.isnan(lost.series("loss").values).any()
    assert np.isfinite(clipped.series("loss").values).all()
    assert accuracy(clipped) > 0.4


@pytest.mark.slow
def test_the_chapters_code_runs_as_it_stands(capsys):
    (code,) = (section.code for section in VanishingGradient.text if section.code)
    exec(code, {})
    assert "vanishing-gradient" in capsys.readouterr().out
