"""Networks for sets by pairs and for graphs: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diagnosis_zoo.networks import Act, head
from diagnosis_zoo.tasks import Task


class Relations(nn.Module):
    """A net for every two points of the set, the mean, a net for the whole."""

    def __init__(self, task: Task, *, width: int = 24, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.two = nn.Sequential(nn.Linear(2 * task.width, width), act(), nn.Linear(width, width), act())
        self.whole = nn.Sequential(nn.Linear(width, width), act())
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        count = x.shape[1]
        pairs = torch.cat((x.unsqueeze(2).expand(-1, -1, count, -1), x.unsqueeze(1).expand(-1, count, -1, -1)), -1)
        return self.head(self.whole(self.two(pairs).mean((1, 2))))


class GraphAttention(nn.Module):
    """Each node weighs its neighbours, and itself, by a learned score; read by mean and maximum."""

    def __init__(self, task: Task, *, width: int = 24, depth: int = 2, act: Act = nn.ELU) -> None:
        super().__init__()
        self.stem = nn.Linear(2, width)
        self.values = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.scores = nn.ModuleList(nn.Linear(width, 2) for _ in range(depth))
        self.acts = nn.ModuleList(act() for _ in range(depth))
        self.head = head(2 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        edges, x = x[..., :-2] + torch.eye(x.shape[1]), self.stem(x[..., -2:])
        for value, score, act in zip(self.values, self.scores, self.acts, strict=True):
            found = value(x)
            own, other = score(found).split(1, -1)
            weight = nn.functional.leaky_relu(own + other.transpose(1, 2), 0.2).masked_fill(edges == 0, -torch.inf)
            x = x + act(torch.softmax(weight, -1) @ found)
        return self.head(torch.cat((x.mean(1), x.amax(1)), 1))


class Messages(nn.Module):
    """What a node tells its neighbour depends on both; a GRU takes in the sum, three times over."""

    def __init__(self, task: Task, *, width: int = 24, rounds: int = 2, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.stem, self.rounds = nn.Linear(2, width), rounds
        self.message = nn.Sequential(nn.Linear(2 * width, width), act(), nn.Linear(width, width))
        self.update, self.head = nn.GRUCell(width, width), head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        edges, state = x[..., :-2].unsqueeze(-1), self.stem(x[..., -2:])
        count = state.shape[1]
        for _ in range(self.rounds):
            two = (state.unsqueeze(2).expand(-1, -1, count, -1), state.unsqueeze(1).expand(-1, count, -1, -1))
            heard = (edges * self.message(torch.cat(two, -1))).sum(2)
            state = self.update(heard.flatten(0, 1), state.flatten(0, 1)).unflatten(0, (-1, count))
        return self.head(state.sum(1) / count**0.5)
