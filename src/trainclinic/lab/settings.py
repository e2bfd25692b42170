"""Every setting that an experiment of the lab has, with its range; a chapter chooses which of them it shows."""

from __future__ import annotations

from trainclinic.lab.controls import Control
from trainclinic.lab.words import Words, same

DATA = {
    "digits": Words("digits: 8×8 images, 10 classes", "숫자: 8×8 이미지, 10개 클래스"),
    "wine": Words("wine: 13 measurements, 3 classes", "와인: 측정값 13개, 3개 클래스"),
    "breast_cancer": Words("tumours: 30 measurements, 2 classes", "유방암: 측정값 30개, 2개 클래스"),
    "diabetes": Words("diabetes: a regression, 10 measurements", "당뇨병: 회귀, 측정값 10개"),
    "spirals": Words("spirals: two numbers, 3 classes", "나선: 숫자 2개, 3개 클래스"),
}
ACTIVATIONS = {
    name: same(name)
    for name in ("Sigmoid", "Tanh", "ReLU", "LeakyReLU", "ELU", "SELU", "GELU", "SiLU", "Softplus", "Hardtanh")
} | {"Identity": Words("none", "없음")}
INITS = {
    "default": Words("PyTorch's own", "PyTorch 기본값"),
    "xavier": Words("Xavier (Glorot)", "자비에르(Xavier)"),
    "he": Words("He (Kaiming)", "He(Kaiming)"),
    "lecun": same("LeCun"),
    "orthogonal": Words("orthogonal", "직교(orthogonal)"),
}
NORMS = {
    "none": Words("none", "없음"),
    "batch": Words("batch normalisation", "배치정규화"),
    "layer": Words("layer normalisation", "층 정규화(LayerNorm)"),
}
OPTIMIZERS = {
    name: same(label)
    for name, label in {
        "SGD": "SGD", "momentum": "SGD + momentum", "Nesterov": "SGD + Nesterov", "Adagrad": "Adagrad",
        "Adadelta": "Adadelta", "RMSprop": "RMSprop", "Adam": "Adam", "AdaMax": "AdaMax", "NAdam": "NAdam",
        "RAdam": "RAdam", "AdamW": "AdamW", "Muon": "Muon",
    }.items()
}  # fmt: skip
SCHEDULES = {
    "constant": Words("constant", "일정"),
    "cosine": Words("cosine to 0", "코사인, 0까지"),
    "step": Words("a tenth at 2/3", "2/3 지점에서 10분의 1"),
}
AUGMENTATIONS = {
    "none": Words("none", "없음"),
    "noise": Words("noise", "잡음"),
    "shift": Words("shift by a pixel", "한 픽셀 이동"),
    "mixup": same("mixup"),
}

_ALL = (
    Control("data", Words("Data", "데이터"), "digits", choices=DATA),
    Control("samples", Words("Training samples", "훈련 샘플 수"), 1400, 20, 1400, 10,
            help=Words("at most as many as there are", "데이터에 있는 만큼까지")),
    Control("label_noise", Words("Wrong labels", "잘못된 레이블"), 0.0, 0.0, 0.9, 0.05,
            help=Words("share of the training labels that are replaced at random",
                       "무작위로 바꾼 훈련 레이블의 비율")),
    Control("depth", Words("Hidden layers", "은닉층 수"), 6, 0, 40),
    Control("width", Words("Units per layer", "층당 유닛 수"), 48, 2, 256, 2),
    Control("activation", Words("Activation function", "활성화 함수"), "ReLU", choices=ACTIVATIONS),
    Control("init", Words("Initialisation", "가중치 초기화"), "he", choices=INITS),
    Control("gain", Words("Gain of the weights", "가중치 배율(gain)"), 1.0, 0.05, 8.0, log=True,
            help=Words("the initial weights are multiplied by it", "초기 가중치에 곱하는 값")),
    Control("norm", Words("Normalisation", "정규화"), "none", choices=NORMS),
    Control("dropout", Words("Dropout", "드롭아웃"), 0.0, 0.0, 0.9, 0.05,
            help=Words("share of the units that are switched off", "꺼지는 유닛의 비율")),
    Control("optimizer", Words("Optimizer", "옵티마이저"), "Adam", choices=OPTIMIZERS),
    Control("learning_rate", Words("Learning rate η", "학습률 η"), 0.001, 1e-5, 10.0, log=True),
    Control("schedule", Words("Schedule", "학습률 스케줄"), "constant", choices=SCHEDULES),
    Control("weight_decay", Words("Weight decay λ", "가중치 감쇠 λ"), 0.0, 0.0, 10.0, log=True,
            help=Words("L2: biases excluded", "L2 규제: 편향은 제외")),
    Control("l1", Words("L1 penalty", "L1 규제"), 0.0, 0.0, 0.1, log=True,
            help=Words("biases excluded", "편향은 제외")),
    Control("batch_size", Words("Batch size", "배치 크기"), 64, 1, 1024, 1),
    Control("epochs", Words("Epochs", "에폭 수"), 15, 1, 200),
    Control("clip", Words("Gradient clipping", "기울기 클리핑"), 0.0, 0.0, 100.0, log=True,
            help=Words("largest norm of the gradient; 0: none", "기울기 노름의 상한; 0이면 없음")),
    Control("augmentation", Words("Data augmentation", "데이터 증강"), "none", choices=AUGMENTATIONS),
    Control("patience", Words("Early stopping: patience", "조기종료: 인내(patience)"), 0, 0, 50, off=True,
            help=Words("epochs without a better validation loss before it stops; 0: never",
                       "검증 손실이 나아지지 않아도 기다리는 에폭 수; 0이면 멈추지 않음")),
    Control("seed", Words("Seed", "난수 시드"), 0, 0, 9999,
            help=Words("of the initial weights and of the order of the batches", "초기 가중치와 배치 순서")),
)  # fmt: skip
SETTINGS: dict[str, Control] = {control.name: control for control in _ALL}
