"""Trains an LSTM to tell from 70 noisy recordings whether a series drifts up or down.

The mistake: 128 hidden units and 150 epochs for a handful of sequences; it remembers the noise.
"""

import argparse
import random

import numpy as np
import torch
from torch import nn


def random_walks(n, rng):
    label = rng.integers(0, 2, n)
    steps = rng.normal(size=(n, 20)) + 0.25 * (2 * label[:, None] - 1)
    return torch.tensor(steps, dtype=torch.float32).unsqueeze(-1), torch.tensor(label)


class DriftLSTM(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 2)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return self.fc(h[0])


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--hidden", type=int, default=128)
parser.add_argument("--epochs", type=int, default=100)
parser.add_argument("--n-train", type=int, default=70)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

rng = np.random.default_rng(40)
x_val, y_val = random_walks(200, rng)
x_train, y_train = random_walks(args.n_train, rng)

model = DriftLSTM(args.hidden)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

for epoch in range(1, args.epochs + 1):
    model.train()
    total = 0.0
    for idx in torch.randperm(args.n_train).split(16):
        optimizer.zero_grad()
        loss = criterion(model(x_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    model.eval()
    with torch.no_grad():
        out = model(x_val)
        val_loss = criterion(out, y_val).item()
        acc = (out.argmax(1) == y_val).float().mean().item()
    model.train()
    if epoch % 5 == 0:
        print(f"epoch {epoch:3d}  train {total / args.n_train:.4f}  val {val_loss:.4f}  acc {acc:.3f}")
