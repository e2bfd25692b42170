"""Before a training: what is found, and that nothing is left behind."""

from __future__ import annotations

import copy
import math
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from typer.testing import CliRunner

import trainclinic as tc
from trainclinic import catalog
from trainclinic.cli import app
from trainclinic.diagnose.diagnose import PROBLEMS
from trainclinic.diagnose.problem import NotExaminedError
from trainclinic.errors import SetupError
from trainclinic.measure import checkup, run
from trainclinic.measure.rehearsal import rehearse
from trainclinic.recording import Layer, Recording, Series
from trainclinic.setup import train

CASES = "trainclinic.cases"
EARLY = sorted(name for name, kind in catalog.entries(PROBLEMS).items() if kind.in_checkup)
LATE = {"non-finite", "unequal-replicas"}  # the case strikes after hundreds of steps; there are several processes


def small(seed: int = 0, **others) -> tc.Setup:
    """A sound training of three classes, with BatchNorm, dropout and a generator of its own."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(1)
    y = torch.randint(3, (240,), generator=draw)
    x = torch.randn(240, 4, generator=draw) + 2.0 * y[:, None]
    x = (x - x.mean(0)) / x.std(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    data = TensorDataset(x[:180], y[:180]), TensorDataset(x[180:], y[180:])
    loaders = {
        "train_loader": DataLoader(data[0], 16, shuffle=True, generator=torch.Generator().manual_seed(seed)),
        "val_loader": DataLoader(data[1], 60),
    }
    parts = {"loss_fn": nn.CrossEntropyLoss(), "metric": "accuracy", "epochs": 5, **loaders, **others}
    return tc.Setup(model, optimizer=optimizer, **parts)


def everything(setup: tc.Setup) -> list[torch.Tensor]:
    """All that a training could change, and the generators."""
    states = [setup.model.state_dict(), setup.optimizer.state_dict()["state"]]
    found = [tensor for state in states for tensor in state.values() if isinstance(tensor, torch.Tensor)]
    numbers = np.random.get_state()[1].astype(np.int64)  # noqa: NPY002 - the one that user code draws from
    own = setup.train_loader.generator.get_state()
    return [*found, torch.get_rng_state(), torch.from_numpy(numbers), torch.tensor(random.getstate()[1]), own]


@pytest.mark.parametrize("give", ["setup", "make that shares it"])
def test_what_is_examined_stays_bit_identical_and_trains_as_if_it_had_not_been(give):
    setup, twin = small(), small()
    modes = [module.training for module in setup.model.modules()]
    before = copy.deepcopy(everything(setup))
    tc.checkup(setup if give == "setup" else lambda seed: setup)
    after = everything(setup)
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert modes == [module.training for module in setup.model.modules()]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in setup.model.modules())
    for one in (setup, twin):
        torch.manual_seed(3)
        train(one)
    assert all(torch.equal(*pair) for pair in zip(setup.model.parameters(), twin.model.parameters(), strict=True))


def test_a_sound_training_has_no_finding_and_says_what_it_could_not_examine():
    found = tc.checkup(small)
    assert not found.findings
    seen = found.recording.facts["checkup"]
    assert seen["overfit"]["samples"] == 16
    assert seen["overfit"]["last"] < 0.2 * seen["overfit"]["first"]
    assert seen["mixes_samples"] == 0.0
    assert seen["same_order"] is False
    assert set(seen["ladder"]["rungs"]) == {"0.0333", "0.1", "0.333", "1", "3", "10", "30"}
    assert "overfitting" in {entry.problem for entry in found.not_examined}


@pytest.mark.parametrize("name", [name for name in EARLY if name not in LATE])
def test_the_cases_of_what_shows_before_training(name):
    case = catalog.entry(CASES, name)
    assert [finding.problem for finding in tc.checkup(case.faulty).problems][:1] == [name]
    assert not tc.checkup(case.healthy).problems


class Everywhere(nn.Module):
    """It changes parameters, both kinds of buffers and an attribute."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Dropout(0.3), nn.Linear(16, 2))
        self.register_buffer("mean", torch.zeros(6), persistent=False)
        self.scale = 1.0

    def forward(self, x):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
            self.scale = 0.99 * self.scale + 0.01 * float(x.detach().std())
        return self.body((x - self.mean) / self.scale)


@pytest.mark.parametrize("slow", [False, True])
def test_each_look_begins_where_the_training_would(slow, monkeypatch):
    """Built anew; of what takes long to build there are two, and one is put back."""
    monkeypatch.setattr(checkup, "SLOW", -1.0 if slow else math.inf)
    built = []

    def make(seed):
        x = torch.randn(320, 6)
        batches = [[part, (part[:, 0] > 0).long()] for part in x.split(32)]  # lists: no generator is asked for an order
        model = Everywhere()
        optimizer = torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0.5)
        built.append(tc.Setup(model, nn.CrossEntropyLoss(), optimizer, batches, batches, epochs=4))
        return built[-1]

    found = tc.checkup(make).recording.facts["checkup"]
    assert (len(built) == 2) == slow
    alone = run.build(make, 0)
    if slow:
        torch.manual_seed(0)
    assert found["rehearsal"]["training"] == rehearse(alone, 40)["training"]


def test_weights_that_every_setup_shares_are_left_as_they_are():
    body, generator = nn.Linear(6, 6), torch.Generator().manual_seed(3)
    loader = DataLoader(TensorDataset(torch.randn(80, 6), torch.arange(80) % 2), 20, shuffle=True, generator=generator)

    def make(seed):
        model = nn.Sequential(body, nn.ReLU(), nn.Linear(6, 2))
        return tc.Setup(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), loader, epochs=2)

    before = body.weight.detach().clone(), generator.get_state()
    tc.checkup(make)
    assert torch.equal(body.weight, before[0])
    assert torch.equal(generator.get_state(), before[1])


