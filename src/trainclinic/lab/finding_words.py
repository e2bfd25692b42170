"""A finding and a treatment in both languages: the cause, the numbers beside their limits, a remedy with its settings.

The English words are the report's own; the Korean ones stand here, by the same keys.
"""

from __future__ import annotations

import math

from trainclinic.lab.clinic_words import PROBLEMS, REMEDIES, SIGNALS
from trainclinic.lab.told import Found
from trainclinic.lab.words import Words
from trainclinic.records import Dose, Evidence
from trainclinic.report import words
from trainclinic.report.view import problem_class

#: id of a problem → key of its cause → the sentence that says why, in Korean
CAUSES: dict[str, dict[str, str]] = {
    "dead-relu": {
        "dead from the start": "첫 업데이트 전부터 유닛이 꺼져 있었습니다. 편향이나 초기화, 입력 때문에 유닛의 값이 "
                               "0보다 작습니다.",
        "died while training": "훈련하는 동안 유닛이 죽었습니다. 어느 업데이트가 유닛의 입력을 0 아래로 밀어낸 뒤 "
                               "돌아오지 않습니다.",
    },
    "exploding-gradient": {
        "weights with gain above 1": "가중치가 모든 신호를 늘립니다. 순전파에서도 역전파에서도 층을 지날 때마다 "
                                     "커집니다.",
        "through time": "시간 단계마다 같은 순환 가중치가 곱해지고, 곱할 때마다 기울기가 커집니다.",
        "": "순전파 신호는 커지지 않는데 역전파 신호는 층을 지날 때마다 커집니다.",
    },
    "frozen-parameters": {
        "not in the optimizer": "층에 기울기가 전달되지만, 그 매개변수를 가진 옵티마이저가 없습니다.",
        "forgotten": "손실에 쓰이는 가중치가 모델에도 옵티마이저에도 등록되어 있지 않습니다. 모듈을 빠뜨렸거나, "
                     "PyTorch가 찾지 못하는 "
                     "파이썬 리스트나 딕셔너리에 넣은 것입니다.",
        "learning rate 0": "옵티마이저에 들어 있지만 학습률이 0입니다.",
        "no gradient": "층은 실행되지만 기울기가 닿지 않습니다. 손실까지 가는 길 어딘가에서 그래프가 끊겼습니다.",
        "rounds to nothing": "업데이트가 가중치의 정밀도보다 작아서 아무것도 바뀌지 않습니다.",
        "declared frozen": "requires_grad가 False입니다. 일부러 고정한 것으로 보입니다.",
    },
    "learning-rate-too-high": {
        "diverged": "훈련하는데 손실이 커집니다. 한 걸음마다 득보다 해가 큽니다.",
        "rattles": "걸음이 너무 길어 손실이 자리를 잡지 못하고, 가장 좋았던 값보다 훨씬 높은 곳에서 끝납니다.",
        "thrown off": "첫 걸음들이 가중치만큼이나 커서 출발점을 망가뜨렸습니다.",
    },
    "learning-rate-too-low": {"": "모든 층이 똑같이 느립니다. 신호가 아니라 걸음이 너무 작습니다."},
    "loss-output-mismatch": {
        "softmax twice": "모델이 소프트맥스로 끝나는데 cross_entropy가 소프트맥스를 다시 적용합니다.",
        "sigmoid twice": "모델이 시그모이드로 끝나는데 binary_cross_entropy_with_logits가 시그모이드를 다시 "
                         "적용합니다.",
        "probabilities for logits": "손실 함수는 로짓을 기대하는데 확률이 들어옵니다.",
        "probabilities for log-probabilities": "nll_loss는 로그 확률을 기대하는데 확률이 들어옵니다.",
        "logits for log-probabilities": "nll_loss는 로그 확률을 기대하는데 원래 출력이 들어옵니다. 그러면 손실에 "
                                        "하한이 없습니다.",
        "shapes broadcast": "출력과 목표값의 모양이 달라, 브로드캐스팅으로 모든 출력이 모든 목표값과 비교됩니다.",
    },
    "non-finite": {
        "operation": "그 앞의 수들은 정상이었고 연산 하나가 실패했습니다. 0의 로그, 0으로 나누기, 0에서의 제곱근 "
                     "기울기 같은 것입니다.",
        "growth": "그 전부터 손실이 커지고 있었고, 수가 너무 커졌습니다.",
        "overflow": "어떤 수가 자료형이 담을 수 있는 범위를 넘었습니다.",
        "masked row": "어텐션이 볼 것이 하나도 남지 않았습니다. −∞만 있는 소프트맥스는 NaN입니다.",
        "input": "데이터에 유한하지 않은 값이 있습니다. 모델의 잘못이 아닙니다.",
        "weights": "배치가 들어오기 전에 이미 가중치가 유한하지 않았습니다. 그렇게 설정되었거나 업데이트가 그렇게 "
                   "만들었습니다.",
        "loss": "모델의 잘못이 아니라, 그 뒤의 손실이 수의 범위를 벗어났습니다.",
        "backward": "출력은 유한했지만 그 기울기가 유한하지 않았습니다. 0에서의 제곱근이 그렇습니다. 0 곱하기 "
                    "무한대는 NaN이므로 뒤에 "
                    "마스크를 씌워도 소용없습니다.",
        "not localised": "연산 하나가 실패했지만 어느 것인지 알아내지 못했습니다.",
    },
    "overfitting": {"": "검증 손실이 가장 좋았던 때부터 커지는데 훈련 손실은 계속 줄었습니다. 훈련 샘플을 외우고 "
                        "있습니다."},
    "poor-initialization": {
        "weights too small": "입력 수에 비해 가중치가 너무 작아 층마다 신호가 줄어듭니다.",
        "weights too large": "입력 수에 비해 가중치가 너무 커서, 활성화 함수에 들어가는 합이 평평한 구간 깊숙이 "
                             "있습니다.",
    },
    "saturated-activation": {
        "saturated from the start": "첫 걸음 전부터 유닛이 평평한 구간에 있었습니다.",
        "saturated while training": "훈련하는 동안 유닛이 평평한 구간으로 밀려났습니다.",
    },
    "stale-gradient": {"": "업데이트 사이에 기울기를 지우지 않아, 걸음마다 이전 기울기의 합을 씁니다."},
    "unequal-replicas": {
        "gradients not averaged": "프로세스마다 자기 기울기로 업데이트합니다. 매개변수가 DistributedDataParallel에 "
                                  "들어 있지 않거나, "
                                  "신경망을 그것을 거치지 않고 호출했습니다.",
        "different start": "첫 걸음 전부터 복제본이 서로 달랐고 맞추어진 적이 없습니다. 그 뒤로는 모두 같은 기울기를 "
                           "따릅니다.",
        "different steps": "프로세스마다 업데이트 횟수가 다릅니다. 다른 프로세스가 한 걸음을 한쪽이 건너뛰었습니다.",
        "": "처음에는 복제본이 같았고 기울기도 같은데 점점 달라졌습니다.",
    },
    "unscaled-inputs": {
        "too large": "입력이 1보다 훨씬 크고, 그래서 첫 층의 기울기도 큽니다.",
        "too small": "입력이 1보다 훨씬 작아 첫 층이 거의 알아보지 못합니다.",
        "very different": "어떤 특성은 다른 특성보다 수백 배 큽니다.",
        "off center": "입력이 표준편차에 비해 0에서 멀리 떨어져 있습니다.",
    },
    "vanishing-gradient": {
        "squashing activation": "활성화 함수가 모든 것을 납작하게 만듭니다. 미분값이 가장 가파른 곳에서도 1보다 훨씬 "
                                "작은데, 층마다 "
                                "기울기에 그 값이 곱해집니다.",
        "saturation": "대부분의 유닛이 활성화 함수의 평평한 구간에 있고, 그곳의 미분값은 0에 가깝습니다.",
        "initialization too small": "가중치가 너무 작아, 순전파와 역전파 모두 층을 지날 때마다 신호가 줄어듭니다.",
        "dead block": "한 층의 유닛이 모든 입력에서 0이므로, 그 층을 거슬러 지나가는 것이 없습니다.",
        "single layer": "신호의 대부분이 한 곳에서 사라집니다.",
        "": "가중치와 활성화 함수가 함께 층마다 신호를 줄입니다.",
    },
    "wrong-mode": {
        "trained in eval mode": "훈련하는 동안 모델이 평가 모드였습니다.",
        "evaluated in train mode": "평가하는 동안 모델이 훈련 모드였습니다.",
        "part in eval mode": "모델을 훈련하는 동안 일부 모듈이 평가 모드였습니다. BatchNorm을 고정한 것으로 보입니다.",
    },
}  # fmt: skip

