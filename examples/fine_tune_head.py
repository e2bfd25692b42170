"""Pre-trains a small convolutional net on the digits 0 to 4, then freezes it and trains a new head on 5 to 9.

Nothing is wrong with it: only the head is given to the second optimizer, on purpose.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loaders(images, labels):
    train = TensorDataset(images[:-180], labels[:-180])
    val = TensorDataset(images[-180:], labels[-180:])
    return DataLoader(train, batch_size=32, shuffle=True), DataLoader(val, batch_size=180)


def fit(model, train_loader, val_loader, optimizer, epochs, name):
    criterion = nn.CrossEntropyLoss()
    for epoch in range(1, epochs + 1):
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
            val_loss, hits, n = 0.0, 0, 0
            for x, y in val_loader:
                out = model(x)
                val_loss += criterion(out, y).item() * len(y)
                hits += (out.argmax(1) == y).sum().item()
                n += len(y)
        model.train()
        print(f"{name} {epoch:2d}  train {train_loss:.4f}  val {val_loss / n:.4f}  acc {hits / n:.3f}")


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

digits = load_digits()
order = np.random.RandomState(0).permutation(len(digits.target))
images = torch.tensor(digits.images[order], dtype=torch.float32).unsqueeze(1)
images = (images - images.mean()) / images.std()
labels = torch.tensor(digits.target[order])
low = labels < 5

backbone = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1),
    nn.ReLU(),
    nn.Flatten(),
)
model = nn.Sequential(backbone, nn.Linear(32 * 16, 5))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
fit(model, *loaders(images[low], labels[low]), optimizer, epochs=5, name="pretrain")

for p in backbone.parameters():
    p.requires_grad = False
model = nn.Sequential(backbone, nn.Linear(32 * 16, 5))
optimizer = torch.optim.Adam(model[1].parameters(), lr=1e-3)
fit(model, *loaders(images[~low], labels[~low] - 5), optimizer, epochs=15, name="finetune")
