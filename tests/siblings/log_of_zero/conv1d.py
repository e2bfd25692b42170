"""Trains a 1-d convolutional net to name the waveform in a window of sensor readings.

The mistake: each window is divided by its own standard deviation, and one window in the recording is flat.
"""

import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LENGTH = 40


def record(n, rng):
    t = np.arange(LENGTH)
    kind = rng.integers(0, 3, n)
    phase, period = rng.uniform(0, 1, n), rng.uniform(10, 16, n)
    cycle = (t[None] / period[:, None] + phase[:, None]) % 1.0
    waves = np.select(
        [kind[:, None] == 0, kind[:, None] == 1],
        [np.sin(2 * np.pi * cycle), np.sign(cycle - 0.5)],
        2 * cycle - 1,
    )
    waves = rng.uniform(0.5, 3.0, (n, 1)) * (waves + rng.normal(scale=0.35, size=waves.shape))
    return torch.tensor(waves, dtype=torch.float32), torch.tensor(kind)


class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, 16, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(16, 32, 5, padding=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(4),
        )
        self.head = nn.Linear(32 * 4, 3)

    def forward(self, x):
        x = (x - x.mean(dim=1, keepdim=True)) / x.std(dim=1, keepdim=True)
        return self.head(self.features(x.unsqueeze(1)).flatten(1))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

rng = np.random.default_rng(3)
train_x, train_y = record(1200, rng)
train_x[300] = 0.0
val_x, val_y = record(300, rng)
loader = DataLoader(TensorDataset(train_x, train_y), batch_size=32, shuffle=True)

model = WaveNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

for epoch in range(10):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    model.eval()
    with torch.no_grad():
        out = model(val_x)
        val_loss = criterion(out, val_y).item()
        acc = (out.argmax(1) == val_y).float().mean().item()
    model.train()
    print(f"epoch {epoch + 1}: train {total / len(train_x):.4f}, val {val_loss:.4f}, acc {acc:.3f}")
