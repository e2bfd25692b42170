"""Watching changes no bit: every case and every example, with and without a watch, and every promised signal is there.

Both arms stop after the same number of optimizer steps; two of them run to their end.
"""

from __future__ import annotations

import contextlib
import math
import random
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.optim.optimizer import register_optimizer_step_post_hook

import trainclinic as tc
from trainclinic import catalog
from trainclinic.measure.run import build, run
from trainclinic.measure.script import run_script
from trainclinic.setup import train

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
EXAMPLES = [path for path in EXAMPLES if not path.stem.endswith("_make")]  # functions, no scripts
CASES = [(name, kind) for name in catalog.entries("trainclinic.cases") for kind in ("faulty", "healthy")]
STEPS = 60
FULL = {"lstm", "wrong-mode-healthy"}  # to their end
BOUNDED = ("sigmoid", "tanh")


class Stop(Exception):  # noqa: N818
    """Enough steps."""


class Arm:
    """Notes every parameter and buffer that is made, and stops after `steps` optimizer steps."""

    def __init__(self, steps):
        self.tensors, self._left = [], steps

    def __enter__(self):
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        torch.manual_seed(0)
        self._handles = [
            register_module_parameter_registration_hook(self._made),
            register_module_buffer_registration_hook(self._made),
            register_optimizer_step_post_hook(self._stepped),
        ]
        return self

    def __exit__(self, *_):
        for handle in self._handles:
            handle.remove()
        self.weights = [tensor.detach().flatten().view(torch.uint8) for tensor in self.tensors]
        numpy_state = np.random.get_state()  # noqa: NPY002
        self.generators = [random.getstate(), numpy_state[1].tolist(), numpy_state[2:], torch.get_rng_state().tolist()]

    def _made(self, module, name, tensor):
        if isinstance(tensor, torch.Tensor):
            self.tensors.append(tensor)

    def _stepped(self, *_):
        self._left -= 1
        if self._left == 0:
            raise Stop


def assert_same(bare, watched):
    assert len(bare.tensors) == len(watched.tensors) > 0
    pairs = zip(bare.tensors, bare.weights, watched.weights, strict=True)
    assert [tuple(tensor.shape) for tensor, one, other in pairs if not torch.equal(one, other)] == []
    assert bare.generators == watched.generators
    assert any(tensor.requires_grad for tensor in bare.tensors)


@pytest.mark.parametrize(("name", "kind"), CASES, ids=[f"{name}-{kind}" for name, kind in CASES])
def test_case(name, kind, tmp_path):
    make = getattr(catalog.entry("trainclinic.cases", name), kind)
    limit = math.inf if f"{name}-{kind}" in FULL else STEPS
    with Arm(limit) as bare, contextlib.suppress(Stop):
        setup = build(make, 0)
        train(setup)
    with Arm(limit) as watched, contextlib.suppress(Stop):
        run(make, 0, path=tmp_path / "run.clinic")
    assert_same(bare, watched)
    recording = tc.load(tmp_path / "run.clinic")
    assert_complete(recording, len(setup.train_loader.dataset))
    if setup.val_loader is not None and limit is math.inf:
        assert len(recording.series("validation_loss")) == setup.epochs


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda script: script.stem)
def test_example(script, tmp_path, capsys, monkeypatch):
    limit = math.inf if script.stem in FULL else STEPS
    monkeypatch.setattr(sys, "argv", [str(script)])
    with Arm(limit) as bare, contextlib.suppress(Stop):
        runpy.run_path(str(script), run_name="__main__")
    printed = capsys.readouterr().out
    with Arm(limit) as watched:
        result = run_script(script, folder=tmp_path)
    assert_same(bare, watched)
    streams = capsys.readouterr()
    assert streams.out == printed
    assert result.exit_code == (1 if streams.err else 0)  # stopped, or ran to its end
    assert not streams.err or limit is not math.inf
    assert result.recordings
    for recording in result.recordings:
        assert_complete(recording, 3000)


# -- what is promised


def assert_complete(recording, samples_needed):
    steps = recording.steps
    assert steps > 1
    assert recording.series("loss").steps.tolist() == list(range(steps))
    run_signals = ["gradient_norm", "output_mean", "output_std"]
    if "name" in recording.facts["loss"]:
        run_signals += ["target_mean", "target_std"]
    for signal in run_signals:
        assert finite(recording, signal), signal
    assert finite(recording, "learning_rate", "group 0")
    assert recording.facts["inputs"]["kind"] == "integer" or recording.facts["inputs"]["features"]["std"]
    assert len(recording.series("training_mode")) == steps
    assert sum(recording.facts["modes"]["passes"].values()) >= steps

    names = {layer.name for layer in recording.layers}
    for parameter in recording.facts["parameters"]:
        if len(parameter["shape"]) > 1:
            assert_weight(recording, parameter, names)
    for layer in recording.layers:
        if layer.role == "activation":
            assert_activation(recording, layer, samples_needed)


def assert_weight(recording, parameter, names):
    layer = parameter["name"].removesuffix(".weight").removesuffix("weight") or recording.environment["model"]
    assert layer in names, parameter["name"]
    expected = ["weight_rms", "update_ratio"]
    learns = parameter["gradient_missing"] < parameter["looks"]
    if "Embedding" not in recording.layer(layer).kind:
        expected.append("weight_gain")
    if learns:
        expected.append("gradient_rms")
    if learns and parameter["gradient_zero"] < parameter["looks"] - 1:
        expected.append("gradient_cosine")
    if parameter["name"].endswith("weight"):  # the layer itself, else one of a recurrent layer's weights
        expected += ["activation_rms", "activation_mean"] + ["backward_rms"] * learns
    for signal in expected:
        assert finite(recording, signal, layer), f"{signal} of {layer!r}"


def assert_activation(recording, layer, samples_needed):
    expected = ["activation_rms", "activation_mean", "activation_derivative"]
    if layer.kind in BOUNDED:
        expected.append("saturated_share")
    if layer.kind == "relu" and (recording.steps - 1) * recording.facts["batch_size"] > samples_needed:
        expected.append("dead_unit_fraction")
    for signal in expected:
        assert finite(recording, signal, layer.name), f"{signal} of {layer.name!r}"


def finite(recording, signal, layer=""):
    return np.isfinite(recording.series(signal, layer).values).any()
