"""A watch attaches, looks, and lets go without a trace, whatever happens in between."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import pickletools
import random
import subprocess
import sys
import types
import warnings

import numpy as np
import pytest
import torch
import torch.optim.optimizer as optimizer_hooks
from torch import nn
from torch.amp.grad_scaler import GradScaler
from torch.nn import functional as F
from torch.overrides import _get_current_function_mode_stack

import trainclinic as tc
from trainclinic.errors import RecordingError, SetupError, TrainclinicError
from trainclinic.measure import finite, intercept, journal, layers, parameters
from trainclinic.measure.hook import Hook
from trainclinic.measure.run import run
from trainclinic.measure.schedule import UnitWindows, default_schedule, every_step
from trainclinic.measure.signals import activation_rms
from trainclinic.setup import Setup

ORIGINALS = {"backward": torch.autograd.backward, **{name: getattr(F, name) for name in intercept.LOSSES}}
ORIGINALS["others"] = torch.compile, GradScaler.scale, GradScaler.step


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.act, self.out = nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)
        self.drop, self.fail = nn.Dropout(0.5), False

    def forward(self, x):
        h = self.drop(self.act(self.fc(x)))
        if self.fail:
            raise ValueError("forward failed")
        return torch.tanh(self.out(h))


def parts():
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), torch.randn(16, 4), torch.randint(3, (16,))


def steps(model, optimizer, x, y, count=3):
    for _ in range(count):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


def hooks_of(*objects):
    """Every hook of ours that hangs on a module or an optimizer."""
    return [
        hook
        for one in objects
        for owner in (one.modules() if isinstance(one, nn.Module) else [one])
        for name, table in vars(owner).items()
        if "hooks" in name and hasattr(table, "values")
        for hook in table.values()
        if isinstance(hook, Hook)
    ]


def assert_untouched(*objects):
    assert hooks_of(*objects) == []
    assert not _get_current_function_mode_stack()
    assert torch.autograd.backward is ORIGINALS["backward"]
    assert all(getattr(F, name) is ORIGINALS[name] for name in intercept.LOSSES)
    assert (torch.compile, GradScaler.scale, GradScaler.step) == ORIGINALS["others"]
    assert not optimizer_hooks._global_optimizer_pre_hooks
    assert not optimizer_hooks._global_optimizer_post_hooks
    assert not intercept._originals


# -- letting go


def test_nothing_is_left_after_closing():
    model, optimizer, x, y = parts()
    before = {name: len(table) for name, table in vars(model).items() if "hooks" in name and hasattr(table, "values")}
    with tc.watch(model, optimizer, nn.CrossEntropyLoss(), every=1) as watch:
        assert hooks_of(model, optimizer)
        steps(model, optimizer, x, y)
    assert_untouched(model, optimizer)
    assert {name: len(getattr(model, name)) for name in before} == before
    assert watch.close() is watch.recording
    steps(model, optimizer, x, y)
    assert watch.recording.steps == 3
    assert watch.recording.ended == "completed"


def test_between_looks_no_module_carries_a_hook():
    model, optimizer, x, y = parts()
    x, y = x.repeat(200, 1), y.repeat(200)  # enough samples for dead units in one step
    with tc.watch(model, optimizer, every=5):
        for step in range(11):
            inside = []
            handle = model.act.register_forward_pre_hook(
                lambda *_, seen=inside: seen.extend(hooks_of(model.fc) + _get_current_function_mode_stack())
            )
            steps(model, optimizer, x, y, count=1)
            handle.remove()
            assert bool(inside) == (step in (0, 3, 5, 6, 10)), step  # 3 and 6: for dead units
            assert not _get_current_function_mode_stack()


@pytest.mark.parametrize("where", ["forward", "loop", "backward", "optimizer"])
def test_an_exception_passes_through_and_nothing_is_left(where):
    model, optimizer, x, y = parts()

    def one():
        steps(model, optimizer, x, y, count=2)
        optimizer.zero_grad()
        model.fail = where == "forward"
        out = model(x)
        if where == "loop":
            raise ValueError("the loop failed")
        if where == "backward":
            out.backward()  # not a scalar: PyTorch's own error
        F.cross_entropy(out, y).backward()
        if where == "optimizer":
            optimizer.param_groups[0]["lr"] = "fast"
        optimizer.step()

    with pytest.raises((ValueError, RuntimeError, TypeError)) as raised, tc.watch(model, optimizer, every=1) as watch:
        one()
    assert_untouched(model, optimizer)
    assert watch.recording.ended == f"error: {type(raised.value).__name__}: {raised.value}"
    assert watch.recording.steps == 2
    assert len(watch.recording.series("gradient_rms", "fc")) == 2


def test_a_forward_that_failed_and_was_caught_does_not_stop_the_watch():
    model, optimizer, x, y = parts()
    with tc.watch(model, optimizer, every=1) as watch:
        steps(model, optimizer, x, y)
        model.fail = True
        with pytest.raises(ValueError, match="forward failed"):
            model(x)
        assert not _get_current_function_mode_stack()
        model.fail = False
        steps(model, optimizer, x, y)
    assert watch.recording.steps == len(watch.recording.series("backward_rms", "fc")) == 6


def test_keyboard_interrupt():
    model, optimizer, x, y = parts()
    watch = tc.watch(model, optimizer)

    def loop():
        with watch:
            steps(model, optimizer, x, y, count=4)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop()
    assert (watch.recording.ended, watch.recording.steps) == ("interrupted", 4)
    assert_untouched(model, optimizer)


def test_two_watches_at_once():
    model, optimizer, x, y = parts()
    other, other_optimizer, other_x, other_y = parts()
    alone = []
    for one, data in ((model, (x, y)), (other, (other_x, other_y))):
        twin = copy.deepcopy(one)
        twin_optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)
        twin.drop = one.drop = nn.Identity()
        with tc.watch(twin, twin_optimizer, every=1) as watch:
            steps(twin, twin_optimizer, *data)
        alone.append(watch.recording)
    with tc.watch(model, optimizer, every=1) as first:
        with tc.watch(other, other_optimizer, every=1) as second:
            for _ in range(3):
                steps(model, optimizer, x, y, count=1)
                steps(other, other_optimizer, other_x, other_y, count=1)
        assert hooks_of(model)
        assert not hooks_of(other)
        assert torch.autograd.backward is not ORIGINALS["backward"]
    assert_untouched(model, optimizer, other, other_optimizer)
    for watch, expected in ((first, alone[0]), (second, alone[1])):
        assert watch.recording._series.keys() == expected._series.keys()
        for key, series in expected._series.items():
            assert watch.recording.series(*key).values == pytest.approx(series.values), key


def test_two_watches_of_one_model():
    model, optimizer, x, y = parts()
    with tc.watch(model, optimizer, every=1) as first, tc.watch(model, optimizer, every=2) as second:
        steps(model, optimizer, x, y, count=4)
    assert len(first.recording.series("activation_rms", "tanh")) == 4
    assert len(second.recording.series("activation_rms", "tanh")) == 2
    assert_untouched(model, optimizer)


# -- copies


def test_copies_and_pickles_are_not_watched():
    model, optimizer, x, y = parts()
    copies, buffer = [], io.BytesIO()
    with tc.watch(model, optimizer, every=1) as watch:
        steps(model, optimizer, x, y)
        watched = len(watch.recording.series("loss"))
        model(x)  # the module hooks are set now
        copies += [copy.deepcopy(model), pickle.loads(pickle.dumps(model)), copy.deepcopy((model, optimizer))[0]]
        copies += [torch.optim.swa_utils.AveragedModel(model).module]
        torch.save(model, buffer)
        words = {argument for _, argument, _ in pickletools.genops(pickle.dumps((model, optimizer)))}
        for one in copies:
            assert not hooks_of(one)
            steps(one, torch.optim.SGD(one.parameters(), lr=0.1), x, y, count=2)
        assert watch.step == watched == 3
    assert not any("trainclinic" in str(word) for word in words)
    buffer.seek(0)
    loaded = torch.load(buffer, weights_only=False)
    assert not hooks_of(loaded)
    assert torch.equal(loaded.eval()(x), model.eval()(x))


def test_a_pickle_of_a_watched_model_loads_without_trainclinic(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with tc.watch(model, optimizer, every=1):
        model(torch.ones(1, 2)).sum().backward()
        torch.save(model, tmp_path / "model.pt")
    code = (
        f"import sys, torch; sys.modules['trainclinic'] = None; m = torch.load({str(tmp_path / 'model.pt')!r}, "
        "weights_only=False); m(torch.ones(1, 2)).sum().backward(); print(m[0].weight.grad is not None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr


# -- errors


def misuse():
    model = nn.Linear(2, 2)
    own = torch.optim.SGD(model.parameters(), lr=0.1)
    other = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted = torch.jit.script(model)
    return {
        "not a module": ((lambda x: x, own), {}, "model: expected a torch.nn.Module, got function"),
        "a class": ((nn.Linear, own), {}, "model: expected a torch.nn.Module, got type"),
        "no parameters": ((nn.ReLU(), own), {}, "model: expected a module with parameters, ReLU has none"),
        "other optimizer": ((model, other), {}, "optimizer: expected one that holds parameters of the model"),
        "one of two": ((model, [own, other]), {}, "optimizer: expected one that holds parameters of the model"),
        "no optimizer": ((model, []), {}, "optimizer: expected a torch.optim.Optimizer or a list"),
        "not an optimizer": ((model, model.parameters()), {}, "optimizer: expected a torch.optim.Optimizer"),
        "a list with another thing": ((model, [own, 3]), {}, "optimizer: expected a torch.optim.Optimizer, got int"),
        "scripted": ((scripted, own), {}, "model: expected a module that takes hooks, got a Recursive"),
        "every 0": ((model, own), {"every": 0}, "every: expected a whole number of steps of at least 1"),
        "every 1.5": ((model, own), {"every": 1.5}, "every: expected a whole number of steps of at least 1"),
    }


@pytest.mark.parametrize("what", list(misuse()))
def test_misuse_is_refused_in_words(what, tmp_path):
    args, settings, message = misuse()[what]
    path = tmp_path / "run.clinic"
    with pytest.raises(SetupError) as raised:
        tc.watch(*args, path=path, **settings)
    assert message in str(raised.value)
    assert ";" in str(raised.value), "says what to do next"
    assert isinstance(raised.value, TrainclinicError)
    assert not path.exists()
    assert_untouched()


@pytest.mark.parametrize("what", ["missing folder", "a folder", "a text file", "another database"])
def test_a_path_that_cannot_be_recorded_to_is_refused(what, tmp_path):
    model, optimizer, *_ = parts()
    path = tmp_path / "run.clinic"
    if what == "missing folder":
        path = tmp_path / "nowhere" / "run.clinic"
    elif what == "a folder":
        path.mkdir()
    elif what == "a text file":
        path.write_text("precious")
    else:
        import sqlite3

        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE experiments (name TEXT)")
        database.close()
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(RecordingError, match=r"run.clinic: ") as raised:
        tc.watch(model, optimizer, path=path)
    assert "choose" in str(raised.value)
    assert before is None or path.read_bytes() == before
    assert_untouched(model, optimizer)


def test_an_older_recording_is_replaced(tmp_path):
    model, optimizer, x, y = parts()
    for count in (3, 2):
        with tc.watch(model, optimizer, path=tmp_path / "run.clinic"):
            steps(model, optimizer, x, y, count)
    assert tc.load(tmp_path / "run.clinic").steps == 2
    assert [file.name for file in tmp_path.iterdir()] == ["run.clinic"]


def test_a_run_without_a_step():
    def make(seed):
        model = nn.Linear(2, 1)
        return Setup(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.1), [])

    with pytest.raises(SetupError, match=r"make: expected a training that makes optimizer steps, got none"):
        run(make)
    model, optimizer, x, _ = parts()
    with tc.watch(model, optimizer) as watch:
        model(x)
    assert watch.recording.steps == 0
    assert not watch.recording.series("loss")


# -- what is a training step, and what is an evaluation


def test_evaluation_between_steps_is_validation_not_training():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.randn(64, 4), torch.randint(3, (64,))
    val_x, val_y = torch.randn(50, 4), torch.randint(3, (50,))
    expected, rms = [], []
    with tc.watch(model, optimizer, every=1) as watch:
        for _ in range(2):
            model.train()
            for _ in range(3):
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                rms.append(float(model[3].weight.grad.square().mean().sqrt()))
                optimizer.step()
            model.eval()
            with torch.no_grad():
                for part in (slice(0, 40), slice(40, 50)):  # unequal batches: the mean is over samples
                    F.cross_entropy(model(val_x[part]), val_y[part])
                out = model(val_x)
            expected.append((F.cross_entropy(out, val_y).item(), (out.argmax(1) == val_y).float().mean().item()))
    r = watch.recording
    assert r.steps == len(r.series("activation_rms", "0")) == 6
    assert r.series("gradient_rms", "3").values == pytest.approx(rms, rel=1e-5)
    assert r.series("validation_loss").steps.tolist() == [3, 6]
    assert (
        pytest.approx(np.array([r.series(f"validation_{name}").values for name in ("loss", "accuracy")]), rel=1e-5)
        == np.array(expected).T
    )
    assert r.facts["modes"]["passes"] == {"train": 6, "eval": 0}
    assert r.facts["modes"]["evaluations"] == {"train": 0, "eval": 6}
    dropout = {"name": "2", "kind": "Dropout", "eval_looks": 0, "trainable": False, "dropout": 0.5}
    assert r.facts["modes"]["sensitive"] == [dropout]


@pytest.mark.parametrize("loss", ["mse_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_validation_of_regression_and_of_two_classes(loss):
    model = nn.Sequential(nn.Linear(4, 1), *([nn.Sigmoid()] if loss == "binary_cross_entropy" else []))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.randn(30, 4), torch.randn(30, 1)
    y = y if loss == "mse_loss" else (y > 0).float()
    function = getattr(F, loss)
    with tc.watch(model, optimizer) as watch:
        optimizer.zero_grad()
        getattr(F, loss)(model(x), y).backward()
        optimizer.step()
        with torch.no_grad():
            for i in range(0, 30, 7):
                getattr(F, loss)(model(x[i : i + 7]), y[i : i + 7])
    with torch.no_grad():
        out = model(x)
    r = watch.recording
    assert r.series("validation_loss").values == pytest.approx([function(out, y).item()], rel=1e-5)
    if loss == "mse_loss":
        r2 = 1 - ((out - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
        assert r.series("validation_r2").values == pytest.approx([r2.item()], rel=1e-4)
    else:
        border = 0.5 if loss == "binary_cross_entropy" else 0.0
        right = ((out > border) == (y > 0.5)).float().mean()
        assert r.series("validation_accuracy").values == pytest.approx([right.item()])


def test_what_the_user_tells_takes_the_place_of_what_is_recognised():
    model, optimizer, x, y = parts()
    with tc.watch(model, optimizer) as watch:
        steps(model, optimizer, x, y)
        with torch.no_grad():
            F.cross_entropy(model(x), y)
        watch.validate(loss=0.25, accuracy=torch.tensor(0.75), f1=0.5)
        steps(model, optimizer, x, y)
        with torch.no_grad():
            F.cross_entropy(model(x), y)
    r = watch.recording
    told = {name: r.series(name).values.tolist() for name in r.signals if name.startswith("validation")}
    assert told == {"validation_loss": [0.25], "validation_accuracy": [0.75], "validation_f1": [0.5]}
    assert r.series("validation_f1").steps.tolist() == [3]


def test_evaluation_and_training_modes_at_each_forward():
    model, optimizer, x, y = parts()
    model.eval()
    with tc.watch(model, optimizer, every=1) as watch:
        steps(model, optimizer, x, y, count=2)
        model.train()
        steps(model, optimizer, x, y, count=3)
        with torch.no_grad():
            model(x)
        model.eval()
        with torch.inference_mode():
            model(x)
    assert watch.recording.series("training_mode").values.tolist() == [0, 0, 1, 1, 1]
    modes = watch.recording.facts["modes"]
    assert (modes["passes"], modes["evaluations"]) == ({"train": 3, "eval": 2}, {"train": 1, "eval": 1})
    assert modes["sensitive"][0]["eval_looks"] == 2


# -- when it looks


def test_sampling_schedule():
    looks = [0]
    while looks[-1] < 20_000:
        looks.append(default_schedule(looks[-1]))
    assert looks[:16] == [*range(11), 12, 14, 16, 19, 22]
    gaps = np.diff(looks)
    assert (np.diff(gaps) >= 0).all()
    assert gaps.max() == 200
    assert sum(step < 1000 for step in looks) == 37
    assert all(gap <= max(1, step // 5) for step, gap in zip(looks, gaps, strict=False))
    assert every_step(3)(6) == 9


def test_unit_windows_grow_apart():
    windows, opened = UnitWindows(), []
    for step in range(30_000):
        if windows.update(step):
            opened.append(step)
            if len(opened) % 4 == 0:  # a window of four steps has seen enough
                windows.finish(step)
    begins = opened[::4]
    assert [opened[i : i + 4] for i in range(0, 12, 4)] == [[0, 1, 2, 3], [15, 16, 17, 18], [36, 37, 38, 39]]
    assert max(np.diff(begins)) <= 2000 + 4
    assert len(opened) < 0.01 * 30_000


def test_default_schedule_measures_the_cosine_at_every_look():
    model, optimizer, x, y = parts()
    with tc.watch(model, optimizer) as watch:
        previous, expected = None, []
        for _ in range(60):
            steps(model, optimizer, x, y, count=1)
            now = model.fc.weight.grad.flatten().double()
            expected.append(float(now @ previous / now.norm() / previous.norm()) if previous is not None else None)
            previous = now.clone()
    r = watch.recording
    looks, cosine = r.series("gradient_rms", "fc").steps, r.series("gradient_cosine", "fc")
    assert cosine.steps.tolist() == looks[1:].tolist()
    assert cosine.values == pytest.approx([expected[step] for step in cosine.steps], abs=1e-5)
    assert r.series("loss").steps.tolist() == list(range(60))


# -- nothing grows, nothing is kept


def held_by(root):
    """Number of objects, and their bytes, that can be reached from `root`, but for code."""
    queue, seen, size = [root], {}, 0
    while queue:
        one = queue.pop()
        if id(one) in seen or isinstance(one, type | types.ModuleType | types.FunctionType | types.BuiltinFunctionType):
            continue
        seen[id(one)] = one
        size += sys.getsizeof(one)
        queue.extend(gc.get_referents(one))
    return len(seen), size


def test_memory_does_not_grow_with_the_run(tmp_path):
    """Between step 500 and 3,000 a watch that looks at every third step holds no more; the file grows instead."""
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.randn(4, 2), torch.randn(4, 1)
    held, size, path = [], [], tmp_path / "run.clinic"

    def train(count):
        for _ in range(count):
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
        with torch.no_grad():
            F.mse_loss(model(x), y)
        watch._write_down()
        watch._journal.file.flush()
        held.append(held_by(watch))
        size.append(sum(file.stat().st_size for file in tmp_path.iterdir()))

    with tc.watch(model, optimizer, path=path, every=3) as watch:
        train(500)
        train(2500)
    assert held[1][0] - held[0][0] < 400, "objects; sqlite3 keeps up to 200 weak references to cursors"
    assert held[1][1] - held[0][1] < 150_000, "bytes; one block of each stream is held"
    assert size[1] > size[0]
    assert len(tc.load(path).series("loss")) == 3000


def test_closing_lets_the_model_go():
    import weakref

    model, optimizer, x, y = parts()
    watch = tc.watch(model, optimizer, every=1)
    steps(model, optimizer, x, y)
    watch.close()
    alive = weakref.ref(model.fc.weight)
    del model, optimizer, watch
    gc.collect()
    assert alive() is None


def test_a_disk_that_fails_ends_the_recording_and_not_the_training():
    model, optimizer, x, y = parts()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with tc.watch(model, optimizer, every=1) as watch:
            steps(model, optimizer, x, y)
            watch._journal.file._place.connection.set_authorizer(lambda *_: 1)  # every statement fails from here on
            watch._journal.file.flush()
            steps(model, optimizer, x, y)
            watch._journal.file.flush()
            watch._journal.file._place.connection.set_authorizer(None)
    assert ["the training goes on" in str(warning.message) for warning in seen] == [True]


def test_generators_and_arithmetic_are_not_touched():
    def arm(watched):
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv1d(4, 8, 3, padding=1), nn.BatchNorm1d(8), nn.GELU(), nn.Dropout(0.3), nn.Flatten()
        )
        model.append(nn.Linear(40, 12))
        model.append(nn.TransformerEncoderLayer(12, 2, 16, dropout=0.2, batch_first=True))
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        x, y = torch.randn(16, 4, 5), torch.randn(16, 12)
        watch = tc.watch(model, optimizer, every=1) if watched else None
        for _ in range(5):
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
        if watch:
            watch.close()
        state = [random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()]  # noqa: NPY002
        return state, {name: value.clone() for name, value in model.state_dict().items()}

    (bare_state, bare), (state, weights) = arm(False), arm(True)
    assert state == bare_state
    assert all(torch.equal(weights[name], bare[name]) for name in bare)


# -- an error of ours


@pytest.mark.parametrize(
    "broken", ["layers.norm", "layers.setting_of", "parameters.norms", "journal.loss_graph", "finite.math"]
)
def test_an_error_of_ours_ends_the_watch_and_not_the_training(broken, monkeypatch, tmp_path):
    module, name = broken.split(".")
    if module == "layers":
        target, name = (activation_rms, "norm") if name == "norm" else (layers, name)
    else:
        target = {"parameters": parameters, "journal": journal, "finite": finite}[module]

    def run(watched):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        watch = tc.watch(model, optimizer, path=tmp_path / "run.clinic", every=1) if watched else None
        for step in range(4):
            if watched and step == 2:
                monkeypatch.setattr(target, name, None)  # calling it, or asking it for anything, raises
            optimizer.zero_grad()
            F.cross_entropy(model(torch.randn(16, 4)), torch.randint(2, (16,))).backward()
            optimizer.step()
        return model, watch

    bare, _ = run(False)
    if broken == "journal.loss_graph":  # looked at once only: let it look again
        monkeypatch.setattr(journal.loss_graph, "describe", lambda loss: [])
    with pytest.warns(RuntimeWarning, match="stopped watching at step 2 .*the training goes on"):
        model, watch = run(True)
    for one, other in zip(bare.parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other)
    monkeypatch.undo()
    assert "watched until step 2" in watch.close().ended
    assert not model._forward_pre_hooks
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in model.modules())
    assert torch.autograd.backward.__module__ == "torch.autograd"
    assert tc.load(tmp_path / "run.clinic").steps == 2


# -- compiled models: what the shadow must leave alone


class WritesItsWeights(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.out = nn.Embedding(20, 4, max_norm=0.5), nn.Linear(4, 3)

    def forward(self, x):
        with torch.no_grad():
            self.out.weight.mul_(0.9)
        return self.out(self.words(x).mean(1))


def test_a_forward_that_writes_its_weights_writes_them_once():
    def arm(watched):
        torch.manual_seed(0)
        torch._dynamo.reset()
        model = WritesItsWeights()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        call = torch.compile(model, backend="eager")
        watch = tc.watch(model, optimizer, every=1) if watched else None
        steps(call, optimizer, torch.randint(20, (16, 5)), torch.randint(3, (16,)))
        return model.state_dict(), watch and watch.close()

    (bare, _), (watched, recording) = arm(False), arm(True)
    assert all(torch.equal(watched[name], bare[name]) for name in bare)
    assert len(recording.series("backward_rms", "out")) == 3, recording.facts["layers_not_seen"]


def test_a_cross_entropy_with_soft_targets_is_watched_to_its_end():
    """It ends in a division by a number, which has one operand in the graph."""
    model, x = nn.Linear(4, 3), torch.randn(8, 4)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with tc.watch(model, optimizer) as watch:
        for _ in range(3):
            nn.CrossEntropyLoss()(model(x), torch.softmax(torch.randn(8, 3), 1)).backward()
            optimizer.step()
            optimizer.zero_grad()
    assert watch.recording.ended == "completed"
    assert len(watch.recording.series("loss")) == 3
