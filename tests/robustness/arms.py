"""The two arms of every row: the training bare, written down in a diary, and the same training watched."""

from __future__ import annotations

import random

import numpy as np
import torch
from by_hand import Hand
from scenarios import Tool
from torch import nn

import trainclinic as tc


class Diary(Tool):
    """The parameters just before and just after every step of the optimizers."""

    def __init__(self, model, optimizer):
        self.model = getattr(model, "_orig_mod", model)
        if isinstance(model, nn.DataParallel):
            self.model = model.module
        self.steps, self.buffers, self._handles = [], [], []
        for one in optimizer if isinstance(optimizer, list) else [optimizer]:
            self.follow(one)

    def follow(self, optimizer):
        self._handles.append(optimizer.register_step_pre_hook(self._before))
        self._handles.append(optimizer.register_step_post_hook(self._after))

    def close(self):
        for handle in self._handles:
            handle.remove()

    def _copy(self):
        return {
            name: p.detach().clone().requires_grad_(p.requires_grad)
            for name, p in self.model.named_parameters()
            if not nn.parameter.is_lazy(p)
        }

    def _before(self, *_):
        self._then = self._copy()
        self.buffers.append({name: buffer.clone() for name, buffer in self.model.named_buffers()})

    def _after(self, *_):
        self.steps.append((self._then, self._copy()))

    def expected(self, loss_of, weight_layers=None, gains=None, dtype=torch.float64):
        """For every step, what is to be recorded; `loss_of(hand)` computes the loss by hand."""
        found, previous = [], None
        for before, after in self.steps:
            hand = Hand(before, dtype)
            hand.loss = loss_of(hand)
            values = hand.signals(weight_layers, gains)
            hand.step(values, after, previous)
            previous = hand
            found.append(values)
        return found


class Watched(Tool):
    """trainclinic, as users attach it."""

    package = "trainclinic"

    def __init__(self, model, optimizer, loss_fn, **settings):
        self.watch = tc.watch(model, optimizer, loss_fn, **({"every": 1} | settings))
        self._path = settings.get("path")

    def seen(self):
        """In the file, where there is one: another process may have written into it."""
        recording = tc.load(self._path) if self._path else self.watch.recording
        return sum(len(series) for series in recording._series.values())

    def close(self):
        self.watch.close()


def both(scenario, *, healthy=True, **settings):
    """Train bare and watched; no bit may differ, and a healthy training has no problem.

    Returns:
        The Diary and the Recording of each `attach`, in order: [(diary, recording), …].
    """
    diaries, watches = [], []
    bare = _arm(scenario, lambda model, optimizer, loss_fn: _add(diaries, Diary(model, optimizer)))
    try:
        watched = _arm(scenario, lambda *given: _add(watches, Watched(*given, **settings)))
    finally:
        for one in watches:
            one.close()
    assert bare.keys() == watched.keys()
    assert [name for name in bare if not _same(bare[name], watched[name])] == [], "watching changed the training"
    recordings = [one.watch.recording for one in watches]
    for recording in recordings:
        assert recording.ended == "completed"
        if healthy:
            assert problems(recording) == [], "a healthy training is found ill"
    return list(zip(diaries, recordings, strict=True))


def problems(recording):
    """The ids of what is found at level "problem"."""
    return [finding.problem for finding in tc.diagnose(recording).findings if finding.level == "problem"]


def _add(found, one):
    found.append(one)
    return one


def _arm(scenario, attach):
    """Everything that the training left: parameters, buffers, and the generators of torch, NumPy and Python."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    trained = scenario(attach)
    state = {}
    for index, model in enumerate(trained if isinstance(trained, list) else [trained]):
        state |= {f"{index} {name}": value for name, value in (*model.named_parameters(), *model.named_buffers())}
    assert any(value.requires_grad for value in state.values())
    numpy = np.random.get_state()[1]  # noqa: NPY002
    return state | {"torch": torch.get_rng_state(), "numpy": numpy.tolist(), "python": random.getstate()}


def _same(one, other):
    if not isinstance(one, torch.Tensor):
        return one == other
    one, other = (t.detach().contiguous().flatten().view(torch.uint8) for t in (one, other))
    return torch.equal(one, other)  # bits: a NaN is equal to itself
