"""An unmodified script runs watched as it runs alone: its arguments, streams, exit code, pickles and tracebacks."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import traceback

import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters

from trainclinic.clinic_reader import load
from trainclinic.errors import ScriptError
from trainclinic.measure.script import run_script
from trainclinic.watching import live

HEAD = """
    import torch, sys
    from torch import nn
    from torch.nn import functional as F
"""
TRAIN = """
    def train(steps=3, width=2):
        model = nn.Sequential(nn.Linear(width, 4), nn.ReLU(), nn.Linear(4, 1))
        optimizer = make_optimizer(model)
        for _ in range(steps):
            optimizer.zero_grad()
            F.mse_loss(model(torch.ones(5, width)), torch.ones(5, 1)).backward()
            optimizer.step()
        return model

    def make_optimizer(model):
        return torch.optim.SGD(model.parameters(), lr=0.1)
"""


@pytest.fixture
def script(tmp_path):
    def write(body, head=HEAD + TRAIN):
        path = tmp_path / "train.py"
        path.write_text(textwrap.dedent(head) + textwrap.dedent(body))
        return path

    return write


@pytest.fixture
def watched(script, tmp_path):
    def go(body, *args, head=HEAD + TRAIN, every=1):
        return run_script(script(body, head), args, folder=tmp_path / "out", every=every)

    return go


def test_a_script_that_makes_its_optimizer_in_a_function(watched, tmp_path, capsys):
    before = sys.argv, list(sys.path), sys.modules["__main__"], torch.optim.Optimizer.__init__
    result = watched("print(sys.argv[1:], __name__); train(steps=int(sys.argv[2]))", "--steps", "7")
    assert (sys.argv, sys.path, sys.modules["__main__"], torch.optim.Optimizer.__init__) == before
    assert (result.exit_code, result.missed, len(result.recordings)) == (0, "", 1)
    (recording,) = result.recordings
    assert (recording.ended, recording.steps) == ("completed", 7)
    assert len(recording.series("loss")) == len(recording.series("gradient_rms", "2")) == 7
    assert len(recording.series("backward_rms", "0")) == 7, "the first step as well"
    assert load(tmp_path / "out" / "train.clinic").steps == 7
    streams = capsys.readouterr()
    assert (streams.out, streams.err) == ("['--steps', '7'] __main__\n", "")


@pytest.mark.parametrize(
    ("ending", "code", "ended"),
    [
        ("", 0, "completed"),
        ("sys.exit()", 0, "completed"),
        ("sys.exit(0)", 0, "completed"),
        ("sys.exit(3)", 3, "exit code 3"),
        ("sys.exit('no data')", 1, "exit code 1"),
        ("raise ValueError('bad batch')", 1, "error: ValueError: bad batch"),
        ("raise KeyboardInterrupt", 130, "interrupted"),
    ],
)
def test_exit_codes(watched, capsys, ending, code, ended):
    result = watched(f"train(steps=4)\n{ending}\n")
    assert (result.exit_code, result.recordings[0].ended) == (code, ended)
    assert result.recordings[0].steps == 4, "what was seen until then"
    streams = capsys.readouterr()
    assert streams.out == ""
    assert (streams.err == "no data\n") == ("no data" in ending)


FAILURES = {
    "in the loop": "train()\nraise ValueError('bad')",
    "in the forward": """
        class Bad(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(2, 2)
            def forward(self, x):
                return F.relu(self.fc(x).view(3, 3))
        bad = Bad()
        optimizer = torch.optim.SGD(bad.parameters(), lr=0.1)
        bad(torch.ones(1, 2))
    """,
    "in a loss": """
        model = nn.Linear(2, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        F.cross_entropy(model(torch.ones(1, 2)), torch.tensor([7]))
    """,
    "in backward": """
        model = nn.Linear(2, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        model(torch.ones(1, 2)).backward()
    """,
    "in an activation": """
        class Bad(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(2, 2)
            def forward(self, x):
                return F.elu(self.fc(x), "much")
        bad = Bad()
        optimizer = torch.optim.SGD(bad.parameters(), lr=0.1)
        bad(torch.ones(1, 2))
    """,
    "in making the optimizer": "torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=-1)",
    "in optimizer.step": """
        model = nn.Linear(2, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        model(torch.ones(1, 2)).sum().backward()
        optimizer.param_groups[0]["lr"] = "fast"
        optimizer.step()
    """,
    "while handling another": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('bad') from e",
}


@pytest.mark.parametrize("where", list(FAILURES))
def test_the_traceback_is_the_one_python_gives(where, script, watched, capsys):
    result = watched(FAILURES[where])
    assert result.exit_code == 1
    shown, path = capsys.readouterr().err, script(FAILURES[where])
    with pytest.raises(Exception) as alone:  # noqa: PT011
        exec(compile(path.read_text(), str(path), "exec", dont_inherit=True), {"__name__": "__main__"})
    error = alone.value
    assert without_torch(shown) == without_torch(
        "".join(traceback.format_exception(type(error), error, error.__traceback__.tb_next))
    )
    assert "trainclinic" not in shown


def without_torch(text):
    """Without torch's own frames: where anybody listens it takes another way to the same error."""
    kept, skipping = [], False
    for line in text.splitlines():
        skipping = "site-packages/torch/" in line or (skipping and line.startswith("    "))
        if not skipping:
            kept.append(line)
    return kept


def test_the_scripts_own_excepthook_is_called(watched, capsys, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)  # put back afterwards
    result = watched("sys.excepthook = lambda *seen: print('caught', *seen[:2])\nraise OSError('x')")
    assert (result.exit_code, capsys.readouterr().out) == (1, "caught <class 'OSError'> x\n")


def test_stdin_and_stdout_are_the_scripts_own(script, tmp_path):
    path = script("train(); print(input() + '!', flush=True); print(sys.stdin.read(), end='')")
    code = f"from trainclinic.measure.script import run_script as r; r({str(path)!r}, folder={str(tmp_path / 'out')!r})"
    done = subprocess.run([sys.executable, "-c", code], input="one\ntwo\n", capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("one!\ntwo\n", "", 0)
    assert (tmp_path / "out" / "train.clinic").exists()


def test_main_is_the_script(watched, tmp_path, capsys):
    """Pickles of its own classes, its neighbours, its annotations, `__file__`."""
    (tmp_path / "neighbour.py").write_text("NUMBER = 42")
    result = watched("""
        import pickle, __main__
        import neighbour
        class Config:
            def __init__(self): self.width = neighbour.NUMBER
            def grow(self, by: int) -> "Config": ...
        assert __main__.Config is Config
        print(pickle.loads(pickle.dumps(Config())).width, Config.grow.__annotations__["by"] is int)
        print(__file__.endswith("train.py"))
        train()
    """)
    assert capsys.readouterr().out == "42 True\nTrue\n"
    assert result.recordings[0].steps == 3
    sys.modules.pop("neighbour")


def test_two_models_like_a_gan(watched):
    result = watched("""
        G = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
        D = nn.Sequential(nn.Linear(2, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1))
        g = torch.optim.Adam(G.parameters(), lr=0.01)
        d = torch.optim.Adam(D.parameters(), lr=0.01)
        real, ones, zeros = torch.randn(16, 2), torch.ones(16, 1), torch.zeros(16, 1)
        bce = nn.BCEWithLogitsLoss()
        for _ in range(10):
            d.zero_grad()
            (bce(D(real), ones) + bce(D(G(torch.randn(16, 2)).detach()), zeros)).backward()
            d.step()
            g.zero_grad()
            bce(D(G(torch.randn(16, 2))), ones).backward()
            g.step()
    """)
    sizes = [recording.environment["parameters"] for recording in result.recordings]
    assert sizes == [8 * 3 + 2 * 9, 4 * 3 + 5]
    for recording in result.recordings:
        assert recording.steps == 10
        for signal in ("gradient_rms", "backward_rms", "update_ratio"):
            assert len(recording.series(signal, "0")) == 10, signal
    assert {recording.path.name for recording in result.recordings} == {"train.clinic", "train-2.clinic"}


def test_encoder_and_decoder_called_separately(watched):
    result = watched("""
        encoder, decoder = nn.Sequential(nn.Linear(6, 3), nn.Tanh()), nn.Linear(3, 6)
        optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
        x = torch.randn(8, 6)
        for _ in range(5):
            optimizer.zero_grad()
            F.mse_loss(decoder(encoder(x)), x).backward()
            optimizer.step()
    """)
    assert [recording.steps for recording in result.recordings] == [5, 5]
    assert [len(recording.series("loss")) for recording in result.recordings] == [5, 5]
    weights = [[layer.name for layer in recording.measured("gradient_rms")] for recording in result.recordings]
    assert sorted(weights) == [["0"], ["Linear"]]


def test_a_lazy_model(watched):
    result = watched("""
        model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.LazyLinear(1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            model(torch.ones(3, 2)).sum().backward()
            optimizer.step()
    """)
    assert [recording.steps for recording in result.recordings] == [5]
    assert [layer.name for layer in result.recordings[0].measured("gradient_rms")] == ["0", "2"]


NO_MODEL = "no model that holds the optimizer's parameters ran forward with a gradient"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("print('hello')", "the script made no torch optimizer"),
        ("make_optimizer(nn.Linear(2, 2))", NO_MODEL),
        ("train(steps=0)", NO_MODEL),
        ("m = nn.Linear(2, 2)\no = make_optimizer(m)\nm(torch.ones(1, 2))", "the optimizer made no step"),
    ],
)
def test_a_script_without_a_training(watched, body, why):
    result = watched(body)
    assert (result.exit_code, result.missed) == (0, why)
    assert not any(recording.steps for recording in result.recordings)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"train\.py: expected a Python script, found no file there; check the path"),
        (b"x = 1\ndef broken(:\n", r"train\.py, line 2: .+; the script cannot be run"),
        (b"x = 1\0", r"train\.py"),
        (b"\xff\xfe\x00", r"train\.py"),
    ],
)
def test_what_is_no_script_is_refused(content, message, tmp_path):
    path = tmp_path / "train.py"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ScriptError, match=message):
        run_script(path, folder=tmp_path / "out")
    with pytest.raises(ScriptError):
        run_script(tmp_path)
    assert not (tmp_path / "out").exists()


