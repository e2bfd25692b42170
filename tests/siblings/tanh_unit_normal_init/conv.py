"""Trains a convolutional tanh net to name the shape drawn in a noisy 12x12 image.

The mistake: all kernels and weights are drawn from torch.randn as they are.
"""

import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 12, 3, padding=1)
        self.conv3 = nn.Conv2d(12, 24, 3, stride=2, padding=1)
        self.conv4 = nn.Conv2d(24, 24, 3, padding=1)
        self.fc1 = nn.Linear(24 * 36, 48)
        self.fc2 = nn.Linear(48, 4)
        self.reset_parameters()

    def reset_parameters(self):
        for name, p in self.named_parameters():
            if name.endswith("weight"):
                p.data = torch.randn(p.shape)
            else:
                p.data.zero_()

    def forward(self, x):
        x = torch.tanh(self.conv1(x))
        x = torch.tanh(self.conv2(x))
        x = torch.tanh(self.conv3(x))
        x = torch.tanh(self.conv4(x))
        x = torch.tanh(self.fc1(x.flatten(1)))
        return self.fc2(x)


def draw_shapes(n, seed):
    rng = np.random.RandomState(seed)
    images = rng.normal(scale=0.35, size=(n, 1, 12, 12)).astype(np.float32)
    labels = rng.randint(0, 4, n)
    for image, label in zip(images[:, 0], labels, strict=True):
        r, c = rng.randint(0, 6, 2)
        box = image[r : r + 6, c : c + 6]
        if label == 0:
            box[[0, -1], :] += 1.5
            box[:, [0, -1]] += 1.5
        elif label == 1:
            box[2:4, :] += 1.5
            box[:, 2:4] += 1.5
        elif label == 2:
            box[np.arange(6), np.arange(6)] += 2
            box[np.arange(6), np.arange(5, -1, -1)] += 2
        else:
            box += 1.0
    images = (images - images.mean()) / images.std()
    return TensorDataset(torch.from_numpy(images), torch.from_numpy(labels))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

train_loader = DataLoader(draw_shapes(1000, seed=1), batch_size=40, shuffle=True)
val_x, val_y = draw_shapes(300, seed=2).tensors
model = ConvNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)

for epoch in range(10):
    model.train()
    losses = []
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        out = model(val_x)
        val_loss, acc = criterion(out, val_y).item(), (out.argmax(1) == val_y).float().mean().item()
    model.train()
    print(f"{epoch + 1:2d} train {np.mean(losses):.4f} val {val_loss:.4f} acc {acc:.3f}")