#: quantity in a finding's evidence → its name in Korean; signals of the layers are in `SIGNALS`
MEASURES: dict[str, str] = {
    "backward_call_span": "시간을 거슬러 흐르는 신호의 변화",
    "backward_slope": "층마다 줄어드는 역전파 신호",
    "backward_span": "역전파 신호, 첫 은닉층과 마지막 은닉층의 차이",
    "best_step": "검증 손실이 가장 좋았던 때",
    "broadcast": "비교해야 할 원소 하나당 실제로 비교된 원소",
    "cosine": "직전 걸음과의 기울기 코사인, 층들의 중앙값",
    "eval_training": "훈련 패스 중 평가 모드인 비율",
    "failing_batch": "실패한 배치(0부터 셈)",
    "fast_update_ratio": "학습률이 가장 높을 때 빠른 층들의 업데이트 ÷ 가중치",
    "feature_offset": "입력 특성의 |평균| ÷ 표준편차, 중앙값",
    "feature_spread": "특성의 가장 큰 표준편차 ÷ 중앙값",
    "feature_std": "입력 특성의 표준편차, 중앙값",
    "first_active": "첫 업데이트 전에 켜져 있던 값의 비율",
    "first_gradient_norm": "처음 걸음들의 전체 기울기 노름",
    "first_non_finite": "유한하지 않은 수가 처음 나타난 때",
    "first_output": "처음에 첫 층이 내는 출력의 크기(RMS)",
    "first_saturated": "처음에 포화된 값의 비율",
    "forward_gain": "가중치가 입력을 늘리는 배율",
    "forward_slope": "층마다 줄어드는 순전파 신호",
    "forward_span": "순전파 신호, 첫 층과 마지막 층의 차이",
    "frozen_share": "학습할 수 없는 매개변수의 비율",
    "generalization_loss": "가장 좋았던 때부터 커진 검증 손실",
    "gradient_difference": "기울기 노름의 상대 차이",
    "largest_update_ratio": "처음 10분의 1 동안 가장 큰 업데이트 ÷ 가중치, 층들의 중앙값",
    "last_loss": "끝날 때의 손실",
    "learned": "훈련이 없앤 손실의 비율",
    "learning_rate": "학습률",
    "loss_floor": "이렇게 해서 얻을 수 있는 가장 작은 손실",
    "loss_growth": "직전의 손실 ÷ 그때까지 가장 작은 손실",
    "loss_jump": "처음 10분의 1 동안 가장 큰 손실 ÷ 처음 손실",
    "loss_rise": "끝날 때의 손실 ÷ 가장 좋았던 손실",
    "mean_derivative": "활성화 함수 미분의 평균 |φ'(z)|",
    "mean_gain": "가중치의 이득(gain) 평균",
    "non_finite_gradients": "기울기가 유한하지 않은 매개변수",
    "norm_growth": "전체 기울기 노름, 끝 ÷ 처음",
    "path": "모든 걸음을 합한 길이 ÷ 가중치",
    "rise_in_noise": "그 증가 ÷ 곡선의 잡음",
    "rise_of_chance": "그 증가 ÷ 찍었을 때의 손실",
    "size_difference": "가중치 크기의 가장 큰 상대 차이",
    "stale_share": "이전 기울기를 안고 시작한 걸음의 비율",
    "step_difference": "한 프로세스만 한 걸음 수",
    "train_evaluation": "평가 중 훈련 모드인 비율",
    "training_fall": "같은 동안 줄어든 훈련 손실",
    "unequal_parameters": "프로세스마다 다른 매개변수",
    "update_share": "업데이트 ÷ 가중치, 첫 층들 ÷ 마지막 층들",
}

