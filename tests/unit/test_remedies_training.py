"""Remedies on data, loss, optimizer and loop: their code does what it says, and where they do not fit they say why."""

from __future__ import annotations

import copy
import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, SequentialSampler, TensorDataset

from trainclinic.records import Finding
from trainclinic.setup import Setup, evaluate, train
from trainclinic.treat.operation import operate
from trainclinic.treat.remedies.change_learning_rate import ChangeLearningRate
from trainclinic.treat.remedies.change_optimizer import ChangeOptimizer
from trainclinic.treat.remedies.clip_gradient import ClipGradient
from trainclinic.treat.remedies.decay_schedule import DecaySchedule
from trainclinic.treat.remedies.fix_loss_output import FixLossOutput
from trainclinic.treat.remedies.larger_batch import LargerBatch
from trainclinic.treat.remedies.plain_loop import PlainLoop
from trainclinic.treat.remedies.shuffle_data import ShuffleData
from trainclinic.treat.remedies.standardize_inputs import StandardizeInputs
from trainclinic.treat.remedies.standardize_targets import StandardizeTargets
from trainclinic.treat.remedies.train_all_parameters import TrainAllParameters
from trainclinic.treat.remedies.train_longer import TrainLonger
from trainclinic.treat.remedies.warm_up import WarmUp
from trainclinic.treat.remedy import RefusedError


