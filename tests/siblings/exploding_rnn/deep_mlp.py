"""Trains a twenty-layer ReLU network on two generated half moons.

The mistake: the weights are drawn with a standard deviation that makes every layer almost double its input.
"""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

WIDTH = 64


class DeepNet(nn.Module):
    def __init__(self, n_in, n_out, depth=20, std=0.32):
        super().__init__()
        blocks = [nn.Linear(n_in, WIDTH), nn.ReLU()]
        for _ in range(depth - 2):
            blocks.extend([nn.Linear(WIDTH, WIDTH), nn.ReLU()])
        blocks.append(nn.Linear(WIDTH, n_out))
        self.net = nn.Sequential(*blocks)
        for m in self.net.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, std=std)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.net(x)


def prepare(batch_size):
    x, y = make_moons(n_samples=1600, noise=0.15, random_state=0)
    x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.3, random_state=0, stratify=y)
    scaler = StandardScaler().fit(x_train)
    train = TensorDataset(torch.tensor(scaler.transform(x_train)).float(), torch.tensor(y_train))
    val = TensorDataset(torch.tensor(scaler.transform(x_val)).float(), torch.tensor(y_val))
    return DataLoader(train, batch_size=batch_size, shuffle=True), DataLoader(val, batch_size=len(val))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    train_loader, val_loader = prepare(batch_size=32)
    model = DeepNet(2, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4)

    for epoch in range(1, args.epochs + 1):
        model.train()
        running, n = 0.0, 0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running += loss.item() * len(y)
            n += len(y)
        model.eval()
        with torch.no_grad():
            x, y = next(iter(val_loader))
            out = model(x)
            val_loss, acc = criterion(out, y).item(), (out.argmax(1) == y).float().mean().item()
        model.train()
        print(f"epoch {epoch}: train {running / n:.5g}, val {val_loss:.5g}, acc {acc:.3f}")


if __name__ == "__main__":
    main()