UNITS = {
    "decades": "자릿수",
    "decades/layer": "자릿수/층",
    "1/step": "/스텝",
}  # in Korean; the rest has none worth a word
SIDES = {"above": "{} 초과", "below": "{} 미만", "equal": "{}"}

#: setting of a remedy → its name
DOSED: dict[str, Words] = {
    "activation": Words("function", "함수"),
    "channels": Words("channels in a group", "그룹당 채널 수"),
    "factor": Words("factor", "배율"),
    "floor": Words("smallest deviation", "가장 작은 표준편차"),
    "how": Words("by way of", "방법"),
    "kind": Words("kind", "종류"),
    "min_delta": Words("smallest gain that counts", "나아졌다고 볼 최소 폭"),
    "norm": Words("largest norm", "노름 상한"),
    "optimizer": Words("optimizer", "옵티마이저"),
    "p": Words("share switched off", "끄는 비율"),
    "patience": Words("patience", "인내(patience)"),
    "power": Words("power", "지수"),
    "share": Words("share of the training", "훈련에서 차지하는 비율"),
    "smoothing": Words("smoothing", "스무딩 정도"),
    "strength": Words("strength", "세기"),
    "unfreeze": Words("unfreeze", "고정 해제"),
    "weight_decay": Words("λ", "λ"),
}


