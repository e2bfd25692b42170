"""Trains a plain ReLU network on the handwritten digits with Adam.

Nothing is wrong with it.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--lr", type=float, default=1e-3)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(y)
    split = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train_idx, val_idx = split[:1437], split[1437:]
    X = (X - X[train_idx].mean()) / X[train_idx].std()
    train_loader = DataLoader(TensorDataset(X[train_idx], y[train_idx]), batch_size=64, shuffle=True)
    val_loader = DataLoader(TensorDataset(X[val_idx], y[val_idx]), batch_size=360)

    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)

    for epoch in range(args.epochs):
        model.train()
        train_loss = 0.0
        for xb, yb in train_loader:
            loss = criterion(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(xb) / len(train_idx)

        model.eval()
        val_loss, val_acc = 0.0, 0.0
        with torch.no_grad():
            for xb, yb in val_loader:
                out = model(xb)
                val_loss += criterion(out, yb).item() * len(xb) / len(val_idx)
                val_acc += (out.argmax(1) == yb).sum().item() / len(val_idx)
        model.train()
        print(f"epoch {epoch + 1:2d}  train {train_loss:.4f}  val {val_loss:.4f}  val acc {val_acc:.4f}")


if __name__ == "__main__":
    main()
