"""Trains a network to tell the three arms of a generated spiral apart.

Classic mistake: the parameter list for the optimizer leaves out the hidden layers, which
keep their first values.
"""

import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def spirals(n_per_arm, rng):
    xs, ys = [], []
    for arm in range(3):
        r = np.sqrt(rng.uniform(0.02, 1.0, n_per_arm))
        angle = 5.0 * r + 2 * np.pi * arm / 3 + rng.normal(scale=0.12, size=n_per_arm)
        xs.append(np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1))
        ys.append(np.full(n_per_arm, arm))
    return np.concatenate(xs).astype(np.float32), np.concatenate(ys)


class SpiralNet(nn.Module):
    def __init__(self, width=32, n_hidden=3):
        super().__init__()
        self.inp = nn.Linear(2, width)
        self.hidden = nn.ModuleList([nn.Linear(width, width) for _ in range(n_hidden)])
        self.out = nn.Linear(width, 3)

    def forward(self, x):
        x = torch.relu(self.inp(x))
        for layer in self.hidden:
            x = torch.relu(layer(x))
        return self.out(x)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = spirals(500, np.random.default_rng(5))
X = (X - X.mean(0)) / X.std(0)
order = np.random.default_rng(6).permutation(len(X))
X, y = torch.from_numpy(X[order]), torch.from_numpy(y[order])
train_dl = DataLoader(TensorDataset(X[:1200], y[:1200]), batch_size=32, shuffle=True)
X_val, y_val = X[1200:], y[1200:]

net = SpiralNet()
params = list(net.inp.parameters()) + list(net.out.parameters())
optimizer = torch.optim.Adam(params, lr=3e-3)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(25):
    net.train()
    epoch_loss = 0.0
    for xb, yb in train_dl:
        net.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()

    net.eval()
    with torch.no_grad():
        logits = net(X_val)
        val_loss = loss_fn(logits, y_val).item()
        val_acc = (logits.argmax(1) == y_val).float().mean().item()
    net.train()
    print(f"{epoch + 1:3d}  train {epoch_loss / len(train_dl):.4f}  val {val_loss:.4f}  acc {val_acc:.3f}")
