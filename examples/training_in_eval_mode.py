"""Trains a small convolutional net with batch normalisation and dropout on the digits.

Classic mistake: validation switches the model to eval mode and nothing switches it back to train mode.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def conv_block(c_in, c_out, stride=1):
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


def build_model():
    return nn.Sequential(
        conv_block(1, 16),
        conv_block(16, 16),
        conv_block(16, 32, stride=2),
        conv_block(32, 32),
        conv_block(32, 32),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(32 * 16, 10),
    )


def evaluate(model, loader, criterion):
    model.eval()
    loss_sum, correct, count = 0.0, 0, 0
    with torch.no_grad():
        for images, labels in loader:
            out = model(images)
            loss_sum += criterion(out, labels).item() * len(labels)
            correct += (out.argmax(1) == labels).sum().item()
            count += len(labels)
    return loss_sum / count, correct / count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    digits = load_digits()
    images = ((digits.images - digits.images.mean()) / digits.images.std()).astype(np.float32)
    X_tr, X_va, y_tr, y_va = train_test_split(images[:, None], digits.target, test_size=0.3, random_state=0)
    train_loader = DataLoader(
        TensorDataset(torch.from_numpy(X_tr), torch.from_numpy(y_tr)),
        batch_size=64,
        shuffle=True,
        drop_last=True,
    )
    val_loader = DataLoader(TensorDataset(torch.from_numpy(X_va), torch.from_numpy(y_va)), batch_size=180)

    model = build_model()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)

    val_loss, val_acc = evaluate(model, val_loader, criterion)
    print(f"before training: val loss {val_loss:.3f}, val acc {val_acc:.3f}")
    for epoch in range(12):
        losses = []
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        val_loss, val_acc = evaluate(model, val_loader, criterion)
        print(f"epoch {epoch + 1}: train {np.mean(losses):.3f}, val loss {val_loss:.3f}, val acc {val_acc:.3f}")


if __name__ == "__main__":
    main()
