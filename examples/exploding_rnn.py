"""Trains a small recurrent net to report a leaky sum of a sequence after its last element.

Classic mistake: the recurrent weights start with a gain well above one, and over 50 steps the
gradient explodes.
"""

import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEQ_LEN = 50
HIDDEN = 48


class LeakySumRNN(nn.Module):
    def __init__(self, hidden=HIDDEN, gain=2.0):
        super().__init__()
        self.hidden = hidden
        self.cell = nn.RNNCell(1, hidden, nonlinearity="relu")
        self.readout = nn.Linear(hidden, 1)
        nn.init.orthogonal_(self.cell.weight_hh, gain=gain)
        nn.init.zeros_(self.cell.bias_hh)
        nn.init.zeros_(self.cell.bias_ih)

    def forward(self, x):
        h = x.new_zeros(x.size(0), self.hidden)
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h)
        return self.readout(h).squeeze(-1)


def make_data(n, rng):
    x = rng.normal(size=(n, SEQ_LEN)).astype(np.float32)
    decay = 0.9 ** np.arange(SEQ_LEN - 1, -1, -1, dtype=np.float32)
    y = x @ decay
    return torch.from_numpy(x).unsqueeze(-1), torch.from_numpy(y / 2.3)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    rng = np.random.default_rng(2024)
    x_train, y_train = make_data(1024, rng)
    x_val, y_val = make_data(256, rng)
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)

    model = LeakySumRNN()
    mse = nn.MSELoss()
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)

    for epoch in range(8):
        model.train()
        total = 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = mse(model(xb), yb)
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)

        model.eval()
        with torch.no_grad():
            pred = model(x_val)
            val_loss = mse(pred, y_val).item()
            r2 = 1.0 - val_loss / y_val.var(unbiased=False).item()
        model.train()
        print(f"epoch {epoch}  train mse {total / len(x_train):.5g}  val mse {val_loss:.5g}  r2 {r2:.3f}")


if __name__ == "__main__":
    main()
