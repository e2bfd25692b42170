"""Chapter 2: activation functions."""

from __future__ import annotations

from typing import ClassVar

from trainclinic.lab.chapter import Chapter, Experiment, Section, Try
from trainclinic.lab.chapters._activation_functions import BEFORE, BEFORE_AFTER, FUNCTIONS, RELU, SIGNAL, TANH
from trainclinic.lab.words import Words


class ActivationFunctions(Chapter):
    """What tanh, ReLU and the others let through, and what that does to a real network."""

    number: ClassVar[int] = 2
    title: ClassVar[Words] = Words("Activation functions", "활성화 함수")
    lead: ClassVar[Words] = Words(
        "The sigmoid lets a quarter of the gradient through at best. Tanh lets all of it through near 0, ReLU lets "
        "all of it through wherever it is on. You will draw both, set seven others beside them, and exchange them in "
        "a network that trains before your eyes.",
        "시그모이드는 기울기를 많아야 4분의 1만 통과시킵니다. tanh는 0 근처에서, ReLU는 켜져 있는 곳이면 어디서나 "
        "기울기를 그대로 통과시킵니다. 두 함수를 그리고, 다른 일곱 함수를 나란히 놓고, 눈앞에서 학습하는 신경망에 "
        "바꾸어 넣어 봅니다.",
    )
    text: ClassVar[tuple[Section, ...]] = (
        Section(
            Words("tanh and its derivative", "tanh 함수와 그 미분함수"),
            Words(
                r"The hyperbolic tangent is a sigmoid stretched to the range from −1 to 1:"
                "\n\n"
                r"$$\tanh(x) = 2\,\sigma(2x) - 1, \qquad \tanh'(x) = 1 - \tanh^2(x).$$"
                "\n\n"
                r"Compare the red curve with the sigmoid's: its peak is 1 instead of 0.25, so near $x = 0$ a tanh "
                r"hands the gradient on undiminished. Its outputs also lie around 0 and not around 0.5, which keeps "
                r"the next layer's inputs centred. What it shares with the sigmoid are the flat ends: $\tanh'(2) = "
                r"0.071$ and $\tanh'(5) = 0.00018$. A tanh network lives as long as its inputs stay near 0; large "
                r"weights drive it into saturation.",
                r"쌍곡탄젠트(tanh)는 시그모이드를 −1에서 1까지로 늘린 함수입니다."
                "\n\n"
                r"$$\tanh(x) = 2\,\sigma(2x) - 1, \qquad \tanh'(x) = 1 - \tanh^2(x)$$"
                "\n\n"
                r"빨간 곡선을 시그모이드의 것과 비교해 보십시오. 꼭대기가 0.25가 아니라 1이므로 $x = 0$ 근처에서는 "
                r"기울기가 줄지 않고 넘어갑니다. 출력도 0.5가 아니라 0을 중심으로 놓여 다음 층의 입력이 한쪽으로 "
                r"쏠리지 않습니다. 양 끝이 평평한 점은 시그모이드와 같습니다. $\tanh'(2) = 0.071$, $\tanh'(5) = "
                r"0.00018$입니다. tanh 신경망은 입력이 0 근처에 있는 동안만 살아 있고, 가중치가 크면 포화됩니다.",
            ),
            drawing=TANH,
            code="import numpy as np\n"
            "from trainclinic.lab.activations import tanh, tanh_derivative\n\n"
            "x = np.linspace(-5, 5, 400)\n"
            "print(tanh(x).round(3)[[0, 200, 399]], tanh_derivative(x).max().round(4))",
        ),
        Section(
            Words("ReLU and its derivative", "ReLU와 그 미분함수"),
            Words(
                r"The rectified linear unit keeps what is positive and drops the rest:"
                "\n\n"
                r"$$f(x) = \max(0, x), \qquad f'(x) = \begin{cases} 1 & x > 0 \\ 0 & x \le 0. \end{cases}$$"
                "\n\n"
                r"The derivative is a step. Where a unit is on, the gradient passes with factor 1, however large $x$ "
                r"is, and $1^n = 1$ for any number of layers: a path of active units neither vanishes nor saturates "
                r"(Glorot, Bordes & Bengio 2011). Where it is off, nothing passes. At $x = 0$ there is a corner and "
                r"no derivative; by agreement it is set to 0, here as in PyTorch.",
                r"ReLU(Rectified Linear Unit)는 양수는 그대로 두고 나머지는 버립니다."
                "\n\n"
                r"$$f(x) = \max(0, x), \qquad f'(x) = \begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}$$"
                "\n\n"
                r"미분함수는 계단입니다. 유닛이 켜진 곳에서는 $x$가 아무리 커도 기울기에 1을 곱하고, 층이 몇 개든 "
                r"$1^n = 1$입니다. 그래서 켜진 유닛을 잇는 길에서는 기울기가 사라지지 않고, 유닛도 포화되지 "
                r"않습니다(Glorot, Bordes & Bengio 2011). 꺼진 곳으로는 아무것도 지나가지 못합니다. $x = 0$은 꺾이는 "
                r"점이라 미분값이 없는데, PyTorch와 마찬가지로 0으로 정합니다.",
            ),
            drawing=RELU,
            code="import numpy as np\n"
            "from trainclinic.lab.activations import relu_derivative\n\n"
            "print(relu_derivative(np.array([-1.0, 0.0, 1.0])))",
        ),
        Section(
            Words("Before and after", "바꾸기 전과 후"),
            Words(
                r"One network of 12 hidden layers on the handwritten digits, trained for 6 epochs from the same seed; "
                r"only the part between the layers is exchanged. On the right is the cause: with sigmoid the first "
                r"layer's gradient is $10^{-9}$, with tanh, with ReLU and He's weights, or with batch normalisation "
                r"before the sigmoid, it is as large as in the other layers. On the left is the effect: the sigmoid "
                r"network stays at 0.1, a guess among ten classes, and the three others reach about 0.9 and more."
                "\n\n"
                r"Tanh is ahead of ReLU here: on twelve layers and small, centred inputs hardly a unit saturates. "
                r"ReLU's strength is that an active unit never does, whatever comes in.",
                r"손글씨 숫자를 배우는 은닉층 12개짜리 신경망을 같은 시드로 6에폭 학습시켰습니다. 층 사이의 부품만 "
                r"바꾸었습니다. 오른쪽이 원인입니다. 시그모이드에서는 첫 층의 기울기가 $10^{-9}$이고, tanh, He "
                r"초기화를 한 ReLU, 시그모이드 앞의 배치정규화에서는 다른 층과 크기가 같습니다. 왼쪽이 결과입니다. "
                r"시그모이드 신경망은 10개 클래스를 찍는 수준인 0.1에 머물고, 나머지 셋은 0.9 안팎이나 그 위에 "
                r"이릅니다."
                "\n\n"
                r"여기서는 tanh가 ReLU보다 앞섭니다. 12층에 작고 중심이 맞은 입력이라 포화되는 유닛이 거의 없기 "
                r"때문입니다. ReLU의 강점은 켜진 유닛이 어떤 입력에도 포화되지 않는다는 데 있습니다.",
            ),
            drawing=BEFORE_AFTER,
        ),
        Section(
            Words("The weights must fit the function", "가중치는 함수에 맞아야 합니다"),
            Words(
                r"A slope of 1 is half the story: each step back multiplies by the weights as well. ReLU switches off "
                r"half of the units, which halves the mean square of the signal, so He's weights have twice the "
                r"variance of LeCun's, $\operatorname{Var}(W) = 2/n$, and the size is kept (He et al. 2015)."
                "\n\n"
                r"Try it below on a real network, untrained: Xavier weights, He's for ReLU, times the gain. ReLU at "
                r"gain 1: about 0.95 a layer, nearly level. ReLU at 0.71, which is one half in variance: 0.67 a "
                r"layer, and 0.0006 is left after 20. Tanh at gain 3: forward it hardly grows, since it saturates; "
                r"backward the factor is 1.47 and the gradient explodes. Sigmoid needs a gain near 4 only to lose "
                r"less.",
                r"미분값 1은 이야기의 절반입니다. 한 층을 되돌아갈 때마다 가중치도 곱하기 때문입니다. ReLU는 유닛의 "
                r"절반을 끄므로 신호의 제곱 평균이 절반이 됩니다. 그래서 He 가중치의 분산은 LeCun의 두 배인 "
                r"$\operatorname{Var}(W) = 2/n$이고, 신호의 크기가 유지됩니다(He 외 2015)."
                "\n\n"
                r"아래의 실제 신경망(학습 전)에서 시험해 보십시오. 가중치는 자비에르, ReLU에는 He이고 여기에 배율을 "
                r"곱합니다. ReLU에 배율 1이면 층당 약 0.95로 거의 평평합니다. 분산을 반으로 줄이는 0.71이면 층당 "
                r"0.67이고 20층 뒤에는 0.0006이 남습니다. tanh에 배율 3이면 순전파는 포화되어 거의 커지지 못하지만 "
                r"역전파는 층당 1.47배로 폭주합니다. 시그모이드는 배율이 4쯤 되어야 겨우 덜 잃습니다.",
            ),
            play=SIGNAL,
        ),
        Section(
            Words("The others, side by side", "다른 활성화 함수들"),
            Words(
                r"Every later function mends something of ReLU's left half. **LeakyReLU** leaves a slope of 0.01 "
                r"there, so no unit can die (Maas et al. 2013). **ELU** bends smoothly to −1 and so centres the "
                r"outputs (Clevert et al. 2016); **SELU** scales it so that mean 0 and variance 1 keep themselves "
                r"(Klambauer et al. 2017). **GELU** $x\,\Phi(x)$ and **SiLU** $x\,\sigma(x)$ are smooth and dip below "
                r"0; transformers use them (Hendrycks & Gimpel 2016; Elfwing et al. 2018). **Softplus** is a ReLU "
                r"without its corner."
                "\n\n"
                r"Look at the largest slope: 0.25 for sigmoid, 1 for tanh and ReLU, 1.13 for GELU, 1.76 for SELU. The "
                r"last column is the gain that makes up for the function: for ReLU it is $\sqrt 2 = 1.414$, He's.",
                r"뒤에 나온 함수들은 저마다 ReLU의 왼쪽 절반을 고칩니다. **LeakyReLU**는 그곳에 0.01의 미분값을 남겨 "
                r"유닛이 죽지 않게 합니다(Maas 외 2013). **ELU**는 −1까지 부드럽게 휘어 출력의 중심을 맞추고(Clevert "
                r"외 2016), **SELU**는 평균 0과 분산 1이 저절로 유지되도록 크기를 맞춥니다(Klambauer 외 2017). "
                r"**GELU** $x\,\Phi(x)$와 **SiLU** $x\,\sigma(x)$는 부드럽고 0 아래로 살짝 내려가며 트랜스포머에 "
                r"쓰입니다(Hendrycks & Gimpel 2016; Elfwing 외 2018). **Softplus**는 모서리를 없앤 ReLU입니다."
                "\n\n"
                r"미분의 최댓값을 보십시오. 시그모이드 0.25, tanh와 ReLU 1, GELU 1.13, SELU 1.76입니다. 마지막 열은 "
                r"그 함수를 메우는 가중치 배율이고, ReLU에서는 He의 $\sqrt 2 = 1.414$입니다.",
            ),
            play=FUNCTIONS,
        ),
        Section(
            Words("What can go wrong with ReLU", "ReLU에서 생기는 문제"),
            Words(
                r"A ReLU whose input is negative for **every** sample has derivative 0 for every sample. It gets no "
                r"gradient, so it never changes: it is dead. One step that is too large is enough to push many units "
                r"there. In the experiment, 12 ReLU layers at a learning rate of 0.001 have at most a quarter of dead "
                r"units in any layer; at 0.1 whole layers die, and no gradient gets past them to the layers before."
                "\n\n"
                r"Half of the units being off for a given sample is no disease: that is ReLU's work. Dead means off "
                r"for all of them. Choose *share of dead units* for the heatmap to see it happen. Remedies: "
                r"a smaller learning rate, He initialisation, or a function with a slope on the left.",
                r"**모든** 샘플에서 입력이 음수인 ReLU는 모든 샘플에서 미분값이 0입니다. 기울기를 받지 못해 다시는 "
                r"변하지 않습니다. 죽은 유닛입니다. 너무 큰 걸음 한 번이면 많은 유닛이 그렇게 됩니다. 실험에서 ReLU "
                r"12층은 학습률 0.001이면 어느 층에서도 죽은 유닛이 4분의 1을 넘지 않지만, 0.1이면 층이 통째로 죽고, "
                r"역전파가 거기에서 끊겨 그 앞쪽 층도 모두 신호를 잃습니다."
                "\n\n"
                r"한 샘플에서 유닛의 절반이 꺼져 있는 것은 병이 아니라 ReLU가 하는 일입니다. 죽었다는 것은 모든 "
                r"샘플에서 꺼져 있다는 뜻입니다. 히트맵에서 *죽은 유닛의 비율*을 골라 보십시오. 처방은 더 작은 "
                r"학습률, He 초기화, 왼쪽에도 미분값이 있는 함수입니다.",
            ),
        ),
    )
    experiment: ClassVar[Experiment] = Experiment(
        {**BEFORE, "optimizer": "Adam", "learning_rate": 0.001, "epochs": 15},
        ("data", "depth", "activation", "init", "gain", "norm", "learning_rate"),
        ("activation_derivative", "gradient_rms", "saturated_share", "dead_unit_fraction", "activation_rms"),
    )
    tries: ClassVar[tuple[Try, ...]] = (
        Try(
            Words(
                "Replace sigmoid by tanh and change nothing else. What is the mean derivative now?",
                "다른 것은 그대로 두고 시그모이드를 tanh로 바꾸십시오. 미분값의 평균은 얼마가 됩니까?",
            ),
            {"activation": "Tanh"},
            Words(
                "It is 0.88 to 0.89 instead of 0.234. Over 12 layers that leaves 0.21 to 0.23 of the gradient instead "
                "of 0.00000003, and accuracy rises from 0.09 to 0.13, a guess, to 0.95 to 0.97 (three seeds).",
                "0.234에서 0.88~0.89로 오릅니다. 12층을 지나면 기울기가 0.00000003이 아니라 0.21~0.23 남고, 정확도는 "
                "찍는 수준인 0.09~0.13에서 0.95~0.97로 오릅니다(시드 3개).",
            ),
        ),
        Try(
            Words(
                "Take ReLU with He initialisation, then with Xavier. Does the initialisation decide?",
                "ReLU를 He 초기화로, 그다음 자비에르 초기화로 학습시켜 보십시오. 초기화가 승패를 가릅니까?",
            ),
            {"activation": "ReLU", "init": "he"},
            Words(
                "Not at 12 layers. With He the backward signal of the first layer is 0.7 to 1.3 times the last one's, "
                "with Xavier only 0.014 to 0.025, yet accuracy is 0.90 to 0.93 and 0.93 to 0.94: Adam rescales each "
                "weight's step and makes up for two decades. At 20 layers Xavier loses three decades and reaches 0.74 "
                "to 0.80, He 0.88 to 0.91: that is the clinic's limit. With every step measured (the notebook) it "
                "finds a vanishing gradient with two of three seeds, on this page, with every fourth, only "
                "undertraining.",
                "12층에서는 아닙니다. 첫 층의 역전파 신호는 He에서 마지막 층의 0.7~1.3배, 자비에르에서는 "
                "0.014~0.025배뿐이지만 정확도는 0.90~0.93과 0.93~0.94입니다. Adam이 가중치마다 걸음의 크기를 맞추어 "
                "100배쯤의 차이는 메웁니다. 20층이 되면 자비에르는 신호가 1,000분의 1로 줄어 0.74~0.80이고, He는 "
                "0.88~0.91입니다. 이쯤이 클리닉의 경계입니다. 모든 스텝을 재면(노트북) 시드 세 개 중 둘에서 기울기 "
                "소실이라 하고, 네 스텝마다 재는 이 화면에서는 학습 부족이라고만 합니다.",
            ),
            then={"init": "xavier"},
        ),
        Try(
            Words(
                "Why any function at all? Choose none, on the spirals; then ReLU with He.",
                "활성화 함수는 왜 필요합니까? 나선 데이터에서 '없음'을, 그다음 ReLU와 He를 골라 보십시오.",
            ),
            {"data": "spirals", "activation": "Identity"},
            Words(
                "Without a function in between, twelve linear layers are one linear layer: three straight borders "
                "cannot part three spirals, and accuracy stays at 0.48 to 0.51. The gradient is perfectly healthy, "
                "there is just nothing to learn with. ReLU reaches 0.77 to 0.90 in the same 15 epochs.",
                "사이에 함수가 없으면 선형층 12개는 선형층 하나와 같습니다. 직선 경계로는 나선 셋을 나눌 수 없어 "
                "정확도가 0.48~0.51에 머뭅니다. 기울기는 멀쩡하지만 배울 도구가 없습니다. ReLU는 같은 15에폭에 "
                "0.77~0.90에 이릅니다.",
            ),
            then={"activation": "ReLU", "init": "he"},
        ),
        Try(
            Words(
                "Kill the ReLUs: learning rate 0.1. Then try LeakyReLU, whose units cannot die.",
                "ReLU를 죽여 봅시다. 학습률을 0.1로 두십시오. 그다음 죽을 수 없는 LeakyReLU로 바꾸어 보십시오.",
            ),
            {"activation": "ReLU", "init": "he", "learning_rate": 0.1},
            Words(
                "Whole layers are dead, and the accuracy is a guess (0.08 to 0.09); the diagnosis names the learning "
                "rate as the cause of the dead ReLUs. LeakyReLU has no dead units and is no better: its loss runs "
                "away, to between a hundred thousand and twenty million. The step was the disease, the dead units its "
                "symptom.",
                "층이 통째로 죽고 정확도는 찍는 수준(0.08~0.09)입니다. 진단은 학습률을 죽은 ReLU의 원인으로 꼽습니다. "
                "LeakyReLU는 죽은 유닛이 없어도 나아지지 않고, 손실이 십만에서 2천만 사이까지 달아납니다. 병은 "
                "걸음의 크기였고, 죽은 유닛은 증상이었습니다.",
            ),
            then={"activation": "LeakyReLU"},
        ),
        Try(
            Words(
                "Saturate tanh: multiply its initial weights by 5. Which way does the gradient go?",
                "tanh를 포화시켜 봅시다. 초기 가중치를 5배로 하십시오. 기울기는 어느 쪽으로 갑니까?",
            ),
            {"activation": "Tanh", "gain": 5.0},
            Words(
                "The mean derivative falls from 0.89 to 0.17, and still the gradient explodes on its way back: 260 to "
                "330 times larger in the first layer, because the weights outweigh the slopes. Accuracy is 0.11 to "
                "0.14, and the diagnosis names weights that are too large, saturation and an exploding gradient.",
                "미분값의 평균이 0.89에서 0.17로 떨어지는데도 기울기는 뒤로 갈수록 폭주하여 첫 층에서 260~330배가 "
                "됩니다. 가중치가 미분값보다 더 크게 작용하기 때문입니다. 정확도는 0.11~0.14이고, 진단은 너무 큰 "
                "가중치, 포화, 기울기 폭주를 꼽습니다.",
            ),
        ),
    )
