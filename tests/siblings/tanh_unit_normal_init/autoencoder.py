"""Trains a tanh autoencoder on the measurements of the breast cancer data.

The mistake: normal_() with its default standard deviation of one is used for all the weights.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def mlp(*sizes):
    layers = []
    for i in range(len(sizes) - 1):
        linear = nn.Linear(sizes[i], sizes[i + 1])
        nn.init.normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


class AutoEncoder(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.encoder = mlp(n_features, 64, 64, 6)
        self.decoder = mlp(6, 64, 64, n_features)

    def forward(self, x):
        return self.decoder(torch.tanh(self.encoder(x)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=50)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    data = load_breast_cancer().data
    train, val = train_test_split(data, test_size=0.25, random_state=2)
    scaler = StandardScaler().fit(train)
    train = torch.tensor(scaler.transform(train), dtype=torch.float32)
    val = torch.tensor(scaler.transform(val), dtype=torch.float32)
    loader = DataLoader(TensorDataset(train), batch_size=32, shuffle=True)

    model = AutoEncoder(train.shape[1])
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    for epoch in range(1, args.epochs + 1):
        model.train()
        total = 0.0
        for (x,) in loader:
            loss = criterion(model(x), x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        model.eval()
        with torch.no_grad():
            val_loss = criterion(model(val), val).item()
        model.train()
        if epoch % 5 == 0:
            r2 = 1 - val_loss / val.var(unbiased=False).item()
            print(f"epoch {epoch:2d}  train {total / len(train):.4f}  val {val_loss:.4f}  r2 {r2:.3f}")


if __name__ == "__main__":
    main()
