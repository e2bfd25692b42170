"""Why, in Korean: a sentence for each cause that a problem's rule can name. The English ones are the rules' own."""

from __future__ import annotations

#: id of a problem → key of its cause → the sentence that says why, in Korean
CAUSES: dict[str, dict[str, str]] = {
    "dead-relu": {
        "dead from the start": "첫 업데이트 전부터 유닛이 꺼져 있었습니다. 편향이나 초기화, 입력 때문에 유닛의 값이 "
                               "0보다 작습니다.",
        "died while training": "학습하는 동안 유닛이 죽었습니다. 어느 업데이트가 유닛의 입력을 0 아래로 밀어낸 뒤 "
                               "돌아오지 않습니다.",
    },
    "exploding-gradient": {
        "weights with gain above 1": "가중치가 모든 신호를 늘립니다. 순전파에서도 역전파에서도 층을 지날 때마다 "
                                     "커집니다.",
        "through time": "시간 단계마다 같은 순환 가중치가 곱해지고, 곱할 때마다 기울기가 커집니다.",
        "steep activation": "순환 가중치는 신호의 크기를 지키는데도 시간 단계마다 기울기가 커집니다. 그 사이의 활성화 "
                            "함수가 1보다 가파릅니다.",
        "": "순전파 신호는 커지지 않는데 역전파 신호는 층을 지날 때마다 커집니다.",
    },
    "frozen-parameters": {
        "not in the optimizer": "층에 기울기가 전달되지만, 그 파라미터를 가진 옵티마이저가 없습니다.",
        "forgotten": "손실에 쓰이는 가중치가 모델에도 옵티마이저에도 등록되어 있지 않습니다. 모듈을 빠뜨렸거나, "
                     "PyTorch가 찾지 못하는 "
                     "파이썬 리스트나 딕셔너리에 넣은 것입니다.",
        "learning rate 0": "옵티마이저에 들어 있지만 학습률이 0입니다.",
        "no gradient": "층은 실행되지만 기울기가 닿지 않습니다. 손실까지 가는 길 어딘가에서 그래프가 끊겼습니다.",
        "rounds to nothing": "업데이트가 가중치의 정밀도보다 작아서 아무것도 바뀌지 않습니다.",
        "declared frozen": "requires_grad가 False입니다. 일부러 고정한 것으로 보입니다.",
    },
    "learning-rate-too-high": {
        "diverged": "학습하는데 손실이 커집니다. 한 걸음마다 득보다 해가 큽니다.",
        "rattles": "걸음이 너무 길어 손실이 자리를 잡지 못하고, 가장 좋았던 값보다 훨씬 높은 곳에서 끝납니다.",
        "ladder": "처음 25걸음은 아무 데도 이르지 못하는데, 학습률을 10분의 1 이하로 하면 손실이 줄어듭니다.",
        "thrown off": "첫 걸음들이 가중치만큼이나 커서 출발점을 망가뜨렸습니다. 유닛이 죽거나 활성화 함수의 평평한 "
                      "구간으로 밀려났거나, 그 뒤로 아무것도 배우지 못했습니다.",
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
        "range": "마지막 활성화 함수가 낼 수 없는 목표값이 있습니다. 함수의 범위 밖에 있습니다.",
        "sign": "미분되는 손실이 음수입니다. 이 손실 함수는 음수가 될 수 없으므로 부호가 바뀌었고, 학습할수록 답이 "
                "나빠집니다.",
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
        "saturated while training": "학습하는 동안 유닛이 평평한 구간으로 밀려났습니다.",
    },
    "stale-gradient": {"": "업데이트 사이에 기울기를 지우지 않아, 걸음마다 이전 기울기의 합을 씁니다."},
    "unequal-replicas": {
        "gradients not averaged": "프로세스마다 자기 기울기로 업데이트합니다. 파라미터가 DistributedDataParallel에 "
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
        "squashing activation": "활성화 함수가 어떤 값이든 좁은 범위로 눌러 넣습니다. 미분값이 가장 가파른 곳에서도 "
                                "1보다 훨씬 작은데, 층마다 기울기에 그 값이 곱해집니다.",
        "saturation": "대부분의 유닛이 활성화 함수의 평평한 구간에 있고, 그곳의 미분값은 0에 가깝습니다.",
        "initialization too small": "가중치가 너무 작아, 순전파와 역전파 모두 층을 지날 때마다 신호가 줄어듭니다.",
        "dead block": "한 층의 유닛이 모든 입력에서 0이므로, 그 층을 거슬러 지나가는 것이 없습니다.",
        "through time": "시간 단계마다 같은 순환 가중치가 곱해지고, 곱할 때마다 기울기가 작아집니다. 시퀀스의 처음 "
                        "단계에서는 아무것도 배우지 못합니다.",
        "single layer": "신호의 대부분이 한 곳에서 사라집니다.",
        "": "가중치와 활성화 함수가 함께 층마다 신호를 줄입니다.",
    },
    "wrong-mode": {
        "trained in eval mode": "학습하는 동안 모델이 평가 모드였습니다.",
        "evaluated in train mode": "평가하는 동안 모델이 훈련 모드였습니다.",
        "part in eval mode": "모델을 학습하는 동안 일부 모듈이 평가 모드였습니다. BatchNorm을 고정한 것으로 보입니다.",
    },
    "batchnorm-small-batch": {"": "BatchNorm이 훈련에서 쓰는 평균과 표준편차가 몇 개 안 되는 값에서 계산됩니다."},
    "class-imbalance": {
        "not learned": "드문 클래스는 한 번도 예측되지 않고 다른 클래스는 예측됩니다.",
        "decision": "점수는 드문 클래스를 답보다 잘 알고 있습니다. 빈도가 점수를 눌러 버립니다.",
        "": "어떤 클래스는 다른 클래스보다 훨씬 드뭅니다.",
    },
    "constant-feature": {
        "moves in validation": "훈련에서는 변하지 않던 특성이 검증에서 변하고, 한 번도 학습되지 않은 가중치가 거기에 "
                               "곱해집니다.",
        "divided by zero": "훈련에서 변하지 않던 특성이 검증에서 엄청난 값을 가집니다. 표준편차 0으로 나눈 것입니다.",
        "columns": "많은 입력 특성이 모든 샘플에서 같은 값입니다.",
    },
    "constant-prediction": {
        "input lost": "첫 층의 출력부터 모든 샘플에서 같습니다. 입력이 신경망에 닿지 않습니다.",
        "never differed": "첫 걸음부터 샘플이 달라도 출력이 같습니다. 입력이 신경망을 지나는 길에 사라집니다.",
        "became constant": "처음에는 샘플마다 출력이 달랐지만 이제는 다르지 않습니다.",
        "": "샘플이 달라도 출력이 거의 같고, 찍는 것보다 낫지 않습니다.",
    },
    "data-leak": {
        "copies": "검증 세트의 샘플이 훈련 세트에도 있습니다.",
        "the training set": "검증이라고 부른 것이 훈련 세트입니다.",
        "target": "특성 하나가 목표값 그대로이거나 목표값을 다 알려 줍니다. 신경망을 실제로 쓸 때는 없을 값입니다.",
        "evaluated": "훈련 샘플로 평가했습니다. 그것이 검증 세트라고 말한 것은 아닙니다.",
    },
    "misaligned-data": {
        "learned by heart": "훈련 쌍은 하나씩 외우지만 처음 보는 샘플은 찍을 뿐입니다. 목표값이 입력과 짝이 맞지 "
                            "않습니다.",
        "validation": "훈련 쌍은 짝이 맞지만 검증 쌍은 맞지 않습니다. 클래스 번호나 행이 다르거나, 입력을 다르게 "
                      "전처리했습니다.",
        "not learned": "신경망도 최근접 이웃도 입력에서 목표값을 알려 주는 것을 찾지 못합니다.",
        "no link": "서로 가까운 샘플들의 목표값에 공통점이 없습니다.",
    },
    "noisy-labels": {
        "training labels": "훈련 세트의 레이블이 이웃의 레이블과 어긋나는데, 검증 세트는 그렇지 않습니다.",
        "all labels": "두 세트의 레이블이 모두 이웃과 어긋납니다. 레이블이 틀렸거나 클래스가 겹칩니다.",
    },
    "oscillating-loss": {"": "검증 손실이 평가할 때마다 오르내리며 자리를 잡지 못합니다."},
    "over-regularized": {
        "weight decay": "손실이 가중치를 키우는 것보다 가중치 감쇠가 더 강하게 0으로 끌어당깁니다.",
        "dropout": "드롭아웃이 너무 많이 지워서 남은 것만으로는 학습할 수 없습니다.",
    },
    "underfitting": {
        "no activation function": "층 사이에 활성화 함수가 없습니다. 여러 층을 합쳐도 선형 함수 하나이므로, 한 층이 배울 "
                                  "수 있는 것까지만 배웁니다.",
        "narrow layer": "학습이 멈춘 자리에서도 비슷한 샘플을 보고 답하는 쪽이 더 낫습니다. 한 층의 유닛이 출력 "
                        "수보다 적어 입력이 너무 조금 지나갑니다.",
        "": "학습이 멈춘 자리에서도 비슷한 샘플을 보고 답하는 쪽이 더 낫습니다. 이 신경망은 데이터에 "
                         "담긴 것을 표현하지 못합니다.",
    },
    "undertrained": {"": "학습이 끝났을 때 손실이 아직 줄고 있었고, 갈 길이 많이 남아 있었습니다."},
    "unshuffled-data": {
        "classes": "같은 클래스의 샘플이 이어서 나옵니다.",
        "values": "목표값이 비슷한 샘플이 이어서 나옵니다.",
    },
}  # fmt: skip
