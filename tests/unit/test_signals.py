"""Every recorded signal at every step against a computation by hand: plain formulas in float64, and autograd.grad."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from by_hand import (
    Hand,
    batch,
    check,
    compare,
    elu,
    gelu,
    gelu_tanh,
    leaky,
    relu,
    rms,
    selu,
    sigmoid,
    silu,
    softplus,
    tanh,
)
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import trainclinic as tc
from trainclinic.measure.reductions import spread

OUTPUTS = ("activation_rms", "activation_mean")

MODULES = [
    (nn.Sigmoid(), "sigmoid", sigmoid),
    (nn.Tanh(), "tanh", tanh),
    (nn.ReLU(), "relu", relu),
    (nn.ReLU(inplace=True), "relu", relu),
    (nn.LeakyReLU(), "leaky_relu", leaky(0.01)),
    (nn.LeakyReLU(0.3, inplace=True), "leaky_relu", leaky(0.3)),
    (nn.ELU(), "elu", elu(1.0)),
    (nn.ELU(0.7), "elu", elu(0.7)),
    (nn.ELU(0.7, inplace=True), "elu", elu(0.7)),
    (nn.SELU(), "selu", selu),
    (nn.SELU(inplace=True), "selu", selu),
    (nn.GELU(), "gelu", gelu),
    (nn.GELU("tanh"), "gelu", gelu_tanh),
    (nn.SiLU(), "silu", silu),
    (nn.SiLU(inplace=True), "silu", silu),
    (nn.Softplus(), "softplus", softplus(1.0)),
    (nn.Softplus(2.0), "softplus", softplus(2.0)),
]
FUNCTIONS = [
    *[(f, "sigmoid", sigmoid) for f in (F.sigmoid, torch.sigmoid, torch.sigmoid_, Tensor.sigmoid, Tensor.sigmoid_)],
    *[(f, "tanh", tanh) for f in (F.tanh, torch.tanh, torch.tanh_, Tensor.tanh, Tensor.tanh_)],
    *[(f, "relu", relu) for f in (F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_)],
    (lambda z: F.relu(z, inplace=True), "relu", relu),
    (F.leaky_relu, "leaky_relu", leaky(0.01)),
    (lambda z: F.leaky_relu(z, 0.3), "leaky_relu", leaky(0.3)),
    (lambda z: F.leaky_relu(z, negative_slope=0.3, inplace=True), "leaky_relu", leaky(0.3)),
    (lambda z: F.leaky_relu_(z, 0.3), "leaky_relu", leaky(0.3)),
    (F.elu, "elu", elu(1.0)),
    (lambda z: F.elu(z, 0.7), "elu", elu(0.7)),
    (lambda z: F.elu(z, alpha=0.7, inplace=True), "elu", elu(0.7)),
    (lambda z: F.elu_(z, 0.7), "elu", elu(0.7)),
    *[(f, "selu", selu) for f in (F.selu, torch.selu, torch.selu_, F.selu_)],
    (lambda z: F.selu(input=z, inplace=True), "selu", selu),
    (F.gelu, "gelu", gelu),
    (lambda z: F.gelu(z, approximate="tanh"), "gelu", gelu_tanh),
    (F.silu, "silu", silu),
    (lambda z: F.silu(z, inplace=True), "silu", silu),
    (F.softplus, "softplus", softplus(1.0)),
    (lambda z: F.softplus(z, 2.0), "softplus", softplus(2.0)),
    (lambda z: F.softplus(input=z, beta=2), "softplus", softplus(2.0)),
]


class Functional(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.first, self.last, self.function = nn.Linear(4, 5), nn.Linear(5, 3), function

    def forward(self, x):
        return self.last(self.function(self.first(x)))


def steep(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # so that some units saturate
    return model


@pytest.mark.parametrize(("module", "kind", "phi"), MODULES, ids=[str(entry[0]) for entry in MODULES])
def test_activation_module(module, kind, phi):
    torch.manual_seed(0)
    model = steep(nn.Sequential(nn.Linear(4, 5), copy.deepcopy(module), nn.Linear(5, 3)))

    def by_hand(hand, x):
        return hand.linear("2", hand.act("1", phi, hand.linear("0", x), kind in ("sigmoid", "tanh")))

    recording = check(model, by_hand, [batch(7, 4)], weight_layers=["0", "2"])
    assert [(entry.name, entry.kind, entry.role) for entry in recording.layers] == [
        ("0", "Linear", "weight"), ("1", kind, "activation"), ("2", "Linear", "weight")]  # fmt: skip


@pytest.mark.parametrize(("function", "kind", "phi"), FUNCTIONS, ids=[f"{i}-{f[1]}" for i, f in enumerate(FUNCTIONS)])
def test_activation_function(function, kind, phi):
    torch.manual_seed(0)
    model = steep(Functional(function))

    def by_hand(hand, x):
        return hand.linear("last", hand.act(kind, phi, hand.linear("first", x), kind in ("sigmoid", "tanh")))

    recording = check(model, by_hand, [batch(7, 4)], weight_layers=["first", "last"])
    assert recording.layer(kind).role == "activation"


def test_function_behind_a_norm_or_dropout_keeps_its_own_name():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.norm, self.drop, self.out = nn.Linear(4, 6), nn.LayerNorm(6), nn.Dropout(0.5), nn.Linear(6, 3)

        def forward(self, x):
            return self.out(torch.tanh(self.drop(F.relu(self.norm(self.fc(x))))))

    recording = short_run(Net(), batch(8, 4))
    assert [entry.name for entry in recording.layers] == ["fc", "relu", "tanh", "out"]


def short_run(model, data, steps=2, **settings):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = data
    with tc.watch(model, optimizer, **({"every": 1} | settings)) as watch:
        for _ in range(steps):
            optimizer.zero_grad()
            F.mse_loss(model(x).float(), y).backward()
            optimizer.step()
    return watch.recording


# -- layers


def test_linear_net_with_adam_and_gradient_accumulation():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 9), nn.Tanh(), nn.Linear(9, 3))

    def by_hand(hand, x):
        a = hand.act("1", relu, hand.linear("0", x))
        return hand.linear("4", hand.act("3", tanh, hand.linear("2", a), True))

    micro_batches = [batch(5, 6, seed=1), batch(3, 6, seed=2), batch(8, 6, seed=3)]
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    check(model, by_hand, micro_batches, weight_layers=["0", "2", "4"], optimizer=adam, steps=5)


def test_convolutions():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 8, 3, stride=2, padding=1)
            self.grouped = nn.Conv2d(8, 6, (3, 1), groups=2)
            self.up = nn.ConvTranspose2d(6, 4, 2, stride=2)
            self.head = nn.Linear(4, 3)

        def forward(self, x):
            x = F.relu(self.conv(x), inplace=True)
            return self.head(self.up(torch.sigmoid(self.grouped(x))).mean((2, 3)))

    def by_hand(hand, x):
        p = hand.p
        x = hand.out("conv", F.conv2d(x, p["conv.weight"], p["conv.bias"], stride=2, padding=1))
        x = hand.act("relu", relu, x)
        x = hand.out("grouped", F.conv2d(x, p["grouped.weight"], p["grouped.bias"], groups=2))
        x = hand.act("sigmoid", sigmoid, x, True)
        x = hand.out("up", F.conv_transpose2d(x, p["up.weight"], p["up.bias"], stride=2))
        return hand.linear("head", x.mean((2, 3)))

    torch.manual_seed(0)
    gains = {"conv": 8 * 9 / 4, "grouped": 6 * 3 / 2, "up": 4 * 4}  # outputs that each input feeds
    check(Net(), by_hand, [batch(4, 2, 8, 8)], gains=gains, weight_layers=["conv", "grouped", "up", "head"])


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(300, 200), (100, 300)),
        (nn.Conv2d(16, 32, 3, stride=2), (2, 16, 65, 65)),
        (nn.Conv1d(16, 32, 4, groups=4), (4, 16, 500)),
        (nn.ConvTranspose2d(16, 24, 4, stride=2, groups=2), (2, 16, 30, 30)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_weight_gain_is_what_a_random_signal_gains_on_its_way_back(layer, shape):
    torch.manual_seed(0)
    x = torch.randn(*shape, requires_grad=True)
    out = layer(x)
    back = torch.randn_like(out)
    (gradient,) = torch.autograd.grad(out, x, back)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.0)
    with tc.watch(layer, optimizer, every=1) as watch:
        layer(x).sum().backward()
        optimizer.step()
    assert watch.recording.series("weight_gain", type(layer).__name__).values[0] == pytest.approx(
        rms(gradient) / rms(back), rel=0.06
    )


def test_embedding_and_recurrent_layers():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(11, 4)
            self.lstm = nn.LSTM(4, 5, batch_first=True)
            self.rnn = nn.RNN(5, 4, batch_first=True)
            self.head = nn.Linear(4, 3)

        def forward(self, x):
            x, _ = self.lstm(self.words(x))
            x, _ = self.rnn(x)
            return self.head(x[:, -1])

    def by_hand(hand, x):
        p = hand.p
        x = hand.out("words", p["words.weight"][x])
        h = c = x.new_zeros(len(x), 5)
        states = []
        for t in range(x.shape[1]):
            gates = x[:, t] @ p["lstm.weight_ih_l0"].T + p["lstm.bias_ih_l0"]
            gates = gates + h @ p["lstm.weight_hh_l0"].T + p["lstm.bias_hh_l0"]
            i, f, g, o = gates.chunk(4, 1)
            c = sigmoid(f) * c + sigmoid(i) * tanh(g)
            h = sigmoid(o) * tanh(c)
            states.append(h)
        x = hand.out("lstm", torch.stack(states, 1))
        h, before = x.new_zeros(len(x), 4), []
        for t in range(x.shape[1]):
            z = x[:, t] @ p["rnn.weight_ih_l0"].T + p["rnn.bias_ih_l0"]
            before.append(z + h @ p["rnn.weight_hh_l0"].T + p["rnn.bias_hh_l0"])
            h = tanh(before[-1])
        return hand.linear("head", hand.out("rnn", hand.act("rnn.tanh", tanh, torch.stack(before, 1), True))[:, -1])

    torch.manual_seed(0)
    words = torch.randint(11, (6, 7), generator=torch.Generator().manual_seed(3))
    _, y = batch(6, 1)
    check(Net(), by_hand, [(words, y)], gains={"words": math.nan}, weight_layers=["words", "lstm", "rnn", "head"])


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_backward_signal_of_a_recurrent_layer_of_which_only_the_last_state_is_used(kind):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.core, self.head = kind(4, 5, batch_first=True), nn.Linear(5, 3)

        def forward(self, x):
            _, state = self.core(x)
            self.last = state[0] if isinstance(state, tuple) else state
            self.last.retain_grad()
            return self.head(self.last[-1])

    model = Net()
    recording = short_run(model, batch(6, 7, 4), steps=1)
    assert recording.series("backward_rms", "core").values[0] == pytest.approx(rms(model.last.grad), rel=1e-5)


def test_shared_module_called_several_times():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.head, self.act = nn.Linear(4, 4), nn.Linear(4, 3), nn.Tanh()

        def forward(self, x):
            for _ in range(10):
                x = self.act(self.cell(x))
            return self.head(F.relu(x) - F.relu(-x))

    def by_hand(hand, x):
        for _ in range(10):
            x = hand.act("act", tanh, hand.linear("cell", x), True)
        a = hand.act("relu", relu, x)
        return hand.linear("head", a - hand.act("relu_2", relu, -x))

    torch.manual_seed(0)
    model, data, expected = Net(), batch(6, 4), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with tc.watch(model, optimizer, every=1) as watch:
        hand = Hand(model)
        hand.loss = (by_hand(hand, data[0].double()) - data[1]).square().mean()
        values = hand.signals(["cell", "head"], {})
        last_first = torch.autograd.grad(
            (by_hand(other := Hand(model), data[0].double()) - data[1]).square().mean(), other.outputs["cell"]
        )[::-1]
        logs = torch.tensor([math.log10(rms(g)) for g in last_first], dtype=torch.float64)
        index = torch.arange(10.0, dtype=torch.float64)
        slope = ((index - index.mean()) * (logs - logs.mean())).sum() / (index - index.mean()).square().sum()
        values["backward_call_span", "cell"] = float(slope) * 9
        before = {name: parameter.detach().double().clone() for name, parameter in model.named_parameters()}
        F.mse_loss(model(data[0]), data[1]).backward()
        optimizer.step()
        for layer in ("cell", "head"):
            moved = model.get_submodule(layer).weight.detach().double() - before[f"{layer}.weight"]
            values["update_ratio", layer] = float(moved.norm() / before[f"{layer}.weight"].norm())
        expected.append(values)
    compare(watch.recording, expected)


def test_values_of_the_run():
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD([{"params": [model.weight]}, {"params": [model.bias], "lr": 0.3}], lr=0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    x, y = batch(8, 4)
    expected = []
    with tc.watch(model, optimizer, every=1) as watch:
        for _ in range(3):
            optimizer.zero_grad()
            out = model(x)
            F.mse_loss(out, y).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.01)
            rates = [group["lr"] for group in optimizer.param_groups]
            out = out.detach().double()
            spreads = [float(t.double().std(correction=0)) for t in (out, y)]
            between = float(out.var(0, correction=0).mean().sqrt())
            means = float(out.mean()), float(y.double().mean())
            expected.append([*rates, means[0], spreads[0], means[1], spreads[1], between, 0.01])
            optimizer.step()
            schedule.step()
    r = watch.recording
    got = [r.series("learning_rate", f"group {i}").values for i in (0, 1)]
    got += [
        r.series(name).values for name in ("output_mean", "output_std", "target_mean", "target_std", "output_spread")
    ]
    got.append(r.series("gradient_norm").values)  # as the optimizer gets it: clipped
    assert pytest.approx(np.array(expected), rel=1e-5) == np.array(got).T


def test_input_statistics_per_feature():
    x = torch.randn(50, 4) * torch.tensor([1.0, 100.0, 1e-3, 1.0]) + torch.tensor([0.0, 3.0, 0.0, -7.0])
    recording = short_run(nn.Linear(4, 3), (x, torch.randn(50, 3)), steps=3)
    found = recording.facts["inputs"]["features"]
    assert recording.facts["inputs"]["samples"] == 150
    assert found["mean"] == pytest.approx(x.double().mean(0).tolist(), rel=1e-5)
    assert found["std"] == pytest.approx(x.double().std(0, correction=0).tolist(), rel=1e-5)
    assert found["min"] == pytest.approx(x.amin(0).tolist())
    assert found["max"] == pytest.approx(x.amax(0).tolist())
    images = torch.rand(6, 3, 4, 4) * torch.tensor([1.0, 10.0, 100.0]).view(3, 1, 1)
    net = nn.Sequential(nn.Conv2d(3, 2, 4), nn.Flatten(), nn.Linear(2, 3))
    channels = short_run(net, (images, torch.randn(6, 3))).facts["inputs"]["features"]
    assert channels["mean"] == pytest.approx(images.double().mean((0, 2, 3)).tolist(), rel=1e-5)


# -- dead units


def units_net():
    """Linear (4 units: 1 dead, 1 alive for one sample in a thousand) → ReLU → Linear."""
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0], [0, 1], [1, 1], [1, 0]]))
        model[0].bias.copy_(torch.tensor([0.0, 0, -1e6, -998.5]))
    return model


def run_of(model, batches, lr=0.0):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    with tc.watch(model, optimizer, every=1) as watch:
        for x in batches:
            optimizer.zero_grad()
            model(x).sum().backward()
            optimizer.step()
    return watch.recording


def test_dead_units_need_3000_samples():
    x = torch.zeros(3000, 2)
    x[:, 0], x[:, 1] = torch.arange(3000) % 1000, 1.0
    series = run_of(units_net(), [x]).series("dead_unit_fraction", "1")
    assert (series.steps.tolist(), series.values.tolist()) == ([0], [0.25])
    assert not run_of(units_net(), [x[:2999]]).series("dead_unit_fraction", "1")
    series = run_of(units_net(), [x[:2000], x[2000:2999], x[2999:]]).series("dead_unit_fraction", "1")
    assert (series.steps.tolist(), series.values.tolist()) == ([2], [0.25])


def test_nan_is_not_dead():
    x = torch.full((3000, 2), -1.0)
    assert run_of(units_net(), [x]).series("dead_unit_fraction", "1").values.tolist() == [1.0]
    x[5, 0] = math.nan  # every unit sees it
    assert run_of(units_net(), [x]).series("dead_unit_fraction", "1").values.tolist() == [0.0]


def test_dead_channels_and_sequence_units():
    conv = nn.Sequential(nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(20, 3))
    with torch.no_grad():
        conv[1].bias[1:3] = -100.0  # two of five channels
    series = run_of(conv, [torch.randn(1000, 1, 4, 4)] * 3).series("dead_unit_fraction", "2")
    assert series.values.tolist() == [pytest.approx(0.4)]

    for shape in ((50, 60, 2), (50, 12, 5, 2)):  # every position is a sample; the unit is the last dimension
        x = torch.rand(shape)
        series = run_of(units_net(), [x]).series("dead_unit_fraction", "1")
        assert series.values.tolist() == [0.5], shape


def test_dead_units_are_gathered_over_micro_batches():
    model = units_net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with tc.watch(model, optimizer, every=1) as watch:
        for _ in range(3):
            model(torch.rand(1000, 2)).sum().backward()
        optimizer.step()
    assert watch.recording.series("dead_unit_fraction", "1").values.tolist() == [0.5]


# -- scales and types


@pytest.mark.parametrize("scale", [1e-25, 1e-10, 1e10, 1e25])
def test_extreme_scales(scale):
    """Outputs of 1e±25 and gradients of 1e∓25: their squares are beyond float32, their RMS is not."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8, bias=False), nn.ReLU(), nn.Linear(8, 3, bias=False))
    with torch.no_grad():
        model[0].weight.mul_(scale)
        model[2].weight.div_(scale)
    copied = [layer.weight.detach().double() for layer in (model[0], model[2])]
    x, back = batch(5, 6)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with tc.watch(model, optimizer, every=1) as watch:
        for _ in range(2):
            optimizer.zero_grad()
            (model(x) * back).sum().backward()
            optimizer.step()
    r = watch.recording
    z = x.double() @ copied[0].T
    at_z = (back.double() @ copied[1]) * (z > 0)
    for signal, layer, value in [
        ("activation_rms", "0", rms(z)),
        ("activation_rms", "1", rms(relu(z))),
        ("activation_mean", "1", float(relu(z).mean())),
        ("backward_rms", "0", rms(at_z)),
        ("gradient_rms", "0", rms(at_z.T @ x.double())),
        ("gradient_rms", "2", rms(back.double().T @ relu(z))),
        ("weight_rms", "0", rms(copied[0])),
        ("weight_gain", "2", rms(copied[1]) * math.sqrt(3)),
        ("gradient_cosine", "0", 1.0),
        ("gradient_cosine", "2", 1.0),
        ("update_ratio", "0", 0.0),
    ]:
        assert r.series(signal, layer).values[-1] == pytest.approx(value, rel=1e-5), (signal, layer)


