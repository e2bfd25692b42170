"""Trains a ReLU network on the digits with SGD and momentum.

Classic mistake: the learning rate is far too large; the first steps push whole layers of ReLUs below
zero for good.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--seed", type=int, default=0)
p.add_argument("--lr", type=float, default=0.5)
p.add_argument("--epochs", type=int, default=20)
p.add_argument("--batch-size", type=int, default=64)
args = p.parse_args()

random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.2, random_state=1)
mu, sigma = X_train.mean(), X_train.std()
X_train = torch.tensor((X_train - mu) / sigma, dtype=torch.float32)
X_val = torch.tensor((X_val - mu) / sigma, dtype=torch.float32)
y_train, y_val = torch.tensor(y_train), torch.tensor(y_val)

model = nn.Sequential(
    nn.Linear(64, 128),
    nn.ReLU(),
    nn.Linear(128, 128),
    nn.ReLU(),
    nn.Linear(128, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)

n = len(X_train)
for epoch in range(args.epochs):
    perm = torch.randperm(n)
    losses = []
    for i in range(0, n, args.batch_size):
        idx = perm[i : i + args.batch_size]
        optimizer.zero_grad()
        loss = loss_fn(model(X_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    model.eval()
    with torch.no_grad():
        out = model(X_val)
        val_loss = loss_fn(out, y_val).item()
        val_acc = (out.argmax(1) == y_val).float().mean().item()
    model.train()
    print(f"[{epoch + 1}] train {np.mean(losses):.4f} | val {val_loss:.4f} | acc {100 * val_acc:.1f}%")
