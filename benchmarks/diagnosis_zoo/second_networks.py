"""Networks for the tables and pictures of the second part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from diagnosis_zoo.networks import Act, Flat, Norm, head
from diagnosis_zoo.tasks import Task

# -- tables


class Highway(nn.Module):
    """A gate, at first nearly shut, says how much of a layer is let through and how much goes by."""

    def __init__(self, width: int, act: Act) -> None:
        super().__init__()
        self.gate, self.inner, self.act = nn.Linear(width, width), nn.Linear(width, width), act()
        nn.init.constant_(self.gate.bias, -1.0)

    def forward(self, x: Tensor) -> Tensor:
        open_ = torch.sigmoid(self.gate(x))
        return open_ * self.act(self.inner(x)) + (1 - open_) * x


def highway(task: Task, *, width: int = 40, depth: int = 4, act: Act = nn.ReLU) -> nn.Sequential:
    """Highway layers."""
    return nn.Sequential(nn.Linear(task.width, width), *(Highway(width, act) for _ in range(depth)), head(width, task))


class Cross(nn.Module):
    """Layers that multiply the input with what was found so far, beside deep ones."""

    def __init__(self, task: Task, *, width: int = 32, depth: int = 2, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.crossing = nn.ModuleList(nn.Linear(task.width, task.width) for _ in range(depth))
        self.deep = nn.Sequential(nn.Linear(task.width, width), act(), nn.Linear(width, width), act())
        self.head = head(task.width + width, task)

    def forward(self, x: Tensor) -> Tensor:
        found = x
        for layer in self.crossing:
            found = x * layer(found) + found
        return self.head(torch.cat((found, self.deep(x)), 1))


class Factorized(nn.Module):
    """Three category columns and four measurements as vectors; their products in pairs, and a deep part."""

    def __init__(self, task: Task, *, width: int = 8, act: Act = nn.ReLU, dropout: float = 0.0) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(30, width) for _ in range(3))
        self.measures = nn.Parameter(0.3 * torch.randn(4, width))
        self.deep = nn.Sequential(nn.Linear(7 * width, 32), act(), nn.Dropout(dropout), nn.Linear(32, 16), act())
        self.head = head(16 + width, task)

    def forward(self, x: Tensor) -> Tensor:
        codes = [embedding(x[:, column].long()) for column, embedding in enumerate(self.embeddings)]
        vectors = torch.cat((torch.stack(codes, 1), x[:, 3:].unsqueeze(-1) * self.measures), 1)
        products = (vectors.sum(1) ** 2 - (vectors**2).sum(1)) / 2
        return self.head(torch.cat((self.deep(vectors.flatten(1)), products), 1))


class Experts(nn.Module):
    """Small nets, and one that weighs what they say."""

    def __init__(self, task: Task, *, width: int = 24, count: int = 4, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.weigh = nn.Linear(task.width, count)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(task.width, width), act(), nn.Linear(width, width), act()) for _ in range(count)
        )
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        said = torch.stack([expert(x) for expert in self.experts], 1)
        return self.head((torch.softmax(self.weigh(x), 1).unsqueeze(-1) * said).sum(1))


class Maxout(nn.Module):
    """The largest of three linear layers."""

    def __init__(self, wide: int, width: int) -> None:
        super().__init__()
        self.pieces, self.width = nn.Linear(wide, 3 * width), width

    def forward(self, x: Tensor) -> Tensor:
        return self.pieces(x).unflatten(-1, (self.width, 3)).amax(-1)


def maxout(task: Task, *, width: int = 32, depth: int = 2, dropout: float = 0.0) -> nn.Sequential:
    """Maxout layers."""
    layers = [Maxout(width if index else task.width, width) for index in range(depth)]
    return nn.Sequential(*layers, nn.Dropout(dropout), head(width, task))


class Radial(nn.Module):
    """How near the input is to learned places, then a hidden layer."""

    def __init__(self, task: Task, *, count: int = 48, width: int = 32, reach: float = 0.7, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.places = nn.Parameter(1.2 * torch.randn(count, task.width))
        self.reach = nn.Parameter(torch.full((count,), reach))
        self.body, self.head = nn.Sequential(nn.Linear(count, width), act()), head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        far = ((x.unsqueeze(1) - self.places) ** 2).sum(-1)
        return self.head(self.body(torch.exp(-far * self.reach**2 / self.places.shape[1] ** 0.5)))


class Sine(nn.Module):
    """sin(pitch · z)."""

    def __init__(self, pitch: float) -> None:
        super().__init__()
        self.pitch = pitch

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(self.pitch * x)


def sines(task: Task, *, width: int = 40, depth: int = 3, pitch: float = 3.0) -> nn.Sequential:
    """Sines as activations, with the initialization that goes with them."""
    layers: list[nn.Module] = []
    for index in range(depth):
        layer = nn.Linear(width if index else task.width, width)
        bound = (6 / width) ** 0.5 / pitch if index else 1 / task.width**0.5
        nn.init.uniform_(layer.weight, -bound, bound)
        layers += [layer, Sine(pitch)]
    return nn.Sequential(*layers, head(width, task))


def lecun(model: nn.Module) -> nn.Module:
    """Weights by LeCun, as SELU wants it."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
            nn.init.zeros_(module.bias)
    return model


