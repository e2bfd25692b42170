"""The first NaN is named: planted ones, each in every kind of network, with Dropout and BatchNorm in all of them."""

from __future__ import annotations

import contextlib
import math
import pickle
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import trainclinic as tc
from trainclinic.clinic_file import ClinicFile
from trainclinic.diagnose.problems.non_finite import NonFinite
from trainclinic.measure.finite import FiniteCheck
from trainclinic.report.view import views

STEP = 3  # at which the fault is switched on
INF = float("inf")


class Fault(nn.Module):
    """Adds `0 · h` until it is switched on, then what `fault` makes of the features h, (N, F)."""

    def __init__(self, fault):
        super().__init__()
        self.fault, self.on = fault, False

    def forward(self, h):
        return h + self.fault(h) if self.on else h


class Block(nn.Module):
    """The faulty module stands between others, two levels deep."""

    def __init__(self, fault):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), Fault(fault), nn.Dropout(0.2))

    def forward(self, h):
        return torch.relu(self.inner(h))


class MLP(nn.Module):
    def __init__(self, fault):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3))
        self.block = Block(fault)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.block(self.stem(x)))

    @staticmethod
    def batch():
        return torch.randn(5, 6)


class CNN(MLP):
    def __init__(self, fault):
        super().__init__(fault)
        self.stem = nn.Sequential(nn.Conv2d(2, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Dropout2d(0.3),
                                  nn.AdaptiveMaxPool2d(1), nn.Flatten())  # fmt: skip

    @staticmethod
    def batch():
        return torch.randn(5, 2, 6, 6)


class LSTM(MLP):
    def __init__(self, fault):
        super().__init__(fault)
        self.stem = nn.LSTM(4, 8, num_layers=2, dropout=0.3, batch_first=True)

    def forward(self, x):
        states, _ = self.stem(x)
        return self.head(self.block(states[:, -1]))

    @staticmethod
    def batch():
        return torch.randn(5, 7, 4)


class Causal(nn.Module):
    """Attention written out, with a mask of -inf: infinities that are meant."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.register_buffer("mask", torch.full((4, 4), -INF).triu(1))

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        scores = q @ k.transpose(1, 2) / 8**0.5
        scores = scores.masked_fill(torch.ones(4, 4).triu(1).bool(), -INF) + self.mask
        return x + scores.softmax(-1) @ v


class Transformer(MLP):
    def __init__(self, fault):
        super().__init__(fault)
        self.embedding = nn.Embedding(11, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.stem = nn.ModuleList([Causal(), nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)])

    def forward(self, x):
        h = self.stem[0](self.embedding(x))
        h = self.stem[1](h, mask=nn.Transformer.generate_square_subsequent_mask(4))
        return self.head(self.block(h.mean(1)))

    @staticmethod
    def batch():
        return torch.randint(11, (5, 4))


KINDS = {"mlp": MLP, "cnn": CNN, "lstm": LSTM, "transformer": Transformer}


def attend(h, masked):
    scores = (h[:, :, None] * h[:, None, :]).masked_fill(masked, -INF)
    return (scores.softmax(-1) @ h[:, :, None]).squeeze(-1)


def one_row_masked(h):
    masked = torch.zeros(5, 8, 8, dtype=torch.bool)
    masked[2, 3] = True
    return attend(h, masked)


def in_place(h):
    out = h * 1
    out[1].sub_(out[1]).log_()
    return out


def view_of_a_view(h):
    table = torch.zeros(5, 8)
    table.view(-1)[3:6] += h[0, :3] / (h[0, :3] * 0)
    return table


# fault → (where, operation)
FAULTS = {
    "log 0": (lambda h: torch.log(h * 0), "forward", "log"),
    "log of a negative": (lambda h: torch.log(-h.abs() - 1), "forward", "log"),
    "0/0": (lambda h: (h * 0) / (h * 0), "forward", "div"),
    "1/0, Python's": (lambda h: h / 0.0, "forward", "div"),
    "reciprocal of 0": (lambda h: (h * 0).reciprocal(), "forward", "reciprocal"),
    "float16 overflow": (lambda h: (h.half() * 60000 * 60000).float(), "forward", "mul"),
    "float16 cast": (lambda h: (h * 1e9).half().float(), "forward", "half"),
    "float16 linear": (lambda h: F.linear((h * 0 + 3e4).half(), torch.ones(8, 8).half()).float(), "forward", "linear"),
    "exp overflow": (lambda h: torch.exp(h.abs() + 100), "forward", "exp"),
    "division by a norm of 0": (lambda h: h / (h * 0).norm(dim=1, keepdim=True), "forward", "div"),
    "inf - inf": (lambda h: (h * 0).fill_(INF) - torch.full_like(h, INF) + h, "forward", "sub"),
    "overflow, then inf - inf": (lambda h: (h.abs() + 1) * 3e38 * 9 - (h.abs() + 1) * 3e38 * 9, "forward", "mul"),
    "power of 0": (lambda h: (h * 0) ** -1, "forward", "pow"),
    "root of a negative power": (lambda h: (-h.abs() - 1) ** 0.5, "forward", "pow"),
    "attention, one row masked": (one_row_masked, "forward", "softmax"),
    "std of one": (lambda h: h[:, :1].std(1, keepdim=True), "forward", "std"),
    "mean of nothing": (lambda h: h[h > 1e9].mean(), "forward", "mean"),
    "masked mean, empty mask": (lambda h: (h * (h > 1e9)).sum(1, True) / (h > 1e9).sum(1, True), "forward", "div"),
    "log of an underflown softmax": (lambda h: torch.log(torch.softmax(h * 1e6, -1)), "forward", "log"),
    "atanh 1": (lambda h: torch.atanh(torch.sign(h)), "forward", "atanh"),
    "NaN by hand": (lambda h: h * math.nan, "forward", "mul"),
    "in place, in a view": (in_place, "forward", "log_"),
    "in place, in a view of a view": (view_of_a_view, "forward", "div"),
    "NaN filled in": (lambda h: h.masked_fill(h > 0, math.nan), "forward", "masked_fill"),
    "slope of a root at 0": (lambda h: torch.sqrt(h * 0), "backward", "sqrt"),
    "slope of a root at 0, behind where": (
        lambda h: torch.where(h > 0, torch.sqrt(h * (h > 0)), h),
        "backward",
        "sqrt",
    ),
    "slope of acos at 1": (lambda h: torch.acos(torch.ones_like(h) + h * 0), "backward", "acos"),
    "slope of asin at 1": (lambda h: torch.asin(torch.ones_like(h) + h * 0), "backward", "asin"),
    "slope of a power at 0": (lambda h: (h * 0) ** 0.3, "backward", "pow"),
    "0/0 behind where": (lambda h: torch.where(h > INF, (h * 0) / (h * 0), h), "forward", "div"),
}


def nothing(*_):
    pass


def train(model, steps=5, *, before=nothing, after=nothing, loss_of=None, **options):
    """Five steps; `before` is called ahead of each, `after` ahead of its update."""
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with tc.watch(model, optimizer, **options) as watch:
        for step in range(steps):
            batch = model.batch()
            before(step, batch)
            optimizer.zero_grad()
            target = torch.randn(5, 1, generator=generator)
            loss = loss_of(model, batch, target) if loss_of else F.mse_loss(model(batch), target)
            loss.backward()
            after(step, batch)
            optimizer.step()
    return watch.recording


def switch(model, at=STEP):
    def before(step, batch):
        for module in model.modules():
            if isinstance(module, Fault):
                module.on = step >= at

    return before


def origin(recording, step=STEP, batch=None):
    first = recording.facts["non_finite"]
    assert first["step"] == step
    if first["origin"]["where"] != "unknown":
        assert first["origin"]["batch"] == (step if batch is None else batch)
    return first["origin"]


def place(found):
    return found["where"], found["module"], found["kind"], found["operation"]


@pytest.mark.filterwarnings("ignore:std.*degrees of freedom")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_fault_is_named(kind, fault):
    function, where, operation = FAULTS[fault]
    model = KINDS[kind](function)
    found = origin(train(model, before=switch(model)))
    assert place(found) == (where, "block.inner.2", "Fault", operation), found


def test_the_report_says_it_in_one_sentence():
    model = MLP(FAULTS["log 0"][0])
    recording = train(model, before=switch(model))
    finding = finding_of(recording)
    assert (finding.layers[0], finding.cause, finding.steps[0]) == ("block.inner.2", "operation", STEP)
    assert "At step 3 (batch 3) `log` in `block.inner.2` gave −∞ where it was given 0." in said(recording)


def finding_of(recording):
    return next(found for found in tc.diagnose(recording).findings if found.problem == "non-finite")


def said(recording):
    view = next(view for view in views(tc.diagnose(recording)) if view.finding.problem == "non-finite")
    return view.because


# -- what is not an operation of the model


def test_a_batch_that_is_not_finite():
    model = MLP(None)

    def before(step, batch):
        if step == STEP:
            batch[2, 1] = math.nan
            batch[4, 0] = INF

    recording = train(model, before=before)
    found = origin(recording)
    assert place(found) == ("input", "", "MLP", "x")
    assert (found["elements"], found["row"]) == (2, 2)
    assert finding_of(recording).cause == "input"
    assert "the batch itself held 2 numbers that are not finite: argument `x`, row 2." in said(recording)


def test_a_weight_that_was_set_to_nan():
    model = CNN(None)

    def before(step, batch):
        if step == STEP:
            with torch.no_grad():
                model.block.inner[0].weight[0, 0] = math.nan

    recording = train(model, before=before)
    assert place(origin(recording)) == ("weights", "block.inner.0", "Linear", "block.inner.0.weight")
    assert finding_of(recording).layers[0] == "block.inner.0"


def test_weights_that_exploded():
    model = LSTM(None)

    def before(step, batch):
        if step == STEP:
            with torch.no_grad():
                model.head.weight.fill_(3e38)

    recording = train(model, before=before)
    assert place(origin(recording)) == ("forward", "head", "Linear", "linear")
    assert finding_of(recording).cause == "overflow"


def bce(model, batch, target):
    p = torch.sigmoid(model(batch) * 1e4)
    return -(torch.log(p) + torch.log(1 - p)).mean()


def test_a_loss_that_takes_a_logarithm_of_0():
    recording = train(MLP(None), loss_of=bce)
    found = origin(recording, step=0)
    assert (found["where"], found["operation"], found["inputs"]) == ("loss", "log", ["0"])
    assert "the loss behind it was not, in `log` where it was given 0." in said(recording)


@pytest.mark.parametrize(
    ("loss_of", "operation"),
    [
        (lambda model, x, y: ((model(x) - y) * 0).sum() / torch.zeros(5).sum(), "div"),
        (lambda model, x, y: (model(x) - y)[torch.zeros(5, 1).bool()].mean(), "mean"),
        (lambda model, x, y: F.cross_entropy(torch.cat([model(x), y], 1), torch.full((5,), -100)), "cross_entropy"),
        (lambda model, x, y: F.mse_loss(model(x), y * math.nan), "mse_loss"),
        (lambda model, x, y: torch.exp(model(x) + 1000).sum(), "exp"),
    ],
)
def test_a_loss_that_leaves_the_numbers(loss_of, operation):
    found = origin(train(MLP(None), loss_of=loss_of), step=0)
    assert place(found) == ("loss", "", "", operation)


def test_a_loss_whose_slope_alone_is_not_finite():
    """The distance of two equal outputs: the root at 0, behind the model."""
    recording = train(MLP(None), loss_of=lambda model, x, y: (model(x).mul(0) ** 2).sum(1).sqrt().sum())
    found = origin(recording, step=0)
    assert (found["where"], found.get("slope")) == ("loss", True)
    assert "the slope of the loss was not" in said(recording)


def test_a_mask_that_meets_its_target_is_the_loss():
    """Infinities in the output that are meant: what a policy must not do."""

    class Policy(MLP):
        def __init__(self):
            super().__init__(None)
            self.head = nn.Linear(8, 3)

        def forward(self, x):
            return super().forward(x).masked_fill(torch.tensor([False, False, True]), -INF)

    found = origin(train(Policy(), loss_of=lambda m, x, y: F.cross_entropy(m(x), torch.full((5,), 2))), step=0)
    assert (found["where"], found["operation"]) == ("loss", "cross_entropy")


# -- attention of PyTorch's own


@pytest.mark.parametrize("where", ["module", "function", "float mask"])
def test_attention_to_nothing(where):
    class Attention(MLP):
        def __init__(self):
            super().__init__(None)
            self.attention = nn.MultiheadAttention(8, 2, dropout=0.1, batch_first=True)

        def forward(self, x):
            h = self.stem(x)[:, None].expand(5, 3, 8)
            mask = torch.zeros(5, 3).bool()
            mask[1] = True
            if where == "function":
                attended = F.scaled_dot_product_attention(h, h, h, ~mask[:, None].expand(5, 3, 3))
                attended = attended + (h[..., :1].masked_fill(mask[..., None], -INF).softmax(1))
            else:
                given = torch.zeros(5, 3).masked_fill(mask, -INF) if where == "float mask" else mask
                attended, _ = self.attention(h, h, h, key_padding_mask=given)
            return self.head(attended[:, 0])

    recording = train(Attention())
    found = origin(recording, step=0)
    expected = {
        "module": ("forward", "attention", "MultiheadAttention", "multi_head_attention_forward"),
        "float mask": ("forward", "attention", "MultiheadAttention", "multi_head_attention_forward"),
        "function": ("forward", "", "Attention", "softmax"),
    }
    assert place(found) == expected[where]
    assert finding_of(recording).cause == "masked row"


# -- what cannot be known is not guessed


def why(recording, step=STEP):
    found = origin(recording, step)
    assert place(found) == ("unknown", "", "", "")
    finding = finding_of(recording)
    assert finding.cause == "not localised"
    assert f"is not localised: {found['why']}" in said(recording)
    return found["why"]


def test_a_hook_of_the_users_that_makes_nan():
    class Hooked(Fault):
        def forward(self, h):
            if self.on:
                h = h * 1
                h.register_hook(lambda gradient: gradient * math.nan)
            return h

    model = MLP(None)
    model.block.inner[2] = Hooked(None)
    assert why(train(model, before=switch(model))).startswith("the model sets hooks on its tensors")


def test_a_backward_hook_on_a_module():
    model = MLP(None)
    model.head.register_full_backward_hook(lambda module, into, out: (into[0] * math.nan,))
    assert why(train(model), step=0).startswith("hooks on the model's modules see")


def test_a_forward_hook_of_the_users_is_left_out():
    model, calls = MLP(None), []

    def spoil(module, args, output):
        calls.append(1)
        return output * math.nan if len(calls) == STEP + 1 else None

    model.stem.register_forward_hook(spoil)
    assert why(train(model)) == "the model gave another output when the batch was run again"
    assert len(calls) == 5  # once a step: the replay is not seen


def test_a_batch_that_was_changed_in_place():
    model = MLP(FAULTS["log 0"][0])
    recording = train(model, before=switch(model), after=lambda step, batch: batch.zero_())
    assert why(recording).startswith("the batch was changed in place")


def test_an_output_that_was_changed_in_place():
    def loss_of(model, x, y):
        return F.mse_loss(model(x).mul_(math.nan), y)

    assert why(train(MLP(None), loss_of=loss_of), step=0) == "the model's output was changed in place"


def test_a_model_that_cannot_be_copied():
    model = MLP(FAULTS["log 0"][0])
    model.lock = __import__("threading").Lock()
    assert "cannot be copied (TypeError" in why(train(model, before=switch(model)))


def test_random_numbers_of_python_are_not_held():
    import random

    model = MLP(lambda h: h.log() * random.random())
    state = random.getstate()
    assert why(train(model, before=switch(model))).startswith("the model draws random numbers from Python")
    random.setstate(state)


def test_state_that_is_kept_outside_of_buffers():
    class Carries(Fault):
        state = 0.0

        def forward(self, h):
            h = h + self.state
            self.state = (h.detach() * math.nan).mean() if self.on else 0.0
            return h

    model = MLP(None)
    model.block.inner[2] = Carries(None)
    assert "keeps outside of its buffers" in why(train(model, before=switch(model)), step=STEP + 1)


def test_a_fault_that_is_gone_when_the_batch_is_run_again():
    class Counting(Fault):
        calls = 0

        def forward(self, h):
            self.calls += 1
            return h.mul(math.nan) if self.calls == STEP + 1 else h

    model = MLP(None)
    model.block.inner[2] = Counting(None)
    assert why(train(model)) == "the model gave another output when the batch was run again"


def test_an_output_too_large_for_its_gradient_to_be_held():
    class Wide(MLP):
        def forward(self, x):
            return super().forward(x).expand(5, 1 << 19)

    def loss_of(model, x, y):
        return (model(x) * 0).sum().mul(2)

    model = Wide(FAULTS["slope of a root at 0"][0])
    found = origin(train(model, before=switch(model), loss_of=loss_of))
    assert place(found) == ("backward", "block.inner.2", "Fault", "sqrt")
    model = Wide(FAULTS["log 0"][0])
    assert place(origin(train(model, before=switch(model), loss_of=loss_of)))[:2] == ("forward", "block.inner.2")
    found = origin(train(Wide(None), loss_of=lambda model, x, y: model(x).mean() * math.nan), step=0)
    assert found["where"] == "loss"


def test_an_auxiliary_loss_that_the_model_keeps_for_itself():
    class Auxiliary(Fault):
        def forward(self, h):
            self.extra = torch.log(h * 0).mean() if self.on else h.mean()
            return h

    model = MLP(None)
    model.block.inner[2] = Auxiliary(None)

    def loss_of(model, x, y):
        return F.mse_loss(model(x), y) + model.block.inner[2].extra

    assert "arose in block.inner.2" in why(train(model, before=switch(model), loss_of=loss_of))


# -- the training is left alone


class Recurrent(MLP):
    """Keeps statistics, draws random numbers, normalises its weights as it runs."""

    def __init__(self, fault):
        super().__init__(fault)
        self.table = nn.Embedding(11, 8, max_norm=0.7)
        self.norm = nn.utils.parametrizations.spectral_norm(nn.Linear(8, 8))
        self.register_buffer("mean", torch.zeros(8))

    def forward(self, x):
        h = self.stem(x) + self.table((x[:, 0].abs() * 3).long()) + self.norm(torch.randn(5, 8))
        with torch.no_grad():
            self.mean.lerp_(h.mean(0), 0.1)
        return self.head(self.block(h - self.mean))


@pytest.mark.parametrize("fault", ["log 0", "attention, one row masked", "slope of a root at 0", "inf - inf"])
def test_the_training_goes_through_a_failure_bit_by_bit(fault):
    def run(watched):
        torch.manual_seed(7)
        model = Recurrent(FAULTS[fault][0])
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        states = []
        with tc.watch(model, optimizer, on_finding=nothing) if watched else contextlib.nullcontext() as watch:
            for step in range(6):
                switch(model)(step, None)
                x = torch.randn(5, 6)
                optimizer.zero_grad()
                loss = model(x).square().mean()
                loss.backward()
                optimizer.step()
                states.append([loss.detach(), *model.state_dict().values(), torch.get_rng_state()])
                states[-1] = [value.clone().view(-1).view(torch.uint8) for value in states[-1]]
        return states, watch

    bare, _ = run(watched=False)
    watched, watch = run(watched=True)
    for one, other in zip(bare, watched, strict=True):
        assert all(map(torch.equal, one, other))
    found = origin(watch.recording)
    assert (found["where"], found["module"]) == (FAULTS[fault][1], "block.inner.2")  # spectral norm's vectors came back


def test_hooks_of_all_modules_do_not_see_the_replay():
    model, calls = MLP(FAULTS["log 0"][0]), []
    handle = torch.nn.modules.module.register_module_forward_hook(lambda module, args, output: calls.append(module))
    train(model, before=switch(model))
    handle.remove()
    assert calls.count(model.head) == calls.count(model) == 5
    assert set(calls) <= set(model.modules())


# -- told at the step, stopped at the step


@pytest.mark.parametrize("fault", ["log 0", "slope of a root at 0"])
def test_told_at_its_step(fault):
    model = MLP(FAULTS[fault][0])
    told, steps = [], []
    train(model, before=lambda step, batch: (switch(model)(step, batch), steps.append(step)),
          on_finding=lambda finding: told.append((finding, steps[-1])))  # fmt: skip
    ((finding, step),) = told
    assert (step, finding.problem, finding.steps, finding.layers[0]) == (
        STEP,
        "non-finite",
        (STEP, STEP),
        "block.inner.2",
    )
    assert finding.cause == ("backward" if "slope" in fault else "operation")


@pytest.mark.parametrize("fault", ["log 0", "slope of a root at 0"])
@pytest.mark.parametrize("every", [1, 1000])
def test_stopped_before_the_weights_are_spoiled(fault, every, tmp_path):
    model = CNN(FAULTS[fault][0])
    before = {}

    def keep(step, batch):
        before.update({name: value.clone() for name, value in model.named_parameters()})

    with pytest.raises(tc.TrainingStoppedError) as stopped:
        train(
            model, before=switch(model), after=keep, stop_on=("non-finite",), path=tmp_path / "run.clinic", every=every
        )
    assert str(stopped.value).startswith("non-finite: At step 3 (batch 3) ")
    assert "in `block.inner.2`" in str(stopped.value)
    assert stopped.value.finding.layers[0] == "block.inner.2"
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())
    recording = tc.load(tmp_path / "run.clinic")
    assert recording.ended == f"stopped: {stopped.value}"
    assert recording.steps == STEP + 1
    assert [finding.problem for finding in tc.diagnose(recording).problems] == ["non-finite"]
    again = pickle.loads(pickle.dumps(stopped.value))
    assert (str(again), repr(again.finding)) == (str(stopped.value), repr(stopped.value.finding))


def test_a_training_that_goes_on_after_it_was_stopped():
    model = MLP(FAULTS["log 0"][0])
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    stopped = 0
    with tc.watch(model, optimizer, stop_on=["non-finite"]) as watch:
        for step in range(8):
            switch(model)(step, None)
            optimizer.zero_grad()
            try:
                F.mse_loss(model(model.batch()), torch.zeros(5, 1)).backward()
                optimizer.step()
            except tc.TrainingStoppedError:
                stopped += 1
                switch(model, at=100)(0, None)
                break
        for _ in range(3):
            optimizer.zero_grad()
            F.mse_loss(model(model.batch()), torch.zeros(5, 1)).backward()
            optimizer.step()
    assert (stopped, watch.recording.steps, watch.recording.ended) == (1, STEP + 4, "completed")
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_what_on_finding_raises_is_the_users():
    model = MLP(FAULTS["log 0"][0])

    def refuse(finding):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        train(model, before=switch(model), on_finding=refuse)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stop_on": ("overfitting",)}, r"decided within a step \(non-finite\), got overfitting"),
        ({"stop_on": "nothing"}, "got nothing"),
        ({"on_finding": 3}, "on_finding: expected a function of a Finding, got int"),
    ],
)
def test_what_cannot_be_told_is_refused(options, message):
    model = MLP(None)
    with pytest.raises(tc.SetupError, match=message):
        tc.watch(model, torch.optim.SGD(model.parameters(), lr=1), **options)


def test_a_healthy_training_is_told_nothing():
    train(Transformer(None), stop_on=("non-finite",), on_finding=lambda finding: pytest.fail(str(finding)))


# -- other ways to train


def test_the_failing_one_of_several_passes():
    """A siamese network: two passes for one loss."""
    model = MLP(FAULTS["log 0"][0])

    def loss_of(model, x, y):
        first = model(x)
        model.block.inner[2].on = True
        return F.mse_loss(first, model(x + 1))

    found = origin(train(model, loss_of=loss_of), step=0, batch=1)
    assert place(found) == ("forward", "block.inner.2", "Fault", "log")


@pytest.mark.parametrize("fault", ["log 0", "slope of a root at 0"])
def test_gradients_that_are_accumulated(fault):
    model = MLP(FAULTS[fault][0])
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with tc.watch(model, optimizer) as watch:
        for _ in range(2):
            optimizer.zero_grad()
            for number in range(20):
                switch(model, at=13)(number, None)
                F.mse_loss(model(model.batch()), torch.zeros(5, 1)).backward()
                assert len(watch._finite.held.passes) <= (1 if number < 13 else 8)
            optimizer.step()
    found = origin(watch.recording, step=0, batch=13)
    assert place(found)[:3] == (FAULTS[fault][1], "block.inner.2", "Fault")


def test_a_closure_that_fails_at_its_start():
    model = MLP(FAULTS["log 0"][0])
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)
    stopped = None
    with tc.watch(model, optimizer, stop_on=("non-finite",)) as watch:

        def closure():
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), torch.zeros(5, 1))
            loss.backward()
            return loss

        try:
            for step in range(5):
                switch(model)(step, None)
                x = model.batch()
                optimizer.step(closure)
        except tc.TrainingStoppedError as error:
            stopped = error
    assert stopped is not None
    assert place(watch.recording.facts["non_finite"]["origin"]) == ("forward", "block.inner.2", "Fault", "log")
    assert watch.recording.facts["non_finite"]["step"] == STEP
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_in_half_precision_under_autocast():
    model = MLP(lambda h: h * 7e4)  # fits 32 bits, not 16

    def loss_of(model, x, y):
        with torch.autocast("cpu", torch.float16):
            return F.mse_loss(model(x * 10).float(), y)

    found = origin(train(model, before=switch(model), loss_of=loss_of))
    assert (found["where"], found["how"], found["dtype"]) == ("forward", "overflow", "float16")
    assert found["module"] in ("block.inner.2", "head")


def test_a_step_that_the_scaler_skips_is_no_failure():
    model = MLP(FAULTS["slope of a root at 0"][0])
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler("cpu")
    with tc.watch(model, optimizer, stop_on=("non-finite",)) as watch:
        for step in range(6):
            model.block.inner[2].on = step == STEP
            optimizer.zero_grad()
            scaler.scale(F.mse_loss(model(model.batch()), torch.zeros(5, 1))).backward()
            scaler.step(optimizer)
            scaler.update()
    assert watch.recording.facts["non_finite"] is None


def test_distributed_data_parallel_names_its_own_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # a process group leaves its own
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", world_size=1, rank=0)
    try:
        inner = MLP(FAULTS["slope of a root at 0"][0])
        model = nn.parallel.DistributedDataParallel(inner)
        model.batch = inner.batch
        found = origin(train(model, before=switch(inner)))
    finally:
        torch.distributed.destroy_process_group()
    assert place(found) == ("backward", "block.inner.2", "Fault", "sqrt")


def test_a_compiled_model_is_run_again_without_its_compiler():
    inner = MLP(FAULTS["log 0"][0])
    model = torch.compile(inner, backend="eager")
    model.batch = inner.batch
    found = origin(train(model, before=switch(inner)))
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    assert place(found) == ("forward", "block.inner.2", "Fault", "log")


def test_what_a_device_tells_after_the_update_is_not_localised():
    model = MLP(None)
    names, parameters = zip(*model.named_parameters(), strict=True)
    check = FiniteCheck(model, list(names), list(parameters))
    check.begin_pass((model.batch(),), {})
    check.before_step(4, None)
    check.after_step()
    check.finish_step(4, math.nan)
    assert (check.first["step"], check.first["what"]) == (4, "loss")
    assert check.first["origin"]["why"].startswith("on this device it is known only after the update")


def test_a_part_that_came_later():
    model = MLP(None)

    def before(step, batch):
        if step == 2:
            model.block.inner.append(Fault(FAULTS["log 0"][0]))
            model.block.inner.append(nn.BatchNorm1d(8))
        if step == STEP:
            model.block.inner[4].on = True

    found = origin(train(model, before=before, every=1))
    assert place(found) == ("forward", "block.inner.4", "Fault", "log")


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        ({"where": "forward", "module": "a", "how": "operation"}, "growth"),
        ({"where": "forward", "module": "a", "how": "overflow"}, "growth"),
        ({"where": "unknown", "why": "so"}, "growth"),
        ({"where": "forward", "module": "a", "how": "masked"}, "masked row"),
        ({"where": "input", "operation": "x", "elements": 1, "row": 0}, "input"),
    ],
)
def test_what_grew_before_is_the_cause_but_for_the_data_and_masks(found, cause):
    first = {"step": 6, "what": "loss", "loss": "nan", "gradients": [], "weights": [], "origin": found}
    file = ClinicFile(None)
    file.put("steps", 8)
    file.put("facts", {"non_finite": first})
    stream = file.stream("step")
    stream.column("loss")
    for step in range(6):
        stream.append(step, [10.0**step])
    (finding,) = NonFinite().find(file.close())
    assert finding.cause == cause
