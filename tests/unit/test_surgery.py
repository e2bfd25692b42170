"""What is seen of a network before it is operated on."""

from __future__ import annotations

import pytest
import torch
from small_setups import chain, setup_of
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from trainclinic.treat.activations import activation_names, activations, functional, kind, traced
from trainclinic.treat.remedy import RefusedError
from trainclinic.treat.surgery import calls, check_rebuildable, drawn_anew, followed, hidden, scaled_already


class Functional(nn.Module):
    def __init__(self, between=torch.sigmoid):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 3)
        self.between = between

    def forward(self, x):
        return self.last(self.between(self.second(self.between(self.first(x)))))


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.policy, self.value = nn.Linear(8, 16), nn.Linear(16, 3), nn.Linear(16, 1)

    def forward(self, x):
        x = torch.relu(self.trunk(x))
        return self.policy(x), self.value(x)


def names(found):
    return [call.name for call in found]


def test_calls_come_in_the_order_of_the_forward_pass_with_shapes_and_sources():
    setup = setup_of(chain(2))
    found = calls(setup)
    assert names(found) == ["0", "1", "2", "3", "4"]
    assert [(call.given, call.gives) for call in found[:2]] == [((32, 8), (32, 16)), ((32, 16), (32, 16))]
    assert [call.source for call in found] == ["", "0", "1", "2", "3"]
    assert [call.final for call in found] == [False] * 4 + [True]


def test_looking_moves_no_random_number_and_changes_nothing():
    setup = setup_of(nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3)))
    before = {name: value.clone() for name, value in setup.model.state_dict().items()}
    global_state, own_state = torch.get_rng_state(), setup.train_loader.generator.get_state()
    calls(setup)
    assert torch.equal(torch.get_rng_state(), global_state)
    assert torch.equal(setup.train_loader.generator.get_state(), own_state)
    assert all(torch.equal(value, before[name]) for name, value in setup.model.state_dict().items())
    assert not any(module._forward_hooks for module in setup.model.modules())


def test_the_output_layers_are_not_hidden_even_where_there_are_two():
    assert names(hidden(calls(setup_of(chain(2))))) == ["0", "2"]
    assert names(hidden(calls(setup_of(TwoHeads())))) == ["trunk"]


def test_one_module_in_several_places_has_all_its_names():
    shared = nn.ReLU()
    found = calls(setup_of(nn.Sequential(nn.Linear(8, 8), shared, nn.Linear(8, 8), shared, nn.Linear(8, 3))))
    assert [call.names for call in activations(found, ["ReLU"])] == [("1", "3")]
    layer = nn.Linear(8, 8)
    setup = setup_of(nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), nn.Linear(8, 3)))
    assert names(drawn_anew("it", calls(setup))) == ["0"]
    with pytest.raises(RefusedError, match="0 and 2 are one Linear"):
        followed("it", setup, calls(setup))


def test_a_weight_that_the_output_layer_shares_is_not_drawn_anew():
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    model[0].weight = model[2].weight
    with pytest.raises(RefusedError, match="0 shares its weight with 2"):
        drawn_anew("it", calls(setup_of(model)))


@pytest.mark.parametrize("how", [parametrizations.weight_norm, parametrizations.spectral_norm])
def test_a_computed_weight_is_seen_may_not_be_drawn_anew_but_be_followed_by_a_norm(how):
    model = chain(2)
    how(model[0])
    setup = setup_of(model)
    found = calls(setup)
    assert names(hidden(found)) == ["0", "2"]
    with pytest.raises(RefusedError, match="the weight of 0 is computed from others"):
        drawn_anew("it", found)
    assert names(followed("it", setup, found)) == ["0", "2"]


def test_frozen_layers_are_left_out_and_a_network_of_them_is_refused():
    model = chain(3)
    model[0].requires_grad_(False)
    assert names(drawn_anew("it", calls(setup_of(model)))) == ["2", "4"]
    model[:-1].requires_grad_(False)
    with pytest.raises(RefusedError, match="frozen"):
        drawn_anew("it", calls(setup_of(model)))


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_a_lazy_layer_is_refused():
    model = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 3))
    with pytest.raises(RefusedError, match="0 is lazy"):
        calls(setup_of(model))


def test_compiled_and_wrapped_networks_are_looked_at_but_not_rebuilt():
    setup = setup_of(torch.compile(chain(2), backend="eager"))
    found = calls(setup)
    assert names(hidden(found)) == ["0", "2"]
    with pytest.raises(RefusedError, match="compiled or wrapped"):
        check_rebuildable("it", setup, found)
    inner = nn.Sequential(torch.compile(chain(2), backend="eager"), nn.ReLU())
    with pytest.raises(RefusedError, match="compiled"):
        check_rebuildable("it", setup_of(inner), ())


