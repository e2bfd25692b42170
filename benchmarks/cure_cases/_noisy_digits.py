"""Digits of which a share of the training labels is wrong; the same ones for every seed."""

import torch
from torch.utils.data import DataLoader, TensorDataset

from trainclinic.cases._data import loaders


def noisy_digits(seed, wrong):
    """Training loader of 600 digits with a share of wrong labels [0..1], and the validation loader, all of it right."""
    train, val = loaders("digits", seed, train_size=600)
    pixels, target = train.dataset.tensors
    drawn = torch.Generator().manual_seed(7)
    mistaken = torch.rand(len(target), generator=drawn) < wrong
    target = torch.where(mistaken, torch.randint(10, target.shape, generator=drawn), target)
    return DataLoader(TensorDataset(pixels, target), 60, shuffle=True, generator=train.generator), val