def weight_normed(task: Task, *, width: int = 48, depth: int = 3, act: Act = nn.ReLU) -> nn.Sequential:
    """Layers that learn the length and the direction of their weights apart."""
    layers: list[nn.Module] = []
    for index in range(depth):
        layers += [parametrizations.weight_norm(nn.Linear(width if index else task.width, width)), act()]
    return nn.Sequential(*layers, head(width, task))


class Ensemble(nn.Module):
    """Small nets of their own on the same input; one layer reads them all."""

    def __init__(self, task: Task, *, width: int = 24, count: int = 4, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.members = nn.ModuleList(
            nn.Sequential(nn.Linear(task.width, width), act(), nn.Linear(width, width), act()) for _ in range(count)
        )
        self.head = head(count * width, task)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.cat([member(x) for member in self.members], 1))


class Adapted(nn.Module):
    """A frozen layer, and beside it a low-rank one that begins at 0 and learns."""

    def __init__(self, layer: nn.Linear, rank: int = 4) -> None:
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down, self.up = nn.Linear(layer.in_features, rank, False), nn.Linear(rank, layer.out_features, False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + self.up(self.down(x))


def adapted(model: nn.Sequential) -> nn.Sequential:
    """Every hidden linear layer with an adapter, the output layer learns on."""
    linear = [index for index, layer in enumerate(model) if isinstance(layer, nn.Linear)]
    for index in linear[:-1]:
        model[index] = Adapted(model[index])
    return model


class ZeroBlock(nn.Module):
    """x + factor · body(x), the factor 0 at first: deep without a norm."""

    def __init__(self, width: int, act: Act) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(width, width), act(), nn.Linear(width, width))
        self.factor = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.factor * self.body(x)


def zero_residual(task: Task, *, width: int = 40, blocks: int = 5, act: Act = nn.ReLU) -> nn.Sequential:
    """Residual blocks that are the identity at first."""
    body = [ZeroBlock(width, act) for _ in range(blocks)]
    return nn.Sequential(nn.Linear(task.width, width), *body, head(width, task))


class Additive(nn.Module):
    """A curve for each feature; their sum, and that alone, goes into the answer."""

    def __init__(self, task: Task, *, width: int = 16, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.curves = nn.Sequential(
            nn.Conv1d(task.width, task.width * width, 1, groups=task.width), act(),
            nn.Conv1d(task.width * width, task.width * 4, 1, groups=task.width), act(),
        )  # fmt: skip
        self.head = head(4 * task.width, task)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.curves(x.unsqueeze(-1)).flatten(1))


class Siamese(nn.Module):
    """One net for both halves of the row; then how far apart they are."""

    def __init__(self, task: Task, *, width: int = 32, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(task.width // 2, width), act(), nn.Linear(width, width), act())
        self.compare = nn.Sequential(nn.Linear(2 * width, width), act())
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        one, other = (self.tower(half) for half in x.chunk(2, 1))
        return self.head(self.compare(torch.cat(((one - other).abs(), one * other), 1)))


class Columns(nn.Module):
    """Every column of a table as a token of a small transformer, with a token for the answer."""

    def __init__(self, task: Task, *, width: int = 16, depth: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.scale, self.shift = (nn.Parameter(torch.randn(task.width, width) / 2) for _ in range(2))
        self.answer = nn.Parameter(torch.zeros(1, 1, width))
        self.blocks = nn.Sequential(*(
            nn.TransformerEncoderLayer(width, 2, 2 * width, dropout, "relu", batch_first=True, norm_first=True)
            for _ in range(depth)
        ))  # fmt: skip
        self.norm, self.head = nn.LayerNorm(width), head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.unsqueeze(-1) * self.scale + self.shift
        x = self.blocks(torch.cat((self.answer.expand(len(x), -1, -1), tokens), 1))
        return self.head(self.norm(x[:, 0]))


class Trees(nn.Module):
    """Sixteen soft trees: five questions each, and a vector for every way to answer them."""

    def __init__(self, task: Task, *, count: int = 16, depth: int = 4, width: int = 8) -> None:
        super().__init__()
        self.questions, self.act = nn.Linear(task.width, count * depth), nn.Sigmoid()
        self.leaves = nn.Parameter(0.5 * torch.randn(count, 2**depth, width))
        self.shape, self.head = (count, depth), head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        yes = self.act(self.questions(x)).unflatten(1, self.shape)
        way = torch.ones_like(yes[..., :1])
        for step in range(self.shape[1]):
            said = yes[..., step, None]
            way = torch.cat((way * said, way * (1 - said)), -1)
        return self.head(torch.einsum("ntl,tlw->nw", way, self.leaves))


def narrow(task: Task, *, width: int = 32, code: int = 6, act: Act = nn.SiLU) -> nn.Sequential:
    """An autoencoder for tables, narrow in the middle."""
    return nn.Sequential(
        nn.Linear(task.width, width), act(), nn.Linear(width, code), nn.Linear(code, width), act(),
        nn.Linear(width, task.outputs),
    )  # fmt: skip


def spectral(task: Task, *, width: int = 48, depth: int = 2, act: Act = nn.ReLU, norm: Norm | None = None) -> nn.Module:
    """Layers that cannot stretch: each weight is divided by its largest singular value."""
    layers: list[nn.Module] = []
    for index in range(depth):
        layer = parametrizations.spectral_norm(nn.Linear(width if index else task.width, width))
        layers += [layer, *([norm(width)] if norm else []), act()]
    return nn.Sequential(*layers, nn.Linear(width, task.outputs), *([Flat()] if task.outputs == 1 else []))
