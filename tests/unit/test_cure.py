"""cure: the whole way on small trainings, and everything that can be handed in wrongly."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from small_cures import data, healthy, net, vanishing
from torch import nn

import trainclinic as tc
from trainclinic.errors import SetupError
from trainclinic.prove.cure import cure, trial
from trainclinic.records import Dose


@pytest.fixture(scope="module")
def cured():
    return cure(vanishing)


def test_finds_treats_and_proves(cured):
    assert cured.diagnosis.problems[0].problem == "vanishing-gradient"
    assert cured.verdict == "cured", cured.said
    proof = cured.trial
    assert proof.treatment.remedies[0].remedy == "replace-activation"
    assert [curve.seed for curve in proof.control] == [curve.seed for curve in proof.treated] == [1, 2, 3, 4, 5, 6]
    assert proof.paired
    assert proof.full.p_value == 1 / 64
    assert proof.full.low > proof.margin > 0
    assert min(curve.values[-1] for curve in proof.treated) > max(curve.values[-1] for curve in proof.control)
    spent = sum(attempt.cost for attempt in cured.tried)
    assert cured.cost >= cured.run_length + spent + proof.cost
    assert cured.cost <= 20 * cured.run_length
    assert spent <= 4 * cured.run_length


def test_what_it_hands_back_trains_as_in_the_trial(cured):
    setup = cured.make(3)
    assert not any(isinstance(module, nn.Sigmoid) for module in setup.model.modules())
    tc.train(setup)
    expected = cured.trial.treated[2].values[-1]
    from trainclinic.setup import evaluate

    assert evaluate(setup)["accuracy"] == pytest.approx(expected, abs=0.08)


def test_the_code_alone_makes_the_treated_network(cured):
    torch.manual_seed(0)
    model = net()
    names = {"model": model, "optimizer": torch.optim.Adam(model.parameters())}
    exec(cured.treatment.code, names)
    kind = cured.treatment.remedies[0].settings["activation"]
    assert [type(module).__name__ for module in names["model"][1::2]] == [kind] * 8


def test_the_same_twice_and_with_two_workers(cured):
    for again in (cure(vanishing), cure(vanishing, workers=2)):
        assert again.trial == cured.trial
        assert again.tried == cured.tried
        assert again.cost == cured.cost


def test_leaves_the_generators_and_threads_as_they_were():
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    cure(healthy)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_a_healthy_setup_is_left_alone():
    found = cure(healthy)
    assert found.verdict == "nothing to cure"
    assert found.trial is None
    assert not found.treatment.code
    assert found.cost == found.run_length
    made, own = found.make(4), healthy_weights(4)
    assert all(torch.equal(a, b) for a, b in zip(made.model.parameters(), own, strict=True))


def healthy_weights(seed):
    torch.manual_seed(seed)
    return list(healthy(seed).model.parameters())


# -- budget, interruption


def test_a_budget_that_ends_before_six_pairs_is_undecided():
    found = cure(vanishing, budget=9)
    assert found.verdict == "undecided"
    assert len(found.trial.control) == 3
    assert "budget" in found.said
    assert found.cost <= 9 * found.run_length


def test_ctrl_c_in_the_proof_returns_the_pairs_that_are_whole():
    def interrupted(seed):
        if seed == 3:
            raise KeyboardInterrupt
        return vanishing(seed)

    found = cure(interrupted)
    assert "interrupted" in found.said
    assert [curve.seed for curve in found.trial.treated] == [1, 2]
    assert found.verdict == "undecided"


def test_ctrl_c_in_the_search_returns_the_diagnosis():
    calls = []

    def interrupted(seed):
        calls.append(seed)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return vanishing(seed)

    found = cure(interrupted)
    assert "interrupted" in found.said
    assert found.diagnosis.problems
    assert found.trial is None


# -- wrong input


def changed(**fields):
    return lambda seed: dataclasses.replace(vanishing(seed), **{name: value(seed) for name, value in fields.items()})


def raising(seed):
    raise ValueError("no such file")


def other_widths(seed):
    model = net(8, 24 + seed)
    train, val = data(seed)
    return tc.Setup(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters()), train, val, 5, "accuracy")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda seed: (1, 2), "expected a trainclinic.Setup, got tuple"),
        (raising, "raised ValueError: no such file"),
        ("vanishing", "expected a function of a seed"),
        (other_widths, "the same network for every seed"),
        (changed(train_loader=lambda seed: iter(data(seed)[0])), "can be iterated in every epoch"),
        (changed(train_loader=lambda seed: []), "makes optimizer steps, got none"),
        (changed(train_loader=lambda seed: [{"x": torch.zeros(4, 8)}]), "expected a pair"),
        (changed(metric=lambda seed: lambda outputs, targets: "good"), "metric"),
    ],
)
def test_wrong_input_is_told(make, said):
    with pytest.raises(SetupError, match=said):
        cure(make)


def test_a_training_that_breaks_off_is_told_and_not_called_healthy():
    def step(model, batch):
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(SetupError, match="shapes cannot be multiplied"):
        cure(changed(step=lambda seed: step, metric=lambda seed: "loss", val_loader=lambda seed: None))

    def breaks(seed):
        setup = healthy(seed)
        calls = []

        def forward(module, args):
            calls.append(1)
            if len(calls) > 10:
                raise RuntimeError("out of memory")

        setup.model.register_forward_pre_hook(forward)
        return setup

    with pytest.raises(SetupError, match="out of memory"):
        cure(breaks)


def test_a_metric_of_unknown_direction_is_refused_by_the_setup():
    with pytest.raises(SetupError, match="metric"):
        changed(metric=lambda seed: "perplexity")(0)


def test_without_validation_data_it_judges_on_training_batches_and_says_so():
    found = cure(changed(val_loader=lambda seed: None, metric=lambda seed: "loss"))
    assert found.verdict == "cured"
    assert "training batches" in found.said


class Branching(nn.Module):
    """Its forward looks at its data, so that no graph of it can be traced."""

    def __init__(self):
        super().__init__()
        self.body = net()

    def forward(self, x):
        for layer in self.body[:-1:2]:
            x = torch.sigmoid(layer(x))
            if x.sum() < 0:
                x = -x
        return self.body[-1](x)


def test_a_model_that_a_remedy_cannot_operate_on_is_refused_in_words():
    def make(seed):
        model = Branching()
        train, val = data(seed)
        optimizer = torch.optim.Adam(model.parameters(), 5e-3)
        return tc.Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, 5, "accuracy")

    found = cure(make, budget=5)
    refused = [attempt for attempt in found.tried if attempt.remedies[-1].remedy == "replace-activation"]
    assert "cannot be traced" in refused[0].said
    assert refused[0].cost == 0


def test_a_trial_of_a_placebo_does_not_cure():
    wide = lambda seed: dataclasses.replace(vanishing(seed))  # noqa: E731
    found = trial(vanishing, (), "vanishing-gradient", treated=wide)
    assert found.verdict == "no effect"
    assert set(found.full.values) == {0.0}


def test_an_unknown_setting_is_refused():
    from trainclinic.treat.remedy import RefusedError

    with pytest.raises(RefusedError, match="activation"):
        trial(vanishing, [Dose("replace-activation", {"function": "ReLU"})], "vanishing-gradient")


# -- data from which nothing can be learned


def destroyed(make):
    """The same training, with targets that belong to other inputs."""

    def unrelated(seed):
        setup = make(seed)
        for loader in (setup.train_loader, setup.val_loader):
            x, y = loader.dataset.tensors
            loader.dataset.tensors = x, y[torch.randperm(len(y), generator=torch.Generator().manual_seed(3))]
        return setup

    return unrelated


def test_where_nothing_can_be_learned_it_is_not_called_healthy():
    found = cure(destroyed(healthy))
    assert found.verdict == "not treated"
    assert [finding.problem for finding in found.diagnosis.problems] == ["misaligned-data"]


def test_what_mends_the_network_does_not_mend_the_data():
    found = cure(destroyed(vanishing))
    assert found.verdict == "not treated"
    assert found.diagnosis.problems
    assert found.cost <= 5 * found.run_length  # no proof was paid for
