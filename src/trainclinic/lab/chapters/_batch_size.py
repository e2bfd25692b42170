"""What the chapter on batch size draws and plays with."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from trainclinic.lab.batches import batch_gradients, iterations_per_epoch, last_batch, noise_scale, updates
from trainclinic.lab.chapter import Play, Table
from trainclinic.lab.chapters._plots import BLUE, GREEN, RED, chart, dots, in_words
from trainclinic.lab.controls import Control, Values
from trainclinic.lab.experiment import Make
from trainclinic.lab.words import Words
from trainclinic.measure.run import build, run
from trainclinic.setup import train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
CURVES = ((8, BLUE), (64, RED), (512, GREEN))  # batch size, colour
CLOUD = 200  # batches a cloud
STAGES = {"start": Words("before training", "학습 전"), "late": Words("after 10 epochs", "10에폭 뒤")}
CURVE_EPOCHS = 10
TRAINED: Values = {"depth": 4, "optimizer": "SGD", "learning_rate": 0.1}  # as the chapter's experiment begins
NETWORK: Values = {"depth": 1, "width": 16, "optimizer": "SGD", "learning_rate": 0.1}
HEADER = (Words("Quantity", "항목"), Words("Value", "값"))


# -- the workbook


def _workbook(values: Values, language: str) -> list[Table | dict[str, Any]]:
    problems, at_once = cast(int, values["problems"]), cast(int, values["at_once"])
    rounds = iterations_per_epoch(problems, at_once)
    columns = 20
    cells: list[int | None] = [number // at_once + 1 for number in range(problems)]
    cells += [None] * (-problems % columns)
    grid = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    label = Words("marked in round", "채점 회차")[language]
    heat = {
        "type": "heatmap", "z": grid, "colorscale": "Viridis", "xgap": 2, "ygap": 2,
        "zmin": 1, "zmax": max(rounds, 2), "hovertemplate": f"{label} %{{z}}<extra></extra>",
        "colorbar": {"title": {"text": label}},
    }  # fmt: skip
    picture = chart(
        [heat],
        Words("the workbook, 20 problems a row", "문제집 (한 줄에 20문제)")[language],
        "",
        xaxis={"showticklabels": False},
        yaxis={"showticklabels": False, "autorange": "reversed"},
    )
    table = Table(
        (Words("Workbook", "문제집"), Words("Training", "학습"), Words("Value", "값")),
        tuple(
            (left[language], right[language], str(number))
            for left, right, number in (
                (Words("problems in the book", "문제집의 문제 수"), Words("samples", "샘플 수"), problems),
                (Words("solved before marking", "채점 전에 푸는 문제 수"), Words("batch size", "배치 크기"), at_once),
                (Words("markings, cover to cover", "처음부터 끝까지 채점하는 횟수"),
                 Words("iterations (updates) per epoch", "에폭당 반복(업데이트) 수"), rounds),
                (Words("problems in the last round", "마지막 회차의 문제 수"), Words("last batch", "마지막 배치"),
                 last_batch(problems, at_once)),
            )
        ),
    )  # fmt: skip
    return [table, picture]


WORKBOOK = Play(
    "workbook",
    Words("Solve, mark, learn: round by round", "풀고, 채점하고, 배우기: 회차별로"),
    (
        Control("problems", Words("Problems in the book", "문제집의 문제 수"), 100, 20, 400, 20),
        Control("at_once", Words("Solved before marking (batch size)", "한 번에 풀고 채점하는 문제 수(배치 크기)"),
                20, 1, 400, 1),
    ),
    _workbook,
)  # fmt: skip


# -- the calculator


def _calculator(values: Values, language: str) -> list[Table | dict[str, Any]]:
    samples, batch, epochs = (cast(int, values[name]) for name in ("samples", "batch_size", "epochs"))
    drop = bool(values["drop_last"])
    each = iterations_per_epoch(samples, batch, drop)
    left_out = samples % batch if drop else 0
    return [
        Table(
            HEADER,
            in_words(
                (
                    (Words("iterations per epoch", "에폭당 반복 수"), f"{each:,}"),
                    (Words("updates in all", "전체 업데이트 수"), f"{updates(samples, batch, epochs, drop):,}"),
                    (Words("size of the last batch", "마지막 배치의 크기"), f"{last_batch(samples, batch, drop):,}"),
                    (Words("samples left out of each epoch", "에폭마다 쓰이지 않는 샘플 수"), f"{left_out:,}"),
                    (Words("samples processed in all", "처리한 샘플의 총수"), f"{(samples - left_out) * epochs:,}"),
                ),
                language,
            ),
        )
    ]


CALCULATOR = Play(
    "calculator",
    Words("Samples, batch size, epochs → updates", "샘플 수, 배치 크기, 에폭 수 → 업데이트 수"),
    (
        Control("samples", Words("Samples", "샘플 수"), 3000, 1, 100_000),
        Control("batch_size", Words("Batch size", "배치 크기"), 300, 1, 10_000),
        Control("epochs", Words("Epochs", "에폭 수"), 1, 1, 1000),
        Control("drop_last", Words("Leave out a last batch that is not full (drop_last)",
                                   "가득 차지 않은 마지막 배치 버리기(drop_last)"), False),
    ),
    _calculator,
)  # fmt: skip


# -- the noise


@cache
def sample_gradients(stage: str) -> Floats:
    """The gradient of every training sample of a small network on digits, shape (1348, 1210)."""
    setup = build(Make({**NETWORK, "epochs": 10}), 0)
    if stage == "late":
        train(setup)
    model = setup.model
    images, labels = cast(Any, setup.train_loader).dataset.tensors
    weights = {name: weight.detach() for name, weight in model.named_parameters()}

    def loss(found: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        output = functional_call(model, found, (image[None],))
        return nn.functional.cross_entropy(output, label[None])

    each = vmap(grad(loss), in_dims=(None, 0, 0))(weights, images, labels)
    joined = torch.cat([gradient.flatten(1) for gradient in each.values()], 1)
    numbers: Floats = joined.numpy().astype(np.float64)
    return numbers


@cache
def _plane(stage: str) -> Floats:
    """Every sample's gradient in units of |G|: along the mean G, and across it where they spread most; (samples, 2)."""
    rows = sample_gradients(stage)
    mean = rows.mean(0)
    length = np.linalg.norm(mean)
    along = mean / length
    across = rows - np.outer(rows @ along, along)
    most = np.linalg.svd(across - across.mean(0), full_matrices=False)[2][0]
    plane: Floats = np.stack([rows @ along, across @ most], 1) / length
    return plane


