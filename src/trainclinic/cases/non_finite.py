"""A logistic regression whose hand-written loss has no guard at 0 and 1, on the breast-cancer table.

The line that differs: the epsilon that keeps the probability inside (0, 1). Nothing explodes: the training
goes well, so well that for a clear case the sigmoid rounds to exactly 1 in 32 bits, which happens from a
logit of about 17 on. Then (1 - y) * log(1 - p) is 0 * -inf, the loss is NaN, and the next update makes every
weight NaN. With the guard the same batches pass.

Anchors: Goodfellow, Bengio & Courville 2016, "Deep Learning", section 4.1 (overflow and underflow); PyTorch's
BCEWithLogitsLoss, which exists to avoid this.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from trainclinic.cases._data import loaders
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """The logarithm is taken of whatever the sigmoid gives, also of an exact 0."""
    return _setup(seed, eps=0.0)


def healthy(seed: int) -> Setup:
    """The probability is kept within [1e-6, 1 - 1e-6]."""
    return _setup(seed, eps=1e-6)


def _setup(seed: int, eps: float) -> Setup:
    model = nn.Linear(30, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    train, val = loaders("breast_cancer", seed, batch_size=32)
    loss = partial(_cross_entropy, eps=eps)
    return Setup(model, loss, optimizer, train, val, epochs=28, metric="accuracy")


def _cross_entropy(logits: Tensor, targets: Tensor, eps: float) -> Tensor:
    p = torch.sigmoid(logits.flatten()).clamp(eps, 1 - eps)
    y = targets.float()
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
