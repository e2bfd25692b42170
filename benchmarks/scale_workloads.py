"""Networks of many layers, and layers of many parameters.

    layers-N    N layers Linear 16 + ReLU and a Linear to 10 classes, batch 8, SGD    for N = 10, 100, 1,000
    wide        one Linear of 10,000 by 10,000 with bias, batch 4, SGD                100 M parameters
    embedding   an Embedding of 1,000,000 by 100, 4 rows a sample, sparse gradients,  100 M parameters
                and a Linear to 10 classes, batch 8, SGD

The layers start near the identity, so that through a thousand of them no signal leaves the range of normal numbers.
"""

from __future__ import annotations

import functools

import torch
from overhead_workloads import CLASSES, Workload
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

WIDTH = 16
DEPTHS = (10, 100, 1_000)
FEATURES = 10_000
ROWS, LENGTH, READ = 1_000_000, 100, 4


def _deep(layers: int) -> nn.Sequential:
    modules: list[nn.Module] = []
    for _ in range(layers):
        linear = nn.Linear(WIDTH, WIDTH)
        with torch.no_grad():
            linear.weight.copy_(torch.eye(WIDTH) + 0.01 * torch.randn(WIDTH, WIDTH))
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules, nn.Linear(WIDTH, CLASSES))


def _embedding() -> nn.Sequential:
    return nn.Sequential(nn.Embedding(ROWS, LENGTH, sparse=True), nn.Flatten(), nn.Linear(READ * LENGTH, CLASSES))


def _sgd(model: nn.Module) -> Optimizer:
    return SGD(model.parameters(), 1e-4)


def _few() -> tuple[Tensor, Tensor]:
    return torch.randn(8, WIDTH), torch.randint(CLASSES, (8,))


def _broad() -> tuple[Tensor, Tensor]:
    return torch.randn(4, FEATURES), torch.randint(FEATURES, (4,))


def _rows() -> tuple[Tensor, Tensor]:
    return torch.randint(ROWS, (8, READ)), torch.randint(CLASSES, (8,))


_SETTING = {"optimizer": _sgd, "batches": 8, "direct": (0, 0, 0)}
SCALE = {
    "layers-10": Workload("layers-10", functools.partial(_deep, 10), batch=_few, chunk=40, minutes=0.25, samples=8,
                          **_SETTING),
    "layers-100": Workload("layers-100", functools.partial(_deep, 100), batch=_few, chunk=8, minutes=0.5, samples=8,
                           **_SETTING),
    "layers-1000": Workload("layers-1000", functools.partial(_deep, 1_000), batch=_few, chunk=2, minutes=2.0,
                            samples=8, **_SETTING),
    "wide": Workload("wide", lambda: nn.Linear(FEATURES, FEATURES), batch=_broad, chunk=2, minutes=2.5, samples=0,
                     **_SETTING),
    "embedding": Workload("embedding", _embedding, batch=_rows, chunk=40, minutes=0.25, samples=0, **_SETTING),
}  # fmt: skip
STEPS = {"layers-10": 1_000, "layers-100": 1_000, "layers-1000": 1_000, "wide": 30, "embedding": 1_000}  # recorded
