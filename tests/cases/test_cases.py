"""Every case rebuilds exactly, its healthy side is good, and its faulty side is clearly worse."""

from __future__ import annotations

import math
import random
from types import ModuleType

import numpy as np
import pytest
import torch

pytest.importorskip("sklearn", reason="the cases' data; pip install trainclinic[cases]")

from trainclinic.catalog import entries
from trainclinic.setup import Setup, evaluate, train

CASES = entries("trainclinic.cases")

# By validation metric (accuracy; r2 for diabetes): the least a healthy run must reach on every seed, and the
# least it must lie above its faulty twin. Both stand some points below what seeds 0-2 gave.
EXPECTED = {
    "batchnorm-small-batch": (0.85, 0.3),
    "constant-prediction": (0.94, 0.7),
    "class-imbalance": (0.95, 0.15),
    "constant-feature": (0.93, 0.08),
    "data-leak": (0.53, 0.02),
    "dead-relu": (0.94, 0.7),
    "exploding-gradient": (0.92, 0.7),
    "frozen-parameters": (0.92, 0.4),
    "learning-rate-too-high": (0.95, 0.2),
    "learning-rate-too-low": (0.95, 0.2),
    "loss-output-mismatch": (0.94, 0.05),
    "misaligned-data": (0.95, 0.7),
    "noisy-labels": (0.95, 0.1),
    "non-finite": (0.96, 0.4),
    "oscillating-loss": (0.95, -0.03),  # the last evaluation may be a good one; the loss tells
    "over-regularized": (0.95, 0.7),
    "overfitting": (0.47, 0.1),
    "poor-initialization": (0.92, 0.7),
    "saturated-activation": (0.95, 0.1),
    "stale-gradient": (0.47, 1.0),
    "underfitting": (0.95, 0.2),
    "undertrained": (0.92, 0.1),
    "unscaled-inputs": (0.95, 0.4),
    "unshuffled-data": (0.95, 0.7),
    "vanishing-gradient": (0.91, 0.6),
    "wrong-mode": (0.96, 0.7),
}
MAX_LOSS_RATIO = 0.75  # healthy validation loss over the faulty one's, at most
FLATTERED = {"data-leak": 0.97}  # the faulty side looks better, by its metric and this loss ratio: that is the fault
OTHER_SAMPLES = {"class-imbalance", "noisy-labels", "unshuffled-data"}  # the fault is in the samples or their order

OF_ANOTHER_LENGTH = {"batchnorm-small-batch", "undertrained"}  # the batch, or the number of epochs, is the fault

each_case = pytest.mark.parametrize("name", sorted(CASES))


def build(case: ModuleType, side: str, seed: int) -> Setup:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global state is what a caller seeds
    torch.manual_seed(seed)
    setup = getattr(case, side)(seed)
    assert isinstance(setup, Setup)
    return setup


def figures(case: ModuleType, side: str, seed: int) -> dict[str, float]:
    setup = build(case, side, seed)
    train(setup)
    return evaluate(setup)


def check_pair(name: str, seed: int) -> None:
    good, bad = (figures(CASES[name], side, seed) for side in ("healthy", "faulty"))
    metric = next(key for key in good if key != "loss")
    floor, margin = EXPECTED[name]
    if name in FLATTERED:
        good, bad = bad, good
    assert good[metric] >= floor
    assert not bad[metric] > good[metric] - margin  # so written that NaN counts as worse
    assert math.isfinite(good["loss"])
    assert not bad["loss"] * FLATTERED.get(name, MAX_LOSS_RATIO) < good["loss"]


def test_every_case_has_its_expectation():
    assert set(CASES) == set(EXPECTED)


@each_case
@pytest.mark.parametrize("side", ["faulty", "healthy"])
def test_the_same_seed_rebuilds_the_same_run(name, side):
    first, second, other = (build(CASES[name], side, seed) for seed in (3, 3, 4))
    for a, b in zip(first.model.state_dict().values(), second.model.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    batches = [next(iter(setup.train_loader)) for setup in (first, second, other)]
    assert all(torch.equal(a, b) for a, b in zip(batches[0], batches[1], strict=True))
    in_order = (name, side) == ("unshuffled-data", "faulty")
    assert torch.equal(batches[0][0], batches[2][0]) == in_order
    assert not all(torch.equal(a, b) for a, b in zip(first.model.parameters(), other.model.parameters(), strict=True))


@pytest.mark.parametrize("name", sorted(CASES.keys() - OTHER_SAMPLES - OF_ANOTHER_LENGTH))
def test_the_pair_sees_the_same_samples_in_the_same_order(name):
    faulty, healthy = (build(CASES[name], side, 0) for side in ("faulty", "healthy"))
    for ours, theirs in zip(faulty.train_loader, healthy.train_loader, strict=True):
        assert torch.equal(ours[1], theirs[1])
    assert (faulty.epochs, faulty.metric_name) == (healthy.epochs, healthy.metric_name)


@each_case
def test_iterating_the_loaders_leaves_the_global_random_state_alone(name):
    setup = build(CASES[name], "healthy", 0)
    before = torch.get_rng_state()
    for loader in (setup.train_loader, setup.val_loader):
        next(iter(loader))
    assert torch.equal(before, torch.get_rng_state())


@each_case
def test_the_faulty_run_is_worse_than_the_healthy_one(name):
    check_pair(name, seed=0)


@pytest.mark.slow
@each_case
@pytest.mark.parametrize("seed", [1, 2])
def test_the_faulty_run_is_worse_on_other_seeds(name, seed):
    check_pair(name, seed)


def test_overfitting_gets_worse_after_its_best_and_its_twin_does_not():
    final_over_best = {}
    for side in ("faulty", "healthy"):
        setup, losses = build(CASES["overfitting"], side, 0), []
        train(setup, lambda losses=losses, **epoch: losses.append(epoch["loss"]))
        final_over_best[side] = losses[-1] / min(losses)
    assert final_over_best["faulty"] > 1.3
    assert final_over_best["healthy"] < 1.1


def test_non_finite_trains_well_until_the_logarithm_breaks():
    setup, losses = build(CASES["non-finite"], "faulty", 0), []
    train(setup, lambda **epoch: losses.append(epoch["loss"]))
    finite = [loss for loss in losses if math.isfinite(loss)]
    assert len(finite) >= 5
    assert finite == losses[: len(finite)]
    assert finite[-1] < finite[0]
    assert math.isnan(losses[-1])
