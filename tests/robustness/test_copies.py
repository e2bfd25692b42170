"""Copies of a watched model: deep, averaged, pickled, saved."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from arms import both
from by_hand import compare, tanh
from scenarios import Tool, X, Y, copies, fit, mlp, sgd

import trainclinic as tc

WIDE, TARGET = X.double(), Y.double()


def by_hand(hand):
    a = hand.act("1", tanh, hand.linear("0", WIDE), True)
    return (hand.linear("2", a) - TARGET).square().mean()


@pytest.mark.parametrize("scenario", [
    pytest.param(copies.deepcopy, marks=pytest.mark.row("copy.deepcopy(model)")),
    pytest.param(copies.averaged, marks=pytest.mark.row("EMA copy (AveragedModel)")),
    pytest.param(copies.pickled, marks=pytest.mark.row("pickle and torch.save of the model")),
    pytest.param(copies.pickled_together, marks=pytest.mark.row("pickle of model and optimizer together")),
])  # fmt: skip
def test_copies_are_not_watched(scenario):
    """every value of the model; the copy trains unwatched, to the same bits"""
    [(diary, recording)] = both(scenario)
    compare(recording, diary.expected(by_hand))


@pytest.mark.row("saved while watched, loaded where trainclinic is not installed")
def test_loading_needs_no_trainclinic(tmp_path):
    """torch.load in a process that refuses to import trainclinic gives the same output"""
    model = mlp()
    optimizer = sgd(model)
    with tc.watch(model, optimizer, every=1):
        fit(Tool(), model, optimizer)
        model(X)
        torch.save((model, optimizer), tmp_path / "model.pt")
    code = f"""
import sys
sys.modules["trainclinic"] = None  # importing it raises
import torch
model, optimizer = torch.load({str(tmp_path / "model.pt")!r}, weights_only=False)
optimizer.zero_grad()
x = torch.load({str(tmp_path / "x.pt")!r})
out = model(x)
out.sum().backward()
optimizer.step()
torch.save(out.detach(), {str(tmp_path / "out.pt")!r})
"""
    torch.save(X, tmp_path / "x.pt")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert torch.equal(torch.load(tmp_path / "out.pt"), model(X).detach())


@pytest.mark.row("nn.DataParallel on a CPU")
def test_data_parallel():
    """every value, under the names that the layers have without it"""
    [(diary, recording)] = both(copies.data_parallel)
    compare(recording, diary.expected(by_hand))
