"""The good plans of the sixth part, see `Task.part`: `sixth()`.

Each reaches its task's level on every seed of the benchmark, and was set by that alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import nn
from torch.optim import ASGD, SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Muon, NAdam, RAdam, RMSprop

from diagnosis_zoo import networks as net
from diagnosis_zoo import second_pictures as pic
from diagnosis_zoo import sixth_networks as new
from diagnosis_zoo import sixth_picture_tasks as p
from diagnosis_zoo import sixth_tables as t
from diagnosis_zoo import third_networks as last
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
from diagnosis_zoo.sixth_sequence_healthy import sixth_sequences

BN1, BN2 = nn.BatchNorm1d, nn.BatchNorm2d
GROUPS = partial(nn.GroupNorm, 4)
mlp = partial(partial, net.mlp)
plain = partial(plan, known=True)
quick = partial(Adam, lr=1e-2)


def decayed(rate: float, decay: float) -> partial[AdamW]:
    return partial(AdamW, lr=rate, weight_decay=decay)


def pushed(rate: float, decay: float = 0.0, *, nesterov: bool = False) -> partial[SGD]:
    return partial(SGD, lr=rate, momentum=0.9, weight_decay=decay, nesterov=nesterov)


def _plain_tables() -> Iterator[Plan]:
    """Architectures that stood somewhere before, on data of their own."""
    # fmt: off
    yield plain("pyramid, shards", "mlp", t.SHARDS, mlp(widths=(48, 24), dropout=0.1), adam, epochs=14,
                schedule=cosine)
    yield plain("BatchNorm, smoothing, shards", "mlp", t.SHARDS, mlp(widths=(32, 16), norm=BN1, dropout=0.1),
                pushed(0.02, 5e-3, nesterov=True), epochs=12, loss=SMOOTH, schedule=cosine)
    yield plain("tanh, coins", "mlp", t.COINS, mlp(widths=(48, 24), act=nn.Tanh), partial(RMSprop, lr=3e-3), epochs=24,
                schedule=cosine)
    yield plain("mixup, ice", "mlp", t.ICE, mlp(widths=(48, 24)), adam, epochs=16, augment=mixed, schedule=cosine)
    yield plain("ELU, LayerNorm, ice", "mlp", t.ICE, mlp(widths=(32, 32), act=nn.ELU, norm=nn.LayerNorm, dropout=0.1),
                decayed(3e-3, 0.1), epochs=14, batch=64, schedule=warm_up)
    yield plain("Muon, SiLU, kilns", "mlp", t.KILNS, mlp(widths=(48, 48), act=nn.SiLU, bias=False),
                partial(Muon, lr=2e-2), epochs=18, schedule=cosine)
    yield plain("gated units, kilns", "gated", t.KILNS, partial(net.gated, width=32, depth=2),
                partial(Adagrad, lr=0.03), epochs=16, schedule=cosine)
    yield plain("softplus, ASGD, yachts", "mlp", t.YACHTS, mlp(widths=(32,), act=nn.Softplus), partial(ASGD, lr=0.05),
                epochs=24, batch=16, schedule=fading)
    yield plain("norm first residual, yachts", "residual", t.YACHTS, partial(last.pre_residual, width=32), pushed(0.03),
                epochs=14, schedule=one_cycle)
    yield plain("frozen layer, pests", "mlp", t.PESTS, mlp(widths=(64, 32)), partial(Adam, lr=2e-3), epochs=10,
                model=(partial(pretrained, task=t.PESTS, keep=3),), schedule=cosine)
    yield plain("few rows, sigmoid, donors", "mlp", t.DONORS, mlp(widths=(16,), act=nn.Sigmoid), pushed(0.1, 1e-3),
                epochs=20, batch=16, schedule=cosine)
    yield plain("few rows, batch 8, glaciers", "mlp", t.GLACIERS, mlp(widths=(16, 8)), pushed(0.01, 0.01), epochs=18,
                batch=8, schedule=cosine)
    yield plain("wide and deep, auctions", "wide and deep", t.AUCTIONS, net.WideDeep, decayed(5e-3, 0.2), epochs=12,
                schedule=cosine)
    yield plain("tied autoencoder, pipes", "autoencoder", t.PIPES, partial(last.TiedCoder, width=48, code=8), quick,
                epochs=24, schedule=cosine)
    # fmt: on


def _tables() -> Iterator[Plan]:
    """Tables by architectures that no part had."""
    # fmt: off
    yield plan("winners, shards", "mlp", t.SHARDS, partial(new.winners, widths=(64, 48), dropout=0.1),
               partial(Adamax, lr=8e-3), epochs=20, schedule=cosine)
    yield plan("winners, BatchNorm, pests", "mlp", t.PESTS, partial(new.winners, widths=(64, 32), norm=BN1,
               dropout=0.1), decayed(5e-3, 0.1), epochs=16, batch=64, schedule=cosine)
    yield plan("winners, tanh, yachts", "mlp", t.YACHTS, partial(new.winners, act=nn.Tanh), partial(NAdam, lr=3e-3),
               epochs=20, schedule=cosine)
    yield plan("exits, ice", "exits", t.ICE, partial(new.Exits, width=32), decayed(2e-3, 0.1), epochs=14,
               schedule=cosine)
    yield plan("exits, LayerNorm, kilns", "exits", t.KILNS, partial(new.Exits, norm=nn.LayerNorm, act=nn.GELU),
               partial(Adam, lr=3e-3), epochs=16, batch=64, schedule=cosine)
    yield plan("exits, few rows, glaciers", "exits", t.GLACIERS, partial(new.Exits, width=16, depth=2, act=nn.ELU),
               decayed(3e-3, 0.2), epochs=20, batch=16, augment=shaken)
    yield plan("hourglass, coins", "hourglass", t.COINS, new.Hourglass, adamw, epochs=16, schedule=cosine)
    yield plan("hourglass, BatchNorm, yachts", "hourglass", t.YACHTS, partial(new.Hourglass, norm=BN1),
               pushed(0.03, 1e-3), epochs=16, schedule=steps)
    yield plan("hourglass, pipes", "hourglass", t.PIPES, partial(new.Hourglass, act=nn.SiLU), adam, epochs=18,
               schedule=cosine)
    yield plan("written, kilns", "written", t.KILNS, new.Written, partial(RAdam, lr=4e-3), epochs=16, clip=1.0,
               schedule=cosine)
    yield plan("written, LayerNorm, coins", "written", t.COINS, partial(new.Written, norm=nn.LayerNorm, depth=1),
               partial(Adadelta, lr=1.0), epochs=16, schedule=cosine)
    yield plan("written, few rows, donors", "written", t.DONORS, partial(new.Written, width=12, depth=1, dropout=0.2),
               decayed(2e-3, 0.2), epochs=16, batch=16, schedule=cosine)
    yield plan("tens and units, auctions", "coded", t.AUCTIONS, new.Coded, decayed(5e-3, 0.1), epochs=14,
               schedule=cosine)
    yield plan("tens and units, BatchNorm, auctions", "coded", t.AUCTIONS, partial(new.Coded, norm=BN1, act=nn.GELU),
               decayed(1e-2, 0.1), epochs=14, batch=128, schedule=one_cycle)
    # fmt: on


def sixth_tables() -> Iterator[Plan]:
    """Every good plan of a table of the sixth part."""
    yield from _plain_tables()
    yield from _tables()


def sixth_pictures() -> Iterator[Plan]:
    """Every good plan of a picture of the sixth part."""
    # fmt: off
    yield plain("vgg, prints", "vgg", p.PRINTS, net.vgg, adam, epochs=10, schedule=cosine)
    yield plain("vgg, frozen backbone, flags", "vgg", p.FLAGS, net.vgg, partial(Adam, lr=1e-3), epochs=8,
                model=(partial(pretrained, task=p.FLAGS, keep=4),))
    yield plain("separable, rust", "separable", p.RUST, net.separable, partial(Adam, lr=5e-3), epochs=14,
                augment=flipped, schedule=cosine)
    yield plain("squeezed, flags", "resnet", p.FLAGS, pic.squeeze, pushed(0.05, 1e-3), epochs=12, augment=flipped,
                schedule=cosine)
    yield plan("blurred, flags", "vgg", p.FLAGS, new.blurred, adam, epochs=10, augment=flipped, schedule=cosine)
    yield plan("blurred, BatchNorm, rust", "vgg", p.RUST, partial(new.blurred, norm=BN2, act=nn.SiLU),
               decayed(3e-3, 0.1), epochs=10, augment=flipped, schedule=cosine)
    yield plan("stairs, prints", "resnet", p.PRINTS, new.stairs, pushed(0.03, 1e-3, nesterov=True),
               epochs=10, augment=flipped, schedule=cosine)
    yield plan("stairs, GroupNorm, rust", "resnet", p.RUST, partial(new.stairs, norm=GROUPS, act=nn.ELU),
               decayed(5e-3, 0.05), epochs=14, batch=64, augment=flipped, schedule=cosine)
    yield plan("turning, BatchNorm, prints", "turning", p.PRINTS, partial(new.Turning, norm=BN2),
               decayed(6e-3, 0.05), epochs=10, augment=flipped, schedule=cosine)
    # fmt: on


def sixth() -> tuple[Plan, ...]:
    """Every good plan of the sixth part."""
    return (*sixth_sequences(), *sixth_pictures(), *sixth_tables())
