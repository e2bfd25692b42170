"""On networks of every make a remedy on the model works or is refused in words: none is ever left broken."""

from __future__ import annotations

import copy
import math
import warnings

import pytest
import torch
from small_setups import chain, held, one_step, setup_of
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from trainclinic import catalog
from trainclinic.treat.operation import REMEDIES, operate
from trainclinic.treat.remedy import RefusedError

NAMES = ("he-init", "glorot-init", "orthogonal-init", "insert-batch-norm", "insert-layer-norm", "replace-activation",
         "residual-connections", "widen-network", "group-norm-for-batch-norm")  # fmt: skip


class ResidualBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.norm, self.two = nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(x + self.two(self.relu(self.norm(self.one(x)))))


class Text(nn.Module):
    """The output layer shares its weight with the embedding."""

    def __init__(self):
        super().__init__()
        self.embed, self.hidden, self.out = nn.Embedding(10, 16), nn.Linear(16, 16), nn.Linear(16, 10, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(self.embed(x).mean(1))))


class Reading(nn.Module):
    """The forward reads a layer's weight, besides calling it."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x):
        return self.two(torch.sigmoid(self.one(x))) + 0 * self.one.weight.sum()


class Bare(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Parameter(torch.randn(16, 8)), nn.Parameter(torch.randn(3, 16))

    def forward(self, x):
        return F.linear(F.linear(x, self.one).tanh(), self.two)


class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.hidden, self.last = nn.Linear(8, 16), nn.Linear(8, 8), nn.Linear(8, 3)
        self.recurrent = nn.LSTM(16, 12, 2, batch_first=True, bidirectional=True, proj_size=4)

    def forward(self, x):
        return self.last(torch.tanh(self.hidden(self.recurrent(torch.tanh(self.first(x)))[0][:, -1])))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.first, self.encoder, self.last = nn.Linear(8, 16), nn.TransformerEncoder(layer, 2), nn.Linear(16, 3)

    def forward(self, x):
        return self.last(self.encoder(self.first(x)).mean(1))


def parametrized():
    model = chain(4, activation=nn.Tanh)
    parametrizations.weight_norm(model[2])
    parametrizations.spectral_norm(model[4])
    return model


def computed_and_kept():
    model = chain(4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        nn.utils.weight_norm(model[2])
    return model


def one_layer_everywhere():
    layer = nn.Linear(8, 8)
    return nn.Sequential(layer, nn.Tanh(), layer, nn.Tanh(), layer, nn.Sigmoid(), nn.Linear(8, 3))


def images():
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3), nn.ReLU(), ResidualBlock(), nn.Flatten(),
                         nn.Linear(288, 3))  # fmt: skip


SEQUENCES = torch.randn(64, 5, 8, generator=torch.Generator().manual_seed(0))
NETWORKS = {
    "images": (images, torch.randn(64, 64, generator=torch.Generator().manual_seed(0))),
    "text": (Text, torch.arange(320).view(64, 5) % 10),
    "reading": (Reading, None),
    "bare": (Bare, None),
    "sequence": (Sequence, SEQUENCES),
    "attention": (Attention, SEQUENCES),
    "parametrized": (parametrized, None),
    "computed and kept": (computed_and_kept, None),
    "one layer everywhere": (one_layer_everywhere, None),
    "compiled": (lambda: torch.compile(chain(4, activation=nn.Tanh), backend="eager"), None),
    "in place": (lambda: chain(4, activation=lambda: nn.ReLU(inplace=True)), None),
    "traced": (lambda: torch.fx.symbolic_trace(chain(4, activation=nn.Sigmoid)), None),
}


@pytest.mark.filterwarnings(
    "ignore:LSTM with projections", "ignore:enable_nested_tensor", "ignore:The PyTorch API of nested tensors"
)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", NAMES)
def test_it_works_or_is_refused(network, name):
    torch.manual_seed(0)
    make, inputs = NETWORKS[network]
    setup = setup_of(make(), inputs)
    x = next(iter(setup.train_loader))[0]
    expected = setup.model(x).shape
    try:
        setup, treatment = operate(setup, [catalog.entry(REMEDIES, name)()])
    except RefusedError as reason:
        refused = str(reason)
    else:
        refused = ""
    if refused:
        assert "expected code that runs" not in refused  # it was foreseen
        return
    assert treatment.changes[0]
    assert math.isfinite(one_step(setup))
    with torch.no_grad():
        assert setup.model.eval()(x).shape == expected
    assert sorted(held(setup.optimizer)) == sorted(id(p) for p in setup.model.parameters())
    if network != "computed and kept":  # which PyTorch itself does not copy once it was trained
        copy.deepcopy(setup.model)


@pytest.mark.parametrize("name", NAMES)
def test_none_of_them_fits_a_network_without_hidden_modules(name):
    with pytest.raises(RefusedError):
        operate(setup_of(Bare()), [catalog.entry(REMEDIES, name)()])


def test_a_layer_whose_weight_the_forward_reads_is_not_wrapped():
    with pytest.raises(RefusedError, match="cannot be run with it"):
        operate(setup_of(Reading()), [catalog.entry(REMEDIES, "insert-layer-norm")()])
