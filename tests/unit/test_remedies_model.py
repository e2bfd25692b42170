"""Remedies on the model and its initialization: each does what it says, and is refused where it does not fit."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from small_setups import chain, held, one_step, setup_of, treated
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from trainclinic import catalog
from trainclinic.prove.pairs import Job, run
from trainclinic.records import Dose, Finding
from trainclinic.setup import Setup
from trainclinic.treat.operation import HEAD, REMEDIES, operate
from trainclinic.treat.remedies.glorot_init import GlorotInit
from trainclinic.treat.remedies.group_norm_for_batch_norm import GroupNormForBatchNorm
from trainclinic.treat.remedies.he_init import HeInit
from trainclinic.treat.remedies.insert_activation import InsertActivation
from trainclinic.treat.remedies.insert_batch_norm import InsertBatchNorm
from trainclinic.treat.remedies.insert_layer_norm import InsertLayerNorm
from trainclinic.treat.remedies.orthogonal_init import OrthogonalInit
from trainclinic.treat.remedies.replace_activation import ReplaceActivation
from trainclinic.treat.remedies.residual_connections import ResidualConnections
from trainclinic.treat.remedies.widen_network import WidenNetwork
from trainclinic.treat.remedy import RefusedError

MINE = [HeInit, GlorotInit, OrthogonalInit, InsertBatchNorm, InsertLayerNorm, GroupNormForBatchNorm, WidenNetwork,
        ResidualConnections, ReplaceActivation]  # fmt: skip


class Image(nn.Module):
    """Two convolutions in a submodule, and functions between them."""

    def __init__(self, between=F.relu):
        super().__init__()
        self.body = nn.ModuleDict({"one": nn.Conv2d(1, 8, 3), "two": nn.Conv2d(8, 12, 3, bias=False)})
        self.head = nn.Linear(12, 3)
        self.between = between

    def forward(self, x):
        x = self.between(self.body["one"](x.view(-1, 1, 8, 8)))
        return self.head(self.between(self.body["two"](x)).mean((2, 3)))


class Recurrent(nn.Module):
    """What is squashed inside the recurrent layer is its own."""

    def __init__(self):
        super().__init__()
        self.embed, self.act = nn.Linear(8, 16), nn.Tanh()
        self.recurrent, self.attention = (
            nn.GRU(16, 16, batch_first=True),
            nn.MultiheadAttention(16, 2, batch_first=True),
        )
        self.last = nn.Linear(16, 3)

    def forward(self, x):
        x, _ = self.recurrent(self.act(self.embed(x)))
        return self.last(self.attention(x, x, x, need_weights=False)[0][:, -1])


def finding(problem, cause=""):
    return Finding(problem, "problem", 1.0, 1.0, (), (0, 1), (), cause)


def small(model, std=0.01):
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.normal_(module.weight, std=std)
    return model


def refusal(setup, remedy):
    before = copy.deepcopy(setup.model.state_dict())
    with pytest.raises(RefusedError) as reason:
        remedy.prescribe(setup)
    assert all(torch.equal(value, before[name]) for name, value in setup.model.state_dict().items())
    assert remedy.id() in str(reason.value)
    return str(reason.value)


# -- initialization


def test_he_init_draws_variance_two_over_fan_in_and_leaves_the_last_layer():
    model = small(chain(3, 256))
    last = copy.deepcopy(model[-1].state_dict())
    treated(setup_of(model), HeInit())
    for layer in model[:-1:2]:
        assert layer.weight.var().item() == pytest.approx(2 / layer.in_features, rel=0.1)
        assert not layer.bias.any()
    assert all(torch.equal(value, last[name]) for name, value in model[-1].state_dict().items())


def test_he_init_counts_a_convolutions_positions_and_needs_no_bias():
    model = small(Image())
    treated(setup_of(model, torch.randn(64, 64)), HeInit())
    assert model.body["two"].weight.var().item() == pytest.approx(2 / (8 * 9), rel=0.15)


def test_glorot_init_draws_for_the_function_that_is_there():
    for activation, gain in ((nn.Tanh, 5 / 3), (nn.Sigmoid, 1.0)):
        model = small(chain(3, 256, activation))
        treated(setup_of(model), GlorotInit())
        assert model[2].weight.std().item() == pytest.approx(gain * math.sqrt(2 / 512), rel=0.05)


def test_orthogonal_init_gives_every_hidden_layer_outputs_of_unit_variance():
    model = small(chain(6, 24, nn.Tanh))
    setup = setup_of(model)
    order = setup.train_loader.generator.get_state()
    with torch.no_grad():
        treated(setup, OrthogonalInit())
    assert torch.equal(setup.train_loader.generator.get_state(), order)
    x = next(iter(setup.train_loader))[0]
    setup.train_loader.generator.set_state(order)
    with torch.no_grad():
        for index, module in enumerate(model[:-1]):
            x = module(x)
            if index % 2 == 0:
                assert x.std().item() == pytest.approx(1, abs=1e-4)
                product = module.weight @ module.weight.T if index else module.weight.T @ module.weight
                assert torch.allclose(product, product[0, 0] * torch.eye(len(product)), atol=1e-4)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell])
def test_orthogonal_init_draws_recurrent_weights_gate_by_gate(kind):
    model = Recurrent()
    model.recurrent = kind(16, 16)
    setup = setup_of(model, step=lambda model, batch: model(batch[0]).sum())
    embed = model.embed.weight.clone()
    assert list(OrthogonalInit.options(setup, finding("exploding-gradient", "through time")))
    treated(setup, OrthogonalInit())
    for name, weight in model.recurrent.named_parameters():
        for gate in weight.split(16) if weight.ndim > 1 else ():
            orthogonal = torch.allclose(gate @ gate.T, torch.eye(16), atol=1e-5)
            assert orthogonal == name.startswith("weight_hh")
    assert torch.equal(model.embed.weight, embed)  # with `step`, no batch can be passed through


def test_initializations_are_refused_where_they_cannot_be_the_cure():
    assert "glorot-init is for tanh" in refusal(setup_of(chain(3, 16, nn.Tanh)), HeInit())
    assert "he-init is for ReLU" in refusal(setup_of(chain(3, 16)), GlorotInit())
    good = treated(setup_of(small(chain(3, 64))), HeInit())
    assert "such a scale already" in refusal(good, HeInit())
    good = treated(setup_of(small(chain(3, 64, nn.Tanh))), GlorotInit())
    assert "such a scale already" in refusal(good, GlorotInit())
    assert "`step`" in refusal(
        setup_of(small(chain()), step=lambda model, batch: model(batch[0]).sum()), OrthogonalInit()
    )
    assert "no hidden layers" in refusal(setup_of(nn.Linear(8, 3)), HeInit())


def test_dead_biases_count_as_a_bad_initialization():
    model = treated(setup_of(small(chain(3, 64))), HeInit()).model
    nn.init.constant_(model[2].bias, -8.0)
    treated(setup_of(model), HeInit())
    assert not model[2].bias.any()


# -- normalization


@pytest.mark.parametrize("remedy", [InsertBatchNorm(), InsertLayerNorm()])
def test_norms_stand_behind_hidden_layers_and_in_their_groups(remedy):
    model = chain(2)
    optimizer = torch.optim.SGD(
        [{"params": model[:3].parameters(), "lr": 0.3}, {"params": model[3:].parameters(), "weight_decay": 0.1}], 0.1
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, [lambda epoch: 1.0, lambda epoch: 0.5])
    setup = setup_of(model, optimizer=optimizer)
    layers = model[0], model[2]
    treated(setup, remedy)
    kind = nn.BatchNorm1d if isinstance(remedy, InsertBatchNorm) else nn.LayerNorm
    for layer, block in zip(layers, (model[0], model[2]), strict=True):
        assert block[0] is layer
        assert type(block[1]) is kind
    norms = [p for block in (model[0], model[2]) for p in block[1].parameters()]
    assert held(optimizer)[4:8] == [id(p) for p in norms]
    assert len(optimizer.param_groups) == 2
    before = [p.clone() for p in norms]
    one_step(setup)
    scheduler.step()
    assert any(not torch.equal(a, b) for a, b in zip(before, norms, strict=True))


@pytest.mark.parametrize("remedy", [InsertBatchNorm(), InsertLayerNorm()])
def test_each_output_of_a_normalized_layer_has_mean_0_and_variance_1(remedy):
    model = small(Image(), 0.5).double()
    setup = treated(setup_of(model, torch.randn(64, 64, dtype=torch.float64)), remedy)
    seen = []
    model.body["two"].register_forward_hook(lambda module, args, output: seen.append(output.detach()))
    one_step(setup)
    axes = (0, 2, 3) if isinstance(remedy, InsertBatchNorm) else (1, 2, 3)
    assert torch.allclose(seen[0].mean(axes), torch.zeros(1, dtype=torch.float64), atol=1e-6)
    assert seen[0].dtype == torch.float64
    assert torch.allclose(seen[0].var(axes, correction=0), torch.ones(1, dtype=torch.float64), atol=1e-3)


def test_norms_are_refused_where_they_do_not_fit():
    assert "batches of 4 are too small" in refusal(setup_of(chain(), batch_size=4), InsertBatchNorm())
    assert "3 dimensions" in refusal(setup_of(chain(), torch.randn(64, 5, 8)), InsertBatchNorm())
    assert "single sample" in refusal(setup_of(chain(), count=65), InsertBatchNorm())
    normal = treated(setup_of(chain()), InsertLayerNorm())
    for remedy in (InsertBatchNorm(), InsertLayerNorm()):
        assert "has a normalization behind it already" in refusal(normal, remedy)
    model = chain()
    muon = getattr(torch.optim, "Muon", None)  # since PyTorch 2.9
    if muon is not None:
        matrices = setup_of(model, optimizer=muon([p for p in model.parameters() if p.ndim == 2]))
        assert "Muon takes matrices only" in refusal(matrices, InsertLayerNorm())
    compiled = setup_of(torch.compile(chain(), backend="eager"))
    assert "compiled or wrapped" in refusal(compiled, InsertLayerNorm())


def test_a_layer_norm_takes_sequences_and_what_batch_norm_refuses():
    setup = treated(setup_of(chain(), torch.randn(64, 5, 8), batch_size=4), InsertLayerNorm())
    assert setup.model(torch.randn(1, 5, 8)).shape == (1, 5, 3)


def test_a_layer_that_is_called_twice_gets_no_batch_norm():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.last = nn.Linear(8, 8), nn.Linear(8, 3)

        def forward(self, x):
            return self.last(torch.relu(self.layer(torch.relu(self.layer(x)))))

    assert "called 2 times" in refusal(setup_of(Twice()), InsertBatchNorm())
    treated(setup_of(Twice()), InsertLayerNorm())


@pytest.mark.parametrize(("features", "groups"), [(64, 4), (8, 1), (37, 1), (48, 3), (40, 2)])
def test_group_norm_has_equal_groups_of_at_least_sixteen_channels(features, groups):
    model = nn.Sequential(nn.Linear(8, features), nn.BatchNorm1d(features), nn.ReLU(), nn.Linear(features, 3))
    old = model[1]
    setup = treated(setup_of(model, batch_size=2), GroupNormForBatchNorm())
    norm = model[1]
    assert (type(norm), norm.num_groups, norm.num_channels) == (nn.GroupNorm, groups, features)
    assert held(setup.optimizer) == [id(p) for p in model.parameters()]
    assert not {id(p) for p in old.parameters()} & set(held(setup.optimizer))
    x = torch.randn(6, 8)
    assert torch.allclose(model.train()(x)[:1], model.eval()(x[:1]), atol=1e-5)  # neither mode nor batch matter
    one_step(setup)


def test_group_norm_leaves_what_is_frozen_and_has_no_weights_where_there_were_none():
    model = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32, affine=False), nn.BatchNorm1d(32), nn.Linear(32, 3))
    model[2].requires_grad_(False)
    treated(setup_of(model), GroupNormForBatchNorm())
    assert isinstance(model[1], nn.GroupNorm)
    assert not list(model[1].parameters())
    assert isinstance(model[2], nn.BatchNorm1d)
    assert "no BatchNorm" in refusal(setup_of(chain()), GroupNormForBatchNorm())


# -- width and depth


def test_widen_makes_every_hidden_width_larger_and_the_optimizer_holds_the_new():
    model = nn.Sequential(nn.Flatten(), nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.1),
                          nn.Linear(6, 4, bias=False), nn.Tanh(), nn.Linear(4, 3))  # fmt: skip
    optimizer = torch.optim.Adam(
        [{"params": model[1].parameters(), "lr": 0.3}, {"params": model[2:].parameters(), "weight_decay": 0.1}], 0.1
    )
    setup = treated(setup_of(model, optimizer=optimizer), WidenNetwork(2.5))
    assert [tuple(p.shape) for p in model.parameters()] == [(15, 8), (15,), (15,), (15,), (10, 15), (3, 10), (3,)]
    assert held(optimizer) == [id(p) for p in model.parameters()]
    assert [(len(group["params"]), group["lr"]) for group in optimizer.param_groups] == [(2, 0.3), (5, 0.1)]
    assert setup.model(torch.randn(2, 8)).shape == (2, 3)
    one_step(setup)


def test_widen_reads_a_forward_that_calls_modules_one_after_the_other():
    class Chain(nn.Module):
        def __init__(self, function=None):
            super().__init__()
            self.one, self.act, self.two, self.last = nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 6), nn.Linear(6, 3)
            self.function = function or self.act

        def forward(self, x):
            return self.last(self.act(self.two(self.function(self.one(x)))))

    model = treated(setup_of(Chain()), WidenNetwork(2.0)).model
    assert (model.two.in_features, model.two.out_features, model.last.in_features) == (12, 12, 12)
    assert "chain of Linear layers" in refusal(setup_of(Chain(lambda x: x * 2)), WidenNetwork())
    assert "chain of Linear layers" in refusal(setup_of(Recurrent(), torch.randn(64, 5, 8)), WidenNetwork())
    grown = nn.Sequential(nn.Linear(8, 6), nn.Softmax(1), nn.Linear(6, 3))
    assert "how Softmax (1) grows" in refusal(setup_of(grown), WidenNetwork())


def test_a_residual_network_computes_x_plus_a_share_of_f():
    model = chain(5)
    parts = copy.deepcopy(model)
    setup = treated(setup_of(model), ResidualConnections())
    x = torch.randn(4, 8)
    expected = parts[1](parts[0](x))  # 8 to 16: it changes the width
    for index in range(2, 10, 2):
        expected = expected + 0.5 * parts[index + 1](parts[index](expected))
    assert torch.allclose(model(x), parts[10](expected))
    assert held(setup.optimizer) == [id(p) for p in model.parameters()]


def test_a_norm_becomes_part_of_the_residual_block():
    setup = treated(setup_of(chain(4, 8)), InsertBatchNorm(), ResidualConnections())
    assert [type(part).__name__ for part in setup.model[2][0].block] == ["Linear", "BatchNorm1d", "ReLU"]
    one_step(setup)


def test_residual_connections_are_refused_where_they_cannot_be_expressed():
    assert "finds 1" in refusal(setup_of(chain(2)), ResidualConnections())
    narrowing = nn.Sequential(
        *[part for n in (32, 24, 16, 12) for part in (nn.LazyLinear(n), nn.ReLU())], nn.LazyLinear(3)
    )
    narrowing(torch.randn(2, 8))
    assert "finds 0" in refusal(setup_of(narrowing), ResidualConnections())
    shared = nn.Tanh()
    model = nn.Sequential(*[part for _ in range(6) for part in (nn.Linear(8, 8), shared)], nn.Linear(8, 3))
    assert "of its own" in refusal(setup_of(model), ResidualConnections())


# -- activation functions


@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU", "GELU", "SELU"])
def test_the_activation_is_replaced_in_every_place_and_the_weights_drawn_for_it(name):
    shared = nn.Tanh()
    layers = [part for width in (8, 128, 128) for part in (nn.Linear(width, 128), shared)]
    model = nn.Sequential(*layers, nn.Linear(128, 3), nn.Sigmoid())
    treated(setup_of(model), ReplaceActivation(name))
    assert [type(module).__name__ for module in model[1::2]] == [name] * 3 + ["Sigmoid"]
    assert model[2].weight.var().item() == pytest.approx((1 if name == "SELU" else 2) / 128, rel=0.1)


def test_functions_are_replaced_in_the_traced_graph_with_the_same_weights():
    model = small(Image(lambda x: x.sigmoid()))
    setup = treated(setup_of(model, torch.randn(64, 64)), ReplaceActivation())
    reference = Image(F.relu)
    reference.load_state_dict(setup.model.state_dict())
    x = torch.randn(4, 64)
    assert torch.allclose(setup.model(x), reference(x))
    assert held(setup.optimizer) == [id(p) for p in setup.model.parameters()]


def test_replacing_a_relu_needs_a_function_that_cannot_die():
    assert "no Sigmoid, Tanh" in refusal(setup_of(chain()), ReplaceActivation("ReLU"))
    model = treated(setup_of(chain()), ReplaceActivation("LeakyReLU")).model
    assert isinstance(model[1], nn.LeakyReLU)


def test_an_activation_that_also_makes_the_output_is_not_replaced():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.last, self.act = nn.Linear(8, 8), nn.Linear(8, 3), nn.Sigmoid()

        def forward(self, x):
            return self.act(self.last(self.act(self.one(x))))

    assert "behind the last layer" in refusal(setup_of(Both()), ReplaceActivation())


def test_recurrent_and_attention_layers_are_left_as_they_are():
    for remedy in (ReplaceActivation(), InsertLayerNorm(), GlorotInit(), OrthogonalInit()):
        model = small(Recurrent())
        model.recurrent.requires_grad_(False)  # else OrthogonalInit has a say in it
        inner = copy.deepcopy((model.recurrent.state_dict(), model.attention.state_dict()))
        setup = treated(setup_of(model, torch.randn(64, 5, 8)), remedy)
        for before, module in zip(inner, (model.recurrent, model.attention), strict=True):
            assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
        one_step(setup)
        model.eval()(torch.randn(2, 5, 8))


# -- which is tried against what


@pytest.mark.parametrize(
    ("remedy", "problem", "cause", "count"),
    [
        (ReplaceActivation, "dead-relu", "", 2),
        (ReplaceActivation, "vanishing-gradient", "initialization too small", 0),
        (GlorotInit, "vanishing-gradient", "squashing activation", 0),
        (GlorotInit, "vanishing-gradient", "initialization too small", 1),
        (HeInit, "exploding-gradient", "through time", 0),
        (OrthogonalInit, "exploding-gradient", "through time", 0),
        (InsertBatchNorm, "exploding-gradient", "through time", 0),
        (InsertLayerNorm, "exploding-gradient", "through time", 0),
        (InsertBatchNorm, "exploding-gradient", "weights with gain above 1", 1),
        (ResidualConnections, "vanishing-gradient", "dead block", 0),
    ],
)
def test_the_cause_decides_what_is_worth_a_trial(remedy, problem, cause, count):
    assert problem in remedy.treats
    assert len(list(remedy.options(setup_of(chain()), finding(problem, cause)))) == count


def test_against_a_vanishing_gradient_no_relu_is_replaced():
    with pytest.raises(RefusedError, match="there is no Sigmoid"):
        ReplaceActivation.options(setup_of(chain()), finding("vanishing-gradient"))
    assert len(ReplaceActivation.options(setup_of(chain(3, 8, nn.Tanh)), finding("vanishing-gradient"))) == 3


@pytest.mark.parametrize("kind", MINE)
def test_prescribed_code_runs_as_it_is_pasted(kind):
    """In a namespace of nothing but the names of a training script, on a network of another dtype."""
    model = small(chain(5, 16, nn.Tanh if kind in (GlorotInit, ReplaceActivation) else nn.ReLU))
    if kind is GroupNormForBatchNorm:
        model.insert(1, nn.BatchNorm1d(16))
    model.to(torch.bfloat16)
    setup = setup_of(model, torch.randn(64, 8, dtype=torch.bfloat16))
    code = operate(copy.deepcopy(setup), [kind()])[1].code
    assert code.startswith(HEAD)
    assert "trainclinic" not in code
    names = {"model": model, "optimizer": setup.optimizer, "train_loader": setup.train_loader}
    exec(code, names)
    assert {p.dtype for p in names["model"].parameters()} == {torch.bfloat16}
    assert sorted(held(setup.optimizer)) == sorted(id(p) for p in names["model"].parameters())
    assert math.isfinite(one_step(setup))


def test_they_are_in_the_catalogue():
    entries = catalog.entries(REMEDIES)
    assert all(entries[kind.id()] is kind for kind in MINE)


def through_time(seed):
    """A leaky sum of thirty numbers, told by a recurrent layer that doubles its state at every step."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(768, 30, 1, generator=generator)
    y = (x[..., 0] * 0.8 ** torch.arange(29, -1, -1)).sum(1, keepdim=True)

    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrent, self.last = nn.RNNCell(1, 24, nonlinearity="relu"), nn.Linear(24, 1)
            nn.init.orthogonal_(self.recurrent.weight_hh, gain=2.0)

        def forward(self, x):
            state = x.new_zeros(len(x), 24)
            for moment in x.unbind(1):
                state = self.recurrent(moment, state)
            return self.last(state)

    model = Sum()
    train = DataLoader(TensorDataset(x[:512], y[:512]), 32, shuffle=True)
    val = DataLoader(TensorDataset(x[512:], y[512:]), 256)
    return Setup(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), 3e-3), train, val, 10, "r2")


