"""Trains a wide network to predict diabetes progression from the records of 80 patients.

Classic mistake: far too many parameters and epochs for so few samples; it learns them by heart.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=200)
parser.add_argument("--width", type=int, default=256)
parser.add_argument("--n-train", type=int, default=80)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_diabetes(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y[:, None], train_size=args.n_train, test_size=90, random_state=0)
x_scaler, y_scaler = StandardScaler().fit(X_train), StandardScaler().fit(y_train)
X_train, X_val = (torch.tensor(x_scaler.transform(a), dtype=torch.float32) for a in (X_train, X_val))
y_train, y_val = (torch.tensor(y_scaler.transform(a), dtype=torch.float32) for a in (y_train, y_val))
train_loader = DataLoader(TensorDataset(X_train, y_train), batch_size=16, shuffle=True)

model = nn.Sequential(
    nn.Linear(10, args.width),
    nn.ReLU(),
    nn.Linear(args.width, args.width),
    nn.ReLU(),
    nn.Linear(args.width, 1),
)
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(1, args.epochs + 1):
    model.train()
    train_loss = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        train_loss += loss.item() * len(xb)
    train_loss /= len(X_train)

    model.eval()
    with torch.no_grad():
        val_loss = criterion(model(X_val), y_val).item()
        r2 = 1 - val_loss / y_val.var(unbiased=False).item()
    model.train()
    if epoch % 5 == 0:
        print(f"epoch {epoch:3d}  train mse {train_loss:.4f}  val mse {val_loss:.4f}  val r2 {r2:.3f}")