def test_bfloat16_and_mixed_models():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.LayerNorm(6), nn.Linear(6, 3)).bfloat16()
    x, y = batch(8, 4)
    weight = rms(model[0].weight.detach())
    recording = short_run(model, (x.bfloat16(), y), steps=3)
    for signal in (*OUTPUTS, "backward_rms", "gradient_rms", "update_ratio", "weight_rms", "weight_gain"):
        assert len(recording.series(signal, "0")) == 3, signal
    assert recording.series("weight_rms", "0").values[0] == pytest.approx(weight, rel=1e-5)
    assert len(recording.series("activation_derivative", "1")) == 3

    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.low, self.high = nn.Linear(4, 6).bfloat16(), nn.Linear(6, 3)

        def forward(self, x):
            return self.high(self.low(x.bfloat16()).float())

    assert len(short_run(Mixed(), (x, y)).series("gradient_rms", "low")) == 2


def test_sparse_gradients_and_models_of_one_parameter():
    model = nn.Embedding(20, 3, sparse=True)
    words = torch.tensor([1, 2, 2, 5])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with tc.watch(model, optimizer, every=1) as watch:
        for _ in range(2):
            optimizer.zero_grad()
            model(words).square().sum().backward()
            gradient = model.weight.grad.to_dense()
            optimizer.step()
    assert watch.recording.series("gradient_rms", "Embedding").values[-1] == pytest.approx(rms(gradient), rel=1e-5)