def test_no_hook_of_the_search_is_left(watched):
    hooks = nn.modules.module._global_forward_pre_hooks
    before = len(hooks)
    for body in ("make_optimizer(nn.Linear(2, 2))", "train(steps=10)", "train()\nraise ValueError"):
        watched(body)
        assert len(hooks) == before


@pytest.mark.parametrize("how", ["torch.compile(model)", "model.compile()", "the compile before the optimizer"])
def test_a_script_that_compiles_its_model(how, watched, capsys):
    """One graph, no warning, the same numbers as without the watch; the layers are seen."""
    late = how.startswith("the")
    body = f"""
        torch.manual_seed(0)
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.hidden, self.act, self.out = nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)

            def forward(self, x):
                return self.out(self.act(self.hidden(x)))

        model = Net()
        call = model
        def compiled():
            global call
            if {how == "model.compile()"}:
                model.compile(backend="eager", fullgraph=True)
            else:
                call = torch.compile(model, backend="eager", fullgraph=True)
        if {late}:
            compiled()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        if {not late}:
            compiled()
        for _ in range(5):
            optimizer.zero_grad()
            call(torch.ones(3, 2)).sum().backward()
            optimizer.step()
        from torch._dynamo.utils import counters
        print(counters["stats"]["unique_graphs"], dict(counters["graph_break"]), model.hidden.weight.sum().item())
        torch._dynamo.reset(), counters.clear()
    """
    torch._dynamo.reset()
    counters.clear()
    (recording,) = watched(body).recordings
    printed, complaints = capsys.readouterr()
    assert not complaints
    exec(textwrap.dedent(body), {"torch": torch, "nn": torch.nn})
    assert capsys.readouterr().out == printed
    assert printed.startswith("1 {} ")
    assert len(recording.series("backward_rms", "hidden")) == len(recording.series("activation_derivative", "act")) == 5


