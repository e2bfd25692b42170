"""Trains a six-layer tanh network with Xavier initialisation on the digits.

Nothing is wrong with it.
"""

import random
import sys

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 0
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)


class TanhNet(nn.Module):
    def __init__(self, width=80, depth=6):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(64, width)])
        self.layers.extend(nn.Linear(width, width) for _ in range(depth - 1))
        self.layers.append(nn.Linear(width, 10))
        for layer in self.layers:
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        return self.layers[-1](x)


X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.2, random_state=4, stratify=y)
scaler = StandardScaler().fit(X_train)
X_train = torch.tensor(scaler.transform(X_train), dtype=torch.float32)
X_val = torch.tensor(scaler.transform(X_val), dtype=torch.float32)
y_train, y_val = torch.tensor(y_train), torch.tensor(y_val)

model = TanhNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-3)

batch_size = 32
for epoch in range(1, 16):
    model.train()
    perm = torch.randperm(len(X_train))
    total = 0.0
    for start in range(0, len(perm), batch_size):
        idx = perm[start : start + batch_size]
        optimizer.zero_grad()
        loss = criterion(model(X_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)

    model.eval()
    with torch.no_grad():
        out = model(X_val)
        val_loss = criterion(out, y_val).item()
        acc = (out.argmax(1) == y_val).float().mean().item()
    model.train()
    print(f"epoch {epoch}\ttrain {total / len(X_train):.4f}\tval {val_loss:.4f}\tacc {acc:.3f}")
