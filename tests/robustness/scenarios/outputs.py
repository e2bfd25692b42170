"""What a forward takes and returns: tuples, dicts, objects, a loss, nothing."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from scenarios import STEPS, X, Y, batch, mlp, row, sgd, train

SEQUENCES = batch(4, 5, 6)


class Mixed(nn.Module):
    """LSTM, attention, and a dict at the end."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 8, batch_first=True)
        self.mha = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        h, _ = self.lstm(x)
        h, attention = self.mha(h, h, h)
        return {"answer": self.head(h.mean(1)), "attention": attention}


@row("LSTM, MultiheadAttention, dict output")
def mixed(attach):
    return train(attach, Mixed(), [SEQUENCES], loss_fn=lambda out, y: F.mse_loss(out["answer"], y))


@dataclasses.dataclass
class Encoded:
    mask: None
    hidden: torch.Tensor


class Named(NamedTuple):
    hidden: torch.Tensor


class ModelOutput(OrderedDict):
    """As transformers has it: a mapping whose entries are attributes too."""

    def __init__(self, **entries):
        super().__init__(entries)
        vars(self).update(entries)


class Plain:
    def __init__(self, hidden):
        self.hidden = hidden


class Projection(nn.Module):
    """A layer whose output is wrapped."""

    def __init__(self, wrap):
        super().__init__()
        self.weight, self.wrap = nn.Parameter(torch.randn(6, 6) / 3), wrap

    def forward(self, x):
        return self.wrap(x @ self.weight.T)


class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Projection(lambda z: Encoded(None, z))
        self.b = Projection(Named)
        self.c = Projection(lambda z: ModelOutput(loss=torch.tensor(0.0), hidden=z))
        self.d = Projection(lambda z: [None, {"deep": (Encoded(None, z),)}])
        self.e = Projection(Plain)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        x = self.c(self.b(self.a(x).hidden).hidden).hidden
        return Encoded(None, self.head(self.e(self.d(x)[1]["deep"][0].hidden).hidden))


@row("dataclass, namedtuple, ModelOutput and nested outputs")
def wrapped(attach):
    return train(attach, Wrapped(), loss_fn=lambda out, y: F.mse_loss(out.hidden, y))


class Keywords(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = mlp()

    def forward(self, *, inputs, scale=1.0):
        return self.net(inputs) * scale


def keyword_loop(attach, model, *, call):
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = call(model)
        loss.backward()
        optimizer.step()
        tool.step(loss)
    tool.close()
    return model


@row("forward called with keywords only")
def keywords(attach):
    return keyword_loop(attach, Keywords(), call=lambda model: F.mse_loss(model(inputs=X, scale=2.0), Y))


class LanguageModel(nn.Module):
    """As transformers has it: the loss is computed inside, and comes first in what is returned."""

    def __init__(self):
        super().__init__()
        self.words, self.head = nn.Embedding(11, 6), nn.Linear(6, 11)

    def forward(self, input_ids, labels=None):
        logits = self.head(torch.tanh(self.words(input_ids)))
        loss = None if labels is None else F.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return ModelOutput(loss=loss, logits=logits)


IDS = torch.randint(11, (4, 7), generator=torch.Generator().manual_seed(5))


@row("loss computed inside forward (transformers)")
def language_model(attach):
    return keyword_loop(attach, LanguageModel(), call=lambda model: model(input_ids=IDS, labels=IDS.roll(-1, 1)).loss)


class Keeps(nn.Module):
    """A forward that returns no tensor: it leaves its output on itself, or gives a number."""

    def __init__(self, returns):
        super().__init__()
        self.net, self.returns = mlp(), returns

    def forward(self, x):
        self.out = self.net(x)
        return self.returns


def keeps(returns):
    def scenario(attach):
        def call(model):
            model(X)
            return F.mse_loss(model.out, Y)

        return keyword_loop(attach, Keeps(returns), call=call)

    return scenario


returns_none = row("forward returns None")(keeps(None))
returns_float = row("forward returns a float")(keeps(0.5))


class Detached(nn.Module):
    """A part that only looks on."""

    def __init__(self):
        super().__init__()
        self.net, self.probe = mlp(), nn.Linear(3, 2).requires_grad_(False)

    def forward(self, x):
        out = self.net(x)
        with torch.no_grad():
            self.seen = self.probe(torch.relu(out))
        with torch.inference_mode():
            self.probe(out)
        return out


@row("no_grad and inference_mode inside forward")
def inside(attach):
    return train(attach, Detached())


@row("nothing with a gradient returned")
def detached_output(attach):
    """The auxiliary loss alone trains the model."""

    class Detaching(Keeps):
        def forward(self, x):
            super().forward(x)
            return self.out.detach()

    def call(model):
        model(X)
        return F.mse_loss(model.out, Y)

    return keyword_loop(attach, Detaching(None), call=call)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.act, self.last = nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.act(self.first(x)))


@row("nested (jagged) tensors")
def nested(attach):
    x = torch.nested.nested_tensor_from_jagged(X, torch.tensor([0, 3, 7, 16]))
    return train(attach, Tokens(), [(x, Y)], loss_fn=lambda out, y: F.mse_loss(out.values(), y))


class Bags(nn.Module):
    """Rows of a sparse matrix go in."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        h = torch.sparse.mm(x, self.first.weight.T) + self.first.bias
        return self.last(torch.tanh(h))


@row("sparse inputs")
def sparse(attach):
    x = torch.where(X > 0, X, 0.0)
    return train(attach, Bags(), [(x.to_sparse(), Y)])
