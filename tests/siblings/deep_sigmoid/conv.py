"""Trains a deep convolutional net to tell the direction of noisy stripes in 12x12 images.

The mistake: fourteen convolutions, each followed by nn.Sigmoid.
"""

import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def stripes(n, rng):
    label = rng.integers(0, 4, n)
    angle = label * np.pi / 4 + rng.normal(scale=0.08, size=n)
    phase, freq = rng.uniform(0, 2 * np.pi, n), rng.uniform(1.0, 1.6, n)
    i, j = np.mgrid[:12, :12]
    wave = np.cos(angle)[:, None, None] * i + np.sin(angle)[:, None, None] * j
    images = np.sin(freq[:, None, None] * wave + phase[:, None, None]) + rng.normal(scale=0.4, size=(n, 12, 12))
    images = (images - images.mean()) / images.std()
    return torch.tensor(images, dtype=torch.float32).unsqueeze(1), torch.tensor(label)


def build(depth=13, channels=8):
    layers = [nn.Conv2d(1, channels, 3, padding=1), nn.Sigmoid()]
    for k in range(depth):
        stride = 2 if k in (3, 7) else 1
        layers += [nn.Conv2d(channels, channels, 3, stride=stride, padding=1), nn.Sigmoid()]
    layers += [nn.Flatten(), nn.Linear(channels * 9, 4)]
    model = nn.Sequential(*layers)
    for module in model:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
    return model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    rng = np.random.default_rng(17)
    train_loader = DataLoader(TensorDataset(*stripes(800, rng)), batch_size=32, shuffle=True)
    val_x, val_y = stripes(240, rng)

    model = build()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    for epoch in range(10):
        model.train()
        train_loss = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            train_loss += loss.item() / len(train_loader)

        model.eval()
        with torch.no_grad():
            out = model(val_x)
            val_loss = criterion(out, val_y).item()
            acc = (out.argmax(1) == val_y).float().mean().item()
        model.train()
        print(f"epoch {epoch + 1:2d}: train {train_loss:.4f} val {val_loss:.4f} acc {acc:.3f}")


if __name__ == "__main__":
    main()
