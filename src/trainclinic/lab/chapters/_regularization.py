"""What can be played with in the chapter on regularisation."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from trainclinic.lab.chapter import Play, Table
from trainclinic.lab.chapters._plots import BLUE, GREEN, GREY, RED, chart, contours, dots, line
from trainclinic.lab.controls import Control, Values
from trainclinic.lab.regression import (
    ANSCOMBE_X,
    ANSCOMBE_Y,
    equation,
    ols,
    ridge,
    ridge_alpha,
    ridge_weights,
    train_linear,
)
from trainclinic.lab.words import Words, same

Array = NDArray[np.float64]

FEATURES = {
    "age": Words("age", "나이"),
    "sex": Words("sex", "성별"),
    "bmi": Words("body mass index", "체질량지수"),
    "bp": Words("blood pressure", "혈압"),
    "s1": Words("cholesterol", "총콜레스테롤"),
    "s2": same("LDL"),
    "s3": same("HDL"),
    "s4": Words("cholesterol / HDL", "총콜레스테롤/HDL"),
    "s5": Words("log triglycerides", "중성지방의 로그"),
    "s6": Words("blood sugar", "혈당"),
}
PAIR = ("bmi", "s6")  # of the corner: the second hardly matters, so that L1 drops it


# -- one line


def _line(values: Values, language: str) -> list[Table | dict[str, Any]]:
    chosen: Any = values
    x, y = np.array(ANSCOMBE_X), np.array(ANSCOMBE_Y)
    moved = x == chosen["x"]
    y = y + chosen["shift"] * moved
    slope, intercept = ridge(x, y, chosen["alpha"])
    plain = ols(x, y)
    s_xy, s_xx = float(((x - x.mean()) * (y - y.mean())).sum()), float(((x - x.mean()) ** 2).sum())
    ends = np.array([3.0, 15.0])
    drawn = [
        line(ends, [y.mean()] * 2, Words("baseline", "기준 모델")[language], GREY, dash="dot"),
        line(ends, plain[0] * ends + plain[1], Words("α = 0 (OLS)", "α = 0(OLS)")[language], BLUE, dash="dash"),
        line(ends, slope * ends + intercept, Words("ridge", "릿지")[language], RED),
        dots(x[~moved], y[~moved], Words("data", "데이터")[language], BLUE),
        dots(x[moved], y[moved], Words("the point you move", "움직이는 점")[language], RED, size=13, symbol="diamond"),
    ]
    error = float(((y - slope * x - intercept) ** 2).mean())
    rows = (
        (Words("slope", "기울기(회귀계수)")[language],
         f"{s_xy:.2f} / ({s_xx:.0f} + {chosen['alpha']:.4g}) = {slope:.4f}"),
        (Words("intercept", "절편")[language], f"{y.mean():.4f} − {slope:.4f} × {x.mean():.0f} = {intercept:.4f}"),
        (Words("equation", "식")[language], equation(slope, intercept)),
        (Words("mean squared error", "평균제곱오차")[language], f"{error:.3f}"),
    )  # fmt: skip
    header = (Words("quantity", "항목"), Words("value", "값"))
    return [chart(drawn, "x", "y", yaxis={"range": [-8, 22]}), Table(header, rows)]


# -- L2 and L1 on real measurements


@cache
def diabetes() -> tuple[Array, Array, Array, Array]:
    """Features and target of the training and of the validation samples, standardised on the training samples."""
    from trainclinic.cases._data import loaders

    sets: list[Any] = [loader.dataset for loader in loaders("diabetes", 0)]
    tensors = [tensor.double().numpy() for one in sets for tensor in one.tensors]
    return tensors[0], tensors[1].ravel(), tensors[2], tensors[3].ravel()


def both(penalty: float, columns: tuple[str, ...] = tuple(FEATURES)) -> tuple[tuple[Array, float], ...]:
    """(coefficients, intercept) with L2 and with L1.

    The loss is (1/2n) Σ r² for both, plus (λ/2) Σ w² or λ Σ |w|; ridge's alpha is nλ then.
    """
    from sklearn.linear_model import Lasso

    x, y, _, _ = diabetes()
    x = x[:, [tuple(FEATURES).index(name) for name in columns]]
    lasso = Lasso(alpha=penalty, max_iter=100_000).fit(x, y)
    return ridge_weights(x, y, len(y) * penalty), (lasso.coef_, float(lasso.intercept_))


def _coefficients(values: Values, language: str) -> list[Table | dict[str, Any]]:
    penalty = cast(float, values["penalty"])
    x, y, val_x, val_y = diabetes()
    names = [feature[language] for feature in FEATURES.values()]
    found = both(penalty)
    bars = [
        {"type": "bar", "name": name, "x": names, "y": [float(value) for value in weights],
         "marker": {"color": colour}}
        for name, colour, (weights, _) in zip(("L2", "L1"), (BLUE, RED), found, strict=True)
    ]  # fmt: skip
    measures: dict[Words, Callable[[Array, float], str]] = {
        Words("coefficients that are exactly 0", "정확히 0인 회귀계수"): lambda w, b: (
            f"{int((w == 0).sum())} / {len(w)}"
        ),
        Words("length of the vector, √Σw²", "회귀계수 벡터의 길이 √Σw²"): lambda w, b: f"{np.sqrt(w @ w):.3f}",
        Words("R², training samples", "R², 훈련 샘플"): lambda w, b: f"{_r2(y, x @ w + b):.3f}",
        Words("R², validation samples", "R², 검증 샘플"): lambda w, b: f"{_r2(val_y, val_x @ w + b):.3f}",
    }
    rows = tuple((name[language], *(measure(*one) for one in found)) for name, measure in measures.items())
    figure = chart(bars, "", Words("coefficient", "회귀계수")[language], yaxis={"range": [-0.6, 0.6]})
    figure["layout"]["margin"]["b"] = 90  # the names of the features stand aslant
    return [figure, Table((Words("quantity", "항목"), same("L2"), same("L1")), rows)]


def _r2(target: Array, output: Array) -> float:
    return float(1 - ((target - output) ** 2).mean() / target.var())


def _corner(values: Values, language: str) -> list[Table | dict[str, Any]]:
    penalty = cast(float, values["penalty"])
    x, y, _, _ = diabetes()
    x = x[:, [tuple(FEATURES).index(name) for name in PAIR]]
    best, _ = ridge_weights(x, y, 0.0)
    (round_, _), (sharp, _) = both(penalty, PAIR)
    across, up = np.linspace(-0.6, 0.9, 46), np.linspace(-0.6, 0.6, 37)
    offsets = np.stack(np.meshgrid(across - best[0], up - best[1]), -1)
    loss = np.einsum("...i,ij,...j", offsets, x.T @ x / len(y), offsets) / 2  # above the least possible one
    turn = np.linspace(0, 2 * np.pi, 61)
    radius, side = np.sqrt(round_ @ round_), np.abs(sharp).sum()
    drawn = [
        contours(across, up, loss, contours={"coloring": "none", "start": 0.005, "end": 0.6, "size": 0.035}),
        line(radius * np.cos(turn), radius * np.sin(turn), "√(w₁² + w₂²) = " + f"{radius:.2f}", BLUE),
        line(side * np.array([1, 0, -1, 0, 1]), side * np.array([0, 1, 0, -1, 0]), f"|w₁| + |w₂| = {side:.2f}", RED),
        dots([best[0]], [best[1]], Words("without a penalty", "규제 없음")[language], GREEN, symbol="x"),
        dots([round_[0]], [round_[1]], "L2", BLUE, size=12),
        dots([sharp[0]], [sharp[1]], "L1", RED, size=12, symbol="diamond"),
    ]
    names = [FEATURES[name][language] for name in PAIR]
    figure = chart(
        drawn, f"w₁: {names[0]}", f"w₂: {names[1]}", height=420,
        xaxis={"range": [-0.6, 0.9]}, yaxis={"range": [-0.6, 0.6], "scaleanchor": "x"},
    )  # fmt: skip
    rows = tuple(
        (name, *(f"{float(value):.3f}" for value in weights))
        for name, weights in ((Words("without a penalty", "규제 없음")[language], best), ("L2", round_), ("L1", sharp))
    )
    return [figure, Table((Words("penalty", "규제"), same("w₁"), same("w₂")), rows)]


# -- weight decay


def _decay(values: Values, language: str) -> list[Table | dict[str, Any]]:
    decay = cast(float, values["weight_decay"])
    x = np.array(ANSCOMBE_X) - np.mean(ANSCOMBE_X)  # centred, it settles within a hundred steps
    found = train_linear(x[:, None], ANSCOMBE_Y, decay)
    alpha = ridge_alpha(decay, len(x))
    slope, intercept = ridge(x, ANSCOMBE_Y, alpha)
    steps = range(len(found.path))
    drawn = [
        line(steps, [slope] * len(steps), Words("ridge, closed form", "릿지, 닫힌 해")[language], RED, dash="dash"),
        line(steps, found.path[:, 0], Words("nn.Linear in training", "학습 중인 nn.Linear")[language], BLUE),
    ]
    pairs = ((Words("slope", "기울기(회귀계수)"), float(found.weights[0]), slope),
             (Words("height at the mean of x", "x 평균에서의 높이"), found.bias, intercept))  # fmt: skip
    rows = tuple(
        (name[language], f"{ours:.9f}", f"{theirs:.9f}", f"{abs(ours - theirs):.0e}") for name, ours, theirs in pairs
    )
    header = (
        Words("quantity", "항목"),
        Words(f"SGD, λ = {decay:.4g}", f"SGD, λ = {decay:.4g}"),
        Words(f"ridge, α = 11 λ / 2 = {alpha:.4g}", f"릿지, α = 11 λ / 2 = {alpha:.4g}"),
        Words("difference", "차이"),
    )
    axis = Words("step", "스텝"), Words("slope", "기울기(회귀계수)")
    return [chart(drawn, axis[0][language], axis[1][language], yaxis={"rangemode": "tozero"}), Table(header, rows)]


_PENALTY = Control("penalty", Words("Penalty λ", "규제 강도 λ"), 0.1, 0.001, 10.0, log=True)

LINE = Play(
    "line",
    Words("Move a point, turn up the penalty", "점을 옮기고 규제를 키워 보기"),
    (
        Control("alpha", Words("Penalty α (the lecture's λ)", "규제 강도 α(강의의 λ)"), 2.0, 0.0, 10_000.0, log=True),
        Control("x", Words("Which point: its x", "옮길 점의 x"), 14, 4, 14, 1),
        Control("shift", Words("Move it up or down by", "위아래로 옮길 거리"), 0.0, -10.0, 10.0, 0.5),
    ),
    _line,
)
COEFFICIENTS = Play(
    "coefficients",
    Words("Ten measurements: what each penalty keeps", "측정값 열 개: 규제마다 무엇이 남는가"),
    (_PENALTY,),
    _coefficients,
)
CORNER = Play(
    "corner",
    Words("Circle and diamond", "원과 마름모"),
    (_PENALTY.to(0.3, high=1.0),),
    _corner,
)
DECAY = Play(
    "decay",
    Words("Weight decay meets ridge", "가중치 감쇠와 릿지가 만나는 곳"),
    (Control("weight_decay", Words("Weight decay λ", "가중치 감쇠 λ"), 0.5, 0.0, 10.0, log=True),),
    _decay,
)
