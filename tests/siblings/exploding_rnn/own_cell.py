"""Trains a hand-made recurrent cell to name the frequency class of a noisy sine of 48 samples.

The mistake: the recurrent weights are drawn too large, so that state and gradient grow with each time step.
"""

import argparse
import math
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

STEPS = 48


def sines(n, rng):
    label = rng.integers(0, 4, n)
    freq = np.array([0.15, 0.3, 0.6, 1.2])[label] * rng.uniform(0.9, 1.1, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    wave = np.sin(freq[:, None] * np.arange(STEPS) + phase[:, None]) + rng.normal(scale=0.2, size=(n, STEPS))
    return torch.tensor(wave / 0.73, dtype=torch.float32), torch.tensor(label)


class Cell(nn.Module):
    def __init__(self, n_in, n_hidden, scale):
        super().__init__()
        self.w_in = nn.Parameter(torch.randn(n_in, n_hidden) / math.sqrt(n_in))
        self.w_rec = nn.Parameter(torch.randn(n_hidden, n_hidden) * scale / math.sqrt(n_hidden))
        self.bias = nn.Parameter(torch.zeros(n_hidden))

    def forward(self, x, h):
        return F.leaky_relu(x @ self.w_in + h @ self.w_rec + self.bias, 0.1)


class FrequencyNet(nn.Module):
    def __init__(self, n_hidden=48, scale=2.2):
        super().__init__()
        self.n_hidden = n_hidden
        self.cell = Cell(1, n_hidden, scale)
        self.classifier = nn.Linear(n_hidden, 4)

    def forward(self, wave):
        h = torch.zeros(len(wave), self.n_hidden)
        for t in range(wave.shape[1]):
            h = self.cell(wave[:, t : t + 1], h)
        return self.classifier(h)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

rng = np.random.default_rng(12)
x_train, y_train = sines(960, rng)
x_val, y_val = sines(240, rng)

model = FrequencyNet()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(1, 16):
    model.train()
    losses = []
    for batch in torch.randperm(len(x_train)).split(32):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x_train[batch]), y_train[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    model.eval()
    with torch.no_grad():
        scores = model(x_val)
        val_loss = F.cross_entropy(scores, y_val).item()
        acc = (scores.argmax(1) == y_val).float().mean().item()
    model.train()
    print(f"epoch {epoch:2d} train {np.mean(losses):.5g} val {val_loss:.5g} acc {acc:.3f}")
