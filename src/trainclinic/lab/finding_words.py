"""A finding and a treatment in both languages: the cause, the numbers beside their limits, a remedy with its settings.

The English words are the report's own; the Korean ones stand here, by the same keys.
"""

from __future__ import annotations

import math

from trainclinic.lab.cause_words import CAUSES
from trainclinic.lab.clinic_words import PROBLEMS, REMEDIES, SIGNALS
from trainclinic.lab.korean import korean
from trainclinic.lab.told import Found
from trainclinic.lab.words import Words
from trainclinic.records import Dose, Evidence
from trainclinic.report import words
from trainclinic.report.view import problem_class

#: quantity in a finding's evidence → its name in Korean; signals of the layers are in `SIGNALS`
MEASURES: dict[str, str] = {
    "alike": "모든 유닛의 가중치가 같은 층의 수",
    "class_numbers": "번호를 크기로 본 클래스의 수",
    "steps_made": "학습에서 한 걸음의 수",
    "passes": "훈련 샘플 하나를 본 횟수",
    "linear_layers": "선형 연산만 사이에 두고 이어지는, 가중치가 있는 층의 수",
    "narrowest": "가장 좁은 은닉층의 유닛 수",
    "first_loss": "첫 걸음 전의 손실 ÷ 찍을 때의 손실",
    "lowest_loss": "미분된 손실 가운데 가장 작은 값",
    "outside": "마지막 활성화 함수가 낼 수 없는 목표값의 범위 비율",
    "widest": "가장 넓은 은닉층의 유닛 수",
    "bottleneck": "모든 것이 지나는 가장 좁은 층의 유닛 수",
    "surest": "검증에서 가장 확신하는 답 5분의 1 가운데 맞은 비율, 많아야 (95 %)",
    "mixture": "검증 목표값 가운데 자기 샘플의 것인 비율",
    "mixture_gain": "그런 혼합이 크기가 두 가지인 오차보다 샘플마다 더 설명하는 양",
    "shifted": "답이 바로 앞이나 뒤 샘플의 목표값과 맞는 정도",
    "own": "답이 자기 목표값과 맞는 정도",
    "lag": "훈련에서 줄인 손실의 비율에서 검증이 모자라는 만큼",
    "thinnest": "다음 층이 받는 가장 좁은 은닉층의 유닛이나 채널 수",
    "dip": "뒤쪽 평가 가운데 가장 나쁜 답이 보통 답보다 못한 정도",
    "momentum": "지난 걸음을 다음 걸음이 되풀이하는 비율",
    "flattered": "사본이 아닌 검증 샘플의 점수보다 전체 점수가 좋은 정도",
    "near": "훈련 샘플과 이상하게 가까운 검증 샘플의 비율, 훈련 샘플끼리의 비율을 뺀 것",
    "rare_samples": "드문 클래스의 검증 샘플 수",
    "behind": "드문 클래스의 재현율이 다른 클래스보다 낮은 정도, 적어도 (95 %)",
    "recurrent_gain": "순환 가중치가 시간 단계마다 상태를 늘리는 배수",
    "proxy": "목표값과 특성 하나의 가장 큰 상관",
    "above_best": "후반부의 보통 검증 손실 ÷ 가장 좋았던 값",
    "against_it": "줄인 학습률의 손실 ÷ 그대로의 손실",
    "as_it_is": "그대로 25걸음 뒤의 손실 ÷ 처음 손실",
    "balanced_gain": "점수를 옮기면 재현율 평균에 더해지는 값",
    "batch_accuracy": "훈련 배치의 정확도",
    "batch_size": "배치의 샘플 수",
    "class_ratio": "훈련 세트에서 가장 흔한 클래스 ÷ 가장 드문 클래스",
    "commonest": "가장 흔한 클래스의 비율",
    "constant_share": "모든 훈련 샘플에서 같은 값인 입력 특성의 비율",
    "copied_rows": "그런 샘플의 수",
    "copies": "훈련 샘플과 같은 검증 샘플의 비율",
    "copies_of_chance": "그 비율 ÷ 우연히 나올 비율",
    "dropped": "드롭아웃 층이 지우는 가장 큰 비율",
    "early_pull": "처음 5분의 1에서 감쇠의 힘 ÷ 손실의 힘, 층들의 중앙값",
    "beyond": "같은 샘플에 닫힌 꼴로 맞춘 회귀가 검증에서 신경망보다 나은 정도",
    "errors": "그 차이를 표준오차로 나눈 값",
    "farthest": "얼마나 멀리 움직이는지, 보통 특성의 표준편차로",
    "first_spread": "첫 업데이트 전의 같은 값",
    "fit_ratio": "검증 손실 ÷ 훈련 손실",
    "fit_gap": "검증 손실 − 훈련 손실, 찍을 때의 손실에 대한 비율",
    "gap": "검증 손실 ÷ 훈련 손실",
    "held_fall": "후반부의 보통 검증 손실 ÷ 마지막 값",
    "label_gap": "이웃이 검증 레이블을 훈련 레이블보다 얼마나 더 잘 맞히는지, 적어도 (95 %)",
    "late_fall": "마지막 5분의 2 동안 사라진 손실의 비율",
    "late_spread": "샘플 사이 출력의 표준편차(로짓, 또는 목표값 대비)",
    "link_excess": "최근접 이웃이 목표값을 맞히는 정도, 섞었을 때보다 얼마나 더",
    "link_gap": "훈련 샘플이 훈련 목표값을 검증 목표값보다 얼마나 더 잘 맞히는지",
    "mode_gap": "드롭아웃이 있는 훈련 손실 ÷ 없는 검증 손실",
    "moved": "훈련에서 변하지 않던 특성이 변하는 검증 샘플의 비율",
    "odd": "이웃이 모두 한 클래스인데 자신은 다른 클래스인 샘플의 비율, 적어도 (95 %)",
    "of_neighbours": "최근접 이웃의 정확도 또는 R²",
    "of_network": "신경망의 정확도 또는 R²",
    "often_learned": "후반부의 나쁜 4분의 1에서 검증 손실이 줄어든 비율",
    "order_excess": "얼마나 비슷한지: 0은 섞인 것, 1은 같은 것",
    "order_score": "배치 안의 이웃이 섞인 것에서 얼마나 떨어져 있는지",
    "others_recall": "다른 클래스들의 평균 재현율",
    "rare_gain": "점수를 옮기면 드문 클래스의 재현율에 더해지는 값, 적어도 (95 %)",
    "rare_recall": "드문 클래스의 재현율",
    "reached": "훈련과 검증에서 사라진 손실의 비율",
    "rows": "살펴본 훈련 샘플의 수",
    "slope_left": "활성화 함수의 평균 |φ'(z)|: 후반 ÷ 처음, 가장 많이 줄어든 층",
    "shortfall": "최근접 이웃이 검증에서 신경망보다 나은 정도",
    "swing": "후반부에서 검증 손실이 추세에서 벗어나는 정도",
    "unanimous": "이웃이 모두 한 클래스인 샘플의 수",
    "validation_rise": "가장 좋았던 때부터 커진 검증 손실, 찍을 때의 손실에 대한 비율",
    "values_per_mean": "평균 하나를 내는 값의 수",
    "weights_left": "끝의 가중치 크기 ÷ 처음 크기, 층들의 중앙값",
    "with_less": "학습률을 줄여 25걸음 간 뒤의 손실 ÷ 처음 손실",
    "backward_call_span": "시간을 거슬러 흐르는 신호의 변화",
    "backward_slope": "층마다 줄어드는 역전파 신호",
    "backward_span": "역전파 신호, 첫 은닉층이 마지막보다 얼마나 큰지",
    "best_step": "검증 손실이 가장 좋았던 때",
    "broadcast": "비교해야 할 원소 하나당 실제로 비교된 원소",
    "cosine": "직전 걸음과의 기울기 코사인, 층들의 중앙값",
    "eval_training": "학습 패스 중 평가 모드인 비율",
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
    "forward_span": "순전파 신호, 마지막 층이 첫 층보다 얼마나 큰지",
    "frozen_share": "학습할 수 없는 파라미터의 비율",
    "generalization_loss": "가장 좋았던 때부터 커진 검증 손실",
    "gradient_difference": "기울기 노름의 상대 차이",
    "largest_update_ratio": "학습 초반에 가장 큰 업데이트 ÷ 가중치, 층들의 중앙값",
    "last_loss": "끝날 때의 손실",
    "learned": "훈련이 없앤 손실의 비율",
    "learning_rate": "학습률",
    "loss_floor": "이렇게 해서 얻을 수 있는 가장 작은 손실",
    "loss_growth": "직전의 손실 ÷ 그때까지 가장 작은 손실",
    "loss_jump": "처음 10분의 1 동안 가장 큰 손실 ÷ 처음 손실",
    "loss_rise": "끝날 때의 손실 ÷ 가장 좋았던 손실",
    "mean_derivative": "활성화 함수 미분의 평균 |φ'(z)|",
    "mean_gain": "가중치 배율(gain)의 평균",
    "non_finite_gradients": "기울기가 유한하지 않은 파라미터",
    "norm_growth": "전체 기울기 노름, 끝 ÷ 처음",
    "path": "모든 걸음을 합한 길이 ÷ 가중치",
    "rise_in_noise": "그 증가 ÷ 곡선의 잡음",
    "rise_of_chance": "그 증가 ÷ 찍었을 때의 손실",
    "size_difference": "가중치 크기의 가장 큰 상대 차이",
    "stale_share": "이전 기울기를 안고 시작한 걸음의 비율",
    "step_difference": "한 프로세스만 한 걸음 수",
    "train_evaluation": "평가 중 훈련 모드인 비율",
    "training_fall": "같은 동안 줄어든 훈련 손실",
    "unequal_parameters": "프로세스마다 다른 파라미터",
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
    known = known or (PROBLEMS[found.problem][1][language] if found.problem in PROBLEMS else found.because)
    kind = problem_class(found.problem)
    place = found.because.removesuffix(kind.causes.get(found.cause, "")).strip() if kind else ""
    return f"{korean(place)} {known}" if place.startswith("At step ") else known


def refusal(said: str, language: str) -> str:
    """Why a remedy does not fit, beside its name."""
    remedy, _, why = said.partition(": ")
    why = why if remedy in REMEDIES else said
    return why if language == "en" else korean(why)


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