class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.spare, self.scale = nn.Parameter(torch.zeros(0, 3)), nn.Parameter(torch.tensor(1.0))
        self.complex = nn.Parameter(torch.randn(3, 3, dtype=torch.cfloat))
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return (self.fc(x).to(torch.cfloat) @ self.complex).abs() * self.scale


def test_odd_parameters_do_no_harm():
    """Empty, of no dimension, complex: what can be is measured."""
    recording = short_run(Odd(), batch(8, 4), steps=3)
    assert [layer.name for layer in recording.measured("gradient_rms")] == ["fc", "complex"]
    assert len(recording.series("backward_rms", "fc")) == 3


def test_parametrized_layers():
    norm = nn.utils.parametrizations.weight_norm
    recording = short_run(nn.Sequential(norm(nn.Linear(4, 8)), nn.ReLU(), norm(nn.Linear(8, 3))), batch(8, 4))
    assert [layer.name for layer in recording.measured("backward_rms")] == ["0", "2"]
    assert len(recording.measured("gradient_rms")) == 4


def test_closures():
    """LBFGS runs the model inside `step`; the signals are those of the step, the loss the one it started from."""
    torch.manual_seed(0)
    model, (x, y) = nn.Linear(4, 3), batch(16, 4)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)
    expected = []

    def closure():
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        return loss

    with tc.watch(model, optimizer, every=1) as watch:
        for _ in range(4):
            expected.append(optimizer.step(closure).item())
    r = watch.recording
    assert r.steps == 4
    assert r.series("loss").values == pytest.approx(expected, rel=1e-5)
    assert len(r.series("update_ratio", "Linear")) == len(r.series("gradient_rms", "Linear")) == 4
    assert r.facts["parameters"][0]["gradient_missing"] == 0


