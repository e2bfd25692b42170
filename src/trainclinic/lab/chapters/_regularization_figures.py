"""The figures of the chapter on regularisation."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

import numpy as np

from trainclinic.lab.chapter import Drawing
from trainclinic.lab.chapters._regularization import FEATURES, both
from trainclinic.lab.controls import Value
from trainclinic.lab.experiment import Make
from trainclinic.lab.regression import ANSCOMBE_X, ANSCOMBE_Y, baseline, equation, ols, ridge
from trainclinic.lab.words import Words
from trainclinic.measure.run import run
from trainclinic.recording import Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDS = np.array([min(ANSCOMBE_X), max(ANSCOMBE_X)])  # a line is drawn from here to there
ALPHAS = np.arange(0, 2.1, 0.4)
PENALTIES = np.geomspace(0.001, 10, 41)
NOISY: dict[str, Value] = {
    "samples": 300, "label_noise": 0.4, "depth": 2, "width": 256, "optimizer": "momentum", "learning_rate": 0.03,
    "schedule": "cosine", "batch_size": 32, "epochs": 80,
}  # fmt: skip
CURES: dict[Words, dict[str, Value]] = {
    Words("none", "규제 없음"): {},
    Words("weight decay 0.05 (L2)", "가중치 감쇠 0.05(L2)"): {"weight_decay": 0.05},
    Words("L1 0.05", "L1 0.05"): {"l1": 0.05},
}
PREDICTED = Words("y_pred", "예측값(y_pred)")  # as the lecture's column is called


def _baseline(_: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_subplot()
    mean = baseline(ANSCOMBE_Y)
    axes.plot(ENDS, [mean, mean], color="red")
    axes.scatter(ANSCOMBE_X, ANSCOMBE_Y)
    axes.set(xlabel="x", ylabel="y")
    return figure


def _ols(language: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_subplot()
    slope, intercept = ols(ANSCOMBE_X, ANSCOMBE_Y)
    title = Words("Linear Regression", "선형 회귀(Linear Regression)")
    axes.scatter(ANSCOMBE_X, ANSCOMBE_Y)
    axes.plot(ENDS, slope * ENDS + intercept, label=PREDICTED[language])
    axes.set(xlabel="x", ylabel="y", title=f"{title[language]}\n {equation(slope, intercept)}")
    axes.legend(loc="upper left")
    return figure


def _ridge(language: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 8), layout="constrained")
    for axes, alpha in zip(figure.subplots(2, 3, sharex=True, sharey=True).flat, ALPHAS, strict=True):
        slope, intercept = ridge(ANSCOMBE_X, ANSCOMBE_Y, alpha)
        axes.scatter(ANSCOMBE_X, ANSCOMBE_Y, c="black")
        axes.plot(ENDS, slope * ENDS + intercept, c="red", label=PREDICTED[language])
        axes.set(xlabel="x", ylabel="y", title=f"alpha={alpha:.1f} \n {equation(slope, intercept)}")
        axes.legend(loc="upper left")
    return figure


def _paths(language: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), layout="constrained")
    titles = (
        Words("L2 (ridge): the vector shrinks, none stays at 0", "L2(릿지): 벡터는 짧아지지만 0에 머무는 계수는 없음"),
        Words("L1 (lasso): one after another becomes exactly 0", "L1(라쏘): 하나씩 차례로 정확히 0이 됨"),
    )
    found = np.array([[weights for weights, _ in both(penalty)] for penalty in PENALTIES])
    for kind, (axes, title) in enumerate(zip(figure.subplots(1, 2, sharey=True), titles, strict=True)):
        for feature, coefficients in zip(FEATURES.values(), found[:, kind].T, strict=True):
            axes.semilogx(PENALTIES, coefficients, label=feature[language])
        axes.axhline(0, color="gray", linewidth=0.8)
        axes.set(xlabel="λ", title=title[language])
        axes.grid(True, alpha=0.4)
    figure.axes[0].set_ylabel(Words("coefficient", "회귀계수")[language])
    figure.axes[1].legend(fontsize=8)
    return figure


def _network(language: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, colour in zip(CURES, ("red", "blue", "green"), strict=True):
        recording = trained(name)
        loss, accuracy = recording.series("loss"), recording.series("validation_accuracy")
        epochs = cast(int, NOISY["epochs"])
        each = [float(np.mean(part)) for part in np.array_split(loss.values, epochs)]
        left.semilogy(range(1, epochs + 1), each, color=colour, label=name[language])
        right.plot(range(1, len(accuracy) + 1), accuracy.values, color=colour, label=name[language])
    titles = (Words("40 % of the Training Labels Are Random", "훈련 레이블의 40%는 무작위"),
              Words("The Validation Labels Are Right", "검증 레이블은 모두 맞음"))  # fmt: skip
    labels = Words("training loss", "훈련 손실"), Words("validation accuracy", "검증 정확도")
    for axes, label, title in zip((left, right), labels, titles, strict=True):
        axes.set(xlabel=Words("epoch", "에폭")[language], ylabel=label[language], title=title[language])
        axes.grid(True, alpha=0.4)
    left.legend(loc="center right")
    return figure


@cache
def trained(name: Words) -> Recording:
    """The network of the experiment with one of `CURES`, seed 0."""
    return run(Make({**NOISY, **CURES[name]}), seed=0)


BASELINE = Drawing(
    "baseline",
    Words("Anscombe's data set I and the baseline: the mean of y, 7.5009.",
          "앤스컴 데이터셋 I과 기준 모델입니다. y의 평균 7.5009입니다."),
    _baseline,
)  # fmt: skip
OLS = Drawing(
    "ols",
    Words("The least-squares line through the same points.", "같은 점들에 맞춘 최소제곱 직선입니다."),
    _ols,
)
RIDGE = Drawing(
    "ridge",
    Words("Ridge with α from 0 to 2: the line turns flatter, by very little.",
          "α를 0에서 2까지 바꾼 릿지 회귀입니다. 직선이 아주 조금씩 눕습니다."),
    _ridge,
)  # fmt: skip
PATHS = Drawing(
    "paths",
    Words("The ten coefficients of the diabetes data while the penalty grows, L2 on the left and L1 on the right.",
          "규제를 키울 때 당뇨병 데이터의 회귀계수 열 개가 변하는 모습입니다. 왼쪽은 L2, 오른쪽은 L1입니다."),
    _paths,
)  # fmt: skip
NETWORK = Drawing(
    "network",
    Words("The experiment's network without a penalty, with weight decay, and with L1.",
          "실험의 신경망을 규제 없이, 가중치 감쇠로, L1로 학습시킨 결과입니다."),
    _network,
)  # fmt: skip
