"""The figures of the chapter on batch normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from trainclinic.lab.chapters._plots import BLUE, RED
from trainclinic.lab.controls import Values
from trainclinic.lab.experiment import Make
from trainclinic.lab.normalization import batch_normalization, example
from trainclinic.lab.words import Words
from trainclinic.measure.run import build, run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEEP: Values = {  # as the chapter's experiment begins
    "depth": 20, "activation": "Sigmoid", "norm": "batch", "init": "xavier", "batch_size": 128,
    "learning_rate": 0.003, "epochs": 15,
}  # fmt: skip
SAMPLES, UNITS = 16, 8  # of the batch that is drawn


def histograms(language: str) -> Figure:
    """The lecture's figure: the draws before and after, in 50 bins each."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5))
    original, normalized = figure.subplots(1, 2)
    original.hist(example(), bins=50)
    original.set_title(Words("Original Data", "원본 데이터(Original Data)")[language])
    normalized.hist(batch_normalization(example(), 1.0, 0.0), bins=50)
    normalized.set_title(Words("Normalized Data", "정규화한 데이터(Normalized Data)")[language])
    return figure


def batch(language: str) -> Figure:
    """A real batch in the first layer of a network on digits: before and after, with each unit's mean and variance."""
    from matplotlib.figure import Figure

    setup = build(Make({"depth": 1, "init": "xavier", "gain": 2.0}), 0)
    layers = cast(Any, setup.model)
    with torch.no_grad():
        images = cast(Any, setup.train_loader).dataset.tensors[0][:SAMPLES]
        before = layers[1](layers[0](images))[:, :UNITS].double().numpy()
    after = batch_normalization(before, 1.0, 0.0, 1e-5, axis=0)

    figure = Figure(figsize=(10, 5), layout="constrained")
    panels = figure.subplots(1, 2)
    titles = (Words("Before", "정규화 전"), Words("After", "정규화 후"))
    xlabel = Words("Unit, its mean and its variance over the batch", "유닛, 배치에 대한 평균과 분산")
    ylabel = Words("Sample of the batch", "배치의 샘플")
    for axes, values, title in zip(panels, (before, after), titles, strict=True):
        reach = float(np.abs(values).max())
        image = axes.imshow(values, cmap="RdBu_r", vmin=-reach, vmax=reach, aspect="auto")
        figure.colorbar(image, ax=axes)
        means, variances = np.round(values.mean(0), 2) + 0.0, values.var(0)  # + 0.0: no sign before a 0
        below = [f"{unit}\n{means[unit - 1]:.2f}\n{variances[unit - 1]:.2f}" for unit in range(1, UNITS + 1)]
        axes.set_xticks(range(UNITS), below)
        axes.set_yticks(range(0, SAMPLES, 5), [str(row + 1) for row in range(0, SAMPLES, 5)])
        axes.set(xlabel=xlabel[language], ylabel=ylabel[language], title=title[language])
    return figure


def deep(language: str) -> Figure:
    """Twenty sigmoid layers with and without: gradient per layer before training, accuracy over the epochs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5), layout="constrained")
    gradient, accuracy = figure.subplots(1, 2)
    labels = (Words("with batch normalisation", "배치정규화 있음"), Words("without", "배치정규화 없음"))
    for norm, color, label in zip(("batch", "none"), (BLUE, RED), labels, strict=True):
        recording = run(Make({**DEEP, "norm": norm}), 0)
        weights = [layer for layer in recording.measured("backward_rms") if layer.kind == "Linear"]
        found = recording.matrix("gradient_rms", weights).values[:, 0]
        gradient.semilogy(range(1, len(found) + 1), found, "o-", color=color, ms=4, label=label[language])
        reached = recording.series("validation_accuracy").values
        accuracy.plot(range(1, len(reached) + 1), reached, "o-", color=color, ms=4, label=label[language])
    titles = (Words("Gradient in the first update", "첫 업데이트의 기울기"),
              Words("20 sigmoid layers on digits", "숫자를 배우는 시그모이드 20층"))  # fmt: skip
    gradient.set(xlabel=Words("Layer (1 is the first)", "층(1이 첫 층)")[language], title=titles[0][language])
    gradient.set(ylabel=Words("RMS of the gradient", "기울기의 RMS")[language], xticks=[1, 5, 10, 15, 20])
    accuracy.set(xlabel=Words("Epoch", "에폭")[language], title=titles[1][language], ylim=(0, 1))
    accuracy.set_ylabel(Words("Validation accuracy", "검증 정확도")[language])
    accuracy.axhline(0.1, color="black", lw=1, ls=":", label=Words("guessing", "찍기")[language])
    for axes in (gradient, accuracy):
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
