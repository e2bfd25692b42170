"""Trains a two-hidden-layer network on the digits with SGD.

Classic mistake: the model ends in a softmax although CrossEntropyLoss applies one of its own.
"""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
opt = ap.parse_args()

random.seed(opt.seed)
np.random.seed(opt.seed)
torch.manual_seed(opt.seed)

data, target = load_digits(return_X_y=True)
features = torch.tensor((data - data.mean()) / data.std(), dtype=torch.float32)
labels = torch.tensor(target, dtype=torch.long)
dataset = TensorDataset(features, labels)
train_set, val_set = random_split(dataset, [1437, 360], generator=torch.Generator().manual_seed(3))
train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
val_loader = DataLoader(val_set, batch_size=360)

model = nn.Sequential(
    nn.Linear(64, 100),
    nn.ReLU(),
    nn.Linear(100, 50),
    nn.ReLU(),
    nn.Linear(50, 10),
    nn.Softmax(dim=1),
)
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.02, momentum=0.9)

for epoch in range(20):
    model.train()
    running_loss, seen, hits = 0.0, 0, 0
    for inputs, targets in train_loader:
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
        running_loss += loss.item() * inputs.size(0)
        hits += (outputs.argmax(1) == targets).sum().item()
        seen += inputs.size(0)

    model.eval()
    with torch.no_grad():
        val_loss, val_hits = 0.0, 0
        for inputs, targets in val_loader:
            outputs = model(inputs)
            val_loss += criterion(outputs, targets).item() * inputs.size(0)
            val_hits += (outputs.argmax(1) == targets).sum().item()
    model.train()
    print(
        f"Epoch {epoch + 1:02d} train_loss {running_loss / seen:.4f} train_acc {hits / seen:.3f} "
        f"val_loss {val_loss / len(val_set):.4f} val_acc {val_hits / len(val_set):.3f}"
    )
