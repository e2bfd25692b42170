"""confirm: what a trial says of real harm, of none, and of what it cannot tell; and the rows that it parts."""

from __future__ import annotations

import json
from functools import partial

import pytest
import torch
from small_cures import healthy, net, vanishing
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from typer.testing import CliRunner

import trainclinic as tc
from trainclinic.cli import app
from trainclinic.errors import SetupError
from trainclinic.prove.parted import Parted
from trainclinic.records import Diagnosis, Finding


def found(problem, cause="", explained_by="", level="problem"):
    return Finding(problem, level, 0.8, 0.9, (), (0, 1), (), cause, explained_by)


def in_order(make):
    """A make whose training samples keep their order, which is a random one."""

    def ordered(seed):
        setup = make(seed)
        setup.train_loader = DataLoader(setup.train_loader.dataset, 128)
        return setup

    return ordered


def leaking(seed, *, count, wrong, copies=1.0, noise=0.0):
    """A net whose validation rows are training rows; some labels are drawn at random."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(count, 8, generator=generator)
    y = torch.where(torch.rand(count, generator=generator) < wrong, torch.rand(count, generator=generator) > 0.5,
                    x[:, 0] > 0).long()  # fmt: skip
    shown = x[: int(copies * count)]
    held = TensorDataset(shown + noise * torch.randn(shown.shape, generator=generator), y[: len(shown)])
    model = net(3, 64, nn.ReLU)
    adam = torch.optim.Adam(model.parameters(), 5e-3)
    train = DataLoader(TensorDataset(x, y), 64, shuffle=True, generator=torch.Generator().manual_seed(seed))
    return tc.Setup(model, nn.CrossEntropyLoss(), adam, train, DataLoader(held, 256), 25, "accuracy")


@pytest.fixture(scope="module")
def confirmed():
    return tc.confirm(vanishing)


def test_real_harm_is_confirmed(confirmed):
    assert [(one.problem, one.verdict) for one in confirmed.confirmations] == [("vanishing-gradient", "confirmed")]
    trial = confirmed.confirmations[0]
    assert trial.measure == "accuracy"
    assert sorted(trial.differences)[1] > trial.margin == 0.03
    assert len(trial.differences) == 3
    assert trial.treatment.remedies[0].remedy == "replace-activation"
    assert trial.treatment.code
    assert trial.cost > 0
    assert confirmed.problems[0].problem == "vanishing-gradient"


def test_the_same_with_two_workers(confirmed):
    again = tc.confirm(vanishing, workers=2)
    assert again.confirmations == confirmed.confirmations
    assert [one.problem for one in again.findings] == [one.problem for one in confirmed.findings]


def test_nothing_is_asked_where_nothing_is_wrong_and_random_numbers_stay():
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    assert tc.confirm(healthy).confirmations == ()
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_what_costs_nothing_becomes_an_observation_with_what_it_explains():
    said = Diagnosis((found("unshuffled-data"), found("oscillating-loss", explained_by="unshuffled-data")))
    asked = tc.confirm(in_order(healthy), said)
    assert [one.verdict for one in asked.confirmations] == ["denied"], asked.confirmations
    assert [one.level for one in asked.findings] == ["observation", "observation"]
    assert all(one.severity <= 0.2 for one in asked.findings)
    assert asked.problems == ()


def test_a_network_that_learned_nothing_is_never_called_harmless():
    asked = tc.confirm(in_order(vanishing), Diagnosis((found("unshuffled-data"),)))
    assert [one.verdict for one in asked.confirmations] == ["undecided"]
    assert asked.problems[0].problem == "unshuffled-data"


@pytest.mark.parametrize(("problem", "cause"), [("data-leak", "target"), ("misaligned-data", "")])
def test_what_no_trial_can_tell_stays_a_problem(problem, cause):
    said = Diagnosis((found(problem, cause), found("overfitting", level="observation")))
    asked = tc.confirm(healthy, said)
    assert [one.verdict for one in asked.confirmations] == ["undecided"]
    assert asked.findings == said.findings
    assert "no remedy" in asked.confirmations[0].why.lower()


def test_of_two_problems_the_harmless_one_goes_last():
    said = Diagnosis((found("unshuffled-data"), found("data-leak", "target")))
    asked = tc.confirm(in_order(healthy), said)
    assert [(one.problem, one.level) for one in asked.findings] == [
        ("data-leak", "problem"), ("unshuffled-data", "observation"),
    ]  # fmt: skip


def test_a_leak_that_flatters_is_confirmed_and_one_that_does_not_is_denied():
    leak = Diagnosis((found("data-leak", "copies"),))
    flattered = tc.confirm(partial(leaking, count=320, wrong=0.8), leak).confirmations[0]
    assert flattered.verdict == "confirmed", flattered
    assert sorted(flattered.differences)[1] > 0.2
    assert not flattered.treatment.code
    honest = tc.confirm(partial(leaking, count=1200, wrong=0.0), leak)
    assert honest.confirmations[0].verdict == "denied", honest.confirmations
    assert honest.problems == ()


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_rows_that_validation_holds_leave_the_training(noise):
    make = partial(leaking, count=800, wrong=0.0, copies=0.2, noise=noise)
    setup = Parted(make)(0)
    assert len(setup.train_loader.dataset) == 640
    assert len(setup.val_loader.dataset) == 160
    train, held = (torch.cat([x for x, _ in loader]) for loader in (setup.train_loader, setup.val_loader))
    assert torch.cdist(held, train).min() > 0.3


def test_where_validation_is_the_training_set_a_fifth_is_held_out():
    setup = Parted(partial(leaking, count=800, wrong=0.0))(0)
    assert len(setup.val_loader.dataset) == 160
    assert len(setup.train_loader.dataset) == 640


def test_rows_that_cannot_be_parted_are_said_to_be_so():
    def by_name(seed):
        setup = healthy(seed)
        setup.train_loader = [{"x": x, "y": y} for x, y in setup.train_loader]
        setup.val_loader = [{"x": x, "y": y} for x, y in setup.val_loader]
        setup.step = lambda model, batch: nn.functional.cross_entropy(model(batch["x"]), batch["y"])
        return setup

    asked = tc.confirm(by_name, Diagnosis((found("data-leak", "copies"),)))
    assert asked.confirmations[0].verdict == "undecided"
    assert "cannot be parted" in asked.confirmations[0].why
    assert asked.problems


def test_refused_in_words():
    with pytest.raises(SetupError, match="expected a function of a seed"):
        tc.confirm(healthy(0))
    with pytest.raises(SetupError, match="at least 1 worker"):
        tc.confirm(healthy, workers=0)


def test_interrupted_it_says_what_is_known(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    setups = []

    def make(seed):
        setups.append(seed)
        setup = in_order(healthy)(seed)
        if len(setups) > 2:  # the first trial is in the middle of its runs
            setup.optimizer.register_step_post_hook(interrupted)
        return setup

    asked = tc.confirm(make, Diagnosis((found("unshuffled-data"),)))
    assert asked.confirmations[0].verdict == "undecided"
    assert "nterrupted" in asked.confirmations[0].why
    assert asked.problems


def test_every_face_of_the_report_says_it(confirmed, tmp_path):
    said = "It does harm, as a trial confirms. With replace-activation it is better: accuracy"
    for name in ("report.txt", "report.html"):
        text = tc.report(confirmed, tmp_path / name).read_text("utf-8")
        assert said in " ".join(text.split())
    assert said in " ".join(confirmed._repr_html_().split())
    document = json.loads(tc.report(confirmed, tmp_path / "report.json").read_text("utf-8"))
    assert document["confirmations"][0]["verdict"] == "confirmed"


def test_the_command(tmp_path):
    file = tmp_path / "my_training.py"
    file.write_text("from small_cures import healthy, vanishing\n\ndef make(seed):\n    return vanishing(seed)\n")
    poor = CliRunner().invoke(app, ["confirm", str(file)])
    assert (poor.exit_code, "as a trial confirms" in " ".join(poor.stdout.split())) == (1, True)
    file.write_text("from small_cures import healthy\n\ndef well(seed):\n    return healthy(seed)\n")
    out = tmp_path / "report.txt"
    well = CliRunner().invoke(app, ["confirm", f"{file}:well", "--output", str(out)])
    assert (well.exit_code, "No problem" in out.read_text("utf-8")) == (0, True)


def test_a_recording_that_is_there_is_not_made_again(tmp_path):
    tc.run(vanishing, 0, path=tmp_path / "run.clinic")
    file = tmp_path / "my_training.py"
    file.write_text("from small_cures import vanishing\n\ndef make(seed):\n    return vanishing(seed)\n")
    asked = CliRunner().invoke(app, ["confirm", str(file), "--recording", str(tmp_path / "run.clinic")])
    assert (asked.exit_code, "as a trial confirms" in " ".join(asked.stdout.split())) == (1, True)
