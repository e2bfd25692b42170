"""The good plans for sequences, sets and graphs of the fifth part, see `Task.part`: `fifth_sequences()`.

Each reaches its task's level on every seed of the benchmark, and was set by that alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import nn
from torch.optim import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop

from diagnosis_zoo import fifth_sequence_networks as own
from diagnosis_zoo import fifth_sequences as s
from diagnosis_zoo import fifth_set_networks as sets
from diagnosis_zoo import fourth_sequence_networks as fourth
from diagnosis_zoo import second_graph_networks as graphs
from diagnosis_zoo import second_sequence_networks as second
from diagnosis_zoo import sequence_networks as seq
from diagnosis_zoo import third_sequence_networks as third
from diagnosis_zoo import third_set_networks as points
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
    yield plain("two-way gru, birdsong", "two-way", s.BIRDSONG, rnn(kind=nn.GRU, both=True, width=16, pool="mean"),
                partial(Adam, lr=1.5e-2), epochs=12, clip=1.0, schedule=cosine)
    yield plain("resnet over time, birdsong", "resnet", s.BIRDSONG, third.Resnet1d,
                partial(SGD, lr=0.05, momentum=0.9, weight_decay=1e-3), epochs=10, schedule=cosine)
    yield plain("resnet over time, frozen, birdsong", "resnet", s.BIRDSONG, third.Resnet1d, partial(Adam, lr=1e-3),
                epochs=8, model=(partial(pretrained, task=s.BIRDSONG, keep=1),))
    yield plain("lstm, batteries", "lstm", s.BATTERIES, rnn(width=24), partial(RMSprop, lr=3e-3), epochs=18, clip=1.0,
                schedule=cosine)
    yield plain("halving, batteries", "temporal", s.BATTERIES, third.Halving, partial(NAdam, lr=2e-3), epochs=20,
                batch=16, schedule=cosine)
    yield plain("backward blocks, sales", "backward", s.SALES, partial(second.Backward, width=24, blocks=2),
                decayed(2e-3, 0.1), epochs=40, batch=128, schedule=cosine)
    yield plain("spans, sales", "spans", s.SALES, partial(fourth.Spans, span=7, dropout=0.1), decayed(2e-3, 0.1),
                epochs=16, clip=1.0, schedule=one_cycle)
    yield plain("two-way lstm, talk", "two-way", s.TALK, rnn(both=True, width=16), quick, epochs=10, batch=64,
                clip=1.0, schedule=cosine)
    yield plain("word filters, complaints", "words", s.COMPLAINTS, partial(second.Words, dropout=0.3),
                decayed(5e-3, 0.1), epochs=16, schedule=cosine)
    yield plain("transformer, baskets", "transformer", s.BASKETS, formed(width=16, depth=1, dropout=0.1),
                decayed(6e-3, 0.1), epochs=14, schedule=cosine)
    yield plain("peepholes, lexicon", "lstm", s.LEXICON, partial(fourth.Peepholes, width=32), partial(Adamax, lr=2e-2),
                epochs=14, clip=1.0, schedule=cosine)
    yield plain("gpt, tied, lexicon", "gpt", s.LEXICON, formed(width=32, causal=True, tied=True), decayed(6e-3, 0.01),
                epochs=18, clip=1.0, schedule=cosine)
    yield plain("post-norm transformer, addresses", "post-norm", s.ADDRESSES, formed(width=24, pre=False), adamw,
                epochs=14, schedule=warm_up)
    yield plain("deep sets, tanh, smears", "sets", s.SMEARS, partial(seq.Sets, width=24, act=nn.Tanh), nesterov,
                epochs=16, schedule=cosine)
    yield plain("point net, BatchNorm, smears", "sets", s.SMEARS, partial(points.PointNet, norm=BN1, width=24),
                decayed(4e-3, 0.1), epochs=16, augment=shaken, schedule=cosine)
    yield plain("messages, projects", "messages", s.PROJECTS, partial(graphs.Messages, rounds=3, width=16),
                quick, epochs=20, clip=1.0, schedule=cosine)
    # fmt: on


def _new() -> Iterator[Plan]:
    """Architectures that no part had."""
    # fmt: off
    yield plan("highway steps, batteries", "rnn", s.BATTERIES, own.Highway, partial(Adam, lr=4e-3), epochs=16,
               clip=1.0, schedule=cosine)
    yield plan("highway steps, talk", "rnn", s.TALK, partial(own.Highway, width=24), quick, epochs=10, clip=1.0,
               schedule=cosine)
    yield plan("reaching back a week, sales", "rnn", s.SALES, partial(own.Reaching, back=7, width=24),
               partial(Adam, lr=4e-3), epochs=24, clip=1.0, schedule=cosine)
    yield plan("delta memory, lexicon", "memory", s.LEXICON, own.Memory, quick, epochs=12, clip=1.0, schedule=cosine)
    yield plan("delta memory, baskets", "memory", s.BASKETS, partial(own.Memory, width=8), decayed(1e-2, 0.1),
               epochs=12, batch=64, clip=1.0, schedule=cosine)
    yield plan("inception, birdsong", "inception", s.BIRDSONG, own.Inception, partial(SGD, lr=0.1, momentum=0.9,
               nesterov=True), epochs=15, schedule=steps)
    yield plan("inception, GroupNorm, talk", "inception", s.TALK, partial(own.Inception, norm=GROUPS, act=nn.ELU),
               partial(RAdam, lr=1e-2), epochs=12, schedule=cosine)
    yield plan("excited filters, batteries", "excited", s.BATTERIES, own.Excited, adamw, epochs=16, schedule=cosine)
    yield plan("excited filters, mixup, sales", "excited", s.SALES, partial(own.Excited, size=15, pool="last"),
               decayed(5e-3, 0.02), epochs=20, augment=mixed, schedule=cosine)
    yield plan("conformer, addresses", "conformer", s.ADDRESSES, partial(own.Conformer, dropout=0.1),
               decayed(5e-3, 0.05), epochs=14, schedule=cosine)
    yield plan("conformer, smoothing, birdsong", "conformer", s.BIRDSONG, own.Conformer, decayed(5e-3, 0.05),
               epochs=14, loss=SMOOTH, schedule=cosine)
    yield plan("latents, complaints", "latents", s.COMPLAINTS, partial(own.Latents, width=16, count=5, dropout=0.2),
               decayed(8e-3, 0.3), epochs=14, batch=64, clip=1.0, schedule=cosine)
    yield plan("receptance, lexicon", "receptance", s.LEXICON, own.Receptance, adamw, epochs=14, schedule=cosine)
    yield plan("receptance, baskets", "receptance", s.BASKETS, partial(own.Receptance, width=16, depth=1),
               decayed(6e-3, 0.1), epochs=14, batch=64, schedule=fading)
    yield plan("prototypes, smears", "sets", s.SMEARS, sets.Prototypes, partial(Adagrad, lr=0.03),
               epochs=14, schedule=cosine)
    yield plan("prototypes, BatchNorm, smears", "sets", s.SMEARS, partial(sets.Prototypes, norm=BN1, act=nn.SiLU,
               dropout=0.2), partial(Adadelta, lr=1.0), epochs=14, schedule=cosine)
    yield plan("largest answers, projects", "graph", s.PROJECTS, sets.Largest, adam, epochs=14, schedule=cosine)
    yield plan("largest answers, ELU, projects", "graph", s.PROJECTS, partial(sets.Largest, act=nn.ELU, width=16),
               partial(SGD, lr=0.01, momentum=0.9), epochs=10, batch=8, schedule=cosine)
    # fmt: on


def fifth_sequences() -> Iterator[Plan]:
    """Every good plan for sequences, sets and graphs of the fifth part."""
    yield from _plain()
    yield from _new()
