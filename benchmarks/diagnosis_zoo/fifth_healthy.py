"""The good plans of the fifth part, see `Task.part`: `fifth()`.

Each reaches its task's level on every seed of the benchmark, and was set by that alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import nn
from torch.optim import ASGD, SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Muon, NAdam, RAdam, RMSprop

from diagnosis_zoo import fifth_networks as new
from diagnosis_zoo import fifth_picture_tasks as p
from diagnosis_zoo import fifth_tables as t
from diagnosis_zoo import networks as net
from diagnosis_zoo import second_networks as before
from diagnosis_zoo import third_networks as last
from diagnosis_zoo.fifth_sequence_healthy import fifth_sequences
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
    yield plain("pyramid, soils", "mlp", t.SOILS, mlp(widths=(48, 24)), adam, epochs=16, schedule=cosine)
    yield plain("BatchNorm, soils", "mlp", t.SOILS, mlp(widths=(40, 20), norm=BN1), pushed(0.03, 1e-3, nesterov=True),
                epochs=14, schedule=cosine)
    yield plain("GELU, smoothing, gases", "mlp", t.GASES, mlp(widths=(64, 32), act=nn.GELU, dropout=0.2),
                decayed(3e-3, 0.1), epochs=16, loss=SMOOTH, schedule=cosine)
    yield plain("maxout, gases", "maxout", t.GASES, partial(before.maxout, width=32, dropout=0.3),
                partial(Adamax, lr=4e-3), epochs=16, schedule=cosine)
    yield plain("mixup, returns", "mlp", t.RETURNS, mlp(widths=(48, 24)), adam, epochs=16, augment=mixed,
                schedule=cosine)
    yield plain("ELU, LayerNorm, returns", "mlp", t.RETURNS, mlp(widths=(32, 32), act=nn.ELU, norm=nn.LayerNorm,
                dropout=0.1), decayed(2e-3, 0.1), epochs=14, batch=64, schedule=warm_up)
    yield plain("tanh, cement", "mlp", t.CEMENT, mlp(widths=(48, 24), act=nn.Tanh), partial(RMSprop, lr=2e-3),
                epochs=24, schedule=cosine)
    yield plain("Muon, SiLU, accumulators", "mlp", t.ACCUMULATORS, mlp(widths=(48, 48), act=nn.SiLU, bias=False),
                partial(Muon, lr=1e-2), epochs=14, schedule=cosine)
    yield plain("gated units, allergies", "gated", t.ALLERGIES, partial(net.gated, width=32, depth=2),
                partial(Adagrad, lr=0.02), epochs=14, schedule=cosine)
    yield plain("frozen layer, allergies", "mlp", t.ALLERGIES, mlp(widths=(64, 32)), partial(Adam, lr=2e-3), epochs=10,
                model=(partial(pretrained, task=t.ALLERGIES, keep=3),), schedule=cosine)
    yield plain("few rows, sigmoid, hives", "mlp", t.HIVES, mlp(widths=(16,), act=nn.Sigmoid), pushed(0.1, 1e-3),
                epochs=24, batch=16, schedule=cosine)
    yield plain("few rows, batch 8, bridges", "mlp", t.BRIDGES, mlp(widths=(16, 8)), pushed(0.01, 0.01), epochs=20,
                batch=8, schedule=cosine)
    yield plain("wide and deep, tickets", "wide and deep", t.TICKETS, net.WideDeep, decayed(5e-3, 0.3), epochs=12,
                schedule=cosine)
    yield plain("norm first residual, sounds", "residual", t.SOUNDS, partial(last.pre_residual, width=32, dropout=0.1),
                pushed(0.05), epochs=16, schedule=one_cycle)
    yield plain("highway, sounds", "highway", t.SOUNDS, partial(before.highway, width=32, depth=3),
                partial(NAdam, lr=2e-3), epochs=16, schedule=cosine)
    yield plain("softplus, ASGD, sounds", "mlp", t.SOUNDS, mlp(widths=(32,), act=nn.Softplus), partial(ASGD, lr=0.05),
                epochs=24, batch=16, schedule=fading)
    yield plain("tied autoencoder, hands", "autoencoder", t.HANDS, partial(last.TiedCoder, width=48, code=8), quick,
                epochs=30, schedule=cosine)
    # fmt: on


def _tables() -> Iterator[Plan]:
    """Tables by architectures that no part had."""
    # fmt: off
    yield plan("reversible, gases", "residual", t.GASES, partial(new.reversible, width=24, dropout=0.1),
               decayed(2e-3, 0.1), epochs=14, schedule=cosine)
    yield plan("reversible, Mish, sounds", "residual", t.SOUNDS, partial(new.reversible, act=nn.Mish),
               partial(RAdam, lr=4e-3), epochs=16, clip=1.0, schedule=cosine)
    yield plan("boosted, returns", "boosted", t.RETURNS, partial(new.Boosted, stages=3, width=16), decayed(2e-3, 0.1),
               epochs=14, schedule=cosine)
    yield plan("boosted, cement", "boosted", t.CEMENT, new.Boosted, partial(Adam, lr=4e-3), epochs=20, schedule=cosine)
    yield plan("boosted, tanh, few rows, bridges", "boosted", t.BRIDGES, partial(new.Boosted, stages=2, width=10,
               act=nn.Tanh), decayed(2e-3, 0.2), epochs=20, batch=16, augment=shaken)
    yield plan("grouped, soils", "grouped", t.SOILS, new.grouped, pushed(0.05, 1e-3), epochs=14, batch=64,
               schedule=steps)
    yield plan("grouped, LayerNorm, allergies", "grouped", t.ALLERGIES, partial(new.grouped, norm=nn.LayerNorm),
               partial(Adadelta, lr=1.0), epochs=18, schedule=cosine)
    yield plan("branches, accumulators", "branches", t.ACCUMULATORS, new.Branches, adam, epochs=18, schedule=cosine)
    yield plan("branches, leaky, allergies", "branches", t.ALLERGIES, partial(new.Branches, act=nn.LeakyReLU,
               dropout=0.2), decayed(3e-3, 0.1), epochs=12, schedule=cosine)
    yield plan("recalled, soils", "recalled", t.SOILS, new.Recalled, partial(RMSprop, lr=1e-3), epochs=16,
               schedule=cosine)
    yield plan("recalled, few rows, hives", "recalled", t.HIVES, partial(new.Recalled, width=16, slots=12,
               dropout=0.2), decayed(1e-3, 0.2), epochs=18, batch=16, schedule=cosine)
    yield plan("interacting, tickets", "factorized", t.TICKETS, partial(new.Interacting, dropout=0.2),
               decayed(4e-3, 0.3), epochs=14, schedule=cosine)
    yield plan("interacting, BatchNorm, tickets", "factorized", t.TICKETS, partial(new.Interacting, norm=BN1),
               decayed(1e-2, 0.3), epochs=14, batch=64, loss=SMOOTH, schedule=one_cycle)
    yield plan("mended, hands", "autoencoder", t.HANDS, new.Mended, adam, epochs=20, schedule=cosine)
    yield plan("mended, ELU, sounds", "autoencoder", t.SOUNDS, partial(new.Mended, times=1, code=12,
               act=nn.ELU), decayed(4e-3, 0.05), epochs=20, batch=64, schedule=cosine)
    # fmt: on


def fifth_tables() -> Iterator[Plan]:
    """Every good plan of a table of the fifth part."""
    yield from _plain_tables()
    yield from _tables()


def fifth_pictures() -> Iterator[Plan]:
    """Every good plan of a picture of the fifth part."""
    # fmt: off
    yield plain("vgg, seams", "vgg", p.SEAMS, net.vgg, adam, epochs=14, schedule=cosine)
    yield plain("vgg, frozen backbone, skies", "vgg", p.SKIES, net.vgg, partial(Adam, lr=1e-3), epochs=8,
                model=(partial(pretrained, task=p.SKIES, keep=4),))
    yield plain("bottlenecks, skies", "resnet", p.SKIES, net.resnet, pushed(0.05, 1e-3), epochs=12, augment=flipped,
                schedule=cosine)
    yield plain("dense convolutions, foam", "densenet", p.FOAM, partial(net.DenseNet, growth=12), adam, epochs=18,
                augment=flipped, schedule=cosine)
    yield plan("shifted, seams", "resnet", p.SEAMS, new.shifted, adamw, epochs=14, schedule=cosine)
    yield plan("shifted, GroupNorm, foam", "resnet", p.FOAM, partial(new.shifted, norm=GROUPS, act=nn.GELU),
               decayed(4e-3, 0.1), epochs=16, clip=1.0, augment=flipped, schedule=cosine)
    yield plan("fires, skies", "fires", p.SKIES, partial(new.fires, width=30), partial(Adam, lr=4e-3),
               epochs=16, augment=flipped, schedule=cosine)
    yield plan("fires, BatchNorm, seams", "fires", p.SEAMS, partial(new.fires, norm=BN2, dropout=0.2),
               pushed(0.03, 1e-3, nesterov=True), epochs=12, schedule=cosine)
    yield plan("pyramid of pools, foam", "pyramid", p.FOAM, new.Pyramid, partial(NAdam, lr=2e-3), epochs=14,
               augment=flipped, schedule=cosine)
    yield plan("pyramid of pools, BatchNorm, skies", "pyramid", p.SKIES, partial(new.Pyramid, norm=BN2,
               act=nn.LeakyReLU), decayed(3e-3, 0.1), epochs=12, loss=SMOOTH, augment=flipped, schedule=cosine)
    # fmt: on


def fifth() -> tuple[Plan, ...]:
    """Every good plan of the fifth part."""
    return (*fifth_sequences(), *fifth_pictures(), *fifth_tables())
