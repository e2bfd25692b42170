"""Trains a small convolutional net to tell rings, discs and crosses apart, on batches taken by index.

The mistake: gradients from all earlier batches stay in .grad and are added to the new ones.
"""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--batch", type=int, default=32)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)


def draw(n, rng):
    label = rng.integers(0, 3, n)
    i, j = np.mgrid[:14, :14]
    images = rng.normal(scale=0.4, size=(n, 14, 14))
    for k in range(n):
        r, c = rng.uniform(5, 8, 2)
        radius = np.hypot(i - r, j - c)
        if label[k] == 0:
            images[k] += np.abs(radius - 4) < 0.8
        elif label[k] == 1:
            images[k] += radius < 3.6
        else:
            images[k] += (np.minimum(np.abs(i - r), np.abs(j - c)) < 0.8) & (radius < 5)
    images = (images - images.mean()) / images.std()
    return torch.tensor(images, dtype=torch.float32)[:, None], torch.tensor(label)


rng = np.random.default_rng(21)
images, labels = draw(1000, rng)
val_images, val_labels = draw(300, rng)

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(16 * 9, 3),
)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

for epoch in range(args.epochs):
    model.train()
    order = torch.randperm(len(images))
    epoch_loss, n_batches = 0.0, 0
    for start in range(0, len(images), args.batch):
        idx = order[start : start + args.batch]
        loss = loss_fn(model(images[idx]), labels[idx])
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
        n_batches += 1

    model.eval()
    with torch.no_grad():
        out = model(val_images)
        val_loss = loss_fn(out, val_labels).item()
        acc = (out.argmax(dim=1) == val_labels).float().mean().item()
    model.train()
    print(f"epoch {epoch + 1:2d} | train {epoch_loss / n_batches:.4f} | val {val_loss:.4f} | acc {acc:.3f}")
