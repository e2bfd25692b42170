"""Trains a ReLU network on the handwritten digits.

Classic mistake: the gradients are never set back to zero, so each step uses the sum of all of them so far.
"""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def train_one_epoch(model, loader, criterion, optimizer):
    model.train()
    total = 0.0
    for xb, yb in loader:
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    return total / len(loader.dataset)


def validate(model, loader, criterion):
    model.eval()
    total, correct = 0.0, 0
    with torch.no_grad():
        for xb, yb in loader:
            out = model(xb)
            total += criterion(out, yb).item() * len(xb)
            correct += (out.argmax(1) == yb).sum().item()
    model.train()
    return total / len(loader.dataset), correct / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X = torch.tensor(X / 16.0 - 0.3, dtype=torch.float32) / 0.37
    y = torch.tensor(y)
    split = torch.randperm(len(X), generator=torch.Generator().manual_seed(11))
    tr, va = split[:1400], split[1400:]
    train_loader = DataLoader(TensorDataset(X[tr], y[tr]), batch_size=64, shuffle=True)
    val_loader = DataLoader(TensorDataset(X[va], y[va]), batch_size=64)

    model = MLP()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

    for epoch in range(args.epochs):
        train_loss = train_one_epoch(model, train_loader, criterion, optimizer)
        val_loss, val_acc = validate(model, val_loader, criterion)
        print(f"epoch {epoch + 1:2d} | train {train_loss:.4f} | val {val_loss:.4f} | acc {val_acc:.3f}")


if __name__ == "__main__":
    main()
