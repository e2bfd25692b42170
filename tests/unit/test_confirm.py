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
from trainclinic.errors import ReportError, SetupError
from trainclinic.prove.parted import Parted
from trainclinic.records import Diagnosis, Finding


def found(problem, cause="", explained_by="", level="problem"):
    return Finding(problem, level, 0.8, 0.9, (), (0, 1), (), cause, explained_by)


class EvalMode:
    """A loop that never calls model.train(): dropout stays off."""

    def __init__(self, validates="eval"):
        self.validates = validates

    def __call__(self, setup):
        for _ in range(setup.epochs):
            setup.model.train(self.validates == "train")
            for x, y in setup.train_loader:
                setup.optimizer.zero_grad()
                setup.loss_fn(setup.model(x), y).backward()
                setup.optimizer.step()
            with torch.no_grad():
                for x, y in setup.val_loader:
                    setup.loss_fn(setup.model(x), y)


def without_dropout(seed, *, wrong=0.5, dropout=0.1, validates="eval"):
    """Labels that only partly follow from the inputs; the loop forgets model.train(), or model.eval()."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(1600, 8, generator=generator)
    drawn = torch.rand(1600, generator=generator)
    y = torch.where(torch.rand(1600, generator=generator) < wrong, drawn > 0.5, x[:, 0] > 0).long()
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(dropout), nn.Linear(32, 2))
    train = DataLoader(TensorDataset(x[:1000], y[:1000]), 50, shuffle=True,
                       generator=torch.Generator().manual_seed(seed))  # fmt: skip
    held = DataLoader(TensorDataset(x[1000:], y[1000:]), 300)
    adam = torch.optim.Adam(model.parameters(), 3e-3)
    return tc.Setup(model, nn.CrossEntropyLoss(), adam, train, held, 10, "accuracy", loop=EvalMode(validates))


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
    mistake = found("wrong-mode", "trained in eval mode")
    said = Diagnosis((mistake, found("overfitting", explained_by="wrong-mode")))
    asked = tc.confirm(without_dropout, said)
    assert [one.verdict for one in asked.confirmations] == ["denied"], asked.confirmations
    assert [one.level for one in asked.findings] == ["observation", "observation"]
    assert all(one.severity <= 0.2 for one in asked.findings)
    assert asked.problems == ()


def test_a_network_that_learned_nothing_is_never_called_harmless():
    said = Diagnosis((found("wrong-mode", "trained in eval mode"),))
    asked = tc.confirm(partial(without_dropout, wrong=1.0), said)
    assert [one.verdict for one in asked.confirmations] == ["undecided"]
    assert asked.problems[0].problem == "wrong-mode"


def test_what_the_untreated_runs_do_not_show_is_not_denied():
    asked = tc.confirm(healthy, Diagnosis((found("dead-relu"),)))
    assert [one.verdict for one in asked.confirmations] == ["undecided"]
    assert "do not show it" in asked.confirmations[0].why
    assert asked.problems[0].problem == "dead-relu"


@pytest.mark.parametrize(("dropout", "verdict"), [(0.02, "denied"), (0.9, "confirmed")])
def test_an_evaluation_in_train_mode_is_held_against_one_in_eval_mode(dropout, verdict):
    said = Diagnosis((found("wrong-mode", "evaluated in train mode"),))
    asked = tc.confirm(partial(without_dropout, wrong=0.1, dropout=dropout, validates="train"), said)
    assert [one.verdict for one in asked.confirmations] == [verdict], asked.confirmations


@pytest.mark.parametrize("score", [lambda outputs, targets: -10 - float(outputs.std()), lambda *_: float("nan")])
def test_no_figure_is_cut_to_call_a_difference_nothing(score):
    def judged(seed):
        setup = vanishing(seed)
        setup.metric = score
        return setup

    asked = tc.confirm(judged)
    assert "denied" not in [one.verdict for one in asked.confirmations]
    assert asked.problems


def test_without_validation_nothing_is_decided():
    def blind(seed):
        setup = vanishing(seed)
        setup.val_loader = None
        return setup

    asked = tc.confirm(blind)
    assert [one.verdict for one in asked.confirmations] == ["undecided"]
    assert "no validation data" in asked.confirmations[0].why


def test_a_training_that_breaks_off_is_not_called_healthy():
    def broken(seed):
        setup = healthy(seed)
        setup.loop = crash
        return setup

    def crash(setup):
        EvalMode().__call__(tc.Setup(setup.model, setup.loss_fn, setup.optimizer, setup.train_loader,
                                     setup.val_loader, 1))  # fmt: skip
        raise RuntimeError("boom")

    with pytest.raises(SetupError, match="boom; mend that first"):
        tc.confirm(broken)


@pytest.mark.parametrize(("problem", "cause"), [("data-leak", "target"), ("misaligned-data", "")])
def test_what_no_trial_can_tell_stays_a_problem(problem, cause):
    said = Diagnosis((found(problem, cause), found("overfitting", level="observation")))
    asked = tc.confirm(healthy, said)
    assert [one.verdict for one in asked.confirmations] == ["undecided"]
    assert asked.findings == said.findings
    assert "no remedy" in asked.confirmations[0].why.lower()


def test_of_two_problems_the_harmless_one_goes_last_with_what_it_explains():
    below = found("overfitting", explained_by="wrong-mode")
    said = Diagnosis((found("wrong-mode", "trained in eval mode"), below, found("data-leak", "target"),
                      found("undertrained", level="observation", explained_by="data-leak")))  # fmt: skip
    asked = tc.confirm(without_dropout, said)
    assert [(one.problem, one.level) for one in asked.findings] == [
        ("data-leak", "problem"), ("undertrained", "observation"),
        ("wrong-mode", "observation"), ("overfitting", "observation"),
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
    control = Parted(partial(leaking, count=800, wrong=0.0), leaking=True)(0)
    assert len(control.train_loader.dataset) == 640
    held = {tuple(x.tolist()) for x, _ in control.val_loader.dataset}
    assert held == {tuple(x.tolist()) for x, _ in setup.val_loader.dataset}
    assert held <= {tuple(x.tolist()) for x, _ in control.train_loader.dataset}


def test_copies_of_whole_numbers_are_found_one_and_all():
    rows = torch.randint(0, 256, (400, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)

    def of_bytes(seed):
        setup = healthy(seed)
        y = torch.zeros(400, dtype=torch.long)
        setup.train_loader = DataLoader(TensorDataset(rows, y), 57)
        setup.val_loader = DataLoader(TensorDataset(rows[:81], y[:81]), 40)
        return setup

    setup = Parted(of_bytes)(0)
    assert len(setup.train_loader.dataset) == 319
    assert {len(x) for x, _ in setup.val_loader} == {40, 1}


def test_rows_that_cannot_be_parted_are_said_to_be_so():
    def by_name(seed):
        setup = healthy(seed)
        setup.train_loader = [{"x": x, "y": y} for x, y in setup.train_loader]
        setup.val_loader = [{"x": x, "y": y} for x, y in setup.val_loader]
        setup.step = lambda model, batch: nn.functional.cross_entropy(model(batch["x"]), batch["y"])
        return setup

    asked = tc.confirm(by_name, Diagnosis((found("data-leak", "copies"),)))
    assert asked.confirmations[0].verdict == "undecided"
    assert "which part of a batch" in asked.confirmations[0].why
    assert asked.problems


def test_where_no_row_resembles_another_no_leak_is_denied():
    asked = tc.confirm(healthy, Diagnosis((found("data-leak", "copies"),)))
    assert [one.verdict for one in asked.confirmations] == ["undecided"]
    assert "none does so here" in asked.confirmations[0].why
    assert asked.problems


def test_refused_in_words():
    with pytest.raises(SetupError, match="expected a function of a seed"):
        tc.confirm(healthy(0))
    with pytest.raises(SetupError, match="at least 1 worker"):
        tc.confirm(healthy, workers=0)
    with pytest.raises(SetupError, match="expected a Diagnosis, got Recording"):
        tc.confirm(healthy, tc.run(healthy, 0))


def test_interrupted_it_says_what_is_known():
    def interrupted(*_):
        raise KeyboardInterrupt

    setups = []

    def make(seed):
        setups.append(seed)
        setup = without_dropout(seed)
        if len(setups) > 2:  # the first trial is in the middle of its runs
            setup.optimizer.register_step_post_hook(interrupted)
        return setup

    asked = tc.confirm(make, Diagnosis((found("wrong-mode", "trained in eval mode"),)))
    assert asked.confirmations[0].verdict == "undecided"
    assert asked.interrupted
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


def test_a_report_that_could_not_be_written_is_refused_before_the_runs(tmp_path):
    file = tmp_path / "my_training.py"
    file.write_text("def make(seed):\n    raise AssertionError('it was trained')\n")
    for output, said in ((tmp_path / "r.pdf", "ends in"), (tmp_path / "no" / "r.txt", "a folder that exists")):
        refused = CliRunner().invoke(app, ["confirm", str(file), "--output", str(output)])
        assert isinstance(refused.exception, ReportError)
        assert said in str(refused.exception)


def test_a_recording_that_is_there_is_not_made_again(tmp_path):
    tc.run(vanishing, 0, path=tmp_path / "run.clinic")
    file = tmp_path / "my_training.py"
    file.write_text("from small_cures import vanishing\n\ndef make(seed):\n    return vanishing(seed)\n")
    asked = CliRunner().invoke(app, ["confirm", str(file), "--recording", str(tmp_path / "run.clinic")])
    assert (asked.exit_code, "as a trial confirms" in " ".join(asked.stdout.split())) == (1, True)
