"""Trains an LSTM to add up the two marked numbers of a sequence.

The mistake: optimizer.zero_grad() is never called.
"""

import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Adder(nn.Module):
    def __init__(self, hidden_size=32):
        super().__init__()
        self.lstm = nn.LSTM(2, hidden_size, batch_first=True)
        self.linear = nn.Linear(hidden_size, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.linear(out[:, -1]).squeeze(1)


def adding_problem(n, length, rng):
    values = rng.uniform(-1, 1, (n, length))
    marks = np.zeros((n, length))
    for row in marks:
        row[rng.choice(length, 2, replace=False)] = 1.0
    x = torch.tensor(np.stack([values, marks], axis=2), dtype=torch.float32)
    return x, torch.tensor((values * marks).sum(1), dtype=torch.float32)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--length", type=int, default=8)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    rng = np.random.default_rng(9)
    train_loader = DataLoader(TensorDataset(*adding_problem(2000, args.length, rng)), batch_size=40, shuffle=True)
    x_val, y_val = adding_problem(400, args.length, rng)

    model = Adder()
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)

    for epoch in range(12):
        model.train()
        running_loss = 0.0
        for x, y in train_loader:
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()

        model.eval()
        with torch.no_grad():
            val_loss = criterion(model(x_val), y_val).item()
        model.train()
        r2 = 1 - val_loss / y_val.var(unbiased=False).item()
        print(f"epoch {epoch + 1}: train {running_loss / len(train_loader):.4f} val {val_loss:.4f} r2 {r2:.3f}")


if __name__ == "__main__":
    main()
