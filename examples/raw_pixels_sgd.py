"""Trains a classifier on 8-bit grey-scale digit images with plain SGD.

Classic mistake: the pixels go in as they come, 0 to 255, with a learning rate meant for scaled inputs.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset


class DigitImages(Dataset):
    def __init__(self):
        digits = load_digits()
        self.images = np.clip(digits.images * 16, 0, 255).astype(np.uint8)
        self.labels = digits.target

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        image = torch.from_numpy(self.images[i]).float()
        return image.flatten(), int(self.labels[i])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.body(x))


def run_validation(model, loader, criterion):
    model.eval()
    loss, correct, n = 0.0, 0, 0
    with torch.no_grad():
        for x, y in loader:
            out = model(x)
            loss += criterion(out, y).item() * len(y)
            correct += (out.argmax(1) == y).sum().item()
            n += len(y)
    model.train()
    return loss / n, correct / n


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    data = DigitImages()
    order = np.random.RandomState(0).permutation(len(data))
    train_loader = DataLoader(Subset(data, order[:1400]), batch_size=50, shuffle=True)
    val_loader = DataLoader(Subset(data, order[1400:]), batch_size=200)

    model = Net()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    for epoch in range(15):
        total = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        val_loss, val_acc = run_validation(model, val_loader, criterion)
        print(f"{epoch + 1:2d}: train {total / len(train_loader):.4f} val {val_loss:.4f} acc {val_acc:.3f}")
