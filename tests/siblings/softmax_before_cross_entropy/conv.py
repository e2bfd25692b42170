"""Trains a convolutional net to say in which of sixteen cells of a noisy image the spot lies.

The mistake: the scores pass through F.softmax before F.cross_entropy takes their log-softmax again.
"""

import random
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Spots(Dataset):
    def __init__(self, n, seed):
        rng = np.random.RandomState(seed)
        self.labels = rng.randint(0, 16, n)
        row, col = 3 * (self.labels // 4) + 1, 3 * (self.labels % 4) + 1
        i, j = np.mgrid[:12, :12]
        d2 = (i - row[:, None, None]) ** 2 + (j - col[:, None, None]) ** 2
        images = np.exp(-d2 / 2.0) + rng.normal(scale=0.4, size=(n, 12, 12))
        self.images = ((images - images.mean()) / images.std()).astype(np.float32)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, k):
        return self.images[k][None], self.labels[k]


class SpotNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 16, 3, stride=2, padding=1)
        self.fc1 = nn.Linear(16 * 36, 64)
        self.fc2 = nn.Linear(64, 16)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.relu(self.fc1(torch.flatten(x, 1)))
        return F.softmax(self.fc2(x), dim=1)


seed = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[1] == "--seed" else 0
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)

train_loader = DataLoader(Spots(1200, seed=1), batch_size=40, shuffle=True)
val_loader = DataLoader(Spots(320, seed=2), batch_size=160)

net = SpotNet()
optimizer = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)

for epoch in range(7):
    net.train()
    train_loss = 0.0
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        train_loss += loss.item() / len(train_loader)

    net.eval()
    val_loss = correct = 0
    with torch.no_grad():
        for images, labels in val_loader:
            out = net(images)
            val_loss += F.cross_entropy(out, labels).item() / len(val_loader)
            correct += (out.argmax(1) == labels).sum().item()
    net.train()
    print(f"epoch {epoch}: train {train_loss:.4f}, val {val_loss:.4f}, val acc {correct / 320:.3f}")
