"""Trains a small regression network with dropout on the diabetes data.

Nothing is wrong with it.
"""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Regressor(nn.Module):
    def __init__(self, n_in, hidden=16):
        super().__init__()
        self.fc1 = nn.Linear(n_in, hidden)
        self.dropout = nn.Dropout(0.2)
        self.fc2 = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.fc2(self.dropout(F.relu(self.fc1(x)))).squeeze(-1)


def tensors(X, y):
    return torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=40)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_diabetes(return_X_y=True)
    X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, random_state=0)
    scaler = StandardScaler().fit(X_train)
    y_mean, y_std = y_train.mean(), y_train.std()
    X_train, y_train = tensors(scaler.transform(X_train), (y_train - y_mean) / y_std)
    X_val, y_val = tensors(scaler.transform(X_val), (y_val - y_mean) / y_std)
    loader = DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True)

    model = Regressor(X.shape[1])
    mse = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-2)

    for epoch in range(args.epochs):
        model.train()
        train_loss = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = mse(model(xb), yb)
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(xb) / len(X_train)

        model.eval()
        with torch.no_grad():
            pred = model(X_val)
            val_loss = mse(pred, y_val).item()
            r2 = 1 - val_loss / y_val.var(unbiased=False).item()
        model.train()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: train mse {train_loss:.4f}  val mse {val_loss:.4f}  val R2 {r2:.3f}")