@pytest.mark.slow
def test_orthogonal_recurrent_weights_cure_what_explodes_through_time():
    control = run(Job(through_time, 1))
    found = control.diagnosis.problems[0]
    assert (found.problem, found.cause) == ("exploding-gradient", "through time")
    better = run(Job(through_time, 1, (Dose("orthogonal-init"),), control.steps))
    assert control.end < 0.5 < 0.9 < better.end
    assert "exploding-gradient" not in better.problems


# -- where an activation function is missing


def test_a_relu_takes_the_place_that_is_empty():
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Linear(16, 16), nn.Identity(), nn.Linear(16, 16),
                          nn.Dropout(0.1), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3))  # fmt: skip
    weights = [parameter.clone() for parameter in model.parameters()]
    setup = treated(setup_of(model), InsertActivation())
    relus = [name for name, module in setup.model.named_modules() if isinstance(module, nn.ReLU)]
    assert relus == ["1.1", "3.1", "4.1"], "behind the norm, the Identity and the layer; not beside the Tanh"
    assert all(torch.equal(a, b) for a, b in zip(setup.model.parameters(), weights, strict=True))
    one_step(setup)


def test_a_relu_is_offered_only_where_it_is_missing():
    assert "something that is not linear" in refusal(setup_of(chain()), InsertActivation())
    assert not InsertActivation.options(setup_of(chain()), finding("underfitting", "narrow layer"))
    assert InsertActivation.options(setup_of(chain()), finding("underfitting", "no activation function"))


def test_orthogonal_layers_are_scaled_to_what_the_activation_gets():
    class Steep(nn.Module):
        def forward(self, x):
            return 30 * x

    def steep():
        return nn.Sequential(Steep(), nn.Tanh())

    model = nn.Sequential(nn.Linear(8, 16), steep(), nn.Linear(16, 16), steep(), nn.Linear(16, 3))
    setup = treated(setup_of(model), OrthogonalInit())
    x = next(iter(setup.train_loader))[0]
    for place in (1, 3):
        assert 30 * setup.model[:place](x).std().item() == pytest.approx(1, rel=0.3)
