"""The clinic's problems and remedies in the words of both languages: a name, and for problems a sentence."""

from __future__ import annotations

from trainclinic.lab.words import Words

#: id of a problem → its name, and what it means in a sentence
PROBLEMS: dict[str, tuple[Words, Words]] = {
    "batchnorm-small-batch": (
        Words("BatchNorm over a small batch", "작은 배치의 배치정규화"),
        Words(
            "BatchNorm takes its means over so few values that they are mostly noise.",
            "배치정규화가 너무 적은 값으로 평균을 내어, 평균이 거의 잡음입니다.",
        ),
    ),
    "constant-prediction": (
        Words("Constant prediction", "상수 예측"),
        Words(
            "The network answers the same to every input.",
            "신경망이 어떤 입력에도 같은 답을 냅니다.",
        ),
    ),
    "oscillating-loss": (
        Words("Oscillating loss", "진동하는 손실"),
        Words(
            "From one evaluation to the next the validation loss swings and does not settle.",
            "검증 손실이 평가할 때마다 오르내리며 자리를 잡지 못합니다.",
        ),
    ),
    "over-regularized": (
        Words("Over-regularized", "지나친 규제"),
        Words(
            "Weight decay or dropout is so strong that the network cannot learn what it is shown.",
            "가중치 감쇠나 드롭아웃이 너무 강해서 신경망이 보여 준 것조차 학습하지 못합니다.",
        ),
    ),
    "underfitting": (
        Words("Underfitting", "과소적합"),
        Words(
            "The network is too small, or of the wrong kind, for what the data hold.",
            "데이터에 담긴 것에 비해 신경망이 너무 작거나 종류가 맞지 않습니다.",
        ),
    ),
    "undertrained": (
        Words("Undertrained", "학습 부족"),
        Words(
            "The training ended while the loss was still falling at a useful rate.",
            "손실이 아직 쓸모 있게 줄고 있을 때 학습이 끝났습니다.",
        ),
    ),
    "vanishing-gradient": (
        Words("Vanishing gradient", "기울기 소실"),
        Words(
            "On its way back through the layers the gradient shrinks so much that the first layers hardly learn.",
            "역전파되는 기울기가 층을 지날 때마다 줄어들어, 앞쪽 층이 거의 학습되지 않습니다.",
        ),
    ),
    "exploding-gradient": (
        Words("Exploding gradient", "기울기 폭주"),
        Words(
            "From layer to layer the gradient grows, until an update throws the weights about.",
            "기울기가 층을 지날 때마다 커져서, 한 번의 업데이트가 가중치를 크게 흔들어 놓습니다.",
        ),
    ),
    "dead-relu": (
        Words("Dead ReLU", "죽은 ReLU"),
        Words(
            "Many units output 0 for every sample: no gradient reaches them any more.",
            "많은 유닛이 모든 샘플에서 0을 출력하여, 기울기가 더 이상 전달되지 않습니다.",
        ),
    ),
    "saturated-activation": (
        Words("Saturated activation", "활성화 함수의 포화"),
        Words(
            "The activation functions work where they are flat, so their derivative is near 0.",
            "활성화 함수가 평평한 구간에서 작동하여, 미분값이 0에 가깝습니다.",
        ),
    ),
    "poor-initialization": (
        Words("Poor initialisation", "부적절한 초기화"),
        Words(
            "The initial weights make the signal shrink or grow from layer to layer.",
            "초기 가중치 때문에 신호가 층을 지날 때마다 작아지거나 커집니다.",
        ),
    ),
    "learning-rate-too-high": (
        Words("Learning rate too high", "너무 높은 학습률"),
        Words(
            "The steps are too long: the loss jumps about, or it rises.",
            "업데이트의 보폭이 너무 커서 손실이 요동치거나 커집니다.",
        ),
    ),
    "learning-rate-too-low": (
        Words("Learning rate too low", "너무 낮은 학습률"),
        Words(
            "The steps are too short: the loss still falls steadily where the run ends.",
            "업데이트의 보폭이 너무 작아, 학습이 끝날 때까지도 손실이 계속 내려가는 중입니다.",
        ),
    ),
    "overfitting": (
        Words("Overfitting", "과적합"),
        Words(
            "The training loss goes on falling while the validation loss has turned and rises.",
            "훈련 손실은 계속 줄어드는데 검증 손실은 다시 커집니다.",
        ),
    ),
    "unscaled-inputs": (
        Words("Unscaled inputs", "스케일이 맞지 않는 입력"),
        Words(
            "The inputs have scales far from 1 or very different from each other.",
            "입력의 크기가 1에서 크게 벗어나거나 특성마다 크게 다릅니다.",
        ),
    ),
    "non-finite": (
        Words("Not a finite number", "유한하지 않은 값(NaN, 무한대)"),
        Words(
            "A NaN or an infinity has appeared; from then on nothing is learned.",
            "NaN이나 무한대가 나타났고, 그 뒤로는 아무것도 학습되지 않습니다.",
        ),
    ),
    "frozen-parameters": (
        Words("Frozen parameters", "학습되지 않는 파라미터"),
        Words(
            "Some parameters are never updated.",
            "업데이트되지 않는 파라미터가 있습니다.",
        ),
    ),
    "stale-gradient": (
        Words("Stale gradient", "지워지지 않은 기울기"),
        Words(
            "Gradients of earlier steps are still in the sum: zero_grad is missing.",
            "이전 단계의 기울기가 남아 더해지고 있습니다. zero_grad가 빠졌습니다.",
        ),
    ),
    "wrong-mode": (
        Words("Wrong mode", "잘못된 모드"),
        Words(
            "The network trains in eval mode, or is judged in train mode.",
            "평가 모드에서 학습하거나 훈련 모드에서 평가하고 있습니다.",
        ),
    ),
    "loss-output-mismatch": (
        Words("Loss and output do not match", "손실과 출력의 불일치"),
        Words(
            "The loss function expects another kind of output than the network gives.",
            "손실 함수가 기대하는 출력과 신경망이 내는 출력이 서로 다릅니다.",
        ),
    ),
    "unequal-replicas": (
        Words("Unequal replicas", "서로 다른 복제본"),
        Words(
            "The processes of a distributed training have different weights.",
            "분산 학습의 프로세스마다 가중치가 서로 다릅니다.",
        ),
    ),
    "class-imbalance": (
        Words("Class imbalance", "클래스 불균형"),
        Words(
            "Some classes are so rare that the network does well to ignore them.",
            "드문 클래스는 무시해도 손실이 거의 늘지 않아, 신경망이 그 클래스를 놓칩니다.",
        ),
    ),
    "noisy-labels": (
        Words("Noisy labels", "잘못 붙은 레이블"),
        Words(
            "A share of the labels is wrong, and the network learns those by heart, too.",
            "레이블 일부가 틀렸고, 신경망은 틀린 레이블까지 외워 버립니다.",
        ),
    ),
    "misaligned-data": (
        Words("Misaligned data", "어긋난 입력과 정답"),
        Words(
            "Inputs and targets do not belong together: there is nothing to learn.",
            "입력과 정답의 짝이 맞지 않아 배울 것이 없습니다.",
        ),
    ),
    "unshuffled-data": (
        Words("Unshuffled data", "섞지 않은 데이터"),
        Words(
            "The samples come in the order in which they were stored, one class after the other.",
            "샘플이 저장된 순서 그대로, 이를테면 한 클래스씩 차례로 들어옵니다.",
        ),
    ),
    "constant-feature": (
        Words("Constant feature", "변하지 않는 특성"),
        Words(
            "Input features hold the same number in every sample, or move only in validation.",
            "입력 특성의 값이 모든 샘플에서 같거나, 검증 데이터에서만 달라집니다.",
        ),
    ),
    "data-leak": (
        Words("Data leak", "데이터 누출"),
        Words(
            "Samples of the training set are in the validation set, and its figures are too good.",
            "훈련 샘플이 검증 데이터에 섞여 있어, 검증 결과가 실제보다 좋게 나옵니다.",
        ),
    ),
}

