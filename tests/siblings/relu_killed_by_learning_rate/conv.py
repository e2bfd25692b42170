"""Trains a small convolutional net to count the bright blobs (one to four) in a 12x12 image.

The mistake: Adam runs with a learning rate of 0.3, and the ReLUs do not survive its first steps.
"""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def blob_images(n, rng):
    counts = rng.integers(1, 5, n)
    images = rng.normal(scale=0.1, size=(n, 12, 12))
    cells = [(r, c) for r in range(2, 12, 4) for c in range(2, 12, 4)]
    i, j = np.mgrid[:12, :12]
    for image, count in zip(images, counts, strict=True):
        for k in rng.choice(len(cells), count, replace=False):
            r, c = cells[k] + rng.normal(scale=0.3, size=2)
            image += np.exp(-((i - r) ** 2 + (j - c) ** 2) / 1.5)
    images = (images - images.mean()) / images.std()
    return torch.tensor(images, dtype=torch.float32).unsqueeze(1), torch.tensor(counts - 1)


class BlobCounter(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 16, 3, padding=1)
        self.conv3 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc1 = nn.Linear(32 * 9, 64)
        self.fc2 = nn.Linear(64, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(F.relu(self.conv3(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc2(x)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--lr", type=float, default=0.3)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

rng = np.random.default_rng(0)
train_set = TensorDataset(*blob_images(1200, rng))
val_x, val_y = blob_images(300, rng)
loader = DataLoader(train_set, batch_size=32, shuffle=True)

net = BlobCounter()
optimizer = torch.optim.Adam(net.parameters(), lr=args.lr)

for epoch in range(10):
    net.train()
    running = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        running += loss.item()

    net.eval()
    with torch.no_grad():
        out = net(val_x)
        val_loss = F.cross_entropy(out, val_y).item()
        acc = (out.argmax(1) == val_y).float().mean().item()
    net.train()
    print(f"epoch {epoch + 1}: train {running / len(loader):.4f}, val {val_loss:.4f}, acc {acc:.3f}")
