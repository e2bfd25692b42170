"""The good plans of the third part, see `Task.part`: `third()`.

Each reaches its task's level on every seed of the benchmark, and was set by that alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import ASGD, SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Muon, NAdam, RAdam, RMSprop

from diagnosis_zoo import networks as net
from diagnosis_zoo import sequence_networks as seq
from diagnosis_zoo import third_networks as new
from diagnosis_zoo import third_pictures as pic
from diagnosis_zoo import third_sequence_networks as own
from diagnosis_zoo import third_sequences as s
from diagnosis_zoo import third_set_networks as sets
from diagnosis_zoo import third_tables as t
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
)  # fmt: skip
from diagnosis_zoo.plan import Plan
from trainclinic.setup import Setup, evaluate

BN1, BN2 = nn.BatchNorm1d, nn.BatchNorm2d
GROUPS = partial(nn.GroupNorm, 4)
mlp, rnn, formed = partial(partial, net.mlp), partial(partial, seq.Recurrent), partial(partial, seq.Transformer)
plain = partial(plan, known=True)
quick, nesterov = partial(Adam, lr=1e-2), partial(SGD, lr=0.03, momentum=0.9, nesterov=True)


def accumulated(setup: Setup, told: list[dict[str, float]], *, over: int = 2) -> None:
    """A step for every `over` batches, of the mean of their gradients."""
    for _ in range(setup.epochs):
        setup.model.train()
        for index, batch in enumerate(setup.train_loader, 1):
            (setup.loss(batch) / over).backward()
            if index % over == 0 or index == len(setup.train_loader):
                if setup.clip_grad_norm is not None:
                    clip_grad_norm_(setup.model.parameters(), setup.clip_grad_norm)
                setup.optimizer.step()
                setup.optimizer.zero_grad()
        told.append(evaluate(setup))
        if setup.scheduler is not None:
            setup.scheduler.step()


def _plain_tables() -> Iterator[Plan]:
    """Architectures that stood somewhere before, on data of their own."""
    # fmt: off
    yield plain("two sigmoid layers, buildings", "mlp", t.BUILDINGS, mlp(widths=(40, 24), act=nn.Sigmoid), quick,
                epochs=40, schedule=cosine)
    yield plain("pyramid, dropout, credit", "mlp", t.CREDIT, mlp(widths=(48, 24), dropout=0.2),
                partial(AdamW, lr=1.5e-3, weight_decay=0.05), epochs=24, schedule=cosine)
    yield plain("pyramid, LayerNorm, coffee", "mlp", t.COFFEE, mlp(widths=(32, 16), norm=nn.LayerNorm),
                partial(AdamW, lr=2e-3, weight_decay=0.1), epochs=12, schedule=warm_up)
    yield plain("mixup, credit", "mlp", t.CREDIT, mlp(widths=(40, 24)), partial(Adam, lr=4e-3), epochs=20,
                augment=mixed, schedule=cosine)
    yield plain("tanh, BatchNorm, wafers", "mlp", t.WAFERS, mlp(widths=(48, 32), act=nn.Tanh, norm=BN1), momentum,
                epochs=24, schedule=cosine)
    yield plain("Muon, dunes", "mlp", t.DUNES, mlp(widths=(64, 64), act=nn.Mish, bias=False), partial(Muon, lr=2e-2),
                epochs=20, schedule=cosine)
    yield plain("leaky, Adadelta, alarms", "mlp", t.ALARMS, mlp(widths=(64, 32), act=nn.LeakyReLU),
                partial(Adadelta, lr=1.0), epochs=20, schedule=cosine)
    yield plain("few rows, batch 8, trial", "mlp", t.TRIAL, mlp(widths=(24, 12)),
                partial(SGD, lr=0.01, momentum=0.9, weight_decay=0.03), epochs=12, batch=8, schedule=cosine)
    yield plain("few rows, smoothing, trial", "mlp", t.TRIAL, mlp(widths=(24,), act=nn.Tanh, dropout=0.2),
                partial(Adam, lr=1e-3), epochs=24, batch=16, loss=SMOOTH)
    yield plain("few rows, noise on inputs, wear", "mlp", t.WEAR, mlp(widths=(24, 12)), partial(Adam, lr=0.003),
                epochs=30, batch=16, augment=shaken, schedule=cosine)
    yield plain("wide, Adagrad, assay", "mlp", t.ASSAY, mlp(widths=(48,)), partial(Adagrad, lr=0.003), epochs=20)
    yield plain("a straight line, rents", "linear", t.RENTS, mlp(widths=()), partial(SGD, lr=0.01), epochs=30)
    yield plain("one small layer, ASGD, rents", "mlp", t.RENTS, mlp(widths=(12,), act=nn.Softplus),
                partial(ASGD, lr=0.05), epochs=20, schedule=fading)
    yield plain("wide and deep, delivery", "wide and deep", t.DELIVERY, net.WideDeep,
                partial(AdamW, lr=4e-3, weight_decay=0.2), epochs=14, schedule=cosine)
    # fmt: on


def _tables() -> Iterator[Plan]:
    """Tables by architectures that no part had."""
    # fmt: off
    yield plan("norm first residual, coffee", "residual", t.COFFEE, partial(new.pre_residual, width=32), adam,
               epochs=10, schedule=cosine)
    yield plan("stochastic depth, alarms", "residual", t.ALARMS, partial(new.pre_residual, blocks=3, skip=0.2),
               nesterov, epochs=14, schedule=cosine)
    yield plan("gated blocks, buildings", "swiglu", t.BUILDINGS, new.swiglu, adamw, epochs=20, schedule=cosine)
    yield plan("focus, coffee", "focus", t.COFFEE, new.Focus, partial(AdamW, lr=4e-3, weight_decay=0.05), epochs=14,
               schedule=cosine)
    yield plan("binned, credit", "binned", t.CREDIT, partial(new.Binned, dropout=0.3),
               partial(AdamW, lr=1e-3, weight_decay=0.1), epochs=24, schedule=cosine)
    yield plan("polynomial, dunes", "polynomial", t.DUNES, partial(new.polynomial, depth=3), adam, epochs=24,
               schedule=cosine)
    yield plan("polynomial, wafers", "polynomial", t.WAFERS, partial(new.polynomial, width=20, act=nn.Tanh), adamw,
               epochs=20, schedule=cosine)
    yield plan("members, assay", "ensemble", t.ASSAY, partial(new.Members, act=nn.ELU, count=4, dropout=0.3),
               partial(AdamW, lr=1e-3, weight_decay=0.2), epochs=24, schedule=cosine)
    yield plan("column mixer, buildings", "mixer", t.BUILDINGS, new.ColumnMixer, partial(NAdam, lr=3e-3),
               epochs=16, schedule=cosine)
    yield plan("tied autoencoder, gauges", "autoencoder", t.GAUGES, new.TiedCoder, partial(Adam, lr=5e-3), epochs=24,
               schedule=cosine)
    yield plan("tied autoencoder, ReLU, gauges", "autoencoder", t.GAUGES, partial(new.TiedCoder, act=nn.ReLU,
               width=64, code=10), partial(RAdam, lr=0.01), epochs=24, schedule=cosine)
    yield plan("splines, dunes", "splines", t.DUNES, new.splines, adam, epochs=20, schedule=cosine)
    yield plan("modulated, few rows, wear", "modulated", t.WEAR, partial(new.Modulated, width=16, depth=1),
               partial(AdamW, lr=0.002, weight_decay=0.2), epochs=20, batch=16, schedule=cosine)
    yield plan("entities, delivery", "wide and deep", t.DELIVERY, new.Entities, adam, epochs=14, schedule=one_cycle)
    yield plan("entities, SiLU, delivery", "wide and deep", t.DELIVERY, partial(new.Entities, act=nn.SiLU, width=8,
               dropout=0.3), partial(AdamW, lr=4e-3, weight_decay=0.1), epochs=18, batch=64, schedule=cosine)
    yield plan("ranker, duels", "siamese", t.DUELS, new.Ranker, adam, epochs=12, schedule=cosine)
    yield plan("ranker, accumulated, duels", "siamese", t.DUELS, partial(new.Ranker, act=nn.ELU, dropout=0.2),
               partial(Adam, lr=4e-3), epochs=12, batch=16, loop=accumulated)
    # fmt: on


def _pictures() -> Iterator[Plan]:
    # fmt: off
    yield plain("vgg, meters", "vgg", t.METERS, net.vgg, adam, epochs=14, schedule=cosine)
    yield plain("vgg, BatchNorm, leaves", "vgg", t.LEAVES, partial(net.vgg, norm=BN2, channels=(10, 16)), nesterov,
                epochs=10, augment=flipped, schedule=steps)
    yield plain("vgg, frozen backbone, meters", "vgg", t.METERS, net.vgg, partial(Adam, lr=1e-3), epochs=8,
                model=(partial(pretrained, task=t.METERS, keep=4),))
    yield plan("strided, needles", "vgg", t.NEEDLES, pic.strided, adam, epochs=14, schedule=cosine)
    yield plan("strided, ReLU, leaves", "vgg", t.LEAVES, partial(pic.strided, act=nn.ReLU, dropout=0.3), adamw,
               epochs=12, augment=flipped, schedule=cosine)
    yield plan("norm first resnet, meters", "resnet", t.METERS, pic.pre_resnet, partial(SGD, lr=0.05, momentum=0.9),
               epochs=10, schedule=cosine)
    yield plan("norm first resnet, GroupNorm, leaves", "resnet", t.LEAVES, partial(pic.pre_resnet, norm=partial(
               nn.GroupNorm, 2), blocks=1), partial(AdamW, lr=2e-3, weight_decay=0.1),
               epochs=10, augment=flipped, schedule=cosine)
    yield plan("shuffled, leaves", "separable", t.LEAVES, pic.shuffled, partial(SGD, lr=0.05, momentum=0.9),
               epochs=10, schedule=cosine)
    yield plan("shuffled, Hardswish, needles", "separable", t.NEEDLES, partial(pic.shuffled, act=nn.Hardswish), adam,
               epochs=12, schedule=cosine)
    yield plan("coordinates, needles", "coordinates", t.NEEDLES, pic.Coordinates, adam, epochs=12, schedule=cosine)
    yield plan("coordinates, GroupNorm, meters", "coordinates", t.METERS, partial(pic.Coordinates, norm=GROUPS,
               act=nn.SiLU), partial(AdamW, lr=2e-3, weight_decay=0.3), epochs=10, clip=1.0, schedule=cosine)
    yield plan("conv mixer, leaves", "mixer", t.LEAVES, partial(pic.conv_mixer, width=24),
               partial(AdamW, lr=2e-3, weight_decay=0.1), epochs=8, schedule=cosine)
    yield plan("attentive, meters", "attentive", t.METERS, pic.Attentive, partial(Adamax, lr=1e-2),
               epochs=16, schedule=cosine)
    # fmt: on


def _plain_sequences() -> Iterator[Plan]:
    """Sequences and sets by architectures that stood somewhere before."""
    # fmt: off
    yield plain("gru, motors", "lstm", s.MOTORS, rnn(kind=nn.GRU, width=24), partial(RMSprop, lr=3e-3), epochs=18,
                clip=1.0, schedule=cosine)
    yield plain("two-way lstm, sleep", "two-way", s.SLEEP, rnn(both=True, width=16), quick, epochs=10, batch=64,
                clip=1.0, schedule=cosine)
    yield plain("cell by hand, tides", "rnn", s.TIDES, seq.Cell, partial(Adam, lr=4e-3), epochs=28, clip=1.0,
                schedule=cosine)
    yield plain("transformer, recipes", "transformer", s.RECIPES, formed(width=16, depth=1, dropout=0.2),
                partial(AdamW, lr=2e-3, weight_decay=0.1), epochs=8, schedule=cosine)
    yield plain("gpt, tied, chords", "gpt", s.CHORDS, formed(width=24, causal=True, tied=True), partial(AdamW, lr=5e-3),
                epochs=18, schedule=cosine, clip=1.0)
    # fmt: on


def _sequences() -> Iterator[Plan]:
    """Sequences, sets and graphs by architectures that no part had."""
    # fmt: off
    yield plan("leaky units, logs", "rnn", s.LOGS, own.Leaky, adam, epochs=14, clip=1.0, schedule=cosine)
    yield plan("stacked grus, beats", "lstm", s.BEATS, partial(own.Stacked, width=20), adam, epochs=10, clip=1.0,
               schedule=cosine)
    yield plan("stacked lstms, modes", "lstm", s.MODES, partial(own.Stacked, kind=nn.LSTM, norm=nn.RMSNorm), quick,
               epochs=10, clip=1.0, schedule=cosine)
    yield plan("quasi-recurrent, logs", "quasi", s.LOGS, partial(own.Quasi, width=16),
               partial(AdamW, lr=4e-3, weight_decay=0.1), epochs=10, schedule=cosine)
    yield plan("decoder, tides", "decoder", s.TIDES, own.Decoder, quick, epochs=20, clip=1.0, schedule=cosine)
    yield plan("resnet over time, beats", "resnet", s.BEATS, own.Resnet1d, partial(SGD, lr=0.05, momentum=0.9),
               epochs=10, schedule=cosine)
    yield plan("halving, motors", "temporal", s.MOTORS, partial(own.Halving, dropout=0.1), adam, epochs=14,
               schedule=cosine)
    yield plan("decomposed, tides", "decomposed", s.TIDES, own.Decomposed, nesterov, epochs=30, schedule=cosine)
    yield plan("rotary, logs", "rotary", s.LOGS, partial(own.Rotary, causal=True, pool="last", width=16),
               partial(AdamW, lr=3e-3, weight_decay=0.1), epochs=10, schedule=cosine)
    yield plan("rotary, modes", "rotary", s.MODES, partial(own.Rotary, causal=True),
               partial(AdamW, lr=5e-3), epochs=18, schedule=cosine, clip=1.0)
    yield plan("rotary, chords", "gpt", s.CHORDS, partial(own.Rotary, causal=True), partial(AdamW, lr=4e-3), epochs=10,
               schedule=warm_up)
    yield plan("spatial gates, beats", "spatial", s.BEATS, partial(own.Spatial, width=16),
               partial(AdamW, lr=2e-3, weight_decay=0.1), epochs=10, schedule=cosine)
    yield plan("weighed words, recipes", "words", s.RECIPES, partial(own.Weighed, dropout=0.2), partial(Adam, lr=5e-3),
               epochs=14, schedule=fading)
    yield plan("weighed words, SiLU, recipes", "words", s.RECIPES, partial(own.Weighed, width=12, act=nn.SiLU),
               partial(AdamW, lr=0.005, weight_decay=0.2), epochs=24, batch=128, schedule=cosine)
    yield plan("point net, stars", "sets", s.STARS, sets.PointNet, adam, epochs=20, schedule=cosine)
    yield plan("point net, BatchNorm, stars", "sets", s.STARS, partial(sets.PointNet, norm=BN1, width=24), adamw,
               epochs=16, schedule=cosine)
    yield plan("neighbours, stars", "relations", s.STARS, sets.Neighbours, quick, epochs=20, schedule=cosine)
    yield plan("graph isomorphism, epidemic", "graph", s.EPIDEMIC, sets.Isomorphism, adam, epochs=16, schedule=cosine)
    yield plan("graph isomorphism, ELU, epidemic", "graph", s.EPIDEMIC, partial(sets.Isomorphism, act=nn.ELU,
               depth=3), partial(SGD, lr=0.02, momentum=0.9), epochs=20, schedule=cosine)
    # fmt: on


def third() -> tuple[Plan, ...]:
    """Every good plan of the third part."""
    return (*_plain_tables(), *_tables(), *_pictures(), *_plain_sequences(), *_sequences())