def test_the_parts_of_a_transformer_layer_are_its_own():
    model = nn.Sequential(nn.Linear(8, 16), nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), nn.Linear(16, 3))
    setup = setup_of(model, torch.randn(64, 5, 8))
    found = calls(setup)
    with pytest.raises(RefusedError, match="belongs to a TransformerEncoderLayer"):
        check_rebuildable("it", setup, [call for call in found if call.name == "1.linear1"])
    check_rebuildable("it", setup, [call for call in found if call.name == "0"])


def test_recurrent_layers_are_no_hidden_layers():
    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrent, self.last = nn.LSTM(8, 8, batch_first=True), nn.Linear(8, 3)

        def forward(self, x):
            return self.last(self.recurrent(x)[0][:, -1])

    with pytest.raises(RefusedError, match="no hidden layers"):
        drawn_anew("it", calls(setup_of(Sequence(), torch.randn(64, 5, 8))))


def test_a_scale_counts_over_all_layers_together():
    model = chain(10, 64)
    for layer in model[::2]:
        nn.init.normal_(layer.weight, std=0.1)
        nn.init.zeros_(layer.bias)
    found = hidden(calls(setup_of(model)))
    assert scaled_already(found, lambda layer: 0.11)
    assert not scaled_already(found, lambda layer: 0.14)  # 1.4 to the tenth is 29
    nn.init.constant_(model[4].bias, -8)
    assert not scaled_already(hidden(calls(setup_of(model))), lambda layer: 0.1)


# -- activation functions


class Of(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: torch.tanh(8 * x), "Tanh"),
        (lambda x: x / (1 + x.abs()), "Tanh"),
        (lambda x: x.clamp(-1, 1), "Tanh"),
        (lambda x: x.clamp(min=0), "ReLU"),
        (lambda x: x * torch.sigmoid(x), "ReLU"),
        (lambda x: x.softmax(-1), ""),
        (lambda x: (x - x.mean()) / (x.std() + 1e-5), ""),
        (torch.sin, ""),
        (lambda x: x, ""),
        (lambda x: 0 * x, ""),
    ],
)
def test_a_module_of_ones_own_is_known_by_what_it_does(function, expected):
    found = calls(setup_of(nn.Sequential(nn.Linear(8, 8), Of(function), nn.Linear(8, 3))))
    assert kind(found[1]) == expected


def test_torchs_own_are_known_by_name_and_a_norm_is_none():
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU6(), nn.LayerNorm(8), nn.Dropout(0.1), nn.Hardtanh(), nn.Linear(8, 3))
    assert [kind(call) for call in calls(setup_of(model))] == ["", "ReLU6", "", "", "Hardtanh", ""]


@pytest.mark.parametrize("between", [torch.sigmoid, F.sigmoid, lambda x: x.sigmoid(), lambda x: torch.sigmoid(input=x)])
def test_functions_are_found_between_layers_in_the_graph(between):
    setup = setup_of(Functional(between))
    assert activation_names(setup, calls(setup)) == {"Sigmoid"}
    assert len(functional(traced(setup), ["Sigmoid"])) == 2


def test_a_gate_is_no_activation_function():
    setup = setup_of(Functional(lambda x: x * torch.sigmoid(x)))
    assert activation_names(setup, calls(setup)) == set()
    scaled = setup_of(Functional(lambda x: 1.7159 * torch.tanh(x)))
    assert activation_names(scaled, calls(scaled)) == {"Tanh"}


def test_modules_and_functions_are_seen_beside_each_other():
    class Both(Functional):
        def __init__(self):
            super().__init__(torch.relu)
            self.act = nn.Tanh()

        def forward(self, x):
            return self.last(self.act(self.second(torch.relu(self.first(x)))))

    setup = setup_of(Both())
    assert activation_names(setup, calls(setup)) == {"Tanh", "ReLU"}


def test_a_forward_that_depends_on_the_mode_is_not_traced():
    class Noisy(Functional):
        def forward(self, x):
            return self.last(torch.sigmoid(F.dropout(self.first(x), 0.5, self.training)))

    class Branching(Functional):
        def forward(self, x):
            return super().forward(x) if self.training else self.last(self.first(x))

    for model in (Noisy(), Branching()):
        with pytest.raises(RefusedError, match="in training than in evaluation"):
            traced(setup_of(model))


def test_a_forward_that_decides_by_its_data_is_not_traced():
    class Deciding(Functional):
        def forward(self, x):
            return super().forward(x) if x.sum() > 0 else super().forward(-x)

    with pytest.raises(RefusedError, match="make them modules"):
        traced(setup_of(Deciding()))
