"""Controls and settings: what comes from outside is checked, what they make trains."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import trainclinic as tc
from trainclinic.errors import LabError
from trainclinic.lab.experiment import Make, values
from trainclinic.lab.settings import ACTIVATIONS, AUGMENTATIONS, DATA, INITS, NORMS, OPTIMIZERS, SCHEDULES, SETTINGS


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [("depth", "20", 20), ("depth", 40, 40), ("learning_rate", "0.01", 0.01), ("activation", "ReLU", "ReLU"),
     ("clip", "0", 0.0)],
)  # fmt: skip
def test_a_value_from_an_address_is_read(name, given, read):
    found = SETTINGS[name].read(given)
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [("depth", "41", "from 0 to 40"), ("depth", "-1", "from 0 to 40"), ("depth", "1.5", "whole number"),
     ("depth", "twenty", "a number"), ("depth", "nan", "from 0 to 40"), ("learning_rate", "inf", "from 1e-05 to 10"),
     ("activation", "__import__('os')", "one of Sigmoid"), ("data", "../../etc/passwd", "one of digits")],
)  # fmt: skip
def test_what_is_no_value_is_refused_in_words(name, given, said):
    with pytest.raises(LabError, match=name) as refused:
        SETTINGS[name].read(given)
    assert said in str(refused.value)


@given(
    st.dictionaries(
        st.sampled_from(sorted(SETTINGS)),
        st.text("0123456789.-+eE inaf_ReLU/", max_size=8) | st.floats() | st.integers(),
        max_size=5,
    )
)
def test_whatever_an_address_holds_it_is_read_or_refused(query):
    try:
        found = values(query)
    except LabError:
        return
    assert found.keys() == SETTINGS.keys()
    assert all(type(found[name]) is type(SETTINGS[name].default) for name in found)


def test_too_large_a_training_is_refused():
    with pytest.raises(LabError, match="weights"):
        values({"depth": 40, "width": 256})
    with pytest.raises(LabError, match="steps"):
        values({"epochs": 200, "batch_size": 1})


ONE_BY_ONE = [
    {name: choice}
    for name, choices in {"data": DATA, "activation": ACTIVATIONS, "init": INITS, "norm": NORMS, "schedule": SCHEDULES,
                          "augmentation": AUGMENTATIONS, "optimizer": OPTIMIZERS}.items()
    for choice in choices
] + [{"dropout": 0.5}, {"clip": 1.0}, {"l1": 0.001}, {"weight_decay": 0.01}, {"patience": 1}, {"label_noise": 0.3},
     {"depth": 0}, {"gain": 2.0}]  # fmt: skip


@pytest.mark.parametrize("settings", ONE_BY_ONE, ids=str)
def test_every_setting_trains(settings):
    recording = tc.run(Make({"depth": 2, "width": 16, "epochs": 2, "samples": 140, **settings}), seed=0)
    losses = recording.series("loss").values
    assert recording.ended == "completed"
    assert len(losses) == recording.steps > 0
    assert torch.isfinite(torch.tensor(losses)).all()


def test_the_same_seed_trains_the_same():
    first, second = (tc.run(Make({"depth": 2, "epochs": 1, "dropout": 0.5}), seed=3) for _ in range(2))
    assert (first.series("loss").values == second.series("loss").values).all()


def test_l1_sets_weights_to_zero_and_spares_the_biases():
    setup = Make({"depth": 1, "l1": 0.1, "epochs": 5, "optimizer": "SGD", "learning_rate": 0.1})(0)
    tc.train(setup)
    weights = torch.cat([p.flatten() for p in setup.model.parameters() if p.ndim > 1])
    biases = torch.cat([p for p in setup.model.parameters() if p.ndim == 1])
    assert (weights == 0).float().mean() > 0.5
    assert (biases == 0).float().mean() < 0.5


def test_muon_steps_once_and_survives_a_copy():
    import copy

    setup = Make({"depth": 2, "optimizer": "Muon", "learning_rate": 0.02})(0)
    recording = tc.run(Make({"depth": 2, "optimizer": "Muon", "learning_rate": 0.02, "epochs": 2}), seed=0)
    assert recording.steps == 2 * len(setup.train_loader)
    model, optimizer = copy.deepcopy((setup.model, setup.optimizer))
    before = [p.clone() for p in model.parameters()]
    setup.loss_fn(model(next(iter(setup.train_loader))[0]), torch.zeros(64, dtype=torch.long)).backward()
    optimizer.step()
    assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