@pytest.mark.parametrize("way", ["function", "command line"])
def test_a_script_is_stopped_before_its_weights_are_spoiled(script, tmp_path, way, capsys):
    body = """
        model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
        optimizer = make_optimizer(model)
        for step in range(6):
            optimizer.zero_grad()
            F.mse_loss(model(torch.ones(5, 2) / (4 - step)), torch.ones(5, 1)).backward()
            optimizer.step()
            print(step, all(torch.isfinite(p).all() for p in model.parameters()))
    """
    path = script(body)
    if way == "function":
        result = run_script(path, folder=tmp_path / "out", live=live(stop_on=["non-finite"]))
        code, (out, err) = result.exit_code, capsys.readouterr()
    else:
        command = [
            sys.executable,
            "-m",
            "trainclinic",
            "run",
            "--stop-on",
            "non-finite",
            "--output",
            str(tmp_path / "out"),
        ]
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        code, out, err = done.returncode, done.stdout, done.stderr
        assert "1 problem: non-finite" in err
    assert (code, out) == (1, "0 True\n1 True\n2 True\n3 True\n")
    said = (
        "non-finite: At step 4 (batch 4) the batch itself held 10 numbers that are not finite: argument `input`, row 0."
    )
    assert f"trainclinic stopped {path}: {said}" in err
    assert "Traceback" not in err
    recording = load(tmp_path / "out" / "train.clinic")
    assert recording.steps == 5
    assert recording.ended.startswith(f"stopped: {said}")
