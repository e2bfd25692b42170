"""Trains a deep network with batch normalisation to tell two generated spirals apart.

The mistake: model.eval() is called for the first validation, before training, and model.train() never again.
"""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=12)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)


def spirals(n, rng):
    label = rng.integers(0, 2, n)
    r = np.sqrt(rng.uniform(0.03, 1.0, n))
    angle = 7.0 * r + np.pi * label + rng.normal(scale=0.15, size=n)
    x = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1) / 0.5
    return torch.tensor(x, dtype=torch.float32), torch.tensor(label)


def block(n_in, n_out):
    return [nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out), nn.ReLU()]


rng = np.random.default_rng(70)
train_loader = DataLoader(TensorDataset(*spirals(1920, rng)), batch_size=64, shuffle=True)
x_val, y_val = spirals(400, rng)

layers = block(2, 48)
for _ in range(9):
    layers += block(48, 48)
model = nn.Sequential(*layers, nn.Linear(48, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)


def validate():
    model.eval()
    with torch.no_grad():
        out = model(x_val)
        return criterion(out, y_val).item(), (out.argmax(1) == y_val).float().mean().item()


val_loss, acc = validate()
print(f"start: val {val_loss:.4f} acc {acc:.3f}")
for epoch in range(1, args.epochs + 1):
    total = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() / len(train_loader)
    val_loss, acc = validate()
    print(f"epoch {epoch:2d}: train {total:.4f} val {val_loss:.4f} acc {acc:.3f}")
