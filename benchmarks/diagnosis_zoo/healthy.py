"""The good plans: `healthy()`.

Each reaches its task's level on every seed of the benchmark. Among them are many that look sick and are not: sigmoid
and tanh where they are fine, ReLUs of which most are silent, dropout with a training loss above validation, small noisy
sets with a mild gap, warm-up, cosine, clipping, label smoothing, mixup, noise on the inputs, a backbone frozen on
purpose, embeddings with rows never seen, tied weights, batches of 8 and 200.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

from torch import nn
from torch.optim import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Muon, NAdam, RAdam, RMSprop

from diagnosis_zoo import networks as net
from diagnosis_zoo import sequence_networks as seq
from diagnosis_zoo import sequences as s
from diagnosis_zoo import tasks as t
from diagnosis_zoo.data_faults import inputs
from diagnosis_zoo.fifth_healthy import fifth
from diagnosis_zoo.fourth_healthy import fourth
from diagnosis_zoo.habits import (
    SMOOTH,
    adam,
    adamw,
    cosine,
    fading,
    flipped,
    mixed,
    momentum,
    pretrained,
    sgd,
    shaken,
    steps,
    warm_up,
)  # fmt: skip
from diagnosis_zoo.habits import plan as _plan
from diagnosis_zoo.plan import Plan
from diagnosis_zoo.second_healthy import second
from diagnosis_zoo.seventh_healthy import seventh
from diagnosis_zoo.sixth_healthy import sixth
from diagnosis_zoo.third_healthy import third


def _tables() -> Iterator[Plan]:
    """Plain nets of other shapes on other data: here only the data are held out."""
    plain = partial(_plan, known=True)
    mlp = partial(partial, net.mlp)
    # fmt: off
    yield plain("pyramid, friedman 2", "mlp", t.FRIEDMAN2, mlp())
    yield plain("pyramid, silu, friedman 3", "mlp", t.FRIEDMAN3, mlp(act=nn.SiLU), adamw, schedule=cosine, epochs=24)
    yield plain("pyramid, BatchNorm, hastie", "mlp", t.HASTIE, mlp(widths=(96, 48), norm=nn.BatchNorm1d),
                partial(RAdam, lr=5e-3))
    yield plain("pyramid, tanh, swiss roll", "mlp", t.SWISS, mlp(widths=(48, 48, 24), act=nn.Tanh), adam, epochs=20)
    yield plain("deep, LayerNorm, quantiles", "mlp", t.QUANTILES, mlp(widths=(48,) * 5, norm=nn.LayerNorm), adam,
                epochs=8, schedule=cosine)
    yield plain("deep, s-curve", "mlp", t.S_CURVE, mlp(widths=(40,) * 5), partial(NAdam, lr=2e-3))
    yield plain("one sigmoid layer, circles", "mlp", t.CIRCLES, mlp(widths=(40,), act=nn.Sigmoid),
                partial(Adam, lr=3e-2), epochs=16)
    yield plain("two sigmoid layers, tags", "mlp", t.TAGS, mlp(widths=(64, 32), act=nn.Sigmoid),
                partial(RMSprop, lr=5e-3), epochs=20)
    yield plain("iris, batch 8", "mlp", t.IRIS, mlp(widths=(16, 8)), partial(SGD, lr=0.02, momentum=0.9), batch=8,
                epochs=16)
    yield plain("leaky, spirals", "mlp", t.SPIRALS, mlp(widths=(64, 64, 32), act=nn.LeakyReLU),
                partial(Adamax, lr=1e-2), epochs=24)
    yield plain("Muon, arm", "mlp", t.ARM, mlp(widths=(48, 48), act=nn.GELU, bias=False),
                partial(Muon, lr=2e-2, weight_decay=0.01), epochs=12)
    yield plain("Muon, friedman 3", "mlp", t.FRIEDMAN3, mlp(widths=(64, 64), act=nn.GELU, bias=False),
                partial(Muon, lr=2e-2), epochs=16, schedule=cosine)
    yield plain("dropout 0.4, tags", "mlp", t.TAGS, mlp(widths=(128, 64), dropout=0.4), adam, epochs=24)
    yield plain("doubtful labels, decay", "mlp", t.DOUBTFUL, mlp(widths=(24, 12)),
                partial(AdamW, lr=2e-3, weight_decay=0.1), epochs=16)
    yield plain("doubtful labels, dropout", "mlp", t.DOUBTFUL, mlp(widths=(48, 24), dropout=0.3), adam, epochs=16)
    yield plain("doubtful labels, smoothing", "mlp", t.DOUBTFUL, mlp(widths=(32,), act=nn.Tanh),
                partial(SGD, lr=0.1, momentum=0.9), epochs=10, loss=SMOOTH, schedule=cosine)
    yield plain("mixup, spirals", "mlp", t.SPIRALS, mlp(widths=(64, 64)), partial(Adam, lr=1e-2), epochs=24,
                augment=mixed, schedule=cosine)
    yield plain("noise on inputs, friedman 2", "mlp", t.FRIEDMAN2, mlp(widths=(64, 64)), adam, epochs=16,
                augment=shaken)
    yield plain("He, wide, SGD, hastie", "mlp", t.HASTIE, mlp(widths=(256,)), sgd, epochs=24, model=(net.he,))
    yield plain("Adadelta, quantiles", "mlp", t.QUANTILES, mlp(widths=(48, 32), act=nn.ELU), partial(Adadelta, lr=1.0),
                epochs=14)
    yield plain("batch 200, s-curve", "mlp", t.S_CURVE, mlp(widths=(64, 64), act=nn.GELU), partial(Adam, lr=1e-2),
                batch=200, epochs=60)
    yield plain("residual bottlenecks, hastie", "residual", t.HASTIE, net.residual, momentum, schedule=cosine)
    yield plain("residual bottlenecks, friedman 2", "residual", t.FRIEDMAN2, partial(net.residual, blocks=3), adamw)
    yield from _small(plain)
    # fmt: on


def _small(plain: Callable[..., Plan]) -> Iterator[Plan]:
    """Few rows with doubtful labels, so that a mild gap is as it should be; batch norms; inputs that a norm scales."""
    mlp = partial(partial, net.mlp)
    raw = (inputs(lambda x: 72 * x + 115),)
    # fmt: off
    yield plain("few rows, dropout", "mlp", t.FEW, mlp(widths=(64, 32), dropout=0.3), partial(Adam, lr=3e-3), epochs=14)
    yield plain("few rows, decay", "mlp", t.FEW, mlp(widths=(48, 24)), partial(AdamW, lr=2e-3, weight_decay=0.2),
                epochs=14)
    yield plain("few rows, residual", "residual", t.FEW, partial(net.residual, blocks=2, width=32, norm=nn.LayerNorm),
                partial(AdamW, lr=3e-3, weight_decay=0.1), epochs=12, schedule=cosine)
    yield _plan("few rows, gated", "gated", t.FEW, partial(net.gated, depth=2), partial(AdamW, lr=2e-3,
                weight_decay=0.1), epochs=10, schedule=cosine)
    yield _plan("few rows, dense", "dense", t.FEW, net.Dense, partial(Adam, lr=3e-3), epochs=10, schedule=cosine)
    yield plain("pyramid, BatchNorm, spirals", "mlp", t.SPIRALS, mlp(widths=(64, 64), norm=nn.BatchNorm1d), momentum,
                epochs=20, schedule=cosine)
    yield plain("residual bottlenecks, tags", "residual", t.TAGS, partial(net.residual, blocks=2), adam, epochs=10,
                schedule=cosine)
    yield _plan("gated, BatchNorm, s-curve", "gated", t.S_CURVE, partial(net.gated, norm=nn.BatchNorm1d), adam)
    yield plain("norm first, raw friedman 2", "norm first", t.FRIEDMAN2, partial(
                net.norm_first, norm=nn.BatchNorm1d(4), network=mlp(widths=(64, 32))), adam, epochs=16, data=raw)
    yield plain("norm first, raw gratings", "norm first", t.GRATINGS, partial(
                net.norm_first, norm=nn.BatchNorm2d(1), network=net.vgg), adam, data=raw, epochs=10)
    # fmt: on


def _gates() -> Iterator[Plan]:
    """Tables by nets that the limits have not seen."""
    # fmt: off
    yield _plan("gated, quantiles", "gated", t.QUANTILES, net.gated, adamw, schedule=warm_up)
    yield _plan("gated, friedman 3", "gated", t.FRIEDMAN3, net.gated, adam, epochs=24)
    yield _plan("gated, no norm, tags", "gated", t.TAGS, partial(net.gated, norm=None, depth=2), adam, epochs=16)
    yield _plan("dense, spirals", "dense", t.SPIRALS, net.Dense, partial(Adam, lr=1e-2), epochs=24)
    yield _plan("dense, hastie", "dense", t.HASTIE, partial(net.Dense, act=nn.ReLU), momentum, epochs=10,
                schedule=cosine)
    yield _plan("dense, arm", "dense", t.ARM, partial(net.Dense, act=nn.Tanh), adam, epochs=16)
    yield _plan("fourier, swiss roll", "fourier", t.SWISS, net.Fourier, adam, epochs=14)
    yield _plan("fourier, spirals", "fourier", t.SPIRALS, net.Fourier, sgd, epochs=24)
    yield _plan("wide and deep", "wide and deep", t.CATEGORIES, net.WideDeep, adam)
    yield _plan("wide and deep, Adagrad", "wide and deep", t.CATEGORIES, net.WideDeep, partial(Adagrad, lr=0.02))
    yield _plan("wide and deep, dropout", "wide and deep", t.CATEGORIES, partial(net.WideDeep, dropout=0.3), adamw,
                epochs=20)
    yield _plan("two towers", "two towers", t.RATINGS, net.TwoTower, partial(Adam, lr=5e-3), batch=64, epochs=20)
    yield _plan("two towers, gelu", "two towers", t.RATINGS, partial(net.TwoTower, act=nn.GELU),
                partial(AdamW, lr=5e-3, weight_decay=0.02), batch=64, epochs=20)
    # fmt: on


def _pictures() -> Iterator[Plan]:
    groups = partial(nn.GroupNorm, 4)
    plain = partial(_plan, known=True)
    # fmt: off
    yield plain("vgg, shapes", "vgg", t.SHAPES, net.vgg, adamw, schedule=cosine)
    yield plain("vgg, BatchNorm, gratings", "vgg", t.GRATINGS, partial(net.vgg, norm=nn.BatchNorm2d), momentum)
    yield plain("vgg, dropout, patches", "vgg", t.PATCHES, partial(net.vgg, dropout=0.5), adam, augment=flipped)
    yield plain("vgg, dots", "vgg", t.DOTS, partial(net.vgg, act=nn.SiLU), adam, epochs=16)
    yield plain("vgg, frozen backbone", "vgg", t.SHAPES, net.vgg, partial(Adam, lr=3e-3), epochs=10,
                model=(partial(pretrained, task=t.SHAPES, keep=4),))
    yield _plan("grouped resnet, gratings", "resnet", t.GRATINGS, net.resnet, momentum, schedule=cosine)
    yield _plan("grouped resnet, GroupNorm, gratings", "resnet", t.GRATINGS, partial(net.resnet, norm=groups), adam)
    yield _plan("grouped resnet, smoothing, patches", "resnet", t.PATCHES, net.resnet, adamw, loss=SMOOTH, epochs=10)
    yield _plan("densenet, shapes", "densenet", t.SHAPES, net.DenseNet, partial(SGD, lr=0.05, momentum=0.9,
                                                                             nesterov=True), schedule=steps)
    yield _plan("densenet, dots", "densenet", t.DOTS, net.DenseNet, adam, schedule=cosine, epochs=14)
    yield _plan("separable, gratings", "separable", t.GRATINGS, net.separable, adamw, epochs=14)
    yield _plan("separable, shapes", "separable", t.SHAPES, partial(net.separable, act=nn.Hardswish),
                partial(RMSprop, lr=2e-3, momentum=0.5))
    yield _plan("u-net, denoising", "u-net", t.DENOISE, net.UNet, adam, epochs=8)
    yield _plan("u-net, GroupNorm, denoising", "u-net", t.DENOISE, partial(net.UNet, norm=groups), adamw, epochs=8,
                schedule=cosine)
    yield _plan("conv autoencoder, denoising", "autoencoder", t.DENOISE, net.coder, partial(NAdam, lr=3e-3), epochs=8)
    yield _plan("conv autoencoder, tanh", "autoencoder", t.DENOISE, partial(net.coder, act=nn.Tanh), adam, epochs=8)
    yield _plan("mixer, patches", "mixer", t.PATCHES, net.Mixer, adamw, epochs=10, schedule=cosine)
    yield _plan("mixer, gratings", "mixer", t.GRATINGS, net.Mixer, adam, epochs=16)
    yield _plan("vision transformer, gratings", "vision transformer", t.GRATINGS, net_vision(), adamw, epochs=10,
                schedule=cosine)
    yield _plan("vision transformer, patches", "vision transformer", t.PATCHES, net_vision(dropout=0.1), adamw,
                epochs=10, clip=1.0, schedule=cosine)
    # fmt: on


def net_vision(**settings: Any) -> partial[nn.Module]:
    return partial(seq.Vision, **settings)


def _sequences() -> Iterator[Plan]:
    rnn, formed = partial(partial, seq.Recurrent), partial(partial, seq.Transformer)
    plain = partial(_plan, known=True)
    # fmt: off
    yield _plan("temporal convolutions, adding", "temporal", s.ADDING, seq.Temporal, adam)
    yield _plan("temporal convolutions, tagging", "temporal", s.TAGGING, seq.Temporal, adam)
    yield _plan("temporal convolutions, waveforms", "temporal", s.WAVEFORMS, partial(seq.Temporal, act=nn.GELU),
                momentum)
    yield _plan("two-way lstm, tagging", "two-way", s.TAGGING, rnn(both=True), partial(Adam, lr=1e-2), clip=1.0)
    yield _plan("two-way gru, recall", "two-way", s.RECALL, rnn(kind=nn.GRU, both=True, pool="mean"),
                partial(Adam, lr=1e-2), epochs=20)
    yield _plan("attended gru, brackets", "attended", s.BRACKETS, seq.Attended, partial(Adam, lr=1e-2), epochs=14,
                schedule=cosine)
    yield _plan("attended gru, waveforms", "attended", s.WAVEFORMS, seq.Attended, adam, epochs=16, clip=1.0)
    yield _plan("two lstms, brackets", "lstm", s.BRACKETS, rnn(layers=2), partial(Adam, lr=1e-2), epochs=16, clip=1.0,
                known=True)
    yield plain("lstm, forecast", "lstm", s.FORECAST, rnn(), partial(RMSprop, lr=5e-3), epochs=16)
    yield plain("lstm, adding", "lstm", s.ADDING, rnn(), partial(Adam, lr=1e-2), epochs=20, clip=1.0)
    yield plain("lstm, next letter", "lstm", s.TEXT, rnn(width=48), partial(Adam, lr=1e-2), epochs=16)
    yield plain("rnn, forecast", "rnn", s.FORECAST, rnn(kind=nn.RNN), adam, epochs=16)
    yield plain("cell by hand, forecast", "rnn", s.FORECAST, seq.Cell, adam, epochs=12, clip=1.0)
    yield plain("cell by hand, ReLU, forecast", "rnn", s.FORECAST, partial(seq.Cell, act=nn.ReLU),
                partial(Adam, lr=2e-3), epochs=14, clip=1.0, schedule=cosine)
    yield _plan("gpt, refrain", "gpt", s.REFRAIN, formed(causal=True), partial(AdamW, lr=5e-3), schedule=warm_up,
                epochs=12, clip=1.0)
    yield _plan("gpt, tied, refrain", "gpt", s.REFRAIN, formed(causal=True, tied=True), partial(AdamW, lr=5e-3),
                schedule=cosine, epochs=14)
    yield plain("deep pre-norm transformer, clouds", "transformer", s.CLOUDS, formed(act=nn.SiLU, depth=4), adamw,
                epochs=8, schedule=cosine)
    yield _plan("post-norm transformer, clouds", "post-norm", s.CLOUDS, formed(pre=False, depth=3), adamw,
                schedule=warm_up, epochs=8)
    yield _plan("post-norm transformer, forecast", "post-norm", s.FORECAST, formed(pre=False, pool="last"),
                partial(AdamW, lr=2e-3), schedule=warm_up, epochs=12)
    yield _plan("post-norm transformer, tagging", "post-norm", s.TAGGING, formed(pre=False), adamw, schedule=warm_up,
                epochs=14)
    yield plain("pre-norm transformer, adding", "transformer", s.ADDING, formed(), adamw, schedule=cosine, epochs=8)
    yield plain("pre-norm transformer, dropout, graphs", "transformer", s.GRAPHS, formed(dropout=0.2), adamw, epochs=10,
                schedule=cosine)
    yield plain("pre-norm transformer, dropout, forecast", "transformer", s.FORECAST, formed(dropout=0.1, pool="last"),
                adamw, schedule=cosine, epochs=12)
    yield _plan("deep sets, clouds", "sets", s.CLOUDS, seq.Sets, adam)
    yield _plan("deep sets, tanh, clouds", "sets", s.CLOUDS, partial(seq.Sets, act=nn.Tanh), partial(Adam, lr=1e-2),
                schedule=fading, epochs=16)
    yield _plan("graph convolutions", "graph", s.GRAPHS, seq.Graph, adam, epochs=10, schedule=cosine)
    yield _plan("graph convolutions, elu, momentum", "graph", s.GRAPHS, partial(seq.Graph, act=nn.ELU), momentum,
                epochs=12, schedule=cosine)
    # fmt: on


@cache
def healthy() -> tuple[Plan, ...]:
    """Every good plan, part by part."""
    own = (*_tables(), *_gates(), *_pictures(), *_sequences())
    return (*own, *second(), *third(), *fourth(), *fifth(), *sixth(), *seventh())
