"""Setup says what is wrong with it; train is the plain loop; evaluate gives the figures of the whole set."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from trainclinic.errors import SetupError
from trainclinic.measure.run import build, run
from trainclinic.setup import Setup, accuracy, evaluate, r2, train


def fields(**changed):
    model = nn.Linear(4, 3)
    loader = [(torch.randn(6, 4), torch.randint(3, (6,))) for _ in range(3)]
    plain = {
        "model": model,
        "loss_fn": nn.CrossEntropyLoss(),
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "train_loader": loader,
        "val_loader": loader,
        "epochs": 2,
        "metric": "accuracy",
    }
    return plain | changed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", "resnet"),
        ("optimizer", torch.optim.SGD),
        ("loss_fn", None),
        ("train_loader", None),
        ("val_loader", 3),
        ("epochs", 0),
        ("epochs", 1.5),
        ("metric", "f1"),
    ],
)
def test_a_wrong_field_is_named(name, value):
    with pytest.raises(SetupError, match=rf"^Setup\.{name}: expected .+, got .+; check your make"):
        Setup(**fields(**{name: value}))


@pytest.mark.parametrize(
    ("loss_fn", "came"),
    [(nn.CrossEntropyLoss(reduction="none"), r"shape \(6,\)"), (lambda out, target: 0.3, "float")],
)
def test_a_loss_that_is_not_a_scalar(loss_fn, came):
    with pytest.raises(SetupError, match=rf"loss: expected a tensor of one number, got {came}; reduce it"):
        train(Setup(**fields(loss_fn=loss_fn)))


def test_train_is_the_plain_loop():
    torch.manual_seed(0)
    setup = Setup(**fields(clip_grad_norm=0.5))
    setup.scheduler = torch.optim.lr_scheduler.StepLR(setup.optimizer, 1, 0.5)
    bare, told = copy.deepcopy(setup.model), []
    optimizer = torch.optim.SGD(bare.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    train(setup, validated=lambda **figures: told.append(figures))
    for _ in range(2):
        for x, y in setup.train_loader:
            optimizer.zero_grad()
            F.cross_entropy(bare(x), y).backward()
            nn.utils.clip_grad_norm_(bare.parameters(), 0.5)
            optimizer.step()
        scheduler.step()
    assert torch.equal(setup.model.weight, bare.weight)
    assert [set(figures) for figures in told] == [{"loss", "accuracy"}] * 2
    assert told[-1] == evaluate(setup)


def test_figures_are_means_over_samples_of_unequal_batches():
    x, y = torch.randn(10, 4), torch.randint(3, (10,))
    setup = Setup(**fields(val_loader=[(x[:7], y[:7]), (x[7:], y[7:])]))
    setup.model.train()
    figures = evaluate(setup)
    with torch.no_grad():
        out = setup.model(x)
    assert figures["loss"] == pytest.approx(F.cross_entropy(out, y).item(), rel=1e-5)
    assert figures["accuracy"] == pytest.approx((out.argmax(1) == y).float().mean().item())
    assert setup.model.training
    assert "largest" in evaluate(Setup(**fields(metric=largest)))


def largest(outputs, targets):
    return float(outputs.max())


def test_a_metric_function_is_not_taken_for_the_known_one_of_its_name():
    def loss(outputs, targets):
        return 97.0

    figures = evaluate(Setup(**fields(metric=loss)))
    assert figures["own_loss"] == 97.0
    assert figures["loss"] < 97.0
    assert Setup(**fields(metric=accuracy)).metric_name == "accuracy"


def test_metrics_by_hand():
    assert accuracy(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1])) == 0.5
    assert accuracy(torch.tensor([[2.0], [-1.0], [-3.0], [4.0]]), torch.tensor([1.0, 0.0, 1.0, 1.0])) == 0.75
    target = torch.tensor([1.0, 2.0, 3.0])
    assert r2(target[:, None], target) == 1.0
    assert r2(torch.full((3, 1), 2.0), target) == 0.0
    assert r2(torch.tensor([1.0, 2.0, 2.0]), target) == pytest.approx(0.5)


def test_own_step_and_own_loop():
    def step(model, batch):
        return model(batch["x"]).square().mean()

    batches = [{"x": torch.randn(5, 4)}]
    setup = Setup(**fields(step=step, train_loader=batches, val_loader=batches, metric="loss"))
    before = evaluate(setup)["loss"]
    train(setup)
    assert evaluate(setup)["loss"] < before

    calls = []
    train(Setup(**fields(loop=calls.append)))
    assert len(calls) == 1


def test_evaluate_without_validation_data():
    with pytest.raises(SetupError, match="val_loader: expected an iterable of batches to evaluate on, got None"):
        evaluate(Setup(**fields(val_loader=None)))


def test_a_seed_decides_a_run():
    def make(seed):
        return Setup(**fields())

    first, again, other = (run(make, seed=seed, every=1) for seed in (0, 0, 1))
    assert first.series("loss").values.tolist() == again.series("loss").values.tolist()
    assert first.series("loss").values.tolist() != other.series("loss").values.tolist()
    assert first.series("validation_accuracy").steps.tolist() == [3, 6]
    with pytest.raises(SetupError, match=r"make: expected a trainclinic.Setup, got dict; return Setup"):
        build(lambda seed: {}, 0)
