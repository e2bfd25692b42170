"""The good plans of the seventh part, see `Task.part`: `seventh()`.

Each reaches its task's level on every seed that it was tried on, and was set by that alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import nn
from torch.optim import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Muon, NAdam, RAdam, RMSprop

from diagnosis_zoo import fifth_networks as branched
from diagnosis_zoo import networks as net
from diagnosis_zoo import second_networks as before
from diagnosis_zoo import second_pictures as pic
from diagnosis_zoo import seventh_networks as new
from diagnosis_zoo import seventh_picture_tasks as p
from diagnosis_zoo import seventh_tables as t
from diagnosis_zoo import sixth_networks as late
from diagnosis_zoo import third_networks as last
from diagnosis_zoo import third_pictures as seen
from diagnosis_zoo.habits import (
    SMOOTH,
    adam,
    adamw,
    cosine,
    fading,
    flipped,
    mixed,
    one_cycle,
    plan,
    pretrained,
    shaken,
    steps,
    warm_up,
)
from diagnosis_zoo.plan import Plan
from diagnosis_zoo.seventh_sequence_healthy import seventh_sequences

BN1, BN2 = nn.BatchNorm1d, nn.BatchNorm2d
GROUPS = partial(nn.GroupNorm, 4)
mlp = partial(partial, net.mlp)
plain = partial(plan, known=True)


def decayed(rate: float, decay: float) -> partial[AdamW]:
    return partial(AdamW, lr=rate, weight_decay=decay)


def pushed(rate: float, decay: float = 0.0, *, nesterov: bool = False) -> partial[SGD]:
    return partial(SGD, lr=rate, momentum=0.9, weight_decay=decay, nesterov=nesterov)


def _plain_classes() -> Iterator[Plan]:
    """Architectures that stood somewhere before, on tables of classes and labels."""
    # fmt: off
    yield plain("pyramid, dropout, cheeses", "mlp", t.CHEESES, mlp(widths=(64, 32), dropout=0.2), adamw, epochs=20,
                schedule=cosine)
    yield plain("BatchNorm, smoothing, cheeses", "mlp", t.CHEESES, mlp(widths=(48, 24), norm=BN1, dropout=0.1),
                pushed(0.05, 1e-3, nesterov=True), epochs=18, loss=SMOOTH, schedule=cosine)
    yield plain("ten layers, BatchNorm, cheeses", "mlp", t.CHEESES, mlp(widths=(32,) * 10, norm=BN1),
                decayed(3e-3, 0.2), epochs=16, batch=64, schedule=one_cycle)
    yield plain("maxout, cheeses", "maxout", t.CHEESES, partial(before.maxout, width=24, depth=1, dropout=0.3),
                partial(Adamax, lr=5e-3), epochs=16, schedule=cosine)
    yield plain("columns as tokens, cheeses", "columns", t.CHEESES, partial(before.Columns, width=16, dropout=0.1),
                decayed(4e-3, 0.05), epochs=14, schedule=cosine)
    yield plain("tanh, pearls", "mlp", t.PEARLS, mlp(widths=(48, 24), act=nn.Tanh), partial(RMSprop, lr=2e-3),
                epochs=20, schedule=cosine)
    yield plain("residual bottlenecks, pearls", "residual", t.PEARLS, partial(net.residual, width=32, blocks=3),
                pushed(0.02, 3e-3), epochs=16, schedule=cosine)
    yield plain("one wide layer, batch 8, pearls", "mlp", t.PEARLS, mlp(widths=(64,), act=nn.ELU), pushed(0.01, 1e-3),
                epochs=16, batch=8, schedule=cosine)
    yield plain("crossing, pearls", "cross", t.PEARLS, partial(before.Cross, width=32), partial(Adam, lr=2e-3),
                epochs=18, schedule=cosine)
    yield plain("mixup, dykes", "mlp", t.DYKES, mlp(widths=(48, 24)), adam, epochs=18, augment=mixed, schedule=cosine)
    yield plain("SiLU, LayerNorm, warm-up, dykes", "mlp", t.DYKES, mlp(widths=(32, 32), act=nn.SiLU, norm=nn.LayerNorm,
                dropout=0.1), decayed(2e-3, 0.1), epochs=14, batch=64, schedule=warm_up)
    yield plain("norm first residual, stochastic depth, dykes", "residual", t.DYKES, partial(last.pre_residual,
                width=24, skip=0.2), decayed(3e-3, 0.1), epochs=14, schedule=cosine)
    yield plain("gated units, dykes", "gated", t.DYKES, partial(net.gated, width=24, depth=2),
                partial(Adagrad, lr=0.02), epochs=16, schedule=cosine)
    yield plain("ensemble, dykes", "ensemble", t.DYKES, partial(before.Ensemble, width=16), pushed(0.05, 1e-3),
                epochs=20, schedule=steps)
    yield plain("frozen layer, ferries", "mlp", t.FERRIES, mlp(widths=(64, 48)), partial(Adam, lr=3e-3), epochs=14,
                model=(partial(pretrained, task=t.FERRIES, keep=3),), schedule=cosine)
    yield plain("GroupNorm, LeakyReLU, ferries", "mlp", t.FERRIES, mlp(widths=(64, 32), norm=GROUPS, act=nn.LeakyReLU),
                partial(NAdam, lr=3e-3), epochs=18, schedule=cosine)
    yield plain("grouped, ferries", "grouped", t.FERRIES, branched.grouped, partial(Adam, lr=6e-3), epochs=20,
                schedule=cosine)
    yield plain("branches, GELU, ferries", "branches", t.FERRIES, partial(branched.Branches, act=nn.GELU, dropout=0.1),
                decayed(4e-3, 0.1), epochs=18, schedule=cosine)
    yield plain("few rows, sigmoid, truffles", "mlp", t.TRUFFLES, mlp(widths=(24,), act=nn.Sigmoid), pushed(0.1, 1e-3),
                epochs=30, batch=16, schedule=cosine)
    yield plain("few rows, dropout, truffles", "mlp", t.TRUFFLES, mlp(widths=(32, 16), dropout=0.3), decayed(3e-3, 0.3),
                epochs=24, batch=16, schedule=cosine)
    yield plain("few rows, hourglass, truffles", "hourglass", t.TRUFFLES, partial(late.Hourglass, width=20, depth=1,
                act=nn.ELU), decayed(3e-3, 0.3), epochs=18, batch=16, schedule=cosine)
    yield plain("wide and deep, apprentices", "wide and deep", t.APPRENTICES, net.WideDeep, decayed(5e-3, 0.2),
                epochs=12, schedule=cosine)
    yield plain("entities, apprentices", "wide and deep", t.APPRENTICES, partial(last.Entities, dropout=0.2),
                decayed(5e-3, 0.2), epochs=12, batch=64, schedule=cosine)
    yield plain("factorized, apprentices", "factorized", t.APPRENTICES, partial(before.Factorized, width=4,
                dropout=0.2), decayed(3e-3, 0.3), epochs=12, schedule=cosine)
    yield plain("interacting, apprentices", "factorized", t.APPRENTICES, partial(branched.Interacting, dropout=0.2),
                decayed(4e-3, 0.3), epochs=12, schedule=cosine)
    yield plain("tens and units, apprentices", "coded", t.APPRENTICES, partial(late.Coded, width=4, dropout=0.2),
                decayed(4e-3, 0.3), epochs=10, batch=64, schedule=cosine)
    # fmt: on


def _plain_numbers() -> Iterator[Plan]:
    """Architectures that stood somewhere before, on tables of numbers to predict."""
    # fmt: off
    yield plain("Muon, GELU, wells", "mlp", t.WELLS, mlp(widths=(48, 48), act=nn.GELU, bias=False),
                partial(Muon, lr=1e-2), epochs=16, schedule=cosine)
    yield plain("softplus, Adadelta, wells", "mlp", t.WELLS, mlp(widths=(48, 24), act=nn.Softplus),
                partial(Adadelta, lr=1.0), epochs=30, batch=16, schedule=cosine)
    yield plain("noise on inputs, wells", "mlp", t.WELLS, mlp(widths=(64, 32)), adamw, epochs=20, augment=shaken,
                schedule=cosine)
    yield plain("highway, wells", "highway", t.WELLS, partial(before.highway, width=32, depth=6),
                partial(NAdam, lr=2e-3), epochs=16, clip=1.0, schedule=cosine)
    yield plain("one cycle, tanh, dyes", "mlp", t.DYES, mlp(widths=(64, 32), act=nn.Tanh), partial(Adam, lr=1e-2),
                epochs=24, schedule=one_cycle)
    yield plain("dense layers, dyes", "dense", t.DYES, partial(net.Dense, width=20), partial(RAdam, lr=6e-3), epochs=20,
                schedule=cosine)
    yield plain("zero residual, ten blocks, dyes", "zero residual", t.DYES, partial(before.zero_residual, width=32,
                blocks=10), adam, epochs=18, schedule=cosine)
    yield plain("eight layers, He, dyes", "mlp", t.DYES, mlp(widths=(40,) * 8), partial(Adam, lr=1e-3), epochs=24,
                model=(net.he,), clip=1.0, schedule=cosine)
    yield plain("few rows, batch 8, frogs", "mlp", t.FROGS, mlp(widths=(24, 12)), pushed(0.01, 0.01), epochs=24,
                batch=8, schedule=cosine)
    yield plain("few rows, leaky, noise, frogs", "mlp", t.FROGS, mlp(widths=(32, 16), act=nn.LeakyReLU),
                decayed(3e-3, 0.1), epochs=30, batch=16, augment=shaken, schedule=fading)
    yield plain("few rows, exits, frogs", "exits", t.FROGS, partial(late.Exits, width=24, depth=2), adamw, epochs=24,
                batch=16, schedule=cosine)
    yield plain("tied autoencoder, buoys", "autoencoder", t.BUOYS, partial(last.TiedCoder, width=48, code=10),
                partial(Adam, lr=1e-2), epochs=30, schedule=cosine)
    yield plain("narrow autoencoder, buoys", "autoencoder", t.BUOYS, partial(before.narrow, width=64, code=10),
                partial(Adam, lr=8e-3), epochs=30, schedule=cosine)
    yield plain("mended, buoys", "autoencoder", t.BUOYS, partial(branched.Mended, code=10), adam, epochs=20, batch=64,
                schedule=cosine)
    # fmt: on


def _tables() -> Iterator[Plan]:
    """Tables by architectures that no part had."""
    # fmt: off
    yield plan("complex numbers, cheeses", "complex", t.CHEESES, partial(new.Complex, dropout=0.2), decayed(3e-3, 0.1),
               epochs=16, schedule=cosine)
    yield plan("complex numbers, BatchNorm, dykes", "complex", t.DYKES, partial(new.Complex, width=16, norm=BN1,
               dropout=0.1), pushed(0.02, 3e-3, nesterov=True), epochs=12, schedule=cosine)
    yield plan("complex numbers, softplus, wells", "complex", t.WELLS, partial(new.Complex, act=nn.Softplus),
               partial(RAdam, lr=6e-3), epochs=24, schedule=cosine)
    yield plan("complex numbers, tanh, dyes", "complex", t.DYES, partial(new.Complex, act=nn.Tanh), adam, epochs=20,
               batch=64, schedule=cosine)
    yield plan("complex numbers, ferries", "complex", t.FERRIES, partial(new.Complex, width=32), adam, epochs=16,
               schedule=cosine)
    yield plan("complex numbers, few rows, frogs", "complex", t.FROGS, partial(new.Complex, width=12, depth=1),
               decayed(5e-3, 0.2), epochs=24, batch=16, schedule=cosine)
    yield plan("steady, cheeses", "steady", t.CHEESES, partial(new.steady, dropout=0.2), decayed(1e-3, 0.1), epochs=14,
               schedule=cosine)
    yield plan("steady, BatchNorm, pearls", "steady", t.PEARLS, partial(new.steady, width=24, blocks=6, norm=BN1,
               dropout=0.1), pushed(0.02, 3e-3), epochs=12, batch=64, schedule=cosine)
    yield plan("steady, GELU, wells", "steady", t.WELLS, partial(new.steady, width=24, blocks=12, act=nn.GELU),
               partial(Adam, lr=1e-3), epochs=14, clip=1.0, schedule=cosine)
    yield plan("steady, dyes", "steady", t.DYES, new.steady, pushed(0.03), epochs=20, schedule=cosine)
    yield plan("steady, LayerNorm, ferries", "steady", t.FERRIES, partial(new.steady, width=40, blocks=5,
               norm=nn.LayerNorm, act=nn.SiLU), partial(RMSprop, lr=1e-3), epochs=16, schedule=warm_up)
    yield plan("steady, ELU, buoys", "steady", t.BUOYS, partial(new.steady, width=48, blocks=5, act=nn.ELU), adam,
               epochs=18, batch=64, schedule=cosine)
    yield plan("slopes, apprentices", "slopes", t.APPRENTICES, new.Slopes, decayed(4e-3, 0.3), epochs=12,
               schedule=cosine)
    yield plan("slopes, BatchNorm, apprentices", "slopes", t.APPRENTICES, partial(new.Slopes, norm=BN1, act=nn.GELU,
               dropout=0.2), decayed(1e-2, 0.3), epochs=12, batch=128, schedule=one_cycle)
    yield plan("slopes, tanh, apprentices", "slopes", t.APPRENTICES, partial(new.Slopes, width=4,
               act=nn.Tanh), partial(Adamax, lr=6e-3), epochs=12, schedule=cosine)
    # fmt: on


def seventh_tables() -> Iterator[Plan]:
    """Every good plan of a table of the seventh part."""
    yield from _plain_classes()
    yield from _plain_numbers()
    yield from _tables()


def seventh_pictures() -> Iterator[Plan]:
    """Every good plan of a picture of the seventh part."""
    # fmt: off
    yield plain("vgg, kernels", "vgg", p.KERNELS, net.vgg, adam, epochs=12, augment=flipped, schedule=cosine)
    yield plain("vgg, BatchNorm, smoothing, kernels", "vgg", p.KERNELS, partial(net.vgg, norm=BN2, dropout=0.2),
                pushed(0.03, 1e-3, nesterov=True), epochs=10, loss=SMOOTH, augment=flipped, schedule=cosine)
    yield plain("frozen backbone, kernels", "vgg", p.KERNELS, net.vgg, partial(Adam, lr=1e-3), epochs=10,
                model=(partial(pretrained, task=p.KERNELS, keep=4),), schedule=cosine)
    yield plain("dense convolutions, kernels", "densenet", p.KERNELS, partial(net.DenseNet, growth=10),
                decayed(4e-3, 0.1), epochs=14, augment=flipped, schedule=cosine)
    yield plain("grouped bottlenecks, reefs", "resnet", p.REEFS, partial(net.resnet, width=24), pushed(0.05, 1e-3),
                epochs=14, augment=flipped, schedule=cosine)
    yield plain("separable, GELU, reefs", "separable", p.REEFS, partial(net.separable, act=nn.GELU),
                partial(NAdam, lr=3e-3), epochs=14, augment=flipped, schedule=steps)
    yield plain("squeeze, reefs", "squeeze", p.REEFS, partial(pic.squeeze, blocks=3), decayed(4e-3, 0.1), epochs=14,
                batch=64, augment=flipped, schedule=cosine)
    yield plain("inception, reefs", "inception", p.REEFS, pic.inception, partial(Adam, lr=2e-3), epochs=10,
                augment=flipped, schedule=cosine)
    yield plain("vgg, LeakyReLU, vanes", "vgg", p.VANES, partial(net.vgg, channels=(16, 32), act=nn.LeakyReLU),
                partial(Adamax, lr=4e-3), epochs=12, schedule=cosine)
    yield plain("strides alone, vanes", "vgg", p.VANES, seen.strided, adamw, epochs=12, schedule=cosine)
    yield plain("norm first resnet, vanes", "resnet", p.VANES, seen.pre_resnet, pushed(0.03, 1e-3), epochs=10,
                schedule=one_cycle)
    yield plain("u-net, charts", "u-net", p.CHARTS, net.UNet, adam, epochs=10, schedule=cosine)
    yield plain("u-net, GroupNorm, charts", "u-net", p.CHARTS, partial(net.UNet, norm=GROUPS, act=nn.SiLU),
                decayed(4e-3, 0.05), epochs=12, batch=16, schedule=cosine)
    yield plain("conv autoencoder, charts", "autoencoder", p.CHARTS, partial(net.coder, act=nn.LeakyReLU),
                partial(RAdam, lr=8e-3), epochs=12, schedule=cosine)
    yield plan("keypoints, vanes", "keypoints", p.VANES, new.Keypoints, adam, epochs=10, schedule=cosine)
    yield plan("keypoints, BatchNorm, kernels", "keypoints", p.KERNELS, partial(new.Keypoints, norm=BN2),
               pushed(0.03, 1e-3), epochs=12, augment=flipped, schedule=cosine)
    yield plan("keypoints, SiLU, reefs", "keypoints", p.REEFS, partial(new.Keypoints, act=nn.SiLU, dropout=0.1),
               decayed(4e-3, 0.1), epochs=12, augment=flipped, schedule=cosine)
    yield plan("wavelets, kernels", "wavelets", p.KERNELS, partial(new.wavelets, dropout=0.1), adamw, epochs=14,
               augment=flipped, schedule=cosine)
    yield plan("wavelets, GroupNorm, reefs", "wavelets", p.REEFS, partial(new.wavelets, norm=GROUPS, act=nn.GELU,
               dropout=0.2), decayed(3e-3, 0.1), epochs=12, loss=SMOOTH, augment=flipped, schedule=cosine)
    yield plan("wavelets, vanes", "wavelets", p.VANES, new.wavelets, partial(RMSprop, lr=1e-3), epochs=12,
               schedule=cosine)
    yield plan("takes the noise away, charts", "denoiser", p.CHARTS, new.Denoiser, adam, epochs=8, schedule=cosine)
    yield plan("takes the noise away, GroupNorm, charts", "denoiser", p.CHARTS, partial(new.Denoiser, width=12,
               depth=5, norm=GROUPS, act=nn.ELU), partial(Adam, lr=2e-3), epochs=8, batch=16, schedule=cosine)
    # fmt: on


def seventh() -> tuple[Plan, ...]:
    """Every good plan of the seventh part."""
    return (*seventh_sequences(), *seventh_pictures(), *seventh_tables())
