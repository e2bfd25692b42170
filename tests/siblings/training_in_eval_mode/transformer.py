"""Trains a small transformer encoder with dropout to judge short, partly mislabelled token sequences.

The mistake: the validation function calls model.eval(), and from then on the training runs without dropout.
"""

import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

VOCAB, LENGTH = 24, 12


def reviews(n, rng, flip):
    tokens = rng.integers(0, VOCAB, (n, LENGTH))
    mood = np.where(tokens < 8, 1, np.where(tokens < 16, -1, 0)).sum(1) + rng.normal(scale=0.1, size=n)
    label = (mood > 0) ^ (rng.uniform(size=n) < flip)
    return TensorDataset(torch.tensor(tokens), torch.tensor(label, dtype=torch.long))


class Judge(nn.Module):
    def __init__(self, dim=32, dropout=0.5):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, dim)
        self.pos = nn.Parameter(torch.randn(LENGTH, dim) * 0.02)
        layer = nn.TransformerEncoderLayer(dim, nhead=4, dim_feedforward=64, dropout=dropout, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(dim, 2)

    def forward(self, tokens):
        x = self.dropout(self.embed(tokens) + self.pos)
        return self.out(self.dropout(self.encoder(x).mean(dim=1)))


def validate(model, loader, criterion):
    model.eval()
    total, correct, n = 0.0, 0, 0
    with torch.no_grad():
        for tokens, label in loader:
            out = model(tokens)
            total += criterion(out, label).item() * len(label)
            correct += (out.argmax(1) == label).sum().item()
            n += len(label)
    return total / n, correct / n


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=40)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    rng = np.random.default_rng(50)
    train_loader = DataLoader(reviews(400, rng, flip=0.15), batch_size=32, shuffle=True)
    val_loader = DataLoader(reviews(400, rng, flip=0.15), batch_size=200)

    model = Judge()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)

    for epoch in range(1, args.epochs + 1):
        train_loss = 0.0
        for tokens, label in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(tokens), label)
            loss.backward()
            optimizer.step()
            train_loss += loss.item() / len(train_loader)
        val_loss, acc = validate(model, val_loader, criterion)
        print(f"epoch {epoch:2d}  train {train_loss:.4f}  val {val_loss:.4f}  acc {acc:.3f}")


if __name__ == "__main__":
    main()
