"""The good plans for sequences, sets and graphs of the seventh part, see `Task.part`: `seventh_sequences()`.

Each reaches its task's level on every seed of the benchmark, and was set by that alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import nn
from torch.optim import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop

from diagnosis_zoo import fifth_sequence_networks as fifth
from diagnosis_zoo import fifth_set_networks as kinds
from diagnosis_zoo import fourth_sequence_networks as fourth
from diagnosis_zoo import fourth_set_networks as jumps
from diagnosis_zoo import networks as net
from diagnosis_zoo import second_graph_networks as graphs
from diagnosis_zoo import second_sequence_networks as second
from diagnosis_zoo import sequence_networks as seq
from diagnosis_zoo import seventh_sequence_networks as own
from diagnosis_zoo import seventh_sequences as s
from diagnosis_zoo import seventh_set_networks as sets
from diagnosis_zoo import sixth_sequence_networks as sixth
from diagnosis_zoo import sixth_set_networks as ranks
from diagnosis_zoo import third_sequence_networks as third
from diagnosis_zoo import third_set_networks as points
from diagnosis_zoo.habits import (
    SMOOTH,
    adam,
    adamw,
    cosine,
    fading,
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

BN1, GROUPS = nn.BatchNorm1d, partial(nn.GroupNorm, 4)
rnn, formed = partial(partial, seq.Recurrent), partial(partial, seq.Transformer)
plain = partial(plan, known=True)
quick, nesterov = partial(Adam, lr=1e-2), partial(SGD, lr=0.03, momentum=0.9, nesterov=True)


def decayed(rate: float, decay: float) -> partial[AdamW]:
    return partial(AdamW, lr=rate, weight_decay=decay)


def momentum_decayed(rate: float, decay: float) -> partial[SGD]:
    return partial(SGD, lr=rate, momentum=0.9, weight_decay=decay)


def _measured() -> Iterator[Plan]:
    """Measurements over time, by architectures that stood somewhere before."""
    # fmt: off
    yield plain("temporal convolutions, LeakyReLU, pens", "temporal", s.PENS, partial(seq.Temporal, width=20,
                act=nn.LeakyReLU), partial(Adam, lr=4e-3), epochs=10, augment=shaken, schedule=cosine)
    yield plain("deep resnet over time, pens", "resnet", s.PENS, partial(third.Resnet1d, width=12, blocks=6, size=3),
                momentum_decayed(0.03, 2e-3), epochs=8, batch=64, schedule=cosine)
    yield plain("inception, GroupNorm, pens", "inception", s.PENS, partial(fifth.Inception, norm=GROUPS, act=nn.SiLU),
                partial(NAdam, lr=5e-3), epochs=12, batch=64, augment=shaken, schedule=fading)
    yield plain("two-way gru, noise on inputs, pens", "two-way", s.PENS, rnn(kind=nn.GRU, both=True, width=14,
                pool="mean"), partial(Adamax, lr=1.5e-2), epochs=10, clip=1.0, augment=shaken, schedule=cosine)
    yield plain("lstm, frozen, pens", "lstm", s.PENS, rnn(width=24, pool="mean"), partial(Adam, lr=3e-3), epochs=8,
                clip=1.0, model=(partial(pretrained, task=s.PENS, keep=1),))
    yield plain("state space, leaks", "state space", s.LEAKS, partial(second.StateSpace, width=16),
                decayed(5e-3, 0.05), epochs=12, schedule=cosine)
    yield plain("halving, BatchNorm, leaks", "temporal", s.LEAKS, partial(third.Halving, norm=BN1, width=12,
                dropout=0.3), partial(RMSprop, lr=1.5e-3), epochs=10, schedule=steps)
    yield plain("long filters, Adagrad, leaks", "long filters", s.LEAKS, partial(fourth.LongFilters, width=16),
                partial(Adagrad, lr=0.03), epochs=10, schedule=cosine)
    yield plain("attended gru, leaks", "attended", s.LEAKS, partial(seq.Attended, width=20), partial(Adam, lr=8e-3),
                epochs=10, batch=64, clip=1.0, schedule=fading)
    yield plain("cell by hand, pendula", "rnn", s.PENDULA, partial(seq.Cell, width=40), adam, epochs=16, clip=1.0,
                schedule=cosine)
    yield plain("two lstms, pendula", "lstm", s.PENDULA, rnn(layers=2, width=20, dropout=0.1), quick, epochs=12,
                batch=64, clip=1.0, schedule=cosine)
    yield plain("wave, pendula", "wave", s.PENDULA, partial(second.Wave, width=16, depth=4), partial(NAdam, lr=4e-3),
                epochs=10, schedule=cosine)
    yield plain("spans, pendula", "spans", s.PENDULA, partial(fourth.Spans, dropout=0.1), decayed(3e-3, 0.05),
                epochs=12, clip=1.0, schedule=one_cycle)
    yield plain("transformer, warmed up, pendula", "transformer", s.PENDULA, formed(width=24, act=nn.SiLU),
                decayed(3e-3, 0.05), epochs=10, batch=64, clip=1.0, schedule=warm_up)
    yield plain("gru, batch 16, hares", "lstm", s.HARES, rnn(kind=nn.GRU, width=16), partial(Adam, lr=4e-3), epochs=10,
                batch=16, clip=1.0, schedule=cosine)
    yield plain("minimal gated unit, hares", "minimal", s.HARES, partial(second.Minimal, width=24),
                partial(RMSprop, lr=4e-3), epochs=12, batch=64, clip=1.0, schedule=fading)
    yield plain("backward blocks, hares", "backward", s.HARES, partial(second.Backward, width=24, blocks=2),
                momentum_decayed(0.05, 3e-3), epochs=30, batch=128, schedule=cosine)
    yield plain("time mixer, mixup, hares", "mixer", s.HARES, partial(fourth.TimeMixer, width=8, act=nn.ELU),
                decayed(5e-3, 0.1), epochs=16, batch=64, augment=mixed, schedule=cosine)
    yield plain("rnn, batch 64, hares", "rnn", s.HARES, rnn(kind=nn.RNN, width=24), partial(AdamW, lr=8e-3,
                weight_decay=0.05), epochs=20, batch=64, clip=1.0, schedule=cosine)
    yield plain("two-way lstm, SGD, gears", "two-way", s.GEARS, rnn(both=True, width=16), partial(SGD, lr=0.5,
                momentum=0.9), epochs=14, clip=1.0, schedule=cosine)
    yield plain("temporal convolutions, GELU, gears", "temporal", s.GEARS, partial(seq.Temporal, act=nn.GELU),
                momentum_decayed(0.05, 1e-3), epochs=14, schedule=cosine)
    yield plain("joined convolutions, LeakyReLU, gears", "joined", s.GEARS, partial(sixth.Joined, act=nn.LeakyReLU),
                partial(Adadelta, lr=1.0), epochs=12, schedule=cosine)
    yield plain("post-norm transformer, gears", "post-norm", s.GEARS, formed(width=24, pre=False, dropout=0.1), adamw,
                epochs=12, schedule=warm_up)
    yield plain("highway steps, gears", "rnn", s.GEARS, partial(fifth.Highway, width=20), partial(Adam, lr=6e-3),
                epochs=10, clip=1.0, schedule=cosine)
    yield plain("resnet over time, frozen, gears", "resnet", s.GEARS, partial(third.Resnet1d, act=nn.ELU),
                partial(Adam, lr=2e-3), epochs=8, model=(partial(pretrained, task=s.GEARS, keep=1),))
    yield plain("carried over, deep, gears", "carried", s.GEARS, partial(sixth.Carried, depth=6, act=nn.SiLU),
                decayed(3e-3, 0.05), epochs=10, clip=1.0, schedule=one_cycle)
    # fmt: on


def _told() -> Iterator[Plan]:
    """Tokens, by architectures that stood somewhere before."""
    # fmt: off
    yield plain("two-way lstm, mean, dialects", "two-way", s.DIALECTS, rnn(both=True, width=20, pool="mean"),
                decayed(1.6e-2, 0.2), epochs=11, batch=64, clip=1.0, schedule=cosine)
    yield plain("word filters, dialects", "words", s.DIALECTS, partial(second.Words, width=24, dropout=0.4),
                decayed(5e-3, 0.1), epochs=14, schedule=cosine)
    yield plain("gated convolutions, smoothing, dialects", "temporal", s.DIALECTS, partial(fourth.GatedConvolutions,
                depth=2, dropout=0.1), decayed(5e-3, 0.1), epochs=9, batch=64, loss=SMOOTH, schedule=cosine)
    yield plain("neighbourly words, GELU, dialects", "words", s.DIALECTS, partial(jumps.Neighbourly, width=24,
                act=nn.GELU, dropout=0.2, reach=1), decayed(8e-3, 0.2), epochs=20, batch=64, schedule=cosine)
    yield plain("gru, rounds", "lstm", s.ROUNDS, rnn(kind=nn.GRU, width=24), quick, epochs=14, clip=1.0,
                schedule=cosine)
    yield plain("rotary, rounds", "rotary", s.ROUNDS, partial(third.Rotary, width=16), decayed(8e-3, 0.1), epochs=14,
                batch=64, clip=1.0, schedule=cosine)
    yield plain("gated convolutions, rounds", "temporal", s.ROUNDS, partial(fourth.GatedConvolutions, size=7, depth=2),
                partial(NAdam, lr=5e-3), epochs=12, batch=64, schedule=cosine)
    yield plain("gpt, tied, tunes", "gpt", s.TUNES, formed(width=24, causal=True, tied=True), decayed(6e-3, 0.01),
                epochs=12, clip=1.0, schedule=cosine)
    yield plain("stacked grus, tunes", "lstm", s.TUNES, partial(third.Stacked, width=16, dropout=0.1),
                partial(Adam, lr=6e-3), epochs=10, clip=1.0, schedule=fading)
    yield plain("wave, tunes", "wave", s.TUNES, partial(second.Wave, width=16), partial(Adadelta, lr=1.0), epochs=14,
                schedule=cosine)
    yield plain("receptance, tunes", "receptance", s.TUNES, partial(fifth.Receptance, width=16), decayed(5e-3, 0.05),
                epochs=8, batch=16, schedule=cosine)
    yield plain("gru, genes", "lstm", s.GENES, rnn(kind=nn.GRU, width=24), partial(Adamax, lr=2e-2), epochs=12,
                clip=1.0, schedule=cosine)
    yield plain("peepholes, genes", "lstm", s.GENES, fourth.Peepholes, partial(Adam, lr=1.5e-2), epochs=12, batch=64,
                clip=1.0, schedule=cosine)
    yield plain("normed lstm, genes", "normed lstm", s.GENES, partial(second.NormedLstm, width=20), quick, epochs=10,
                batch=64, clip=1.0, schedule=steps)
    yield plain("quasi-recurrent, genes", "quasi", s.GENES, partial(third.Quasi, size=3), decayed(1.5e-2, 0.02),
                epochs=18, batch=64, clip=1.0, schedule=one_cycle)
    # fmt: on


def _unordered() -> Iterator[Plan]:
    """Sets and graphs, by architectures that stood somewhere before."""
    # fmt: off
    yield plain("deep sets, He, batch 8, cargoes", "sets", s.CARGOES, partial(seq.Sets, act=nn.LeakyReLU),
                momentum_decayed(0.01, 1e-4), epochs=12, batch=8, model=(net.he,), schedule=cosine)
    yield plain("equivariant, Softplus, cargoes", "sets", s.CARGOES, partial(jumps.Equivariant, act=nn.Softplus),
                partial(Adam, lr=6e-3), epochs=20, schedule=cosine)
    yield plain("set transformer, cargoes", "set transformer", s.CARGOES, partial(second.SetTransformer, width=16),
                adamw, epochs=14, clip=1.0, schedule=one_cycle)
    yield plain("sorted features, LayerNorm, cargoes", "sets", s.CARGOES, partial(ranks.Sorted, norm=nn.LayerNorm,
                act=nn.SiLU), partial(RAdam, lr=8e-3), epochs=20, schedule=cosine)
    yield plain("relations, seedlings", "relations", s.SEEDLINGS, partial(graphs.Relations, act=nn.SiLU),
                partial(Adam, lr=5e-3), epochs=16, schedule=cosine)
    yield plain("neighbours, smoothing, seedlings", "relations", s.SEEDLINGS, partial(points.Neighbours, near=3,
                width=20), nesterov, epochs=16, loss=SMOOTH, schedule=cosine)
    yield plain("set transformer, seedlings", "set transformer", s.SEEDLINGS, partial(second.SetTransformer, width=20),
                decayed(4e-3, 0.1), epochs=16, clip=1.0, schedule=cosine)
    yield plain("graph convolutions, Adadelta, ducts", "graph", s.DUCTS, partial(seq.Graph, width=24),
                partial(Adadelta, lr=1.0), epochs=16, schedule=cosine)
    yield plain("graph attention, ducts", "graph attention", s.DUCTS, graphs.GraphAttention, partial(NAdam, lr=3e-3),
                epochs=12, schedule=fading)
    yield plain("jumping, LayerNorm, ducts", "graph", s.DUCTS, partial(jumps.Jumping, norm=nn.LayerNorm, act=nn.GELU),
                partial(Adam, lr=5e-3), epochs=16, batch=16, schedule=cosine)
    yield plain("polynomials of the graph, tanh, ducts", "graph", s.DUCTS, partial(ranks.Chebyshev, act=nn.Tanh),
                momentum, epochs=20, schedule=cosine)
    yield plain("largest answers, SiLU, ducts", "graph", s.DUCTS, partial(kinds.Largest, width=16, act=nn.SiLU),
                partial(RMSprop, lr=2e-3), epochs=10, batch=64, schedule=cosine)
    # fmt: on


def _new() -> Iterator[Plan]:
    """Sequences, by architectures that no part had."""
    # fmt: off
    yield plan("fading averages, leaks", "averages", s.LEAKS, own.Averages, quick, epochs=12, clip=1.0,
               schedule=cosine)
    yield plan("fading averages, ELU, hares", "averages", s.HARES, partial(own.Averages, width=16, act=nn.ELU),
               partial(RMSprop, lr=3e-3), epochs=12, batch=64, clip=1.0, schedule=cosine)
    yield plan("fading averages, tanh, tunes", "averages", s.TUNES, partial(own.Averages, act=nn.Tanh),
               partial(Adamax, lr=2e-2), epochs=14, clip=1.0, schedule=cosine)
    yield plan("fading averages, genes", "averages", s.GENES, own.Averages, partial(NAdam, lr=1e-2), epochs=14,
               clip=1.0, schedule=cosine)
    yield plan("ranked lstm, pens", "ranked", s.PENS, partial(own.Ranked, width=20, pool="mean"), quick, epochs=10,
               batch=64, clip=1.0, schedule=cosine)
    yield plan("ranked lstm, genes", "ranked", s.GENES, partial(own.Ranked, width=20), partial(SGD, lr=0.3,
               momentum=0.9, nesterov=True), epochs=14, batch=64, clip=1.0, schedule=cosine)
    yield plan("dynamic filters, dialects", "dynamic", s.DIALECTS, partial(own.Dynamic, width=20, dropout=0.1),
               decayed(5e-3, 0.1), epochs=10, batch=64, schedule=cosine)
    yield plan("dynamic filters, smoothing, pens", "dynamic", s.PENS, partial(own.Dynamic, width=16, act=nn.ReLU),
               decayed(6e-3, 0.05), epochs=10, batch=64, loss=SMOOTH, schedule=cosine)
    yield plan("dynamic filters, causal, tunes", "dynamic", s.TUNES, partial(own.Dynamic, width=20, causal=True,
               norm=nn.RMSNorm), partial(Adagrad, lr=0.04), epochs=12, schedule=cosine)
    yield plan("lifting, noise on inputs, leaks", "lifting", s.LEAKS, partial(own.Lifting, width=8, depth=2,
               dropout=0.3), decayed(2e-3, 0.2), epochs=10, augment=shaken, schedule=cosine)
    yield plan("lifting, pendula", "lifting", s.PENDULA, partial(own.Lifting, width=12, act=nn.SiLU),
               momentum_decayed(0.02, 1e-3), epochs=12, schedule=cosine)
    yield plan("lifting, GroupNorm, hares", "lifting", s.HARES, partial(own.Lifting, width=12, norm=GROUPS,
               act=nn.GELU), adamw, epochs=14, batch=64, schedule=cosine)
    yield plan("differential attention, dialects", "differential", s.DIALECTS, partial(own.Differential, width=16,
               depth=1, dropout=0.2), decayed(6e-3, 0.2), epochs=9, batch=64, clip=1.0, schedule=cosine)
    yield plan("differential attention, gears", "differential", s.GEARS, partial(own.Differential, width=16,
               depth=2, norm=nn.LayerNorm), partial(Adam, lr=5e-3), epochs=10, batch=64, clip=1.0, schedule=one_cycle)
    yield plan("differential attention, causal, tunes", "differential", s.TUNES, partial(own.Differential, width=16,
               causal=True), decayed(6e-3, 0.05), epochs=10, clip=1.0, schedule=cosine)
    # fmt: on


def _new_unordered() -> Iterator[Plan]:
    """Sets and graphs, by architectures that no part had."""
    # fmt: off
    yield plan("tempered means, cargoes", "tempered", s.CARGOES, sets.Tempered, partial(NAdam, lr=3e-3), epochs=18,
               schedule=cosine)
    yield plan("tempered means, BatchNorm, cargoes", "tempered", s.CARGOES, partial(sets.Tempered, norm=BN1,
               act=nn.Tanh, depth=1), momentum, epochs=14, schedule=steps)
    yield plan("distances, LayerNorm, seedlings", "distances", s.SEEDLINGS, partial(sets.Distances,
               norm=nn.LayerNorm), partial(Adam, lr=6e-3), epochs=14, schedule=cosine)
    yield plan("distances, BatchNorm, dropout, seedlings", "distances", s.SEEDLINGS, partial(sets.Distances, width=16,
               scales=6, norm=BN1, act=nn.ELU, dropout=0.2), decayed(5e-3, 0.1), epochs=12, batch=16, schedule=cosine)
    yield plan("diffusion, ducts", "diffusion", s.DUCTS, sets.Diffusion, adam, epochs=12, schedule=cosine)
    yield plan("diffusion, LayerNorm, ducts", "diffusion", s.DUCTS, partial(sets.Diffusion, norm=nn.LayerNorm, times=10,
               act=nn.GELU, width=24), partial(SGD, lr=0.02, momentum=0.9), epochs=12, schedule=cosine)
    yield plan("gathered, ducts", "gathered", s.DUCTS, sets.Gathered, adam, epochs=10, schedule=cosine)
    yield plan("gathered, no norm, ducts", "gathered", s.DUCTS, partial(sets.Gathered, norm=nn.Identity, act=nn.SiLU,
               width=16), partial(Adagrad, lr=0.02), epochs=14, batch=64, schedule=cosine)
    # fmt: on


def seventh_sequences() -> Iterator[Plan]:
    """Every good plan for sequences, sets and graphs of the seventh part."""
    yield from _measured()
    yield from _told()
    yield from _unordered()
    yield from _new()
    yield from _new_unordered()