def small(x=None, y=None, *, model=None, loss_fn=None, optimizer=None, batch=16, shuffle=True, **more):
    """96 samples of 5 features, 2 classes; every part can be another one."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(96, 5, generator=generator) if x is None else x
    y = (x.flatten(1)[:, 0] > 0).long() if y is None else y
    torch.manual_seed(0)
    model = model or nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = optimizer(model) if optimizer else torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(x, y), batch, shuffle=shuffle, generator=generator)
    val = DataLoader(TensorDataset(x[:32], y[:32]), 32)
    if "scheduler" in more:
        more["scheduler"] = more["scheduler"](optimizer)
    return Setup(model, loss_fn or nn.CrossEntropyLoss(), optimizer, loader, val, **{"epochs": 4, **more})


def treated(remedy, setup):
    return operate(setup, [remedy])[0]


def finding(problem, cause=""):
    return Finding(problem, "problem", 1.0, 1.0, (), (0, 10), (), cause=cause)


def regression(y=None, **more):
    x = torch.randn(96, 5, generator=torch.Generator().manual_seed(4))
    y = 300 + 40 * (x[:, :1] - x[:, 1:2]) if y is None else y
    return small(x, y, model=nn.Linear(5, 1), **{"loss_fn": nn.MSELoss(), "metric": "r2", **more})


# -- data


def test_inputs_have_mean_0_and_deviation_1_in_every_mode_and_the_order_of_batches_stays():
    x = torch.randn(96, 5) * torch.tensor([1.0, 10, 100, 0.5, 2]) + 7
    setup = treated(StandardizeInputs(0.001), small(x))
    seen = []
    setup.model[0].register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    setup.model.eval()(x)
    assert torch.allclose(seen[0].mean(0), torch.zeros(5), atol=1e-5)
    assert torch.allclose(seen[0].std(0, unbiased=False), torch.ones(5), atol=1e-5)
    assert torch.equal(next(iter(setup.train_loader))[0], next(iter(small(x).train_loader))[0])
    assert {"input_mean", "input_std"} <= set(setup.model.state_dict())


def test_only_training_samples_count_and_a_feature_that_hardly_varies_is_not_blown_up():
    x = torch.randn(96, 5) * 50
    x[:, 4] *= 1e-5
    setup = small(x)
    setup.val_loader = DataLoader(TensorDataset(x * 1000, torch.zeros(96)), 32)
    setup = treated(StandardizeInputs(0.1), setup)
    assert torch.allclose(setup.model.input_mean, x.mean(0), atol=1e-4)
    assert setup.model.input_std[4] == pytest.approx(0.1 * float(setup.model.input_std.median()), rel=1e-4)


@pytest.mark.parametrize("shape", [(96, 3, 6, 6), (96, 7, 3)])
def test_channels_share_their_statistics(shape):
    x = torch.randn(shape) * 40 + 100
    first = nn.Conv2d(3, 4, 3) if len(shape) == 4 else nn.Linear(3, 4)
    model = nn.Sequential(first, nn.Flatten(), nn.LazyLinear(2))
    model(x)
    setup = treated(StandardizeInputs(), small(x, torch.zeros(96).long(), model=model))
    assert setup.model.input_mean.numel() == 3
    dims = (0, 2, 3) if len(shape) == 4 else (0, 1)
    assert torch.allclose(setup.model.input_mean.flatten(), x.mean(dims), atol=1e-3)


@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.L1Loss(), F.mse_loss])
def test_a_step_is_that_of_standardized_targets_while_loss_and_metric_keep_their_unit(loss):
    setup = regression(loss_fn=loss)
    batch = next(iter(regression().train_loader))
    twin = copy.deepcopy(setup.model)
    setup = treated(StandardizeTargets(), setup)
    mean, std = setup.model.target_mean, setup.model.target_std
    loss(twin(batch[0]), (batch[1] - mean) / std).backward()
    value = setup.loss(batch)
    value.backward()
    for mine, theirs in zip(setup.model.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(mine.grad, theirs.grad, rtol=1e-4, atol=1e-6)
    assert torch.allclose(value, loss(twin(batch[0]) * std + mean, batch[1]), rtol=1e-5)
    train(setup)
    assert evaluate(setup)["r2"] > 0.9


def test_shuffled_data_keeps_the_loader_as_it_was_but_for_the_order():
    setup = treated(ShuffleData(), small(shuffle=False, batch=20))
    assert not isinstance(setup.train_loader.sampler, SequentialSampler)
    first, second = ([x[:, 0] for x, _ in setup.train_loader] for _ in range(2))
    assert [len(x) for x in first] == [20, 20, 20, 20, 16]
    assert not torch.equal(torch.cat(first), torch.cat(second))
    assert torch.equal(torch.cat(first).sort().values, torch.cat(second).sort().values)


def test_batches_that_no_loader_makes_are_put_together_and_shuffled():
    whole = small(shuffle=False, batch=20)
    setup = treated(ShuffleData(), changed(whole, train_loader=list(whole.train_loader)))
    first, second = ([x[:, 0] for x, _ in setup.train_loader] for _ in range(2))
    assert [len(x) for x in first] == [20, 20, 20, 20, 16]
    assert not torch.equal(torch.cat(first), torch.cat(second))
    rows = torch.cat([x[:, 0] for x, _ in whole.train_loader])
    assert torch.equal(torch.cat(first).sort().values, rows.sort().values)


def test_larger_batches_hold_the_same_samples():
    setup = treated(LargerBatch(2), small(batch=8))
    sizes = [len(x) for x, _ in setup.train_loader]
    assert sizes == [16] * 6


# -- loss


def softmaxed():
    return nn.Sequential(nn.Linear(5, 2), nn.Softmax(dim=1))


class InForward(nn.Module):
    """Calls softmax as a function."""

    def __init__(self, width=5):
        super().__init__()
        self.layer = nn.Linear(width, 2)

    def forward(self, x):
        return F.softmax(self.layer(x), dim=1)


@pytest.mark.parametrize(
    ("model", "loss_fn"),
    [
        (softmaxed, nn.CrossEntropyLoss()),
        (InForward, nn.CrossEntropyLoss()),
        (softmaxed, nn.NLLLoss()),
        (InForward, F.nll_loss),
        (lambda: nn.Linear(5, 2), nn.NLLLoss()),
    ],
)
def test_the_loss_becomes_the_cross_entropy_of_the_logits(model, loss_fn):
    setup = small(model=model(), loss_fn=loss_fn)
    x, y = next(iter(small().train_loader))
    layer = next(module for module in setup.model.modules() if isinstance(module, nn.Linear))
    expected = F.cross_entropy(layer(x), y)
    setup = treated(FixLossOutput(), setup)
    assert torch.allclose(setup.loss((x, y)), expected, atol=1e-5)


@pytest.mark.parametrize("function", [False, True])
def test_sigmoid_twice_becomes_once(function):
    layer = nn.Linear(5, 1)
    model = InForwardOnce(layer) if function else nn.Sequential(layer, nn.Sigmoid())
    x, y = torch.randn(96, 5), torch.rand(96, 1).round()
    setup = treated(FixLossOutput(), small(x, y, model=model, loss_fn=nn.BCEWithLogitsLoss()))
    assert torch.allclose(setup.loss((x, y)), F.binary_cross_entropy_with_logits(layer(x), y), atol=1e-5)


class InForwardOnce(nn.Module):
    """Calls sigmoid as a function."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return torch.sigmoid(self.layer(x))


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_outputs_get_the_shape_of_their_targets():
    x, y = torch.randn(96, 5), torch.randn(96)
    setup = treated(FixLossOutput(), small(x, y, model=nn.Linear(5, 1), loss_fn=nn.MSELoss()))
    assert torch.allclose(setup.loss((x, y)), F.mse_loss(setup.model(x).flatten(), y))