def test_checkpointed_blocks():
    class Net(nn.Module):
        def __init__(self, reentrant):
            super().__init__()
            self.block = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
            self.head, self.reentrant = nn.Linear(4, 3), reentrant

        def forward(self, x):
            return self.head(checkpoint(self.block, x, use_reentrant=self.reentrant))

    def by_hand(hand, x):
        return hand.linear("head", hand.act("block.1", tanh, hand.linear("block.0", x), True))

    torch.manual_seed(0)
    check(Net(False), by_hand, [batch(6, 4)], weight_layers=["block.0", "head"])


@pytest.mark.parametrize("layout", ["contiguous", "transposed", "strided"])
def test_what_is_sampled_is_spread_over_rows_and_columns(layout):
    values = torch.arange(512.0 * 384).view(512, 384)
    tensor = {"contiguous": values, "transposed": values.T, "strided": values[:, ::2]}[layout]
    sample = spread(tensor, 1024)
    assert 256 <= sample.numel() <= 1100
    assert sample.mean().item() == pytest.approx(tensor.mean().item(), rel=0.05)
    columns = torch.unique(sample.long() % 384)
    assert columns.numel() > 100


def test_a_weight_that_starts_at_zero_has_no_update_ratio_at_first():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))
    nn.init.zeros_(model[1].weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with tc.watch(model, optimizer, every=1) as watch:
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(model(torch.randn(16, 4)), torch.randint(2, (16,))).backward()
            optimizer.step()
    series = watch.recording.series("update_ratio", "1")
    assert series.steps.tolist() == [1, 2], "against a weight of size 0 a step has no ratio: not measured, not infinite"
    assert np.isfinite(series.values).all()
