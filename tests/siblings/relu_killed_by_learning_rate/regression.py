"""Trains a four-layer ReLU network to predict the Friedman #1 function.

The mistake: SGD with far too large a learning rate leaves only dead units, and the mean as the answer.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_data():
    x, y = make_friedman1(n_samples=1600, n_features=8, noise=0.3, random_state=3)
    x = (x - 0.5) * np.sqrt(12)
    y = (y - y.mean()) / y.std()
    x_train, x_val, y_train, y_val = train_test_split(x, y[:, None], test_size=0.25, random_state=3)
    as_set = [torch.tensor(a, dtype=torch.float32) for a in (x_train, y_train, x_val, y_val)]
    return TensorDataset(*as_set[:2]), TensorDataset(*as_set[2:])


def main(seed, epochs, lr):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)

    train_set, val_set = get_data()
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=400)
    model = nn.Sequential(
        nn.Linear(8, 64),
        nn.ReLU(),
        nn.Linear(64, 64),
        nn.ReLU(),
        nn.Linear(64, 64),
        nn.ReLU(),
        nn.Linear(64, 1),
    )
    loss_fn = nn.SmoothL1Loss()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)

    for epoch in range(1, epochs + 1):
        model.train()
        train_loss = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(x) / len(train_set)

        model.eval()
        val_loss, squared, total_var = 0.0, 0.0, val_set.tensors[1].var(unbiased=False).item()
        with torch.no_grad():
            for x, y in val_loader:
                pred = model(x)
                val_loss += loss_fn(pred, y).item() * len(x) / len(val_set)
                squared += (pred - y).square().sum().item() / len(val_set)
        model.train()
        print(f"epoch {epoch:2d} train {train_loss:.4f} val {val_loss:.4f} r2 {1 - squared / total_var:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--lr", type=float, default=1.0)
    main(**vars(parser.parse_args()))
