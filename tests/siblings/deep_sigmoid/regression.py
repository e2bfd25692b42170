"""Trains a deep network to predict the Friedman #1 function of ten inputs.

The mistake: twelve hidden layers squashed by a sigmoid each.
"""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_friedman1
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--depth", type=int, default=12)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)


class DeepRegressor(nn.Module):
    def __init__(self, depth, width=40):
        super().__init__()
        self.first = nn.Linear(10, width)
        self.middle = nn.ModuleList([nn.Linear(width, width) for _ in range(depth - 1)])
        self.last = nn.Linear(width, 1)
        self.act = nn.Sigmoid()
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_normal_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.act(self.first(x))
        for layer in self.middle:
            x = self.act(layer(x))
        return self.last(x).squeeze(-1)


features, target = make_friedman1(n_samples=1500, noise=0.5, random_state=0)
x_scaler = StandardScaler().fit(features[:1200])
x = torch.tensor(x_scaler.transform(features), dtype=torch.float32)
y = torch.tensor((target - target[:1200].mean()) / target[:1200].std(), dtype=torch.float32)
x_train, y_train, x_val, y_val = x[:1200], y[:1200], x[1200:], y[1200:]

model = DeepRegressor(args.depth)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.MSELoss()

for epoch in range(16):
    model.train()
    total = 0.0
    for idx in torch.randperm(1200).split(40):
        optimizer.zero_grad()
        loss = criterion(model(x_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    model.eval()
    with torch.no_grad():
        val_loss = criterion(model(x_val), y_val).item()
    model.train()
    r2 = 1 - val_loss / y_val.var(unbiased=False).item()
    print(f"epoch {epoch + 1:2d}  train mse {total / 1200:.4f}  val mse {val_loss:.4f}  r2 {r2:.3f}")
