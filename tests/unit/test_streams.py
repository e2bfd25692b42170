"""The streams of random numbers: what is added in one place moves nothing in another."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import trainclinic as tc
from trainclinic.prove.pairs import Job, run
from trainclinic.prove.streams import Batches, Stream, fingerprint, seed_all
from trainclinic.records import Dose

X, Y = torch.randn(32, 4, generator=torch.Generator().manual_seed(7)), torch.arange(32) % 2


class Drawing(Dataset):
    """Each sample draws from Python, NumPy and torch, as augmentations do."""

    def __len__(self):
        return 32

    def __getitem__(self, index):
        drawn = random.random() + np.random.rand() + float(torch.rand(()))  # noqa: NPY002
        return X[index] + drawn, Y[index]


class DrawingStream(IterableDataset):
    def __iter__(self):
        for index in np.random.permutation(32):  # noqa: NPY002
            yield X[index] + random.random() + torch.rand(()), Y[index]


def shuffled():
    return DataLoader(TensorDataset(X, Y), 8, shuffle=True)


def own_generator():
    return DataLoader(TensorDataset(X, Y), 8, shuffle=True, generator=torch.Generator().manual_seed(5))


LOADERS = {
    "shuffled": shuffled,
    "generator of its own": own_generator,
    "in order": lambda: DataLoader(TensorDataset(X, Y), 8),
    "drawing": lambda: DataLoader(Drawing(), 8, shuffle=True, num_workers=0),
    "iterable": lambda: DataLoader(DrawingStream(), 8, num_workers=0),
}


def setup(loader, layers):
    model = nn.Sequential(*layers)
    return tc.Setup(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), loader,
                    DataLoader(TensorDataset(X, Y), 8, shuffle=True), epochs=3)  # fmt: skip


def plain():
    return [nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)]


def deeper():
    return [nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 2)]


def dropping():
    return [nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 2)]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("layers", [deeper, dropping])
def test_a_layer_more_or_dropout_moves_no_batch(loader, layers):
    one, other = (run(Job(lambda seed, made=made: setup(LOADERS[loader](), made()), 3)) for made in (plain, layers))
    assert len(one.batches) == 8 * 4 * 3
    assert one.batches == other.batches
    assert one.curve.values != other.curve.values


@pytest.mark.parametrize("loader", LOADERS)
def test_a_longer_treatment_sees_the_same_batches_as_far_as_the_control_goes(loader):
    """It is evaluated at other steps, and its steps are counted beforehand: neither draws from the batches' stream."""
    control = run(Job(lambda seed: setup(LOADERS[loader](), plain()), 3, length=12))
    longer = dataclasses.replace(setup(LOADERS[loader](), plain()), epochs=5)
    treated = run(Job(lambda seed: longer, 3, (Dose("weight-decay", {}),), 12))
    assert (control.steps, treated.steps) == (12, 20)
    assert treated.batches[: 8 * 12] == control.batches


@pytest.mark.parametrize("loader", [name for name in LOADERS if name != "in order"])
def test_every_epoch_has_another_order_and_every_seed_another_training(loader):
    first, again, other = (run(Job(lambda seed: setup(LOADERS[loader](), plain()), seed)) for seed in (3, 3, 4))
    assert first == again
    epochs = [first.batches[at : at + 32] for at in (0, 32, 64)]
    assert len(set(epochs)) == 3
    if loader != "generator of its own":  # that one is seeded by `make`
        assert first.batches != other.batches


def test_without_streams_dropout_would_move_the_batches():
    """What the streams are for: the plain loop under the same seed."""
    seen = []
    for layers in (plain, dropping):
        torch.manual_seed(3)
        made = setup(shuffled(), layers())
        made.train_loader = batches = Batches(made.train_loader, Unmoved())
        torch.manual_seed(3)
        tc.train(made)
        seen.append(bytes(batches.fingerprints))
    assert seen[0][:32] == seen[1][:32]
    assert seen[0][32:] != seen[1][32:]


class Unmoved:
    """A stream that is none: the global generators themselves."""

    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass


def states():
    return torch.get_rng_state().tolist(), [str(part) for part in np.random.get_state()], random.getstate()  # noqa: NPY002


@pytest.mark.parametrize("loader", LOADERS)
def test_batches_draw_nothing_from_the_generators_outside(loader):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = states()
    batches = Batches(LOADERS[loader](), Stream(3, "batches"))
    assert states() == before
    assert len(list(batches)) == 4
    for _ in batches:
        break  # a loop that is left in the middle
    assert states() == before
    after = run(Job(lambda seed: setup(LOADERS[loader](), plain()), 3))
    assert after.steps == 12
    assert states() == before


def test_what_is_drawn_between_two_batches_moves_neither():
    def drawn(noise):
        batches, found = Batches(LOADERS["drawing"](), Stream(3, "batches")), []
        torch.manual_seed(9)
        for _ in range(2):
            for _ in batches:
                found.append(float(torch.rand(())))
                if noise:
                    random.random(), np.random.rand(), torch.rand(5)  # noqa: NPY002
        return bytes(batches.fingerprints), found

    quiet, noisy = drawn(False), drawn(True)
    assert quiet[0] == noisy[0]
    torch.manual_seed(9)
    assert quiet[1] == [float(torch.rand(())) for _ in range(8)]


def test_the_streams_of_one_seed_differ_and_repeat_themselves():
    def first(seed, name):
        seed_all(seed, name)
        return torch.rand(()).item(), np.random.rand(), random.random()  # noqa: NPY002

    names = ("build", "surgery", "batches", "noise")
    found = [first(seed, name) for seed in (0, 1, 2) for name in names]
    assert len({one[0] for one in found}) == len({one[1] for one in found}) == len({one[2] for one in found}) == 12
    assert found == [first(seed, name) for seed in (0, 1, 2) for name in names]


def test_batches_pass_on_what_the_loader_has():
    loader = own_generator()
    batches = Batches(loader, Stream(3, "batches"))
    assert len(batches) == 4
    assert batches.generator is loader.generator
    assert batches.dataset is loader.dataset
    with pytest.raises(AttributeError):
        _ = batches.no_such_thing


def test_fingerprints_tell_batches_apart():
    x = torch.arange(6.0)
    batch = {"x": x.reshape(2, 3), "name": "a"}
    same = fingerprint({"x": x.clone().reshape(2, 3), "name": "a"})
    assert fingerprint(batch) == same
    others = [
        {"x": x.reshape(3, 2), "name": "a"},
        {"x": x.reshape(2, 3).double(), "name": "a"},
        {"x": x.reshape(2, 3) + 1e-6, "name": "a"},
        {"x": x.reshape(2, 3), "name": "b"},
    ]
    assert len({same, *map(fingerprint, others)}) == 5
    assert fingerprint(torch.tensor(3)) != fingerprint(torch.tensor(4))
    assert fingerprint(torch.ones(3, dtype=torch.bfloat16)) != fingerprint(torch.zeros(3, dtype=torch.bfloat16))
