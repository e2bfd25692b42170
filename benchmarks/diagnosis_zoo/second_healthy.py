"""The good plans of the second part, see `Task.part`: `second()`.

Each reaches its task's level on every seed of the benchmark, and was set by that alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import nn
from torch.optim import ASGD, SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Muon, NAdam, RAdam, RMSprop

from diagnosis_zoo import networks as net
from diagnosis_zoo import second_graph_networks as graph
from diagnosis_zoo import second_networks as new
from diagnosis_zoo import second_pictures as pic
from diagnosis_zoo import second_sequence_networks as own
from diagnosis_zoo import second_sequences as s
from diagnosis_zoo import second_tables as t
from diagnosis_zoo import sequence_networks as seq
from diagnosis_zoo.habits import (
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

BN1, BN2 = nn.BatchNorm1d, nn.BatchNorm2d
SMOOTHER = nn.CrossEntropyLoss(label_smoothing=0.05)
mlp, rnn, formed = partial(partial, net.mlp), partial(partial, seq.Recurrent), partial(partial, seq.Transformer)
plain = partial(plan, known=True)
quick, nesterov = partial(Adam, lr=1e-2), partial(SGD, lr=0.03, momentum=0.9, nesterov=True)


def _plain_tables() -> Iterator[Plan]:
    """Architectures that `zoo.py` or the development part has, on data of their own."""
    # fmt: off
    yield plain("pyramid, grades", "mlp", t.GRADES, mlp(widths=(48, 24)), partial(Adam, lr=2e-3), epochs=12)
    yield plain("pyramid, BatchNorm, clusters", "mlp", t.CLUSTERS, mlp(widths=(64, 32), norm=BN1), nesterov, epochs=14,
                schedule=steps)
    yield plain("pyramid, BatchNorm, churn", "mlp", t.CHURN, mlp(widths=(32, 16), norm=BN1),
                partial(AdamW, lr=2e-3, weight_decay=0.05), epochs=8, schedule=cosine)
    yield plain("three layers, board", "mlp", t.BOARD, mlp(widths=(48, 48, 48), act=nn.SiLU), quick, epochs=20,
                schedule=one_cycle)
    yield plain("mixup, board", "mlp", t.BOARD, mlp(widths=(64, 64)), quick, epochs=24, augment=mixed, schedule=cosine)
    yield plain("dropout 0.3, symptoms", "mlp", t.SYMPTOMS, mlp(widths=(64, 32), dropout=0.3), adam, epochs=16)
    yield plain("one tanh layer, symptoms", "mlp", t.SYMPTOMS, mlp(widths=(32,), act=nn.Tanh), partial(ASGD, lr=0.3),
                epochs=24)
    yield plain("five layers, pump", "mlp", t.PUMP, mlp(widths=(40,) * 5), partial(RAdam, lr=4e-3), epochs=16,
                schedule=cosine)
    yield plain("two sigmoid layers, pump", "mlp", t.PUMP, mlp(widths=(48, 32), act=nn.Sigmoid), partial(Adam, lr=2e-2),
                epochs=24)
    yield plain("tanh, echo", "mlp", t.ECHO, mlp(widths=(40, 40), act=nn.Tanh), quick, epochs=40, batch=16)
    yield plain("Muon, colours", "mlp", t.COLOURS, mlp(widths=(40, 40), act=nn.GELU, bias=False),
                partial(Muon, lr=2e-2), epochs=16, schedule=fading)
    yield plain("batch 256, colours", "mlp", t.COLOURS, mlp(widths=(48, 48), act=nn.Hardswish), quick, batch=256,
                epochs=60)
    yield plain("self-normalizing, spectra", "mlp", t.SPECTRA, mlp(widths=(64, 32), act=nn.SELU),
                partial(NAdam, lr=1e-3), epochs=16, model=(new.lecun,))
    yield plain("Adadelta, spectra", "mlp", t.SPECTRA, mlp(widths=(48, 24), act=nn.LeakyReLU),
                partial(Adadelta, lr=1.0), epochs=16)
    yield plain("four layers, terraces", "mlp", t.TERRACES, mlp(widths=(64, 48, 32, 16)), adamw, epochs=20,
                schedule=warm_up)
    yield plain("few rows, fees", "mlp", t.FEES, mlp(widths=(24, 12)), partial(AdamW, lr=4e-3, weight_decay=0.1),
                epochs=16, batch=16, schedule=cosine)
    yield plain("few rows, noise on inputs, patients", "mlp", t.PATIENTS, mlp(widths=(16,)), partial(Adam, lr=4e-3),
                epochs=10, batch=16, augment=shaken)
    yield plain("few rows, smoothing, patients", "mlp", t.PATIENTS, mlp(widths=(24, 12), dropout=0.2),
                partial(SGD, lr=0.05, momentum=0.9), epochs=10, loss=SMOOTHER, schedule=cosine)
    yield plain("Adagrad, switches", "mlp", t.SWITCHES, mlp(widths=(64, 32), act=nn.ELU), partial(Adagrad, lr=0.03),
                epochs=24)
    yield plain("two layers, pairs", "mlp", t.PAIRS, mlp(widths=(64, 32)), partial(Adam, lr=2e-3), epochs=14,
                schedule=cosine)
    yield plain("residual bottlenecks, terraces", "residual", t.TERRACES, partial(net.residual, blocks=4), momentum,
                epochs=16, schedule=cosine)
    yield plain("residual bottlenecks, grades", "residual", t.GRADES, partial(net.residual, blocks=2, width=32),
                nesterov, epochs=8, schedule=cosine)
    yield plain("narrow autoencoder, sensors", "autoencoder", t.SENSORS, new.narrow, quick, epochs=20, schedule=steps)
    yield plain("narrow autoencoder, ReLU, sensors", "autoencoder", t.SENSORS, partial(new.narrow, act=nn.ReLU, code=8),
                partial(RMSprop, lr=3e-3), epochs=16, schedule=fading)
    yield plain("wide and deep, clicks", "wide and deep", t.CLICKS, partial(net.WideDeep, width=6),
                partial(AdamW, lr=3e-3, weight_decay=0.1), epochs=10)
    # fmt: on


def _tables() -> Iterator[Plan]:
    """Tables by architectures that neither zoo had."""
    # fmt: off
    yield plan("highway, clusters", "highway", t.CLUSTERS, new.highway, adam, epochs=10,
               schedule=cosine)
    yield plan("highway, tanh, terraces", "highway", t.TERRACES, partial(new.highway, act=nn.Tanh, depth=3), quick,
               epochs=20, schedule=cosine)
    yield plan("crossing, pump", "cross", t.PUMP, new.Cross, adam, epochs=20, clip=1.0, schedule=cosine)
    yield plan("crossing, switches", "cross", t.SWITCHES, partial(new.Cross, width=24), adamw, epochs=14,
               schedule=cosine)
    yield plan("factorized, clicks", "factorized", t.CLICKS, new.Factorized, partial(AdamW, lr=2e-3, weight_decay=0.3),
               epochs=9, schedule=cosine)
    yield plan("factorized, dropout, clicks", "factorized", t.CLICKS, partial(new.Factorized, width=6, dropout=0.5),
               partial(Adamax, lr=4e-3), epochs=14)
    yield plan("experts, clusters", "experts", t.CLUSTERS, new.Experts, partial(NAdam, lr=3e-3), epochs=12)
    yield plan("experts, terraces", "experts", t.TERRACES, partial(new.Experts, act=nn.Mish, width=16), quick,
               epochs=20, schedule=cosine)
    yield plan("maxout, grades", "maxout", t.GRADES, partial(new.maxout, width=16, dropout=0.2), adam, epochs=10)
    yield plan("maxout, board", "maxout", t.BOARD, new.maxout, momentum, epochs=24, schedule=cosine)
    yield plan("radial, echo", "radial", t.ECHO, partial(new.Radial, reach=2.0), quick, epochs=30,
               schedule=cosine)
    yield plan("radial, board", "radial", t.BOARD, partial(new.Radial, reach=1.5), quick, epochs=20)
    yield plan("sines, board", "sines", t.BOARD, partial(new.sines, pitch=2.0, depth=2), partial(Adam, lr=2e-3),
               epochs=16, schedule=cosine)
    yield plan("sines, echo", "sines", t.ECHO, partial(new.sines, depth=2), partial(Adam, lr=2e-3), epochs=30)
    yield plan("weight norm, clusters", "weight norm", t.CLUSTERS, partial(new.weight_normed, depth=2), adam, epochs=12,
               schedule=cosine)
    yield plan("spectral norm, BatchNorm, grades", "spectral", t.GRADES, partial(new.spectral, norm=BN1), adam,
               epochs=8, schedule=cosine)
    yield plan("ensemble, PReLU, symptoms", "ensemble", t.SYMPTOMS, partial(new.Ensemble, act=nn.PReLU),
               partial(Adamax, lr=3e-3), epochs=12)
    yield plan("ensemble, fees", "ensemble", t.FEES, partial(new.Ensemble, width=12), partial(Adam, lr=3e-3), epochs=12,
               batch=16)
    yield plan("adapters, clusters", "adapters", t.CLUSTERS, mlp(widths=(64, 64)), adam, epochs=10, schedule=cosine,
               model=(partial(pretrained, task=t.CLUSTERS, keep=1), new.adapted))
    yield plan("zero residual, churn", "zero residual", t.CHURN, partial(new.zero_residual, width=24, blocks=4),
               partial(AdamW, lr=2e-3, weight_decay=0.1), epochs=10, schedule=cosine)
    yield plan("zero residual, GELU, colours", "zero residual", t.COLOURS, partial(new.zero_residual, act=nn.GELU),
               adamw, epochs=16)
    yield plan("additive, spectra", "additive", t.SPECTRA, partial(new.Additive, width=8), adam, epochs=16,
               schedule=cosine)
    yield plan("siamese, pairs", "siamese", t.PAIRS, new.Siamese, adam, epochs=12, schedule=cosine)
    yield plan("siamese, SiLU, pairs", "siamese", t.PAIRS, partial(new.Siamese, act=nn.SiLU, width=24), adamw,
               epochs=14, schedule=one_cycle)
    yield plan("columns as tokens, fees", "columns", t.FEES, new.Columns, partial(AdamW, lr=5e-3), epochs=30, batch=16,
               schedule=cosine)
    yield plan("columns as tokens, pump", "columns", t.PUMP, new.Columns, partial(AdamW, lr=5e-3), epochs=24,
               schedule=cosine)
    yield plan("soft trees, clusters", "trees", t.CLUSTERS, new.Trees, partial(Adam, lr=1e-2), epochs=12,
               schedule=cosine)
    # fmt: on


def _pictures() -> Iterator[Plan]:
    groups = partial(nn.GroupNorm, 4)
    # fmt: off
    yield plain("vgg, glyphs", "vgg", t.GLYPHS_SEEN, partial(net.vgg, channels=(12, 20)), adam, epochs=12)
    yield plain("vgg, BatchNorm, weaves", "vgg", t.WEAVES, partial(net.vgg, norm=BN2), momentum, epochs=10,
                augment=flipped, schedule=cosine)
    yield plain("vgg, SiLU, beacon", "vgg", t.BEACON, partial(net.vgg, act=nn.SiLU), adamw, epochs=14)
    yield plain("vgg, dropout, scratches", "vgg", t.SCRATCHES, partial(net.vgg, channels=(10, 20), dropout=0.4), adam,
                epochs=14, schedule=cosine)
    yield plain("vgg, stamps", "vgg", t.STAMPED, net.vgg, partial(Adam, lr=4e-3), epochs=16)
    yield plain("vgg, frozen backbone, weaves", "vgg", t.WEAVES, net.vgg, partial(Adam, lr=2e-3), epochs=8,
                schedule=cosine, model=(partial(pretrained, task=t.WEAVES, keep=4),))
    yield plain("separable, glyphs", "separable", t.GLYPHS_SEEN, partial(net.separable, blocks=4, width=20), nesterov,
                epochs=12, schedule=cosine)
    yield plain("separable, ReLU, stamps", "separable", t.STAMPED, partial(net.separable, blocks=3, act=nn.ReLU),
                adamw, epochs=14, schedule=cosine)
    yield plain("grouped resnet, stamps", "resnet", t.STAMPED, partial(net.resnet, blocks=3), partial(SGD, lr=0.1,
                momentum=0.9), epochs=12, schedule=cosine)
    yield plan("squeeze, weaves", "squeeze", t.WEAVES, partial(pic.squeeze, blocks=3), partial(SGD, lr=0.05,
               momentum=0.9), epochs=10, augment=flipped, schedule=cosine)
    yield plan("squeeze, GroupNorm, glyphs", "squeeze", t.GLYPHS_SEEN, partial(pic.squeeze, norm=groups), adamw,
               epochs=14, schedule=cosine)
    yield plan("inception, glyphs", "inception", t.GLYPHS_SEEN, pic.inception, nesterov, epochs=10, schedule=steps)
    yield plan("inception, stamps", "inception", t.STAMPED, partial(pic.inception, width=4), adam, epochs=12,
               schedule=cosine)
    yield plan("convnext, stamps", "convnext", t.STAMPED, pic.convnext, adamw, epochs=12, schedule=warm_up)
    yield plan("convnext, beacon", "convnext", t.BEACON, pic.convnext, partial(AdamW, lr=4e-3), epochs=14,
               schedule=cosine)
    yield plan("inverted residuals, scratches", "inverted residual", t.SCRATCHES, partial(
               pic.inverted, width=8, blocks=3), partial(SGD, lr=0.1, momentum=0.9), epochs=12, schedule=cosine)
    yield plan("inverted residuals, beacon", "inverted residual", t.BEACON, partial(pic.inverted, act=nn.Hardswish),
               partial(RMSprop, lr=2e-3), epochs=14, schedule=cosine)
    yield plan("network in network, scratches", "nested", t.SCRATCHES, partial(pic.nested, width=16),
               partial(AdamW, lr=3e-3, weight_decay=0.1), epochs=12, schedule=cosine)
    yield plan("network in network, weaves", "nested", t.WEAVES, partial(pic.nested, width=24), adam, epochs=12,
               schedule=cosine)
    yield plan("perceiver, stamps", "perceiver", t.STAMPED, pic.Perceiver, partial(AdamW, lr=4e-3), epochs=14, clip=1.0,
               schedule=cosine)
    yield plan("convolutions and attention, glyphs", "hybrid", t.GLYPHS_SEEN, pic.Hybrid, adamw, epochs=10,
               schedule=one_cycle)
    # fmt: on


def _plain_sequences() -> Iterator[Plan]:
    """The same for sequences, sets and graphs."""
    # fmt: off
    yield plain("lstm, lift", "lstm", s.LIFT, rnn(width=24), quick, epochs=12, clip=1.0)
    yield plain("lstm, power", "lstm", s.POWER, rnn(width=32), quick, epochs=18, schedule=cosine)
    yield plain("gru, river", "lstm", s.RIVER, rnn(kind=nn.GRU, width=24), partial(RMSprop, lr=3e-3), epochs=12)
    yield plain("rnn, river", "rnn", s.RIVER, rnn(kind=nn.RNN, width=24), adam, epochs=14, clip=1.0)
    yield plain("rnn, lift", "rnn", s.LIFT, rnn(kind=nn.RNN, width=32), adam, epochs=12, clip=1.0)
    yield plain("cell by hand, river", "rnn", s.RIVER, partial(seq.Cell, width=24), quick, epochs=12, clip=1.0,
                schedule=cosine)
    yield plain("cell by hand, power", "rnn", s.POWER, seq.Cell, partial(Adam, lr=5e-3), epochs=16, clip=1.0,
                schedule=cosine)
    yield plain("transformer, first", "transformer", s.FIRST, formed(width=24, depth=2), partial(AdamW, lr=5e-3),
                epochs=12, schedule=cosine, batch=64)
    yield plain("transformer, parcels", "transformer", s.PARCELS, formed(width=16, depth=1), adamw, epochs=14,
                schedule=cosine)
    yield plain("temporal convolutions, gait", "temporal", s.GAIT, partial(seq.Temporal, width=16), adam, epochs=12)
    yield plain("deep sets, parcels", "sets", s.PARCELS, seq.Sets, adam, epochs=16, schedule=cosine)
    yield plain("graph convolutions, networks", "graph", s.NETWORKS, seq.Graph, adam, epochs=14, schedule=cosine)
    # fmt: on


def _sequences() -> Iterator[Plan]:
    """Sequences, sets and graphs by architectures that neither zoo had."""
    # fmt: off
    yield plan("minimal gated unit, lift", "minimal", s.LIFT, own.Minimal, quick, epochs=12, clip=1.0)
    yield plan("minimal gated unit, river", "minimal", s.RIVER, partial(own.Minimal, width=20), adam, epochs=12,
               schedule=cosine)
    yield plan("independent recurrence, first", "independent", s.FIRST, own.Independent, quick, epochs=14,
               schedule=cosine, batch=64)
    yield plan("independent recurrence, gait", "independent", s.GAIT, own.Independent, quick, epochs=16, clip=1.0,
               schedule=cosine)
    yield plan("normed lstm, phases", "normed lstm", s.PHASES, partial(own.NormedLstm, width=20), quick, epochs=10,
               batch=64, clip=1.0)
    yield plan("normed lstm, river", "normed lstm", s.RIVER, own.NormedLstm, adam, epochs=10)
    yield plan("state space, phases", "state space", s.PHASES, own.StateSpace, quick, epochs=14)
    yield plan("state space, gait", "state space", s.GAIT, own.StateSpace, adamw, epochs=12, schedule=cosine)
    yield plan("wave, power", "wave", s.POWER, partial(own.Wave, depth=4), quick, epochs=14, schedule=cosine)
    yield plan("wave, lift", "wave", s.LIFT, partial(own.Wave, depth=4), quick, epochs=14, schedule=cosine)
    yield plan("convolutions and gru, gait", "conv gru", s.GAIT, own.ConvGru, adam, epochs=14, schedule=cosine)
    yield plan("convolutions and gru, snippets", "conv gru", s.SNIPPETS, own.ConvGru, adam, epochs=10, schedule=cosine)
    yield plan("word filters, snippets", "words", s.SNIPPETS, own.Words, adam, epochs=12)
    yield plan("word filters, dropout, snippets", "words", s.SNIPPETS, partial(own.Words, width=16, dropout=0.5),
               partial(AdamW, lr=5e-3, weight_decay=0.1), epochs=14, schedule=warm_up)
    yield plan("ladder, ELU, signals", "ladder", s.SIGNALS, partial(own.Ladder, act=nn.ELU), nesterov, epochs=16,
               schedule=cosine)
    yield plan("ladder, signals", "ladder", s.SIGNALS, own.Ladder, adam, epochs=12)
    yield plan("backward blocks, power", "backward", s.POWER, own.Backward, momentum, epochs=16, schedule=cosine)
    yield plan("backward blocks, river", "backward", s.RIVER, partial(own.Backward, width=24),
               partial(Adam, lr=2e-3), epochs=12)
    yield plan("two ways attended, snippets", "two ways attended", s.SNIPPETS, own.TwoWayAttended, quick, epochs=8,
               batch=64, clip=1.0, schedule=cosine)
    yield plan("two ways attended, reviews", "two ways attended", s.REVIEWS, partial(
               own.TwoWayAttended, kind=nn.GRU, dropout=0.4), partial(Adam, lr=5e-3), epochs=8, schedule=cosine)
    yield plan("linear attention, first", "linear attention", s.FIRST, own.Linearly, partial(AdamW, lr=5e-3), epochs=14,
               batch=64, schedule=cosine)
    yield plan("linear attention, gait", "linear attention", s.GAIT, own.Linearly, partial(AdamW, lr=5e-3), epochs=12,
               schedule=cosine)
    yield plan("frequencies, river", "frequencies", s.RIVER, own.Frequencies, adamw, epochs=16, schedule=cosine)
    yield plan("set transformer, figures", "set transformer", s.FIGURES, own.SetTransformer, adam, epochs=18,
               schedule=cosine)
    yield plan("set transformer, parcels", "set transformer", s.PARCELS, own.SetTransformer, adam, epochs=14,
               schedule=cosine)
    yield plan("relations, figures", "relations", s.FIGURES, graph.Relations, quick, epochs=24, schedule=cosine)
    yield plan("relations, GELU, parcels", "relations", s.PARCELS, partial(graph.Relations, act=nn.GELU), quick,
               epochs=12, schedule=cosine)
    yield plan("graph attention, networks", "graph attention", s.NETWORKS, graph.GraphAttention, adam, epochs=14,
               schedule=cosine)
    yield plan("messages, molecules", "messages", s.MOLECULES, graph.Messages, adam, epochs=14, schedule=cosine)
    yield plan("messages, networks", "messages", s.NETWORKS, graph.Messages, partial(AdamW, lr=1.5e-3,
               weight_decay=0.1), epochs=8, schedule=cosine)
    # fmt: on


def second() -> tuple[Plan, ...]:
    """Every good plan of the second part."""
    return (*_plain_tables(), *_tables(), *_pictures(), *_plain_sequences(), *_sequences())
