"""The good plans of the fourth part, see `Task.part`: `fourth()`.

Each reaches its task's level on every seed of the benchmark, and was set by that alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import nn
from torch.optim import ASGD, SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Muon, NAdam, RAdam, RMSprop

from diagnosis_zoo import fourth_networks as new
from diagnosis_zoo import fourth_pictures as pic
from diagnosis_zoo import fourth_sequence_networks as own
from diagnosis_zoo import fourth_sequences as s
from diagnosis_zoo import fourth_set_networks as sets
from diagnosis_zoo import fourth_tables as t
from diagnosis_zoo import networks as net
from diagnosis_zoo import second_networks as before
from diagnosis_zoo import sequence_networks as seq
from diagnosis_zoo import third_networks as last
from diagnosis_zoo.habits import (
    SMOOTH,
    adam,
    adamw,
    cosine,
    fading,
    flipped,
    mixed,
    momentum,
    one_cycle,
    plan,
    pretrained,
    shaken,
    steps,
    warm_up,
)
from diagnosis_zoo.plan import Plan

BN1, BN2 = nn.BatchNorm1d, nn.BatchNorm2d
GROUPS = partial(nn.GroupNorm, 4)
mlp, rnn, formed = partial(partial, net.mlp), partial(partial, seq.Recurrent), partial(partial, seq.Transformer)
plain = partial(plan, known=True)
quick, nesterov = partial(Adam, lr=1e-2), partial(SGD, lr=0.03, momentum=0.9, nesterov=True)


def decayed(rate: float, decay: float) -> partial[AdamW]:
    return partial(AdamW, lr=rate, weight_decay=decay)


def _plain_tables() -> Iterator[Plan]:
    """Architectures that stood somewhere before, on data of their own."""
    # fmt: off
    yield plain("pyramid, harvest", "mlp", t.HARVEST, mlp(widths=(64, 32)), adam, epochs=30, schedule=cosine)
    yield plain("pyramid, BatchNorm, triage", "mlp", t.TRIAGE, mlp(widths=(48, 24), norm=BN1),
                partial(SGD, lr=0.03, momentum=0.9, nesterov=True, weight_decay=1e-3), epochs=12,
                schedule=cosine)
    yield plain("GELU, smoothing, triage", "mlp", t.TRIAGE, mlp(widths=(64, 32), act=nn.GELU, dropout=0.1),
                decayed(3e-3, 0.05), epochs=20, loss=SMOOTH, schedule=cosine)
    yield plain("pyramid, mixup, fraud", "mlp", t.FRAUD, mlp(widths=(48, 24)), adam, epochs=20, augment=mixed,
                schedule=cosine)
    yield plain("tanh, turbine", "mlp", t.TURBINE, mlp(widths=(48, 32), act=nn.Tanh), quick, epochs=30, batch=64,
                schedule=cosine)
    yield plain("Muon, SiLU, turbine", "mlp", t.TURBINE, mlp(widths=(64, 64), act=nn.SiLU, bias=False),
                partial(Muon, lr=1e-2), epochs=16, schedule=cosine)
    yield plain("gated units, habitat", "gated", t.HABITAT, partial(net.gated, width=40, depth=2),
                partial(Adagrad, lr=0.03), epochs=14, schedule=cosine)
    yield plain("ELU, LayerNorm, ripeness", "mlp", t.RIPENESS, mlp(widths=(32, 16), act=nn.ELU, norm=nn.LayerNorm),
                decayed(1e-3, 0.1), epochs=14, schedule=cosine)
    yield plain("few rows, sigmoid, pilot", "mlp", t.PILOT, mlp(widths=(24,), act=nn.Sigmoid),
                partial(SGD, lr=0.1, momentum=0.9), epochs=30, batch=16, schedule=cosine)
    yield plain("few rows, batch 8, loaves", "mlp", t.LOAVES, mlp(widths=(24, 12)),
                partial(SGD, lr=0.01, momentum=0.9, weight_decay=0.01), epochs=24, batch=8, schedule=cosine)
    yield plain("one layer, ASGD, freight", "mlp", t.FREIGHT, mlp(widths=(16,), act=nn.Softplus),
                partial(ASGD, lr=0.05), epochs=20, schedule=fading)
    yield plain("wide and deep, claims", "wide and deep", t.CLAIMS, net.WideDeep, decayed(5e-3, 0.2), epochs=14,
                schedule=cosine)
    yield plain("maxout, minerals", "maxout", t.MINERALS, partial(before.maxout, width=24), partial(Adamax, lr=5e-3),
                epochs=16, schedule=cosine)
    yield plain("norm first residual, minerals", "residual", t.MINERALS, partial(last.pre_residual, width=32,
                dropout=0.1), partial(SGD, lr=0.1, momentum=0.9), epochs=14, schedule=one_cycle)
    yield plain("narrow autoencoder, stations", "autoencoder", t.STATIONS, partial(before.narrow, width=48, code=8),
                quick, epochs=40, schedule=cosine)
    # fmt: on


def _tables() -> Iterator[Plan]:
    """Tables by architectures that no part had."""
    # fmt: off
    yield plan("both signs, harvest", "mlp", t.HARVEST, new.both_signs, partial(NAdam, lr=4e-3), epochs=30,
               schedule=cosine)
    yield plan("both signs, BatchNorm, minerals", "mlp", t.MINERALS, partial(new.both_signs, norm=BN1),
               partial(Adadelta, lr=1.0), epochs=14, schedule=cosine)
    yield plan("injected, triage", "mlp", t.TRIAGE, new.Injected, partial(RMSprop, lr=2e-3), epochs=24,
               schedule=cosine)
    yield plan("injected, leaky, few rows, pilot", "mlp", t.PILOT, partial(new.Injected, widths=(16, 16),
               act=nn.LeakyReLU, dropout=0.2), decayed(2e-3, 0.1), epochs=20, batch=16, augment=shaken)
    yield plan("periodic, habitat", "periodic", t.HABITAT, partial(new.Periodic, pitch=0.15, width=48, dropout=0.1),
               decayed(4e-3, 0.1), epochs=24, batch=32, schedule=cosine)
    yield plan("norm last residual, habitat", "residual", t.HABITAT, partial(new.post_residual, width=32),
               partial(SGD, lr=0.1, momentum=0.9, weight_decay=1e-3), epochs=24,
               schedule=cosine)
    yield plan("selecting, turbine", "selecting", t.TURBINE, new.Selecting, partial(Adam, lr=5e-3), epochs=20,
               schedule=cosine)
    yield plan("selecting, fraud", "selecting", t.FRAUD, partial(new.Selecting, depth=2, width=24), decayed(4e-3, 0.1),
               epochs=14, schedule=cosine)
    yield plan("repeated, freight", "repeated", t.FREIGHT, partial(new.Repeated, width=16, times=3),
               partial(RAdam, lr=6e-3), epochs=20, schedule=cosine)
    yield plan("repeated, Mish, few rows, loaves", "repeated", t.LOAVES, partial(new.Repeated, width=16, act=nn.Mish),
               decayed(3e-3, 0.2), epochs=30, batch=16, schedule=cosine)
    yield plan("unrolled, stations", "autoencoder", t.STATIONS, new.Unrolled, adam, epochs=30, schedule=cosine)
    yield plan("unrolled, ReLU, ripeness", "autoencoder", t.RIPENESS, partial(new.Unrolled, act=nn.ReLU, code=24),
               decayed(1e-3, 0.2), epochs=14, schedule=cosine)
    yield plan("pooled embeddings, claims", "wide and deep", t.CLAIMS, partial(new.Pooled, width=8),
               decayed(5e-3, 0.2), epochs=20, schedule=cosine)
    yield plan("weighted embeddings, claims", "factorized", t.CLAIMS, partial(new.Weighted, dropout=0.3),
               decayed(4e-3, 0.3), epochs=14, schedule=cosine)
    # fmt: on


def _pictures() -> Iterator[Plan]:
    # fmt: off
    yield plain("vgg, cells", "vgg", s.CELLS, net.vgg, adam, epochs=16, schedule=cosine)
    yield plain("vgg, frozen backbone, tiles", "vgg", s.TILES, net.vgg, partial(Adam, lr=1e-3), epochs=8,
                model=(partial(pretrained, task=s.TILES, keep=4),))
    yield plain("dense convolutions, tracks", "densenet", s.TRACKS, net.DenseNet, adam, epochs=14, schedule=cosine)
    yield plan("dilated, tracks", "vgg", s.TRACKS, new.dilated, adam, epochs=16, schedule=cosine)
    yield plan("dilated, BatchNorm, tiles", "vgg", s.TILES, partial(new.dilated, norm=BN2), nesterov, epochs=10,
               augment=flipped, schedule=steps)
    yield plan("dilated, leaky, cells", "vgg", s.CELLS, partial(new.dilated, act=nn.LeakyReLU, dropout=0.2), adamw,
               epochs=16, augment=flipped, schedule=cosine)
    yield plan("branched, cells", "resnet", s.CELLS, partial(new.branched, blocks=3),
               partial(SGD, lr=0.1, momentum=0.9), epochs=12,
               schedule=cosine)
    yield plan("ghosts, ELU, cells", "separable", s.CELLS, partial(new.ghosts, act=nn.ELU),
               decayed(6e-3, 0.1), epochs=18, schedule=cosine)
    yield plan("rows and columns, tracks", "mixer", s.TRACKS, new.Crossed, adamw, epochs=14, schedule=cosine)
    yield plan("two sizes, cells", "two sizes", s.CELLS, pic.TwoSizes, adam, epochs=14, schedule=cosine)
    yield plan("two sizes, GroupNorm, tiles", "two sizes", s.TILES, partial(pic.TwoSizes, norm=GROUPS),
               decayed(3e-3, 0.1), epochs=14, clip=1.0, augment=flipped, schedule=cosine)
    yield plan("pool former, cells", "pool former", s.CELLS, pic.PoolFormer, decayed(3e-3, 0.1), epochs=14,
               augment=flipped, schedule=cosine)
    # fmt: on


def _plain_sequences() -> Iterator[Plan]:
    """Sequences, sets and graphs by architectures that stood somewhere before."""
    # fmt: off
    yield plain("gru, appliances", "lstm", s.APPLIANCES, rnn(kind=nn.GRU, width=24), quick, epochs=12, clip=1.0,
                schedule=cosine)
    yield plain("two-way gru, grammar", "two-way", s.GRAMMAR, rnn(kind=nn.GRU, both=True, width=20), quick, epochs=8,
                clip=1.0, schedule=cosine)
    yield plain("cell by hand, glucose", "rnn", s.GLUCOSE, seq.Cell, partial(Adam, lr=2e-3), epochs=20, clip=1.0,
                schedule=cosine)
    yield plain("gpt, routes", "gpt", s.ROUTES, formed(width=24, causal=True), adamw, epochs=14, clip=1.0,
                schedule=cosine)
    yield plain("post-norm transformer, grammar", "post-norm", s.GRAMMAR, formed(width=24, pre=False), adamw,
                epochs=14, schedule=warm_up)
    yield plain("graph convolutions, grid", "graph", s.GRID, seq.Graph, quick, epochs=20, schedule=cosine)
    # fmt: on


def _sequences() -> Iterator[Plan]:
    """Sequences, sets and graphs by architectures that no part had."""
    # fmt: off
    yield plan("cell by hand, two layers, appliances", "rnn", s.APPLIANCES, partial(own.TwoCells, pool="mean"),
               partial(Adam, lr=4e-3),
               epochs=20, clip=1.0, schedule=cosine)
    yield plan("clockwork, glucose", "rnn", s.GLUCOSE, own.Clockwork, adam, epochs=16, clip=1.0, schedule=cosine)
    yield plan("peepholes, quakes", "lstm", s.QUAKES, own.Peepholes, quick, epochs=12, clip=1.0, schedule=cosine)
    yield plan("peepholes, routes", "lstm", s.ROUTES, partial(own.Peepholes, width=32), quick, epochs=14, clip=1.0,
               schedule=cosine)
    yield plan("pyramid, peptides", "two-way", s.PEPTIDES, own.Pyramid, partial(Adam, lr=6e-3), epochs=8, clip=1.0,
               schedule=cosine)
    yield plan("gated convolutions, grammar", "temporal", s.GRAMMAR, own.GatedConvolutions, adam, epochs=10,
               schedule=cosine)
    yield plan("gated convolutions, causal, routes", "temporal", s.ROUTES, partial(own.GatedConvolutions, causal=True,
               width=28), adamw, epochs=18, schedule=cosine)
    yield plan("long filters, quakes", "long filters", s.QUAKES, own.LongFilters, adam, epochs=12, schedule=cosine)
    yield plan("long filters, appliances", "long filters", s.APPLIANCES, partial(own.LongFilters, width=16),
               decayed(3e-3, 0.1), epochs=12, schedule=cosine)
    yield plan("time mixer, glucose", "mixer", s.GLUCOSE, partial(own.TimeMixer, dropout=0.1), decayed(6e-3, 0.1),
               epochs=14, schedule=cosine)
    yield plan("fading attention, grammar", "fading", s.GRAMMAR, own.Fading, adamw, epochs=12, schedule=cosine)
    yield plan("fading attention, tied, routes", "gpt", s.ROUTES, partial(own.Fading, causal=True, tied=True),
               decayed(5e-3, 0.01), epochs=14, clip=1.0, schedule=cosine)
    yield plan("spans, glucose", "spans", s.GLUCOSE, partial(own.Spans, dropout=0.1), decayed(2e-3, 0.05), epochs=12,
               schedule=cosine)
    yield plan("neighbourly words, peptides", "words", s.PEPTIDES, partial(sets.Neighbourly, width=32, dropout=0.2),
               decayed(5e-3, 0.1), epochs=18, schedule=cosine)
    yield plan("equivariant, flocks", "sets", s.FLOCKS, partial(sets.Equivariant, act=nn.SiLU),
               decayed(1e-2, 0.1), epochs=14,
               schedule=cosine)
    yield plan("equivariant, BatchNorm, flocks", "sets", s.FLOCKS, partial(sets.Equivariant, norm=BN1, act=nn.ELU),
               momentum, epochs=14, schedule=cosine)
    yield plan("jumping, grid", "graph", s.GRID, sets.Jumping, adam, epochs=20, schedule=cosine)
    # fmt: on


def fourth() -> tuple[Plan, ...]:
    """Every good plan of the fourth part."""
    return (*_plain_sequences(), *_sequences(), *_pictures(), *_plain_tables(), *_tables())