# -- optimizer


def two_groups(model):
    groups = [{"params": model[0].parameters(), "lr": 0.2, "weight_decay": 0.3}, {"params": model[2].parameters()}]
    return torch.optim.SGD(groups, lr=0.05)


def test_rates_of_groups_keep_their_ratio_and_a_schedule_its_form():
    setup = small(optimizer=two_groups, scheduler=lambda opt: lr_scheduler.StepLR(opt, 1, 0.5))
    train(treated(ChangeLearningRate(10.0), setup))
    assert [group["lr"] for group in setup.optimizer.param_groups] == pytest.approx([2.0 / 16, 0.5 / 16])


def test_a_closed_form_schedule_starts_from_the_new_rate():
    setup = small(scheduler=lambda opt: lr_scheduler.LambdaLR(opt, lambda epoch: 1 / (1 + epoch)))
    train(treated(ChangeLearningRate(0.1), setup))
    assert setup.optimizer.param_groups[0]["lr"] == pytest.approx(0.01 / 5)


def test_a_pass_over_the_data_moves_no_generator_that_orders_them():
    setup = small(torch.randn(96, 5) * 100)
    sampler = RandomSampler(setup.train_loader.dataset, generator=torch.Generator().manual_seed(4))
    setup.train_loader = DataLoader(setup.train_loader.dataset, 16, sampler=sampler, generator=torch.Generator())
    generators = sampler.generator, setup.train_loader.generator
    before = [generator.get_state() for generator in generators]
    treated(StandardizeInputs(), setup)
    assert all(torch.equal(one.get_state(), state) for one, state in zip(generators, before, strict=True))


def test_the_range_test_leaves_the_training_as_it_was():
    setup = small(scheduler=lambda opt: lr_scheduler.StepLR(opt, 1, 0.5))
    weights = copy.deepcopy(setup.model.state_dict())
    state = torch.get_rng_state(), setup.train_loader.generator.get_state()
    found = list(ChangeLearningRate.options(setup, finding("learning-rate-too-low")))
    assert found
    assert all(option.factor > 1 for option in found)
    assert all(torch.equal(value, weights[name]) for name, value in setup.model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state[0])
    assert torch.equal(setup.train_loader.generator.get_state(), state[1])
    assert not setup.optimizer.state
    assert setup.optimizer.param_groups[0]["lr"] == 0.1


@pytest.mark.parametrize(("rate", "problem"), [(1e-5, "learning-rate-too-low"), (30.0, "learning-rate-too-high")])
def test_the_range_test_proposes_a_rate_that_learns(rate, problem):
    setup = small(optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=rate), epochs=10)
    first = next(iter(ChangeLearningRate.options(setup, finding(problem))))
    before = evaluate(setup)["loss"]
    train(treated(first, setup))
    assert evaluate(setup)["loss"] < before / 2


def test_the_new_optimizer_holds_the_same_parameters_with_their_decay_and_ratio():
    setup = small(optimizer=two_groups)
    held = [[id(p) for p in group["params"]] for group in setup.optimizer.param_groups]
    setup = treated(ChangeOptimizer("AdamW"), setup)
    groups = setup.optimizer.param_groups
    assert isinstance(setup.optimizer, torch.optim.AdamW)
    assert [[id(p) for p in group["params"]] for group in groups] == held
    assert [(group["lr"], group["weight_decay"]) for group in groups] == [(1e-3, 0.3), (2.5e-4, 0.0)]


def test_plain_sgd_is_faster_with_batch_norm():
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    setup = small(model=model, optimizer=lambda model: torch.optim.Adam(model.parameters()))
    assert treated(ChangeOptimizer("SGD"), setup).optimizer.param_groups[0]["lr"] == 0.1


def test_the_gradient_is_clipped_before_the_step():
    setup = treated(ClipGradient(0.5), small(torch.randn(96, 5) * 100))
    before = [p.detach().clone() for p in setup.model.parameters()]
    setup.loss(next(iter(setup.train_loader))).backward()
    setup.optimizer.step()
    moved = [(p.detach() - q).norm() for p, q in zip(setup.model.parameters(), before, strict=True)]
    assert torch.stack(moved).norm().item() == pytest.approx(0.1 * 0.5, rel=1e-4)