def _relative(rows: Floats, batch_size: int, batches: int = CLOUD) -> float:
    """Root mean square of |g − G| / |G| over random batches."""
    mean = rows.mean(0)
    off = batch_gradients(rows, batch_size, batches) - mean
    return float(np.sqrt(np.mean(np.sum(off**2, 1))) / np.linalg.norm(mean))


def _cloud(values: Values, language: str) -> list[Table | dict[str, Any]]:
    size, stage = cast(int, values["batch_size"]), str(values["stage"])
    plane = _plane(stage)
    points = batch_gradients(plane, size, CLOUD)
    scale = noise_scale(sample_gradients(stage))
    samples = len(plane)
    left = 1 - (size - 1) / (samples - 1)  # a batch is drawn without replacement: one that holds all has no noise
    wide = 1.15 * float(np.abs(batch_gradients(plane, 1, CLOUD)).max())
    picture = chart(
        [
            dots(points[:, 0], points[:, 1], Words("gradient of a batch", "배치의 기울기")[language], BLUE, size=5),
            dots([1], [0], Words("gradient of all samples, G", "전체 샘플의 기울기 G")[language], RED, size=12),
        ],
        Words("along G, in units of |G|", "G 방향 (|G| 단위)")[language],
        Words("across G, in units of |G|", "G에 수직인 방향 (|G| 단위)")[language],
        xaxis={"range": [-wide, wide]},
        yaxis={"range": [-wide, wide]},
    )
    table = Table(
        HEADER,
        in_words(
            (
                (Words("noise scale, tr Σ / |G|²", "잡음 척도, tr Σ / |G|²"), f"{scale:,.1f}"),
                (Words("noise of a batch in units of |G|: √(noise scale / B)",
                       "배치의 잡음(|G| 단위): √(잡음 척도 / B)"), f"{(scale / size) ** 0.5:.3f}"),
                (Words("the same, drawn without replacement", "같은 값, 비복원 추출일 때"),
                 f"{(scale / size * left) ** 0.5:.3f}"),
                (Words("batches that point uphill (left of 0)", "오르막을 향하는 배치 (0의 왼쪽)"),
                 f"{int((points[:, 0] < 0).sum())} / {CLOUD}"),
            ),
            language,
        ),
    )  # fmt: skip
    return [picture, table]


