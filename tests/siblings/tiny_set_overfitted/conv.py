"""Trains a convolutional net to tell a faint ring from a faint disc, on 64 noisy images.

The mistake: a net with 300,000 weights goes over the same few images again and again.
"""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def faint_images(n, seed):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    i, j = np.mgrid[:12, :12]
    centre = rng.uniform(4.5, 6.5, (n, 2, 1, 1))
    radius = np.hypot(i - centre[:, 0], j - centre[:, 1])
    shape = np.where(label[:, None, None] == 0, np.abs(radius - 3.5) < 0.8, radius < 3.2)
    images = shape + rng.normal(scale=2.8, size=shape.shape)
    images = (images - images.mean()) / images.std()
    return TensorDataset(torch.tensor(images[:, None], dtype=torch.float32), torch.tensor(label))


class ConvNet(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.fc1 = nn.Linear(2 * channels * 9, 16 * channels)
        self.fc2 = nn.Linear(16 * channels, 2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--n-train", type=int, default=64)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    train_loader = DataLoader(faint_images(args.n_train, seed=60), batch_size=16, shuffle=True)
    val_loader = DataLoader(faint_images(200, seed=61), batch_size=200)
    model = ConvNet(args.channels)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    for epoch in range(1, args.epochs + 1):
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
            for x, y in val_loader:
                out = model(x)
                val_loss, acc = criterion(out, y).item(), (out.argmax(1) == y).float().mean().item()
        model.train()
        if epoch % 2 == 0:
            print(f"epoch {epoch:2d}: train {train_loss:.4f} val {val_loss:.4f} acc {acc:.3f}")


if __name__ == "__main__":
    main()