def rates(setup):
    """The learning rate of every step."""
    seen = []
    setup.optimizer.register_step_pre_hook(lambda optimizer, *_: seen.append(optimizer.param_groups[0]["lr"]))
    train(setup)
    return seen


def test_the_rate_grows_in_a_line_and_then_stays():
    seen = rates(treated(WarmUp(0.25), small()))
    assert len(seen) == 24
    assert seen == pytest.approx([0.1 * min(1, step / 6) for step in range(1, 25)], rel=0.01)


def test_beside_a_schedule_the_warm_up_ends_within_the_first_epoch():
    setup = small(scheduler=lambda opt: lr_scheduler.LambdaLR(opt, lambda epoch: 1.0 if epoch < 2 else 0.5))
    seen = rates(treated(WarmUp(0.5), setup))
    assert seen[5:] == pytest.approx([0.1] * 7 + [0.05] * 12)


def test_the_rate_falls_along_a_cosine_also_after_a_warm_up():
    expected = [0.05 * (1 + math.cos(math.pi * step / 24)) for step in range(24)]
    assert rates(treated(DecaySchedule(), small())) == pytest.approx(expected)
    both = rates(operate(small(), [WarmUp(0.25), DecaySchedule()])[0])
    assert both[6:] == pytest.approx(expected[6:], rel=0.01)
    assert both[0] == pytest.approx(0.1 / 6, rel=0.01)


class Listed(nn.Module):
    """Its hidden layers are in a plain list, where PyTorch does not find them."""

    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(5, 8), nn.Linear(8, 8)]
        self.last = nn.Linear(8, 2)

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.last(x)


def last_only(model):
    return torch.optim.Adam(model[2].parameters(), lr=1e-2)


@pytest.mark.parametrize(
    ("model", "optimizer"),
    [
        (None, last_only),
        (Listed, None),
        (None, lambda model: torch.optim.SGD([{"params": model[0].parameters(), "lr": 0.0},
                                              {"params": model[2].parameters()}], lr=0.1)),
    ],
    ids=["not in the optimizer", "in a list", "rate 0"],
)  # fmt: skip
def test_every_parameter_is_moved(model, optimizer):
    setup = small(model=model and model(), optimizer=optimizer)
    setup = treated(TrainAllParameters(), setup)
    before = copy.deepcopy(setup.model.state_dict())
    train(setup)
    assert len(before) == (4 if model is None else 6)
    assert not any(torch.equal(value, before[name]) for name, value in setup.model.state_dict().items())


def test_what_was_frozen_on_purpose_is_thawed_only_when_asked():
    def make():
        setup = small(optimizer=last_only)
        setup.model[0].weight.requires_grad_(False)
        return setup

    assert not treated(TrainAllParameters(), make()).model[0].weight.requires_grad
    thawed = treated(TrainAllParameters(unfreeze=True), make())
    assert thawed.model[0].weight.requires_grad
    assert any(p is thawed.model[0].weight for p in thawed.optimizer.param_groups[0]["params"])


def test_longer_training_stretches_its_schedule():
    setup = treated(TrainLonger(3), small(scheduler=lambda opt: lr_scheduler.CosineAnnealingLR(opt, 4)))
    assert setup.epochs == 12
    train(setup)
    assert setup.optimizer.param_groups[0]["lr"] == pytest.approx(0.0, abs=1e-12)


# -- loop


def never_clears(setup):
    for batch in setup.train_loader:
        setup.loss(batch).backward()
        setup.optimizer.step()