#: id of a remedy → its name
REMEDIES: dict[str, Words] = {
    "augment-data": Words("augment the data", "데이터 증강"),
    "change-learning-rate": Words("change the learning rate", "학습률 바꾸기"),
    "change-optimizer": Words("change the optimizer", "옵티마이저 바꾸기"),
    "class-rebalancing": Words("rebalance the classes", "클래스 균형 맞추기"),
    "clip-gradient": Words("clip the gradient", "기울기 클리핑"),
    "decay-schedule": Words("let the learning rate decay", "학습률 감쇠 스케줄"),
    "dropout": Words("dropout", "드롭아웃"),
    "early-stopping": Words("stop early", "조기종료"),
    "fix-loss-output": Words("match loss and output", "손실과 출력 맞추기"),
    "glorot-init": Words("Glorot (Xavier) initialisation", "자비에르(Glorot) 초기화"),
    "group-norm-for-batch-norm": Words("group norm in place of batch norm", "배치정규화 대신 그룹 정규화"),
    "he-init": Words("He initialisation", "He 초기화"),
    "insert-activation": Words("insert an activation function", "활성화 함수 넣기"),
    "insert-batch-norm": Words("insert batch normalisation", "배치정규화 넣기"),
    "insert-layer-norm": Words("insert layer normalisation", "층 정규화 넣기"),
    "label-smoothing": Words("smooth the labels", "레이블 스무딩"),
    "larger-batch": Words("a larger batch", "배치 크기 키우기"),
    "orthogonal-init": Words("orthogonal initialisation", "직교 초기화"),
    "plain-loop": Words("the plain training loop", "기본 학습 루프"),
    "replace-activation": Words("replace the activation function", "활성화 함수 바꾸기"),
    "residual-connections": Words("residual connections", "잔차 연결"),
    "shuffle-data": Words("shuffle the data", "데이터 섞기"),
    "standardize-inputs": Words("standardise the inputs", "입력 표준화"),
    "standardize-targets": Words("standardise the targets", "목표값 표준화"),
    "train-all-parameters": Words("train all parameters", "모든 파라미터 학습하기"),
    "train-longer": Words("train longer", "더 오래 학습하기"),
    "warm-up": Words("warm up the learning rate", "학습률 웜업"),
    "weight-decay": Words("weight decay", "가중치 감쇠"),
    "widen-network": Words("widen the network", "신경망 넓히기"),
}

#: signal of the layers → its name
SIGNALS: dict[str, Words] = {
    "gradient_rms": Words("gradient of the weights (RMS)", "가중치의 기울기 (RMS)"),
    "backward_rms": Words("gradient at the layer's output (RMS)", "층 출력의 기울기 (RMS)"),
    "activation_derivative": Words("mean |φ'(z)| of the activation", "활성화 함수 미분의 평균 |φ'(z)|"),
    "activation_rms": Words("size of the outputs (RMS)", "출력의 크기 (RMS)"),
    "activation_mean": Words("mean of the outputs", "출력의 평균"),
    "saturated_share": Words("share of saturated units", "포화된 유닛의 비율"),
    "dead_unit_fraction": Words("share of dead units", "죽은 유닛의 비율"),
    "weight_rms": Words("size of the weights (RMS)", "가중치의 크기 (RMS)"),
    "weight_gain": Words("gain of the weights", "가중치 배율(gain)"),
    "update_ratio": Words("update ÷ weight", "업데이트 ÷ 가중치"),
}
