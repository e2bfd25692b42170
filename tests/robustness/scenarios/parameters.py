"""Parameters that are unused, frozen, tied, parametrized, sparse, or not there yet."""

from __future__ import annotations

import warnings

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from scenarios import STEPS, X, Y, fit, mlp, row, sgd, train


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.net, self.spare = mlp(), nn.Linear(6, 4)

    def forward(self, x):
        return self.net(x)


@row("unused parameter (grad is None)")
def unused(attach):
    return train(attach, Unused())


@row("frozen layer")
def frozen(attach):
    model = mlp()
    model[0].requires_grad_(False)
    return train(attach, model, optimizer=torch.optim.SGD(model[2].parameters(), lr=0.01))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.head = nn.Embedding(11, 6), nn.Linear(6, 11, bias=False)
        self.head.weight = self.words.weight

    def forward(self, ids):
        return self.head(torch.tanh(self.words(ids)))


IDS = torch.randint(11, (16,), generator=torch.Generator().manual_seed(5))


@row("weight tying")
def tied(attach):
    return train(attach, Tied(), [(IDS, IDS.roll(-1))], loss_fn=F.cross_entropy)


def parametrized(wrap):
    return lambda attach: train(attach, nn.Sequential(wrap(nn.Linear(6, 8)), nn.Tanh(), wrap(nn.Linear(8, 3))))


def old_weight_norm(layer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.weight_norm(layer)


weight_norm = row("weight_norm")(parametrized(parametrizations.weight_norm))
legacy_weight_norm = row("weight_norm, the older one with hooks")(parametrized(old_weight_norm))
spectral_norm = row("spectral_norm")(parametrized(parametrizations.spectral_norm))
orthogonal = row("orthogonal parametrization")(parametrized(parametrizations.orthogonal))


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.head = nn.Embedding(11, 6, sparse=True), nn.Linear(6, 11)

    def forward(self, ids):
        return self.head(self.words(ids))


@row("sparse gradients (SparseAdam)")
def sparse(attach):
    model = Bag()
    optimizers = [torch.optim.SparseAdam(model.words.parameters(), lr=0.001), sgd(model.head)]
    tool = attach(model, optimizers, F.cross_entropy)
    for _ in range(STEPS):
        loss = F.cross_entropy(model(IDS), IDS.roll(-1))
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        tool.step(loss)
    tool.close()
    return model


@row("lazy modules, attached before the first batch")
def lazy(attach):
    return train(attach, nn.Sequential(nn.LazyLinear(8), nn.Tanh(), nn.LazyLinear(3)))


class Growing(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.more, self.last = nn.Linear(6, 8), nn.ModuleList(), nn.Linear(8, 3)

    def forward(self, x):
        h = self.first(x)
        for layer in self.more:
            h = layer(h)
        return self.last(h)


def growing(new_optimizer):
    def scenario(attach):
        model = Growing()
        optimizer = sgd(model)
        tool = attach(model, optimizer, F.mse_loss)
        fit(tool, model, optimizer, steps=STEPS // 2)
        model.more.append(nn.Linear(8, 8))
        if new_optimizer:
            optimizer = sgd(model)
            tool.follow(optimizer)
        else:
            optimizer.add_param_group({"params": model.more.parameters(), "lr": 0.005})
        fit(tool, model, optimizer, steps=STEPS // 2)
        tool.close()
        return model

    return scenario


growing_group = row("a layer added while training, add_param_group")(growing(new_optimizer=False))
growing_optimizer = row("a layer added while training, new optimizer")(growing(new_optimizer=True))


@row("state_dict saved and loaded")
def state_dict(attach):
    """The checkpoint of a watched model into a fresh one, and back."""
    model = mlp()
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    fit(tool, model, optimizer, steps=STEPS // 2)
    kept = {name: value.clone() for name, value in model.state_dict().items()}, optimizer.state_dict()
    fresh = mlp()
    fresh.load_state_dict(kept[0])
    model.load_state_dict(fresh.state_dict())
    optimizer.load_state_dict(kept[1])
    fit(tool, model, optimizer, steps=STEPS // 2)
    tool.close()
    return [model, fresh]


@row("QAT: fake-quantized weights and activations")
def fake_quantized(attach):
    from torch.ao import quantization

    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    model.qconfig = quantization.get_default_qat_qconfig("x86")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = quantization.prepare_qat(model.train())
    return train(attach, model, [(X, Y)])