def title(problem: str, language: str) -> str:
    """The name of a problem; its id where it is not of this catalogue."""
    return PROBLEMS[problem][0][language] if problem in PROBLEMS else words.readable(problem)


def because(found: Found, language: str) -> str:
    """Why, in a sentence."""
    if language == "en":
        return found.because
    known = CAUSES.get(found.problem, {}).get(found.cause)
    return known or (PROBLEMS[found.problem][1][language] if found.problem in PROBLEMS else found.because)


def quantity(problem: str, signal: str, language: str) -> str:
    """What was measured."""
    if language == "en":
        return words.quantity(signal, problem_class(problem))
    return MEASURES.get(signal) or (SIGNALS[signal][language] if signal in SIGNALS else words.readable(signal))


def amount(value: float, unit: str, language: str) -> str:
    """A number with its unit."""
    if language == "en":
        return words.number(value, unit)
    if math.isnan(value):
        return "측정하지 않음"
    if unit == "step":
        return f"{value:.0f}스텝"
    tail = UNITS.get(unit, "")
    return words.number(value) + (tail if tail.startswith("/") else f" {tail}".rstrip())


def limit(entry: Evidence, language: str) -> str:
    """What counts as abnormal; a dash where the number only informs."""
    if language == "en" or math.isnan(entry.limit):
        return words.abnormal_if(entry)
    return SIDES[entry.side].format(amount(entry.limit, entry.unit, language))


def remedy(dose: Dose, language: str) -> str:
    """A remedy with its settings."""
    name = REMEDIES[dose.remedy][language] if dose.remedy in REMEDIES else words.readable(dose.remedy)
    said = ", ".join(
        f"{DOSED[setting][language] if setting in DOSED else setting} {_set(value)}"
        for setting, value in dose.settings.items()
    )
    return f"{name} ({said})" if said else name


def _set(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