CLOUDS = Play(
    "cloud",
    Words("200 batches, 200 gradients", "배치 200개, 기울기 200개"),
    (
        Control("batch_size", Words("Batch size", "배치 크기"), 8, 1, 1024, log=True),
        Control("stage", Words("When", "시점"), "start", choices=STAGES),
    ),
    _cloud,
)


def noise(language: str) -> Figure:
    """Measured noise of a batch's gradient against batch size, at two moments, beside 1/√B."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    sizes = 2 ** np.arange(11)
    for (stage, name), color in zip(STAGES.items(), (BLUE, RED), strict=True):
        rows = sample_gradients(stage)
        scale = noise_scale(rows)
        label = Words(f"measured, {name.en}", f"측정값, {name.ko}")
        found = [_relative(rows, int(size)) for size in sizes]
        axes.loglog(sizes, found, "o", color=color, label=label[language])
        axes.loglog(sizes, np.sqrt(scale / sizes), color=color, lw=1, label=rf"$\sqrt{{{scale:.0f}/B}}$")
    equal = Words("noise as long as the gradient", "잡음과 기울기의 길이가 같음")
    axes.axhline(1, color="black", lw=1, ls=":", label=equal[language])
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    ylabel = Words("Noise of the gradient / |G|", "기울기의 잡음 / |G|")
    title = Words("Gradient noise falls as 1/√B", "기울기의 잡음은 1/√B로 줄어든다")
    axes.set(xlabel=Words("Batch size B", "배치 크기 B")[language], ylabel=ylabel[language], title=title[language])
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def curves(language: str) -> Figure:
    """Training loss for three batch sizes: of each batch against updates, and its mean over an epoch against epochs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5), layout="constrained")
    by_update, by_epoch = figure.subplots(1, 2, sharey=True)
    for size, color in CURVES:
        settings = {**TRAINED, "batch_size": size, "epochs": CURVE_EPOCHS}
        loss = run(Make(settings), 0).series("loss")
        made = len(loss)
        label = Words(f"batch size {size}: {made:,} updates", f"배치 크기 {size}: 업데이트 {made:,}번")[language]
        by_update.plot(range(1, made + 1), loss.values, color=color, lw=0.8, alpha=0.9, label=label)
        means = loss.values.reshape(CURVE_EPOCHS, -1).mean(1)
        by_epoch.plot(range(1, CURVE_EPOCHS + 1), means, "o-", color=color, ms=4, label=label)
    titles = (Words("Loss of each batch, against updates", "배치마다의 손실, 가로축은 업데이트 수"),
              Words("Mean over the epoch, against epochs", "에폭마다의 평균, 가로축은 에폭"))  # fmt: skip
    by_update.set(xlabel=Words("Updates", "업데이트 수")[language], title=titles[0][language], xscale="log")
    by_update.set(ylabel=Words("Training loss", "훈련 손실")[language], ylim=(0, 3.5))
    by_epoch.set(xlabel=Words("Epochs", "에폭")[language], title=titles[1][language])
    by_epoch.set(xticks=range(1, CURVE_EPOCHS + 1))
    for axes in (by_update, by_epoch):
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
