"""Trials of which it is known what they must say: placebos, which help nobody, and true cures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from cure_common import FIXED, Options, Work, case, stem
from torch import nn

from trainclinic.measure.run import build
from trainclinic.prove.cure import trial

PLACEBOS = 40  # and as many true cures


def calibration(options: Options) -> Iterator[Work]:
    for index in range(PLACEBOS):
        name = FIXED[index % len(FIXED)]
        module = case(name)
        seeds = range(1000 + 100 * index, 1006 + 100 * index)
        kind = ("another seed", "wider")[index // len(FIXED) % 2]
        yield f"placebo {index}: {kind}, {name}", lambda m=module, k=kind, s=seeds: _placebo(m, k, s, options.workers)
    for index in range(PLACEBOS):
        name = FIXED[index % len(FIXED)]
        module = case(name)
        seeds = range(9000 + 100 * index, 9006 + 100 * index)
        yield f"cure {index}: {name}", lambda m=module, s=seeds: _true_cure(m, s, options.workers)


def _placebo(module: Any, kind: str, seeds: range, workers: int) -> dict[str, Any]:
    treated = OtherSeed(module.faulty) if kind == "another seed" else Wider(module.faulty)
    return _verdict(module, treated, seeds, workers)


def _true_cure(module: Any, seeds: range, workers: int) -> dict[str, Any]:
    """The healthy twin as the treated arm: the fault's own line is mended, nothing else."""
    return _verdict(module, module.healthy, seeds, workers)


def _verdict(module: Any, treated: Any, seeds: range, workers: int) -> dict[str, Any]:
    found = trial(module.faulty, (), stem(module), seeds=seeds, workers=workers, treated=treated)
    return {"verdict": found.verdict, "median": round(found.full.median, 5), "low": round(found.full.low, 5)}


class OtherSeed:
    """A `make` that draws other initial weights and another order."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, seed: int) -> Any:
        return build(self._make, seed + 50_000)


class Wider:
    """A `make` whose hidden Linear layers are a tenth wider, drawn as they were."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, seed: int) -> Any:
        setup = self._make(seed)
        layers = [m for m in setup.model.modules() if isinstance(m, nn.Linear)]
        widths = [max(layer.out_features + 1, round(1.1 * layer.out_features)) for layer in layers[:-1]]
        with torch.no_grad():
            for index, layer in enumerate(layers):
                given = layer.in_features if index == 0 else widths[index - 1]
                gives = layer.out_features if index == len(layers) - 1 else widths[index]
                _grow(layer, given, gives)
        return setup


def _grow(layer: nn.Linear, given: int, gives: int) -> None:
    """More rows and columns, drawn again from the weights that are there, with the scale that fan-in asks for."""
    weight, bias = layer.weight, layer.bias
    old = weight.detach().clone()
    rows, columns = torch.arange(gives) % old.shape[0], torch.arange(given) % old.shape[1]
    grown = old[rows][:, columns]
    fresh = (torch.arange(gives)[:, None] >= old.shape[0]) | (torch.arange(given)[None] >= old.shape[1])
    drawn = old.flatten()[torch.randint(old.numel(), (gives, given))]
    weight.data = torch.where(fresh, drawn, grown) * math.sqrt(old.shape[1] / given)
    bias.data = bias.detach()[torch.arange(gives) % len(bias)].clone()
    layer.in_features, layer.out_features = given, gives
