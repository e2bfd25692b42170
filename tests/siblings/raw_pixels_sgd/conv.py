"""Trains a convolutional net on generated 8-bit images to estimate where their bright spot lies.

The mistake: uint8 pixels are only cast to float, and SGD gets the learning rate for values around one.
"""

import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def photos(n, rng):
    centre = rng.uniform(2.5, 8.5, (n, 2))
    i, j = np.mgrid[:12, :12]
    d2 = (i - centre[:, 0, None, None]) ** 2 + (j - centre[:, 1, None, None]) ** 2
    light = rng.uniform(60, 110, (n, 1, 1)) + rng.normal(scale=12, size=(n, 12, 12)) + 120 * np.exp(-d2 / 4)
    images = np.clip(light, 0, 255).astype(np.uint8)
    target = (centre - 5.5) / 1.73
    return torch.from_numpy(images[:, None]), torch.tensor(target, dtype=torch.float32)


class Locator(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.fc = nn.Sequential(nn.Flatten(), nn.Linear(16 * 36, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, images):
        x = images.float()
        return self.fc(self.conv(x))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=10)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

rng = np.random.default_rng(30)
train_set = TensorDataset(*photos(1200, rng))
val_set = TensorDataset(*photos(300, rng))
train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
val_loader = DataLoader(val_set, batch_size=300)

model = Locator()
criterion = nn.SmoothL1Loss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

for epoch in range(args.epochs):
    model.train()
    losses = []
    for images, target in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        for images, target in val_loader:
            pred = model(images)
            val_loss = criterion(pred, target).item()
            r2 = 1 - ((pred - target) ** 2).mean().item() / target.var(unbiased=False).item()
    model.train()
    print(f"epoch {epoch + 1:2d}: train {np.mean(losses):.4f}, val {val_loss:.4f}, r2 {r2:.3f}")
