"""The three networks on which the overhead is measured, and the plain training step around them.

    mlp   10 hidden Linear 256 + ReLU, input 64, 10 classes, batch 128, Adam       22 tensors, 0.61 M values
    cnn   ResNet-18-style, BatchNorm, widths 16-32-64-128, 3x32x32, batch 32, SGD  62 tensors, 0.70 M values
    gpt   6-layer decoder, width 256, 4 heads, 128 tokens of 512, batch 8, AdamW   77 tensors, 5.03 M values

`tiny` is for the long run only. Inputs and labels are random, so that the gradients never die out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Adam, AdamW, Optimizer

CLASSES = 10
VOCABULARY, TOKENS = 512, 128


class _Block(nn.Module):
    """Two 3x3 convolutions with BatchNorm and the way around them."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1, self.relu1 = nn.BatchNorm2d(channels), nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2, self.relu2 = nn.BatchNorm2d(channels), nn.ReLU()
        self.around: nn.Module = nn.Identity()
        if channels_in != channels:
            conv = nn.Conv2d(channels_in, channels, 1, stride, bias=False)
            self.around = nn.Sequential(conv, nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(y + self.around(x))


class _ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        blocks, before = [], 16
        for width in (16, 32, 64, 128):
            blocks += [_Block(before, width, 1 if before == width else 2), _Block(width, width, 1)]
            before = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(128, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.relu(self.bn(self.conv(x)))).mean((2, 3)))


class _DecoderLayer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.gelu, self.down = nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.down(self.gelu(self.up(self.norm2(x))))


class _Decoder(nn.Module):
    def __init__(self, width: int = 256, layers: int = 6, heads: int = 4) -> None:
        super().__init__()
        self.token, self.position = nn.Embedding(VOCABULARY, width), nn.Embedding(TOKENS, width)
        self.layers = nn.Sequential(*(_DecoderLayer(width, heads) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, VOCABULARY, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[1], device=tokens.device)
        return self.head(self.norm(self.layers(self.token(tokens) + self.position(places)))).flatten(0, 1)


def _mlp(hidden: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(64, width), nn.ReLU()]
    for _ in range(hidden - 1):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


@dataclass(frozen=True)
class Workload:
    """A network, its optimizer and how it is timed.

    Attributes:
        build: makes the network.
        optimizer: from the network.
        batch: makes one batch (inputs, targets).
        batches: different batches that are gone through again and again.
        chunk: steps timed together, after one that is not counted; even.
        direct: (steps, steps a chunk, repeats) of the run measured directly from its first step.
        minutes: time for the whole workload.
        samples: per step, as a window of dead units counts them; 0 without a ReLU.
    """

    name: str
    build: Callable[[], nn.Module]
    optimizer: Callable[[nn.Module], Optimizer]
    batch: Callable[[], tuple[Tensor, Tensor]]
    batches: int
    chunk: int
    direct: tuple[int, int, int]
    minutes: float
    samples: int


def _vectors(count: int = 128) -> tuple[Tensor, Tensor]:
    return torch.randn(count, 64), torch.randint(CLASSES, (count,))


def _images() -> tuple[Tensor, Tensor]:
    return torch.randn(32, 3, 32, 32), torch.randint(CLASSES, (32,))


def _texts() -> tuple[Tensor, Tensor]:
    tokens = torch.randint(VOCABULARY, (8, TOKENS + 1))
    return tokens[:, :-1].contiguous(), tokens[:, 1:].flatten()


WORKLOADS = {
    "mlp": Workload("mlp", lambda: _mlp(10, 256), lambda m: Adam(m.parameters()), _vectors,
                    batches=64, chunk=8, direct=(1000, 25, 3), minutes=6, samples=128),
    "cnn": Workload("cnn", _ResNet, lambda m: SGD(m.parameters(), 0.05, momentum=0.9), _images,
                    batches=32, chunk=2, direct=(1000, 10, 1), minutes=9, samples=32),
    "gpt": Workload("gpt", _Decoder, lambda m: AdamW(m.parameters(), 3e-4), _texts,
                    batches=16, chunk=2, direct=(60, 5, 1), minutes=10, samples=0),
    "tiny": Workload("tiny", lambda: _mlp(2, 32), lambda m: SGD(m.parameters(), 0.01), lambda: _vectors(32),
                     batches=64, chunk=100, direct=(1000, 25, 1), minutes=4, samples=32),
}  # fmt: skip


class Training:
    """One network being trained by the plain loop; equal seeds give equal trainings."""

    def __init__(self, workload: Workload, device: str = "cpu", seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.workload, self.device = workload, torch.device(device)
        self.model = workload.build().to(self.device)
        self.optimizer = workload.optimizer(self.model)
        self.loss_fn = nn.CrossEntropyLoss()
        self._batches = [
            (inputs.to(self.device), targets.to(self.device))
            for inputs, targets in (workload.batch() for _ in range(workload.batches))
        ]
        self.steps = 0

    def step(self) -> float:
        """One step, as anybody writes it."""
        inputs, targets = self._batches[self.steps % len(self._batches)]
        self.steps += 1
        self.optimizer.zero_grad()
        loss = self.loss_fn(self.model(inputs), targets)
        loss.backward()
        self.optimizer.step()
        return loss.item()
