"""What the chapter on batch normalisation plays with."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainclinic.lab.chapter import Play, Table
from trainclinic.lab.chapters._plots import AMBER, BLUE, GREEN, RED, chart, dots, in_words, line
from trainclinic.lab.controls import Control, Values
from trainclinic.lab.normalization import MEAN, SPREAD, batch_errors, batch_normalization, example
from trainclinic.lab.words import Words

Floats = NDArray[np.float64]
Shown = list[Table | dict[str, Any]]

GAMMA = Control("gamma", Words("Scale γ", "스케일 γ"), 1.0, -3.0, 3.0, 0.1)
BETA = Control("beta", Words("Shift β", "이동 β"), 0.0, -5.0, 5.0, 0.1)
HEADER = (Words("Quantity", "항목"), Words("Value", "값"))


# -- by hand

BATCH = np.array([[2.0, 40.0], [4.0, 80.0], [6.0, 60.0], [8.0, 100.0]])  # 4 samples, 2 features


def _by_hand(values: Values, language: str) -> Shown:
    axis = 0 if values["over"] == "batch" else None
    epsilon = float(values["epsilon"])
    result = batch_normalization(BATCH, float(values["gamma"]), float(values["beta"]), epsilon, axis)
    rows = [(str(number), *(f"{x:g}" for x in before), *(_written(y, 4) for y in after))
            for number, (before, after) in enumerate(zip(BATCH, result, strict=True), 1)]  # fmt: skip
    for words, of in ((Words("mean", "평균"), np.mean), (Words("variance", "분산"), np.var)):
        columns = [np.broadcast_to(cast(Any, of)(array, axis=axis), 2) for array in (BATCH, result)]
        rows.append((words[language], *(_written(number, 4) for number in np.concatenate(columns))))
    header = (
        Words("Sample", "샘플"), Words("x, feature 1", "x, 특성 1"), Words("x, feature 2", "x, 특성 2"),
        Words("y, feature 1", "y, 특성 1"), Words("y, feature 2", "y, 특성 2"),
    )  # fmt: skip
    return [Table(header, tuple(rows))]


def _written(number: float, digits: int) -> str:
    """With so many decimals, and no sign before a 0."""
    return f"{round(float(number), digits) + 0.0:.{digits}f}"


BY_HAND = Play(
    "by_hand",
    Words("Four samples, two features, by hand", "샘플 4개, 특성 2개로 직접 계산하기"),
    (
        Control("over", Words("Mean and variance over", "평균과 분산의 범위"), "array", choices={
            "array": Words("the whole array, as in the lecture", "배열 전체 (강의)"),
            "batch": Words("the batch, per feature (axis=0), as in a layer", "배치, 특성마다 따로(axis=0) (층)"),
        }),
        GAMMA,
        BETA,
        Control("epsilon", Words("ε", "ε"), 1e-8, 1e-8, 10.0, log=True),
    ),
    _by_hand,
)  # fmt: skip


# -- gamma and beta

DRAWS = Words("draws", "개수")


def _two_histograms(values: Values, language: str) -> Shown:
    mean, spread, gamma, beta = (float(values[name]) for name in ("mean", "spread", "gamma", "beta"))
    before = mean + spread * (example() - MEAN) / SPREAD
    after = batch_normalization(before, gamma, beta)
    shown: Shown = []
    for numbers, title, color, reach in (
        (before, Words("Original data", "원본 데이터"), BLUE, 60),
        (after, Words("Normalised data", "정규화한 데이터"), RED, 18),
    ):
        edges = np.histogram_bin_edges(numbers, 50)
        counts = np.histogram(numbers, edges)[0]
        bars = {
            "type": "bar", "x": ((edges[1:] + edges[:-1]) / 2).tolist(), "y": counts.tolist(), "name": title[language],
            "width": float(edges[1] - edges[0]), "marker": {"color": color},
        }  # fmt: skip
        shown.append(
            chart(
                [bars], title[language], Words("draws", "개수")[language], xaxis={"range": [-reach, reach]}, height=260
            )
        )
    rows = tuple(
        (words[language], _written(numbers.mean(), 5), _written(numbers.var(), 5))
        for words, numbers in ((Words("before", "전"), before), (Words("after", "후"), after))
    )
    return [*shown, Table((Words("", ""), Words("Mean", "평균"), Words("Variance", "분산")), rows)]


TWO_HISTOGRAMS = Play(
    "gamma_beta",
    Words("Move the data, move γ and β", "데이터를 옮기고 γ와 β를 옮겨 보기"),
    (
        Control("mean", Words("Mean of the data", "데이터의 평균"), MEAN, -20.0, 20.0, 0.5),
        Control("spread", Words("Standard deviation of the data", "데이터의 표준편차"), SPREAD, 0.5, 10.0, 0.5),
        GAMMA,
        BETA,
    ),
    _two_histograms,
)


# -- running statistics

PROBE = 15.0  # the sample that meets three batches


def _running(values: Values, language: str) -> Shown:
    momentum, size, steps = float(values["momentum"]), cast(int, values["batch_size"]), cast(int, values["steps"])
    layer = nn.BatchNorm1d(1, momentum=momentum, affine=False)
    drawn = torch.Generator().manual_seed(0)
    batches = MEAN + SPREAD * torch.randn(steps, size, 1, generator=drawn)
    running = []
    with torch.no_grad():
        for batch in batches:
            layer(batch)
            running.append((float(layer.running_mean), float(layer.running_var)))  # type: ignore[arg-type]
        outputs = _one_sample(layer, size, drawn)
    counted = range(1, steps + 1)
    seen = {"mean": batches.mean(1)[:, 0].tolist(), "var": batches.var(1)[:, 0].tolist()}
    shown: Shown = [
        chart(
            [
                dots(counted, seen[name], of_batch[language], AMBER, size=4),
                line(counted, [both[index] for both in running], Words("running", "이동 통계")[language], BLUE),
                line(counted, [true] * steps, Words("true", "참값")[language], RED, dash="dash"),
            ],
            Words("steps in training mode", "훈련 모드의 스텝 수")[language],
            title[language],
            height=260,
        )
        for index, (name, true, title, of_batch) in enumerate(
            (
                ("mean", MEAN, Words("mean", "평균"), Words("of the batch", "배치의 값")),
                ("var", SPREAD**2, Words("variance (n − 1)", "분산 (n − 1)"), Words("of the batch", "배치의 값")),
            )
        )
    ]
    header = (
        Words("Output for the same sample, x = 15", "같은 샘플 x = 15의 출력"),
        Words("Beside batch A", "배치 A와 함께"),
        Words("Beside batch B", "배치 B와 함께"),
    )
    modes = (Words("training mode: statistics of the batch", "훈련 모드: 배치의 통계"),
             Words("evaluation mode: running statistics", "평가 모드: 이동 통계"))  # fmt: skip
    rows = [(mode[language], *(f"{number:.4f}" for number in pair)) for mode, pair in zip(modes, outputs, strict=True)]
    return [*shown, Table(header, tuple(rows))]


def _one_sample(layer: nn.BatchNorm1d, size: int, drawn: torch.Generator) -> list[list[float]]:
    """What the layer makes of the probe in two batches: in training mode, and in evaluation mode."""
    pair = [MEAN + SPREAD * torch.randn(size, 1, generator=drawn) for _ in range(2)]
    for batch in pair:
        batch[0] = PROBE
    layer.eval()  # first: in training mode the layer would move its running statistics
    steady = [float(layer(batch)[0]) for batch in pair]
    layer.train()
    return [[float(layer(batch)[0]) for batch in pair], steady]


RUNNING = Play(
    "running",
    Words("A real BatchNorm1d, in both modes", "실제 BatchNorm1d의 두 모드"),
    (
        Control("momentum", Words("Momentum", "모멘텀"), 0.1, 0.01, 1.0, 0.01),
        Control("batch_size", Words("Batch size", "배치 크기"), 32, 2, 256, log=True),
        Control("steps", Words("Steps in training mode", "훈련 모드의 스텝 수"), 60, 1, 200),
    ),
    _running,
)


# -- small batches

SIZES = tuple(2**power for power in range(9))
ROUNDS = 2000  # batches behind a measured error


@cache
def measured_errors(size: int) -> tuple[float, float]:
    """Errors of the mean [standard deviations] and of the variance [of the true one] over many batches of draws."""
    drawn = np.random.default_rng(size).normal(size=(ROUNDS, size))
    return float(np.sqrt(np.mean(drawn.mean(1) ** 2))), float(np.sqrt(np.mean((drawn.var(1) - 1) ** 2)))


def _small_batch(values: Values, language: str) -> Shown:
    size = cast(int, values["batch_size"])
    mean, variance = measured_errors(size)
    names = (Words("mean, in standard deviations", "평균 (표준편차 단위)"),
             Words("variance, as a share of the true one", "분산 (참값에 대한 비율)"))  # fmt: skip
    data = []
    for index, (words, color) in enumerate(zip(names, (BLUE, RED), strict=True)):
        data.append(dots(SIZES, [measured_errors(one)[index] for one in SIZES], words[language], color, size=6))
        law = line(SIZES, [batch_errors(one)[index] for one in SIZES], words[language], color)
        data.append({**law, "showlegend": False})
    here = dots([size, size], [mean, variance], Words("this batch size", "이 배치 크기")[language], GREEN, size=13)
    picture = chart(
        [*data, here],
        Words("batch size", "배치 크기")[language],
        Words("error", "오차")[language],
        xaxis={"type": "log", "tickvals": list(SIZES)},
        yaxis={"type": "log"},
    )
    table = Table(
        HEADER,
        in_words(
            (
                (Words("error of the mean, measured (law: 1/√B)", "평균의 오차, 측정값 (법칙: 1/√B)"),
                 f"{mean:.3f} ({batch_errors(size)[0]:.3f})"),
                (Words("error of the variance, measured (law: √(2B − 1)/B)", "분산의 오차, 측정값 (법칙: √(2B − 1)/B)"),
                 f"{variance:.3f} ({batch_errors(size)[1]:.3f})"),
                (Words("what BatchNorm1d makes of one batch (its first 4 outputs)",
                       "배치 하나에 대한 BatchNorm1d의 결과 (처음 출력 4개)"), torch_says(size)),
            ),
            language,
        ),
    )  # fmt: skip
    return [picture, table]


def torch_says(size: int) -> str:
    """The output of a real layer for one batch of draws from N(10, 5), or the error it is refused with."""
    batch = torch.tensor(example()[:size, None], dtype=torch.float32)
    try:
        output: Tensor = nn.BatchNorm1d(1)(batch)
    except ValueError as error:
        return f"ValueError: {error}"
    return ", ".join(f"{number:+.3f}" for number in output[:4, 0].tolist())


SMALL_BATCH = Play(
    "small_batch",
    Words("How far the statistics of a batch are off", "배치의 통계는 얼마나 틀리는가"),
    (Control("batch_size", Words("Batch size", "배치 크기"), 4, 1, 256, log=True),),
    _small_batch,
)
