"""The good plans for sequences, sets and graphs of the sixth part, see `Task.part`: `sixth_sequences()`.

Each reaches its task's level on every seed of the benchmark, and was set by that alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import nn
from torch.optim import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop

from diagnosis_zoo import fifth_sequence_networks as fifth
from diagnosis_zoo import fourth_sequence_networks as fourth
from diagnosis_zoo import fourth_set_networks as jumps
from diagnosis_zoo import second_sequence_networks as second
from diagnosis_zoo import sequence_networks as seq
from diagnosis_zoo import sixth_sequence_networks as own
from diagnosis_zoo import sixth_sequences as s
from diagnosis_zoo import sixth_set_networks as sets
from diagnosis_zoo import third_sequence_networks as third
from diagnosis_zoo.habits import (
    SMOOTH,
    adam,
    adamw,
    cosine,
    fading,
    mixed,
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


def _plain() -> Iterator[Plan]:
    """Architectures that stood somewhere before, on data of their own."""
    # fmt: off
    yield plain("temporal convolutions, swimmers", "temporal", s.SWIMMERS, partial(seq.Temporal, width=20),
                partial(NAdam, lr=3e-3), epochs=12, augment=shaken, schedule=cosine)
    yield plain("gru, frozen, swimmers", "lstm", s.SWIMMERS, rnn(kind=nn.GRU, pool="mean"), partial(Adam, lr=3e-3),
                epochs=8, clip=1.0, model=(partial(pretrained, task=s.SWIMMERS, keep=1),))
    yield plain("gru, cabins", "lstm", s.CABINS, rnn(kind=nn.GRU, width=24), quick, epochs=16, clip=1.0,
                schedule=cosine)
    yield plain("halving, cabins", "temporal", s.CABINS, third.Halving, adam, epochs=20, schedule=cosine)
    yield plain("lstm, queues", "lstm", s.QUEUES, rnn(width=24), partial(Adamax, lr=1.5e-2), epochs=20, clip=1.0,
                schedule=cosine)
    yield plain("two-way lstm, commutes", "two-way", s.COMMUTES, rnn(both=True, width=16), quick, epochs=10, batch=64,
                clip=1.0, schedule=cosine)
    yield plain("conformer, knitting", "conformer", s.KNITTING, partial(fifth.Conformer, dropout=0.1),
                decayed(4e-3, 0.1), epochs=9, batch=64, clip=1.0, schedule=cosine)
    yield plain("word filters, knitting", "words", s.KNITTING, partial(second.Words, dropout=0.2),
                decayed(4e-3, 0.1), epochs=10, batch=64, schedule=cosine)
    yield plain("post-norm transformer, diaries", "post-norm", s.DIARIES, formed(width=24, depth=1, pre=False,
                dropout=0.1), decayed(4e-3, 0.1), epochs=12, schedule=warm_up)
    yield plain("gpt, dances", "gpt", s.DANCES, formed(width=24, causal=True), decayed(1e-2, 0.01),
                epochs=18, batch=64, clip=1.0, schedule=cosine)
    yield plain("peepholes, dances", "lstm", s.DANCES, partial(fourth.Peepholes, width=32), partial(Adam, lr=1.5e-2),
                epochs=16, batch=64, clip=1.0, schedule=cosine)
    yield plain("two-way gru, measures", "two-way", s.MEASURES, rnn(kind=nn.GRU, both=True, width=20),
                partial(Adam, lr=6e-3), epochs=8, clip=1.0, schedule=fading)
    yield plain("temporal convolutions, measures", "temporal", s.MEASURES, seq.Temporal, partial(RMSprop, lr=2e-3),
                epochs=10, schedule=cosine)
    yield plain("deep sets, catches", "sets", s.CATCHES, seq.Sets, partial(SGD, lr=0.03, momentum=0.9), epochs=16,
                schedule=cosine)
    yield plain("graph convolutions, pastures", "graph", s.PASTURES, seq.Graph, partial(Adadelta, lr=1.0), epochs=16,
                schedule=cosine)
    yield plain("jumping, pastures", "graph", s.PASTURES, jumps.Jumping, partial(Adagrad, lr=0.02), epochs=16,
                schedule=cosine)
    # fmt: on


def _new() -> Iterator[Plan]:
    """Architectures that no part had."""
    # fmt: off
    yield plan("oscillators, cabins", "rnn", s.CABINS, own.Oscillators, quick, epochs=14, clip=1.0, schedule=cosine)
    yield plan("oscillators, commutes", "rnn", s.COMMUTES, partial(own.Oscillators, width=24), quick, epochs=12,
               clip=1.0, schedule=cosine)
    yield plan("antisymmetric steps, Nesterov, cabins", "rnn", s.CABINS, partial(own.Antisymmetric, width=24,
               act=nn.Softsign), nesterov, epochs=16, clip=1.0, schedule=cosine)
    yield plan("antisymmetric steps, cabins", "rnn", s.CABINS, own.Antisymmetric, quick, epochs=14, batch=64,
               clip=1.0, schedule=cosine)
    yield plan("chapters, queues", "chapters", s.QUEUES, own.Chapters, partial(Adam, lr=6e-3), epochs=18, clip=1.0,
               schedule=one_cycle)
    yield plan("chapters of lstm, cabins", "chapters", s.CABINS, partial(own.Chapters, kind=nn.LSTM, span=5),
               quick, epochs=18, clip=1.0, schedule=cosine)
    yield plan("joined convolutions, swimmers", "joined", s.SWIMMERS, own.Joined, momentum_decayed(0.05, 1e-3),
               epochs=10, schedule=steps)
    yield plan("joined convolutions, GroupNorm, measures", "joined", s.MEASURES, partial(own.Joined, norm=GROUPS,
               act=nn.ELU, width=20), partial(RAdam, lr=1.5e-2), epochs=12, schedule=cosine)
    yield plan("joined convolutions, causal, dances", "joined", s.DANCES, partial(own.Joined, causal=True, width=20),
               decayed(5e-3, 0.05), epochs=12, schedule=cosine)
    yield plan("carried over, commutes", "carried", s.COMMUTES, own.Carried, adamw, epochs=12, schedule=cosine)
    yield plan("carried over, smoothing, knitting", "carried", s.KNITTING, partial(own.Carried, dropout=0.1),
               decayed(6e-3, 0.05), epochs=12, batch=64, loss=SMOOTH, schedule=cosine)
    yield plan("carried over, mixup, queues", "carried", s.QUEUES, partial(own.Carried, pool="last", causal=True,
               depth=4), decayed(6e-3, 0.02), epochs=16, batch=64, augment=mixed, schedule=cosine)
    yield plan("gated units, swimmers", "gated units", s.SWIMMERS, partial(own.GatedUnits, norm=nn.RMSNorm),
               decayed(4e-3, 0.05), epochs=12, schedule=cosine)
    yield plan("synthesized attention, causal, dances", "synthesized", s.DANCES, partial(own.Synthesized, causal=True,
               heads=4), decayed(8e-3, 0.05), epochs=18, clip=1.0, schedule=cosine)
    yield plan("sorted features, catches", "sets", s.CATCHES, sets.Sorted, adam, epochs=16, schedule=cosine)
    yield plan("sorted features, BatchNorm, catches", "sets", s.CATCHES, partial(sets.Sorted, norm=BN1, act=nn.Tanh),
               nesterov, epochs=14, schedule=cosine)
    yield plan("polynomials of the graph, pastures", "graph", s.PASTURES, sets.Chebyshev, partial(Adam, lr=5e-3),
               epochs=16, schedule=cosine)
    # fmt: on


def momentum_decayed(rate: float, decay: float) -> partial[SGD]:
    return partial(SGD, lr=rate, momentum=0.9, weight_decay=decay)


def sixth_sequences() -> Iterator[Plan]:
    """Every good plan for sequences, sets and graphs of the sixth part."""
    yield from _plain()
    yield from _new()
