"""Trains a deep fully connected classifier on the 8x8 digits.

Classic mistake: sixteen sigmoid layers in a row, so that almost no gradient reaches the first ones.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=15)
args = parser.parse_args()

random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)


class Net(nn.Module):
    def __init__(self, n_in=64, width=64, depth=16, n_classes=10):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(n_in if i == 0 else width, width) for i in range(depth))
        self.out = nn.Linear(width, n_classes)
        for layer in [*self.layers, self.out]:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.layers:
            x = torch.sigmoid(layer(x))
        return self.out(x)


digits = load_digits()
X = digits.data.astype(np.float32)
y = digits.target
order = np.random.RandomState(42).permutation(len(X))
train_idx, val_idx = order[:1400], order[1400:]
mean, std = X[train_idx].mean(0), X[train_idx].std(0) + 1e-2
X = torch.from_numpy((X - mean) / std).float()
y = torch.from_numpy(y).long()

train_loader = DataLoader(TensorDataset(X[train_idx], y[train_idx]), batch_size=64, shuffle=True)
val_loader = DataLoader(TensorDataset(X[val_idx], y[val_idx]), batch_size=256)

model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(1, args.epochs + 1):
    model.train()
    train_loss = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        train_loss += loss.item() * len(xb)
    train_loss /= len(train_idx)

    model.eval()
    val_loss, correct = 0.0, 0
    with torch.no_grad():
        for xb, yb in val_loader:
            logits = model(xb)
            val_loss += criterion(logits, yb).item() * len(xb)
            correct += (logits.argmax(1) == yb).sum().item()
    val_loss /= len(val_idx)
    model.train()
    print(f"epoch {epoch:2d}  train {train_loss:.4f}  val {val_loss:.4f}  val acc {correct / len(val_idx):.3f}")
