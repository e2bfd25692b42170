"""Remedies for generalization: that their code does what it says, exactly, and what they refuse."""

from __future__ import annotations

import copy
import dataclasses
import importlib.metadata
import importlib.util

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import trainclinic as tc
from trainclinic.records import Finding
from trainclinic.setup import evaluate
from trainclinic.treat.operation import operate
from trainclinic.treat.remedies.augment_data import AugmentData
from trainclinic.treat.remedies.class_rebalancing import ClassRebalancing
from trainclinic.treat.remedies.dropout import Dropout
from trainclinic.treat.remedies.early_stopping import EarlyStopping
from trainclinic.treat.remedies.label_smoothing import LabelSmoothing
from trainclinic.treat.remedies.weight_decay import WeightDecay
from trainclinic.treat.remedy import RefusedError


def loader(*tensors, batch_size=8):
    generator = torch.Generator().manual_seed(3)
    return DataLoader(TensorDataset(*tensors), batch_size, shuffle=True, generator=generator)


def classes(epochs=12, **fields):
    """A network that is too large for 24 samples whose labels are chance."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
    x, y = torch.randn(48, 4), torch.randint(3, (48,))
    y = torch.where(x[:, 0] > 0.3, 0, y)
    setup = tc.Setup(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 0.01), loader(x[:24], y[:24]),
                     DataLoader(TensorDataset(x[24:], y[24:]), 7), epochs, "accuracy")  # fmt: skip
    return dataclasses.replace(setup, **fields)


def images(model=None, loss=None, channels=1):
    x, y = torch.rand(24, channels, 6, 5), torch.arange(24) % 3
    model = model or nn.Sequential(nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(),
                                   nn.Linear(8, 3))  # fmt: skip
    return tc.Setup(model, loss or nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), loader(x, y))


def treated(setup, *remedies):
    return operate(setup, remedies)[0]


# -- early stopping


def by_hand(setup):
    """The weights after every epoch, and the validation losses: the plain loop, written out once more."""
    weights, losses = [], []
    for _ in range(setup.epochs):
        tc.train(dataclasses.replace(setup, epochs=1, val_loader=None))
        weights.append(copy.deepcopy(setup.model.state_dict()))
        losses.append(evaluate(setup)["loss"])
    return weights, losses


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_early_stopping_restores_the_best_weights_when_the_epochs_run_out():
    weights, losses = by_hand(classes())
    best = losses.index(min(losses))
    assert 0 < best < len(losses) - 1
    assert not same(weights[best], weights[-1])
    setup = treated(classes(), EarlyStopping(patience=11))
    steps = counted(setup)
    tc.train(setup)
    assert len(steps) == 12 * 3  # it did not stop, and what came after the best epoch left the copy alone
    assert same(setup.model.state_dict(), weights[best])


def test_early_stopping_stops_after_its_patience():
    weights, losses = by_hand(classes())
    best = losses.index(min(losses))
    setup = treated(classes(), EarlyStopping(patience=2))
    steps = counted(setup)
    tc.train(setup)
    assert len(steps) == 3 * (best + 1 + 2)
    assert same(setup.model.state_dict(), weights[best])


def test_early_stopping_does_not_wait_for_less_than_min_delta():
    setup = treated(classes(), EarlyStopping(patience=2, min_delta=100.0))
    steps = counted(setup)
    tc.train(setup)
    assert len(steps) == 3 * 3  # the first epoch is better than nothing; the next two are not by as much


def counted(setup):
    steps = []
    setup.optimizer.register_step_post_hook(lambda *_: steps.append(1))
    return steps


def step(model, batch):
    return F.mse_loss(model(batch["x"]), batch["y"])


@pytest.mark.parametrize("stepped", [False, True])
def test_early_stopping_keeps_clipping_scheduler_and_step(stepped):
    def make():
        torch.manual_seed(2)
        x = torch.randn(16, 3)
        y = x @ torch.tensor([[1.0], [2.0], [3.0]])
        batches = [{"x": x, "y": y}] if stepped else [(x, y)]
        model = nn.Linear(3, 1)
        optimizer = torch.optim.SGD(model.parameters(), 0.5)
        return tc.Setup(model, nn.MSELoss(), optimizer, batches, batches, 8, clip_grad_norm=0.3,
                        scheduler=torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5),
                        step=step if stepped else None)  # fmt: skip

    plain, stopping = make(), treated(make(), EarlyStopping(patience=3))
    tc.train(plain)
    tc.train(stopping)  # its validation loss falls in every epoch, so that the last is the best
    assert same(stopping.model.state_dict(), plain.model.state_dict())
    assert stopping.optimizer.param_groups[0]["lr"] == plain.optimizer.param_groups[0]["lr"] == 0.5 / 16


def test_early_stopping_survives_a_loss_that_is_never_finite():
    setup = classes()
    with torch.no_grad():
        setup.model[0].weight.fill_(float("nan"))
    setup = treated(setup, EarlyStopping(patience=2))
    steps = counted(setup)
    tc.train(setup)
    assert len(steps) == 3 * 2


# -- weight decay


def normed(optimizer):
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(48, 3))
    return dataclasses.replace(images(model), optimizer=optimizer(model))


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda model: torch.optim.SGD(model.parameters(), 0.1, momentum=0.9),
        lambda model: torch.optim.Adam(model.parameters(), 0.1, weight_decay=0.3),
        lambda model: torch.optim.AdamW(model.parameters(), 0.1),
    ],
)
def test_weight_decay_takes_its_share_off_weights_and_off_nothing_else(optimizer):
    setup = treated(normed(optimizer), WeightDecay(0.5))
    before = copy.deepcopy(setup.model.state_dict())
    for parameter in setup.model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    setup.optimizer.step()
    for name, parameter in setup.model.named_parameters():
        expected = before[name] * (1 - 0.1 * 0.5) if parameter.ndim > 1 else before[name]
        torch.testing.assert_close(parameter.detach(), expected, msg=name)


def test_weight_decay_of_a_linear_model_is_ridge_regression():
    x, y = torch.randn(40, 3).double(), torch.randn(40, 1).double()
    model = nn.Linear(3, 1, bias=False).double()
    setup = tc.Setup(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), [(x, y)], epochs=400)
    tc.train(treated(setup, WeightDecay(0.6)))
    ridge = torch.linalg.solve(x.T @ x / 40 + 0.3 * torch.eye(3), x.T @ y / 40)  # MSE has no 1/2: half of the decay
    torch.testing.assert_close(model.weight.detach().T, ridge)


def test_weight_decay_keeps_each_group_and_the_scheduler_goes_on():
    def grouped(model):
        return torch.optim.SGD([{"params": model[0].parameters()}, {"params": model[4].parameters(), "lr": 0.01},
                                {"params": model[1].parameters(), "weight_decay": 0.0}], 0.1, momentum=0.8)  # fmt: skip

    setup = normed(grouped)
    scheduler = torch.optim.lr_scheduler.LambdaLR(setup.optimizer, lambda epoch: 0.5**epoch)
    setup = treated(dataclasses.replace(setup, scheduler=scheduler), WeightDecay(0.2))
    tc.train(dataclasses.replace(setup, epochs=1))
    groups = setup.optimizer.param_groups
    held = [parameter for group in groups for parameter in group["params"]]
    assert {id(one) for one in held} == {id(one) for one in setup.model.parameters()}
    assert len(held) == 6
    for group in groups:
        for parameter in group["params"]:
            last = any(parameter is one for one in setup.model[4].parameters())
            assert group["lr"] == pytest.approx(0.005 if last else 0.05)
            assert group["momentum"] == 0.8
            assert group["weight_decay"] == (0.2 if parameter.ndim > 1 else 0.0)


OVERFITTING = Finding("overfitting", "problem", 0.5, 0.8, (), (3, 60), ())


def test_weight_decay_is_tried_by_how_long_it_takes_to_forget():
    for optimizer in (torch.optim.AdamW, lambda parameters, lr: torch.optim.SGD(parameters, 10 * lr, momentum=0.9)):
        setup = classes(epochs=100)  # 300 steps
        slow, slower, fast = WeightDecay.options(
            dataclasses.replace(setup, optimizer=optimizer(setup.model.parameters(), lr=0.001)), OVERFITTING
        )
        per_step = 0.001 if optimizer is torch.optim.AdamW else 0.01 / (1 - 0.9)  # what a decay of 1 takes off
        forgets = [1 / (one.weight_decay * per_step) for one in (slow, slower, fast)]
        assert forgets == pytest.approx([75, 300, 18], rel=0.05)  # steps


def test_less_is_tried_where_it_is_too_much():
    strong = dataclasses.replace(OVERFITTING, problem="over-regularized")
    setup = with_optimizer(lambda parameters: torch.optim.AdamW(parameters, weight_decay=5.0))
    assert [one.weight_decay for one in WeightDecay.options(setup, strong)] == [0.5, 0.0]
    setup.model.add_module("drop", nn.Dropout(0.6))
    assert [one.p for one in Dropout.options(setup, strong)] == [0.3, 0.0]
    assert [one.p for one in Dropout.options(setup, OVERFITTING)] == [0.7]


# -- dropout


def test_dropout_goes_in_front_of_all_layers_but_the_first_and_leaves_eval_mode_alone():
    setup = classes()
    x = torch.randn(400, 4)
    setup.model.eval()
    before = setup.model(x)
    setup = treated(setup, Dropout(0.4))
    setup.model.eval()
    assert torch.equal(setup.model(x), before)
    kinds = [type(module).__name__ for module in setup.model.modules() if not list(module.children())]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    seen = []
    setup.model[2][0].register_forward_hook(lambda module, args, output: seen.append((args[0], output)))
    setup.model.train()
    setup.model(x)
    given, dropped = seen[0]
    assert float((dropped[given > 0] == 0).float().mean()) == pytest.approx(0.4, abs=0.02)
    assert {id(one) for one in setup.model.parameters()} == {id(p) for p in setup.optimizer.param_groups[0]["params"]}


def kinds_of(model):
    setup = treated(images(model), Dropout(0.5))
    return [type(module).__name__ for module in setup.model.modules() if "Dropout" in type(module).__name__]


def test_dropout_takes_whole_channels_in_front_of_convolutions():
    assert kinds_of(None) == ["Dropout2d", "Dropout"]


def test_dropout_stays_behind_the_last_batch_norm_and_fits_selu():
    layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(8, 3)]
    assert kinds_of(nn.Sequential(*layers)) == ["Dropout"]
    assert kinds_of(nn.Sequential(nn.Flatten(), nn.Linear(30, 8), nn.SELU(), nn.Linear(8, 3))) == ["AlphaDropout"]


def test_dropout_that_is_there_is_changed_wherever_it_is():
    model = nn.Sequential(nn.LSTM(4, 8, 2, dropout=0.8), nn.Dropout(0.8))
    setup = classes()
    setup.model.add_module("more", model)
    setup = treated(setup, Dropout(0.2))
    assert (model[0].dropout, model[1].p) == (0.2, 0.2)
    setup = treated(setup, Dropout(0.0))
    assert (model[0].dropout, model[1].p) == (0.0, 0.0)


# -- loss


def losses(setup):
    output, target = torch.randn(9, 3, requires_grad=True), torch.arange(9) % 3
    with torch.no_grad():
        validation = setup.loss_fn(output, target)
    return output, target, setup.loss_fn(output, target), validation


@pytest.mark.parametrize(
    "loss", [F.cross_entropy, nn.CrossEntropyLoss(), nn.CrossEntropyLoss(torch.tensor([1.0, 2, 3]))]
)
def test_label_smoothing_is_the_published_one_in_training_and_nothing_in_validation(loss):
    setup = treated(classes(loss_fn=loss), LabelSmoothing(0.3))
    output, target, training, validation = losses(setup)
    weight = getattr(loss, "weight", None)
    assert torch.equal(validation, F.cross_entropy(output, target, weight))
    soft = 0.7 * F.one_hot(target, 3) + 0.1  # (1 - s) of the class and s / K of each
    scale = torch.ones(3) if weight is None else weight
    expected = -(soft * scale * output.log_softmax(1)).sum() / scale[target].sum()
    torch.testing.assert_close(training, expected)


def test_label_smoothing_of_two_classes():
    setup = treated(classes(loss_fn=nn.BCEWithLogitsLoss()), LabelSmoothing(0.2))
    output, target = torch.randn(9, requires_grad=True), (torch.arange(9) % 2).float()
    expected = F.binary_cross_entropy_with_logits(output, torch.where(target == 1, 0.9, 0.1))
    torch.testing.assert_close(setup.loss_fn(output, target), expected)
    with torch.no_grad():
        assert torch.equal(setup.loss_fn(output, target), F.binary_cross_entropy_with_logits(output, target))


def uneven(loss=None):
    target = torch.tensor([0] * 40 + [1] * 20 + [2] * 4)
    return classes(loss_fn=loss or nn.CrossEntropyLoss(), train_loader=loader(torch.randn(64, 4), target))


def test_class_rebalancing_gives_each_class_the_same_weight_in_sum():
    output, target, training, validation = losses(treated(uneven(), ClassRebalancing("loss")))
    assert torch.equal(validation, F.cross_entropy(output, target))
    weight = 64 / 3 / torch.tensor([40.0, 20, 4])
    torch.testing.assert_close(training, F.cross_entropy(output, target, weight), rtol=1e-3, atol=0)


def test_class_rebalancing_draws_each_class_as_often():
    setup = treated(uneven(), ClassRebalancing("sampler"))
    assert len(setup.train_loader) == 8
    drawn = torch.cat([targets for _ in range(60) for _, targets in setup.train_loader])
    torch.testing.assert_close(drawn.bincount() / len(drawn), torch.full((3,), 1 / 3), rtol=0, atol=0.03)


def test_class_rebalancing_of_two_classes():
    target = torch.tensor([0.0] * 48 + [1.0] * 16)
    setup = classes(loss_fn=nn.BCEWithLogitsLoss(), train_loader=loader(torch.randn(64, 4), target))
    setup = treated(setup, ClassRebalancing("loss", 0.5))
    output = torch.randn(4, requires_grad=True)
    expected = F.binary_cross_entropy_with_logits(output, target[46:50], pos_weight=torch.tensor(3**0.5))
    torch.testing.assert_close(setup.loss_fn(output, target[46:50]), expected, rtol=1e-3, atol=0)


# -- data


def test_noise_is_on_training_inputs_only():
    before, generator = classes(), torch.Generator().manual_seed(3)
    setup = treated(before, AugmentData("noise", 0.5))
    assert setup.val_loader is before.val_loader
    generator.set_state(before.train_loader.generator.get_state())
    noisy = list(setup.train_loader)
    before.train_loader.generator.set_state(generator.get_state())
    plain = list(before.train_loader)
    assert len(setup.train_loader) == len(noisy) == 3
    assert all(torch.equal(one[1], other[1]) for one, other in zip(noisy, plain, strict=True))
    noise = torch.cat([one[0] - other[0] for one, other in zip(noisy, plain, strict=True)])
    assert float(noise.std()) == pytest.approx(0.5 * float(plain[0][0].std()), rel=0.4)
    assert float(noise.abs().min()) > 0


def test_shifted_images_are_windows_of_the_padded_ones():
    setup = images()
    originals = F.pad(setup.train_loader.dataset.tensors[0], [1] * 4, mode="replicate")
    windows = {
        original[:, top : top + 6, left : left + 5].numpy().tobytes(): (top, left)
        for original in originals
        for top in range(3)
        for left in range(3)
    }
    moved = treated(setup, AugmentData("shift", 0.2))
    places = [windows[image.numpy().tobytes()] for _ in range(20) for batch, _ in moved.train_loader for image in batch]
    assert set(places) == {(top, left) for top in range(3) for left in range(3)}


@pytest.mark.parametrize("indices", [True, False])
def test_mixup_mixes_targets_as_it_mixes_inputs(indices):
    target = torch.arange(24) % 3
    model = nn.Linear(3, 3)
    x = F.one_hot(target, 3).float()  # so that an input is its target
    loss = nn.CrossEntropyLoss() if indices else nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    setup = tc.Setup(model, loss, optimizer, loader(x, target if indices else x))
    setup = treated(setup, AugmentData("mixup", 1.0))
    batches = list(setup.train_loader)
    assert all(torch.equal(inputs, targets) for inputs, targets in batches)
    mixed = torch.cat([inputs for inputs, _ in batches])
    assert ((mixed > 0) & (mixed < 1)).any()
    tc.train(dataclasses.replace(setup, epochs=1))


def test_affine_moves_images_and_repeats_itself(monkeypatch):
    pytest.importorskip("albumentations")
    setups = []
    for _ in range(2):
        torch.manual_seed(4)
        setups.append(treated(images(channels=2), AugmentData("affine", 0.2)))
    first, again = (list(setup.train_loader) for setup in setups)
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(first, again, strict=True))
    plain = {image.numpy().tobytes() for image in setups[0].train_loader.loader.dataset.tensors[0]}
    assert all(inputs.shape[1:] == (2, 6, 5) and inputs.dtype == torch.float32 for inputs, _ in first)
    assert not any(image.numpy().tobytes() in plain for inputs, _ in first for image in inputs)


# -- all of them


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (classes, EarlyStopping(3)),
        (classes, WeightDecay(0.3)),
        (classes, Dropout(0.5)),
        (classes, LabelSmoothing(0.1)),
        (uneven, ClassRebalancing("loss")),
        (uneven, ClassRebalancing("sampler")),
        (classes, AugmentData("noise", 0.1)),
        (classes, AugmentData("mixup", 0.1)),
        (images, AugmentData("shift", 0.1)),
    ],
)
def test_a_remedy_only_looks(make, remedy):
    setup = make()
    weights, groups = copy.deepcopy(setup.model.state_dict()), [dict(g) for g in setup.optimizer.param_groups]
    ours, loaders = torch.get_rng_state(), setup.train_loader.generator.get_state()
    first, second = remedy.prescribe(setup), remedy.prescribe(setup)
    assert first == second
    assert "trainclinic" not in first.code
    assert torch.equal(torch.get_rng_state(), ours)
    assert torch.equal(setup.train_loader.generator.get_state(), loaders)
    assert same(setup.model.state_dict(), weights)
    assert [dict(group) for group in setup.optimizer.param_groups] == groups
    after = remedy.prescribe(treated(make(), WeightDecay(0.7)))  # and it knows a treated Setup
    assert after.code


@pytest.mark.parametrize(
    ("setup", "remedy", "said"),
    [
        (lambda: classes(val_loader=None), EarlyStopping(3), "no validation data"),
        (lambda: classes(loop=print), EarlyStopping(3), "a loop of its own"),
        (lambda: classes(epochs=5), EarlyStopping(5), "never ends a training of 5"),
        (lambda: with_optimizer(torch.optim.LBFGS), WeightDecay(0.1), "LBFGS has none"),
        (lambda: with_optimizer(torch.optim.AdamW), WeightDecay(0.01), "it is 0.01 already"),
        (lambda: chained(), WeightDecay(0.1), "SequentialLR holds schedulers"),
        (lambda: images(nn.Sequential(nn.Flatten(), nn.Linear(30, 3))), Dropout(0.5), "no layer with weights follows"),
        (lambda: images(nn.Sequential(nn.Flatten(), *twice(nn.Linear(30, 30)))), Dropout(0.5), "are one Linear"),
        (classes, Dropout(0.0), "none to switch off"),
        (lambda: images(nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(30, 3))), Dropout(0.3), "0.3 every"),
        (lambda: classes(loss_fn=nn.MSELoss()), LabelSmoothing(0.1), "the loss is MSELoss"),
        (lambda: classes(step=step), LabelSmoothing(0.1), "inside `step`"),
        (lambda: classes(loss_fn=nn.CrossEntropyLoss(label_smoothing=0.1)), LabelSmoothing(0.1), "0.1 already"),
        (images, ClassRebalancing(), "the classes are balanced, 8 to 8"),
        (lambda: uneven(nn.CrossEntropyLoss(torch.ones(3))), ClassRebalancing(), "class weights already"),
        (lambda: uneven(nn.MultiMarginLoss()), ClassRebalancing(), "how='sampler'"),
        (lambda: given(torch.randn(4, 4), torch.randn(4, 1)), ClassRebalancing(), "no class indices"),
        (lambda: given(torch.randn(4, 4), torch.tensor([0, 0, 2, 2])), ClassRebalancing(),
         "class 1 has no sample"),
        (lambda: given(torch.randn(4, 4), torch.tensor([0, 1, 1, 1])), ClassRebalancing("sampler"),
         "how='loss' fits"),
        (classes, AugmentData("shift"), "needs images"),
        (lambda: classes(step=step), AugmentData(), "with `step`"),
        (lambda: given(torch.ones(4, 4).long(), torch.ones(4)), AugmentData(), "no tensor of numbers"),
        (lambda: images(loss=nn.NLLLoss()), AugmentData("mixup"), "NLLLoss takes as class indices only"),
    ],
)  # fmt: skip
def test_refused(setup, remedy, said):
    with pytest.raises(RefusedError, match=said):
        treated(setup(), remedy)


def given(inputs, targets):
    return classes(train_loader=[(inputs, targets)])


def twice(layer):
    return [layer, nn.ReLU(), layer]


def with_optimizer(kind):
    setup = classes()
    return dataclasses.replace(setup, optimizer=kind(setup.model.parameters()))


def chained():
    setup = classes()
    parts = [torch.optim.lr_scheduler.ConstantLR(setup.optimizer) for _ in range(2)]
    return dataclasses.replace(setup, scheduler=torch.optim.lr_scheduler.SequentialLR(setup.optimizer, parts, [3]))


def test_affine_without_albumentations_or_with_its_agpl_successor_is_refused(monkeypatch):
    def none(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("trainclinic.treat.remedies.augment_data.version", none)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RefusedError, match=r"pip install trainclinic\[images\]"):
        treated(images(), AugmentData("affine"))
    monkeypatch.setattr("trainclinic.treat.remedies.augment_data.version", lambda name: "2.4.9")
    with pytest.raises(RefusedError, match=r"AlbumentationsX 2\.4\.9 is installed, whose licence \(AGPL\)"):
        treated(images(), AugmentData("affine"))
