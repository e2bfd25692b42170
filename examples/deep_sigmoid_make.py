"""The network, data and optimizer of deep_sigmoid.py as a function of a seed, which is what a cure needs.

    trainclinic cure examples/deep_sigmoid_make.py

It can then train the network as often as it must: with and without a treatment, from the same seeds.
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trainclinic as tc


class Net(nn.Module):
    def __init__(self, n_in=64, width=64, depth=16, n_classes=10):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(n_in if i == 0 else width, width) for i in range(depth))
        self.out = nn.Linear(width, n_classes)
        for layer in [*self.layers, self.out]:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.layers:
            x = torch.sigmoid(layer(x))
        return self.out(x)


def make(seed):
    # trainclinic seeds torch, NumPy and Python before it calls this; the split is the same for every seed
    digits = load_digits()
    X = digits.data.astype(np.float32)
    order = np.random.RandomState(42).permutation(len(X))
    train_idx, val_idx = order[:1400], order[1400:]
    mean, std = X[train_idx].mean(0), X[train_idx].std(0) + 1e-2
    X = torch.from_numpy((X - mean) / std).float()
    y = torch.from_numpy(digits.target).long()

    train_loader = DataLoader(TensorDataset(X[train_idx], y[train_idx]), batch_size=64, shuffle=True)
    val_loader = DataLoader(TensorDataset(X[val_idx], y[val_idx]), batch_size=256)

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return tc.Setup(model, nn.CrossEntropyLoss(), optimizer, train_loader, val_loader, epochs=15, metric="accuracy")
