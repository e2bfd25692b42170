"""Trains a residual network to predict the Friedman #1 function.

The mistake: the blocks sit in a plain Python list, so model.parameters() does not know them.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import make_friedman1
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class ResidualBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, width)
        self.fc2 = nn.Linear(width, width)

    def forward(self, x):
        return x + self.fc2(torch.relu(self.fc1(x)))


class ResidualMLP(nn.Module):
    def __init__(self, n_in, width=32, n_blocks=3):
        super().__init__()
        self.embed = nn.Linear(n_in, width)
        self.blocks = [ResidualBlock(width) for _ in range(n_blocks)]
        self.readout = nn.Linear(width, 1)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.readout(x).squeeze(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=15)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    x, y = make_friedman1(n_samples=2000, n_features=6, noise=0.5, random_state=4)
    x = torch.tensor((x - 0.5) / 0.289, dtype=torch.float32)
    y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
    train_loader = DataLoader(TensorDataset(x[:1600], y[:1600]), batch_size=32, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[1600:], y[1600:]), batch_size=100)

    model = ResidualMLP(x.shape[1])
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    for epoch in range(1, args.epochs + 1):
        model.train()
        train_loss = 0.0
        for xb, yb in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            train_loss += loss.item() / len(train_loader)

        model.eval()
        with torch.no_grad():
            val_loss = sum(criterion(model(xb), yb).item() for xb, yb in val_loader) / len(val_loader)
        model.train()
        r2 = 1 - val_loss / y[1600:].var(unbiased=False).item()
        print(f"epoch {epoch:2d}  train {train_loss:.4f}  val {val_loss:.4f}  r2 {r2:.3f}")


if __name__ == "__main__":
    main()