def by_step(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


@pytest.mark.parametrize("step", [None, by_step])
def test_the_plain_loop_trains_as_trainclinics_own(step):
    fields = {"clip_grad_norm": 0.5, "step": step, "scheduler": lambda opt: lr_scheduler.StepLR(opt, 1, 0.5)}
    mine = treated(PlainLoop(), small(loop=never_clears, **fields))
    plain = small(**fields)
    for setup in (mine, plain):
        train(setup)
    for one, other in zip(mine.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(one, other)


# -- pasted

LOOP = """
for epoch in range(epochs):
    total = count = mean = std = order = seen = like = rows = held = highest = step = decay = warm_up = clip = 0
    model.train()
    for inputs, targets in train_loader:
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize("loss_fn", [nn.CrossEntropyLoss(), nn.NLLLoss()])
def test_pasted_code_bears_a_loop_that_uses_the_same_names(loss_fn):
    def make():
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), InForward(8))
        return small(50 + torch.randn(96, 5), torch.arange(96) % 2, model=model, loss_fn=loss_fn, optimizer=last_only)

    remedies = [StandardizeInputs(), FixLossOutput(), TrainAllParameters(), ClipGradient(), WarmUp(0.2),
                DecaySchedule(), ChangeOptimizer("SGD"), TrainLonger(2)]  # fmt: skip
    setup, treatment = operate(make(), remedies)
    train(setup)
    pasted = make()
    names = {name: getattr(pasted, name) for name in ("model", "loss_fn", "optimizer", "train_loader", "epochs")}
    exec(treatment.code + LOOP, names)
    for one, other in zip(names["model"].parameters(), setup.model.parameters(), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(next(names["model"].parameters()), next(make().model.parameters()))


# -- refusals


class Redrawn:
    """A loader of nobody's kind that shuffles."""

    def __init__(self, loader):
        self.loader = loader

    def __iter__(self):
        return iter(self.loader)


class Stream(IterableDataset):
    """Samples without an index."""

    def __iter__(self):
        return iter([(torch.randn(5), 0)] * 32)


def changed(setup, **fields):
    for name, value in fields.items():
        setattr(setup, name, value)
    return setup


def detached():
    class Cut(nn.Module):
        def forward(self, x):
            return x.detach()

    return nn.Sequential(nn.Linear(5, 8), Cut(), nn.Linear(8, 2))


cyclic = partial(lr_scheduler.CyclicLR, base_lr=0.01, max_lr=0.1)
adam = lambda model: torch.optim.Adam(model.parameters())  # noqa: E731
step_lr = lambda opt: lr_scheduler.StepLR(opt, 1)  # noqa: E731


@pytest.mark.parametrize(
    ("remedy", "make", "said"),
    [
        (StandardizeInputs(), small, "near 0 and deviation near 1 already"),
        (StandardizeInputs(), lambda: small(torch.ones(96, 5), torch.zeros(96).long()), "no feature varies"),
        (StandardizeInputs(), lambda: small(torch.ones(96, 5).long(), torch.zeros(96).long()), "token numbers"),
        (StandardizeInputs(), lambda: small(step=by_step), "which part of a batch"),
        (StandardizeTargets(), small, "neither MSELoss nor L1Loss"),
        (StandardizeTargets(), lambda: regression(y=torch.randn(96, 1)), "near 0 and deviation near 1 already"),
        (ShuffleData(), small, "drawn by RandomSampler already"),
        (ShuffleData(), lambda: changed(small(), train_loader=DataLoader(Stream(), 8)), "is a stream"),
        (ShuffleData(), lambda: changed(small(), train_loader=[{"x": 1}]), "is a list, not a Data"),
        (ShuffleData(), lambda: changed(small(), train_loader=Redrawn(small().train_loader)), "other samples"),
        (LargerBatch(4), lambda: small(batch=32), "fewer than 4 batches of 128"),
        (FixLossOutput(), small, "gets what it expects"),
        (FixLossOutput(), lambda: small(step=by_step), "inside of it"),
        (ChangeLearningRate(), lambda: small(scheduler=cyclic), "CyclicLR sets rates of its own"),
        (ChangeOptimizer("SGD"), small, "is SGD already"),
        (ChangeOptimizer("Adam"), lambda: small(scheduler=step_lr), "belongs to the present optimizer"),
        (ClipGradient(1.0), lambda: small(clip_grad_norm=0.5), "clipped at 0.5 already"),
        (WarmUp(0.05), lambda: small(epochs=1), "0 steps"),
        (DecaySchedule(), lambda: small(scheduler=step_lr), "there is a schedule already, StepLR"),
        (TrainAllParameters(), small, "a gradient reaches each"),
        (TrainAllParameters(), lambda: small(model=detached()), r"no gradient reaches 0\.weight.*detach"),
        (TrainLonger(), lambda: small(scheduler=cyclic), "CyclicLR has a length of its own"),
        (PlainLoop(), small, "uses the plain loop already"),
    ],
)  # fmt: skip
def test_refused_in_words(remedy, make, said):
    setup = make()
    with pytest.raises(RefusedError, match=said):
        operate(setup, [remedy])