def test_a_step_may_take_its_batch_apart():
    loss_fn = nn.CrossEntropyLoss()

    def step(model, batch):
        return loss_fn(model(batch["x"]), batch.pop("y"))

    def make(seed):
        batches = [{"x": torch.randn(20, 6), "y": torch.arange(20) % 2} for _ in range(4)]
        model = nn.Linear(6, 2)
        return tc.Setup(model, loss_fn, torch.optim.SGD(model.parameters(), 0.1), _Copies(batches), epochs=2, step=step)

    assert tc.checkup(make).recording.steps


class _Copies(list):
    def __iter__(self):
        return (dict(batch) for batch in super().__iter__())


def test_a_mistake_in_the_users_own_loop_is_seen():
    def forgets(setup):
        for _ in range(setup.epochs):
            for x, y in setup.train_loader:
                setup.loss_fn(setup.model(x), y).backward()
                setup.optimizer.step()

    assert [finding.problem for finding in tc.checkup(small(loop=forgets)).problems] == ["stale-gradient"]


def test_a_loop_that_never_ends_is_stopped():
    def endless(setup):
        while True:
            for x, y in setup.train_loader:
                setup.optimizer.zero_grad()
                setup.loss_fn(setup.model(x), y).backward()
                setup.optimizer.step()

    found = tc.checkup(small(loop=endless))
    assert "stopped" in found.recording.facts["checkup"]["stopped"]
    assert not found.problems


def test_a_network_that_mixes_the_samples_of_a_batch_is_measured():
    class Mixes(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Linear(4, 3)

        def forward(self, x):
            return self.body(x) + self.body(x).mean(0)

    def make(seed):
        setup, model = small(seed), Mixes()
        return tc.Setup(model, setup.loss_fn, torch.optim.SGD(model.parameters(), 0.1), setup.train_loader)

    assert tc.checkup(make).recording.facts["checkup"]["mixes_samples"] > 0.01


def test_batches_of_another_kind_are_examined_as_far_as_they_can_be():
    def make(seed):
        setup = small(seed)
        batches = [{"x": x, "y": y} for x, y in setup.train_loader]
        return tc.Setup(
            setup.model, setup.loss_fn, setup.optimizer, batches, [{"x": x, "y": y} for x, y in setup.val_loader],
            step=lambda model, batch: nn.functional.cross_entropy(model(batch["x"]), batch["y"]),
        )  # fmt: skip

    found = tc.checkup(make)
    assert not found.problems
    assert found.recording.facts["checkup"]["overfit"]["last"] < 0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train_loader": []}, "train_loader: expected batches"),
        ({"train_loader": (batch for batch in ())}, "pass a make"),
    ],
)
def test_what_cannot_be_examined_is_said(change, said):
    with pytest.raises(SetupError, match=said):
        tc.checkup(small(**change))


def test_the_command_says_what_it_looked_at(tmp_path):
    file = tmp_path / "make.py"
    file.write_text(
        "from trainclinic.cases.vanishing_gradient import faulty as make\n"
        "from trainclinic.cases.vanishing_gradient import healthy\n"
    )
    sick = CliRunner().invoke(app, ["checkup", str(file)])
    assert sick.exit_code == 1
    assert "1 problem" in sick.stdout
    assert "fitting one batch of 32 samples" in " ".join(sick.stdout.split())
    page = tmp_path / "report.html"
    sound = CliRunner().invoke(app, ["checkup", f"{file}:healthy", "--output", str(page)])
    assert sound.exit_code == 0
    assert "No problem found before training" in page.read_text(encoding="utf-8")


def ladder(start: float, planned: int | None = 1000, **rungs: float) -> Recording:
    known = {"1": rungs.pop("now"), "0.1": rungs.pop("tenth"), **rungs}
    seen = {"ladder": {"start": start, "rungs": known}, "planned_steps": planned}
    return Recording((), {}, {"steps": 3, "checkup": seen}, {}, "completed")


@pytest.mark.parametrize(
    ("now", "tenth", "found"),
    [
        (1.3, 0.6, True),
        (1.1, 0.5, False),  # the loss falls as it is
        (1.3, 0.7, False),  # with less not half as well again
        (4.0, 1.9, False),  # with less it does not fall either
        (math.nan, 1.0, True),
        (math.nan, 1.9, False),
    ],
)
def test_a_learning_rate_is_too_high_where_less_of_it_leads_on_and_it_does_not(now, tenth, found):
    problem = catalog.entry(PROBLEMS, "learning-rate-too-high")()
    assert [f.cause for f in problem.examine(ladder(2.0, now=now, tenth=tenth))] == ["ladder"] * found


@pytest.mark.parametrize(("planned", "found"), [(600, True), (1500, False), (None, None)])
def test_a_learning_rate_is_too_low_where_the_planned_steps_lead_nowhere(planned, found):
    layer, steps = Layer("fc", "Linear", "weight", 9, (3, 3), 0), np.arange(20)
    series = {
        ("update_ratio", "fc"): Series(steps, np.full(20, 1e-4)),
        ("loss", ""): Series(steps, np.full(20, 2.3)),
    }
    facts = {"steps": 20, "checkup": {"planned_steps": planned}}
    recording = Recording((layer,), {}, facts, {}, "completed", _series=series)
    problem = catalog.entry(PROBLEMS, "learning-rate-too-low")()
    if found is None:
        with pytest.raises(NotExaminedError):
            list(problem.examine(recording))
    else:
        assert len(list(problem.examine(recording))) == found
