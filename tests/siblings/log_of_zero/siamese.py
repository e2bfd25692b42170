"""Trains an encoder that maps the digits to a few numbers so that the distances between them are kept.

The mistake: the gradient of sqrt at zero is infinite, and now and then a pair is the same digit twice.
"""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits


class Encoder(nn.Module):
    def __init__(self, n_features, n_out=16):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, n_out)
        )

    def forward(self, x):
        return self.layers(x)


def distance(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=15)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    x = load_digits().data
    x = torch.tensor((x - x.mean()) / x.std(), dtype=torch.float32)
    x = x[torch.randperm(len(x), generator=torch.Generator().manual_seed(0))]
    train, val = x[:1400], x[1400:]
    val_a, val_b = val[:-1], val[1:]
    target = distance(val_a, val_b) / 8

    encoder = Encoder(x.shape[1])
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=2e-3)

    for epoch in range(1, args.epochs + 1):
        encoder.train()
        losses = []
        for _ in range(40):
            first, second = torch.randint(len(train), (2, 32))
            a, b = train[first], train[second]
            optimizer.zero_grad()
            loss = criterion(distance(encoder(a), encoder(b)), distance(a, b) / 8)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

        encoder.eval()
        with torch.no_grad():
            val_loss = criterion(distance(encoder(val_a), encoder(val_b)), target).item()
        encoder.train()
        r2 = 1 - val_loss / target.var(unbiased=False).item()
        print(f"epoch {epoch:2d}  train {np.mean(losses):.4f}  val {val_loss:.4f}  r2 {r2:.3f}")


if __name__ == "__main__":
    main()
