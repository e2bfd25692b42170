"""Trains an embedding model to predict whether a user likes an item, on generated ratings.

The mistake: forward() returns sigmoid probabilities, and they go into BCEWithLogitsLoss.
"""

import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_USERS, N_ITEMS = 80, 60


def make_ratings(n, rng):
    taste = rng.normal(size=(N_USERS, 3))
    kind = rng.normal(size=(N_ITEMS, 3))
    user, item = rng.integers(0, N_USERS, n), rng.integers(0, N_ITEMS, n)
    likes = (taste[user] * kind[item]).sum(1) + rng.normal(scale=0.3, size=n) > 0.5
    return torch.tensor(user), torch.tensor(item), torch.tensor(likes, dtype=torch.float32)


class Recommender(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.users = nn.Embedding(N_USERS, dim)
        self.items = nn.Embedding(N_ITEMS, dim)
        self.score = nn.Sequential(nn.Linear(3 * dim, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())

    def forward(self, user, item):
        u, i = self.users(user), self.items(item)
        return self.score(torch.cat([u, i, u * i], dim=1)).squeeze(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    ratings = make_ratings(12000, np.random.default_rng(1))
    train_loader = DataLoader(TensorDataset(*(r[:10000] for r in ratings)), batch_size=100, shuffle=True)
    val_user, val_item, val_likes = (r[10000:] for r in ratings)

    model = Recommender()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=1e-5)

    for epoch in range(1, args.epochs + 1):
        model.train()
        total = 0.0
        for user, item, likes in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(user, item), likes)
            loss.backward()
            optimizer.step()
            total += loss.item()
        model.eval()
        with torch.no_grad():
            out = model(val_user, val_item)
            val_loss = criterion(out, val_likes).item()
            acc = ((out > 0.5) == val_likes.bool()).float().mean().item()
        model.train()
        print(f"epoch {epoch:2d}  train {total / len(train_loader):.4f}  val {val_loss:.4f}  acc {acc:.3f}")


if __name__ == "__main__":
    main()
