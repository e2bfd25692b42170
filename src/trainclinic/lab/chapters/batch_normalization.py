"""Chapter 4: batch normalisation."""

from __future__ import annotations

from typing import ClassVar

from trainclinic.lab.chapter import Chapter, Drawing, Experiment, Section, Try
from trainclinic.lab.chapters._batch_normalization import BY_HAND, RUNNING, SMALL_BATCH, TWO_HISTOGRAMS
from trainclinic.lab.chapters._batch_normalization_figures import DEEP, batch, deep, histograms
from trainclinic.lab.chapters._batch_normalization_layers import LAYER_BY_LAYER
from trainclinic.lab.words import Words

EXAMPLE = """\
import numpy as np
from trainclinic.lab.normalization import batch_normalization

x = np.random.RandomState(42).normal(10, 5, 1000)   # what np.random.seed(42) gives, without touching the global state
y = batch_normalization(x, gamma=1.0, beta=0.0)
print(x[:3], x[-2:])
print(f"before: mean {x.mean():.5f}, variance {x.var():.5f}")
print(f"after:  mean {abs(y.mean()):.5f}, variance {y.var():.5f}")
"""
LAYER = """\
import torch
from trainclinic.lab.normalization import batch_normalization

x = torch.randn(32, 4, generator=torch.Generator().manual_seed(0)) * 5 + 10   # 32 samples, 4 features
layer = torch.nn.BatchNorm1d(4)                                               # γ = 1, β = 0, ε = 1e-5
ours = batch_normalization(x.numpy(), gamma=1.0, beta=0.0, epsilon=1e-5, axis=0)
print(bool(abs(layer(x).detach().numpy() - ours).max() < 1e-5))  # True
"""


class BatchNormalization(Chapter):
    """Batch normalisation: the formula, the worked example, the layer with its two modes, and what it cures."""

    number: ClassVar[int] = 4
    title: ClassVar[Words] = Words("Batch normalisation", "배치정규화")
    lead: ClassVar[Words] = Words(
        "Subtract the mean, divide by the standard deviation, then let the network choose scale and shift. In 20 "
        "sigmoid layers this one line decides between guessing and 94–98 % accuracy.",
        "평균을 빼고 표준편차로 나눈 다음, 스케일과 이동은 신경망이 고르게 합니다. 시그모이드 20층에서는 이 한 줄이 "
        "찍기와 정확도 94~98%를 가릅니다.",
    )

    text: ClassVar[tuple[Section, ...]] = (
        Section(
            Words("The formula: standardise, then scale and shift", "공식: 표준화한 뒤 스케일하고 이동하기"),
            Words(
                r"$$\hat{x} = \frac{x - \text{mean}}{\sqrt{\text{var} + \varepsilon}}, \qquad "
                r"y = \gamma\,\hat{x} + \beta$$"
                "\n\nThe first step puts the numbers around 0 with variance 1. The second gives them back any scale "
                "$\\gamma$ and shift $\\beta$. The variance is that of the population, divided by $n$. $\\varepsilon "
                "= 10^{-8}$ only keeps the root away from 0; make it large, and the variance of the result falls "
                "below 1.\n\n"
                "What are mean and variance taken over? The lecture's function takes the **whole array**; for one "
                "column of numbers that is all there is. A layer in a network takes them **over the batch, for each "
                "feature**. Switch in the table: feature 2 is about 14 times as large as feature 1. Over the whole "
                "array it stays the larger one; per feature, both come out alike.",
                r"$$\hat{x} = \frac{x - \text{평균}}{\sqrt{\text{분산} + \varepsilon}}, \qquad "
                r"y = \gamma\,\hat{x} + \beta$$"
                "\n\n첫 단계에서 숫자들은 0을 중심으로 모이고 분산이 1이 됩니다. 둘째 단계에서 원하는 스케일 "
                "$\\gamma$와 이동 $\\beta$를 다시 줍니다. 분산은 $n$으로 나눈 모분산입니다. $\\varepsilon = "
                "10^{-8}$은 제곱근이 0이 되지 않게 할 뿐이며, 크게 하면 결과의 분산이 1보다 작아집니다.\n\n"
                "평균과 분산은 무엇에 대해 구합니까? 강의의 함수는 **배열 전체**에 대해 구합니다. 숫자가 한 줄뿐이면 "
                "그것으로 충분합니다. 신경망의 층은 **특성마다 따로, 배치에 대해** 구합니다. 표에서 바꿔 보십시오. "
                "특성 2는 특성 1의 약 14배입니다. 배열 전체로 하면 여전히 특성 2가 더 크고, 특성마다 따로 하면 둘이 "
                "같은 범위에 놓입니다.",
            ),
            play=BY_HAND,
        ),
        Section(
            Words("The worked example: 1,000 draws", "예제: 난수 1,000개"),
            Words(
                "1,000 numbers are drawn from a normal distribution with mean 10 and standard deviation 5, with seed "
                "42, and normalised with $\\gamma = 1$, $\\beta = 0$. Both histograms have 50 bins. The draws have "
                "mean 10.09666 and variance 23.94762, not exactly 10 and 25, since 1,000 are a sample. Afterwards "
                "the mean is 0 to 12 decimals and the variance 1 to 8.\n\n"
                "Compare the shapes: they are **the same**, bar by bar. Normalising moves and stretches the axis; it "
                "does not make data normal that was not.\n\n"
                "The first draws are 12.48357077, 9.30867849, 13.23844269, the last 7.14410505, 12.86291391. Where a "
                "copy of the slide shows other numbers, as in its first row, the generator is right.",
                "평균 10, 표준편차 5인 정규분포에서 시드 42로 숫자 1,000개를 뽑아 $\\gamma = 1$, $\\beta = 0$으로 "
                "정규화합니다. 두 히스토그램의 구간은 50개입니다. 뽑은 숫자의 평균은 10.09666, 분산은 "
                "23.94762입니다. 1,000개는 표본이므로 정확히 10과 25는 아닙니다. 정규화한 뒤에는 평균이 소수 "
                "12자리까지 0, 분산이 8자리까지 1입니다.\n\n"
                "두 모양을 비교해 보십시오. 막대 하나하나까지 **똑같습니다**. 정규화는 축을 옮기고 늘일 "
                "뿐이고, 정규분포가 아니던 데이터를 정규분포로 만들지는 않습니다.\n\n"
                "처음 값은 12.48357077, 9.30867849, 13.23844269이고 마지막 값은 7.14410505, 12.86291391입니다. "
                "슬라이드 사본의 첫 행처럼 다른 숫자가 보이는 곳이 있으면 난수 생성기가 내는 값이 맞습니다.",
            ),
            Drawing(
                "histograms",
                Words(
                    "1,000 draws from N(10, 5), before and after batch normalisation.",
                    "N(10, 5)에서 뽑은 1,000개, 배치정규화 전과 후.",
                ),
                histograms,
            ),
            code=EXAMPLE,
        ),
        Section(
            Words("What γ and β are for", "γ와 β의 역할"),
            Words(
                "Move the mean and the spread of the data: the upper histogram follows, the lower one does not move. "
                "However the layer before changes its scale, the next one sees the same thing. Now move $\\gamma$ "
                "and $\\beta$: the result has mean $\\beta$ and variance $\\gamma^2$, whatever came in. A negative "
                "$\\gamma$ mirrors it.\n\n"
                "In a network $\\gamma$ and $\\beta$ are parameters, one pair for each feature, begun at 1 and 0 and "
                "learnt with the weights. Without them every feature would be tied to mean 0 and variance 1, which "
                "for a sigmoid means its nearly straight middle. With $\\gamma = \\sqrt{\\text{var} + \\varepsilon}$ "
                "and $\\beta = \\text{mean}$ the layer can undo itself, so nothing is lost.",
                "데이터의 평균과 표준편차를 움직여 보십시오. 위 히스토그램은 따라 움직이지만 아래는 그대로입니다. 앞 "
                "층의 출력 크기가 어떻게 변하든 다음 층은 같은 것을 봅니다. 이제 $\\gamma$와 $\\beta$를 움직여 "
                "보십시오. 무엇이 들어오든 결과의 평균은 $\\beta$, 분산은 $\\gamma^2$입니다. $\\gamma$가 음수이면 "
                "좌우가 뒤집힙니다.\n\n"
                "신경망에서 $\\gamma$와 $\\beta$는 특성마다 한 쌍씩 있는 파라미터로, 1과 0에서 시작해 가중치와 함께 "
                "학습됩니다. 이것이 없다면 모든 특성이 평균 0, 분산 1에 묶이고, 시그모이드라면 거의 직선인 가운데 "
                "부분에 묶입니다. $\\gamma = \\sqrt{\\text{분산} + \\varepsilon}$, $\\beta = \\text{평균}$이면 층은 "
                "정규화를 되돌릴 수도 있으므로 잃는 것이 없습니다.",
            ),
            play=TWO_HISTOGRAMS,
        ),
        Section(
            Words("In a network: each feature over the batch", "신경망에서: 특성마다, 배치에 대해"),
            Words(
                "The picture is a real batch: 16 digits in the first hidden layer of a network, 8 of its units. A "
                "row is a sample, a column a unit. On the left each unit has its own mean and variance, written "
                "below it. Batch normalisation works **down the columns**: on the right every unit has mean 0 and "
                "variance 1 over these 16 samples. Within a column the order of the samples stays as it was.\n\n"
                "So what a sample becomes depends on the samples beside it. That is the strange thing about this "
                "layer, and the next two sections are about its price. It usually stands between the linear layer "
                "and the activation function. The lines below show that `axis=0` and PyTorch's `BatchNorm1d` (with "
                "its $\\varepsilon = 10^{-5}$) agree.",
                "그림은 실제 배치입니다. 숫자 이미지 16개가 신경망의 첫 은닉층에 들어갔을 때 유닛 8개의 값입니다. "
                "행이 샘플, 열이 유닛입니다. 왼쪽에서는 유닛마다 평균과 분산이 다르고, 그 값이 열 아래에 적혀 "
                "있습니다. 배치정규화는 **열을 따라** 계산합니다. 오른쪽에서는 모든 유닛이 이 샘플 16개에 대해 평균 "
                "0, 분산 1입니다. 한 열 안에서 샘플의 순서는 그대로입니다.\n\n"
                "그래서 한 샘플의 결과가 옆에 있는 샘플에 따라 달라집니다. 이 층의 특이한 점이며, 다음 두 절은 그 "
                "대가를 다룹니다. 보통 선형층과 활성화 함수 사이에 둡니다. 아래 코드는 `axis=0`과 PyTorch의 "
                "`BatchNorm1d`($\\varepsilon = 10^{-5}$)가 일치함을 보여 줍니다.",
            ),
            Drawing(
                "batch",
                Words(
                    "A real batch of 16 samples in 8 units, before and after, with mean and variance of each unit.",
                    "실제 배치(샘플 16개, 유닛 8개)의 정규화 전과 후, 그리고 유닛마다의 평균과 분산.",
                ),
                batch,
            ),
            code=LAYER,
        ),
        Section(
            Words("Training mode and evaluation mode", "훈련 모드와 평가 모드"),
            Words(
                "In use there may be no batch: a single image must get an answer, and always the same one. So in "
                "training the layer also keeps **running statistics**, begun at 0 and 1:\n\n"
                r"$$\text{running} \leftarrow (1 - m)\,\text{running} + m\,\text{batch}, \qquad m = 0.1$$"
                "\n\n`model.eval()` switches to them. The table shows one sample, $x = 15$, beside two different "
                "batches: in training mode it comes out differently, in evaluation mode alike.\n\n"
                "After $t$ steps the start still counts $0.9^t$: 35 % after 10, 1 % after 44. Evaluated earlier, a "
                "good network looks bad. With a large momentum the line jumps with every batch, with a small one it "
                "lags. The running variance is taken with $n - 1$, although the batch itself is normalised with $n$.",
                "실제로 쓸 때는 배치가 없을 수 있습니다. 이미지 한 장에도 답해야 하고, 그 답은 늘 같아야 합니다. "
                "그래서 층은 학습하는 동안 **이동 통계**(running statistics)도 0과 1에서 시작해 모아 둡니다.\n\n"
                r"$$\text{이동 통계} \leftarrow (1 - m)\,\text{이동 통계} + m\,\text{배치의 값}, \qquad m = 0.1$$"
                "\n\n`model.eval()`이 이 값으로 바꿉니다. 표는 같은 샘플 $x = 15$를 서로 다른 두 배치에 넣은 "
                "것입니다. 훈련 모드에서는 결과가 다르고, 평가 모드에서는 같습니다.\n\n"
                "$t$ 스텝 뒤에도 시작값이 $0.9^t$만큼 남습니다. 10스텝 뒤 35%, 44스텝 뒤 1%입니다. 그전에 "
                "평가하면 좋은 신경망도 나빠 보입니다. 모멘텀이 크면 선이 배치마다 흔들리고, 작으면 뒤처집니다. 배치 "
                "자체는 $n$으로 정규화하지만 이동 분산은 $n - 1$로 나눈 값을 씁니다.",
            ),
            play=RUNNING,
        ),
        Section(
            Words("Where it fails: small batches", "실패하는 곳: 작은 배치"),
            Words(
                "A batch estimates mean and variance, and few samples estimate badly. For normal data the mean is "
                "off by $1/\\sqrt{B}$ standard deviations and the variance by $\\sqrt{2B - 1}/B$ of its true value; "
                "the dots are measured. With 4 samples that is 50 % and 66 %, with 64 it is 13 % and 18 %.\n\n"
                "Set **2**: whatever the two numbers are, the outputs are $+1$ and $-1$; all that is left is which "
                "one was larger. Set **1**: a number minus itself is 0, so nothing at all is left, and PyTorch "
                "refuses with the error in the table. It also strikes in the last batch of an epoch: 1,025 samples "
                "in batches of 64 leave one over. Use `drop_last=True`, larger batches, or a norm without a batch, "
                "such as GroupNorm (Wu & He 2018) or LayerNorm.",
                "배치는 평균과 분산을 추정하며, 샘플이 적으면 추정이 나쁩니다. 정규분포 데이터라면 평균은 표준편차의 "
                "$1/\\sqrt{B}$만큼, 분산은 참값의 $\\sqrt{2B - 1}/B$만큼 틀립니다. 점은 측정값입니다. 샘플 4개이면 "
                "50%와 66%, 64개이면 13%와 18%입니다.\n\n"
                "**2**로 해 보십시오. 두 수가 무엇이든 출력은 $+1$과 $-1$이고, 어느 쪽이 컸는지만 남습니다. "
                "**1**로 하면 자기 자신을 빼서 0이 되므로 아무것도 남지 않고, PyTorch는 표에 보이는 오류를 내며 "
                "거부합니다. 에폭의 마지막 배치에서도 일어납니다. 샘플 1,025개를 64개씩 나누면 하나가 남습니다. "
                "`drop_last=True`, 더 큰 배치, 또는 배치를 쓰지 않는 정규화인 GroupNorm(Wu & He 2018)이나 "
                "LayerNorm을 쓰면 됩니다.",
            ),
            play=SMALL_BATCH,
        ),
        Section(
            Words("Twenty sigmoid layers, with and without", "시그모이드 20층, 있을 때와 없을 때"),
            Words(
                "The same deep network twice, on digits, same seed. Left: the gradient of every layer in the very "
                "first update. Without normalisation it falls by 12 powers of ten from the last layer to the first, "
                "about a factor 0.24 per layer: what chapter 1 is about. With it the line is flat.\n\n"
                "Right: without, the network stays at 10 %, a guess among ten classes, for all 15 epochs. With it, "
                "it reaches 94–98 % (seeds 0–2). The first two epochs look like a guess there too: an epoch has 11 "
                "updates, and through 20 layers the running statistics are not yet good enough for evaluation. The "
                "training loss has already fallen from 2.4 to 1.2 by then.",
                "같은 깊은 신경망을 숫자 이미지로, 같은 시드로 두 번 학습합니다. 왼쪽은 첫 업데이트 때 각 층의 "
                "기울기입니다. 정규화가 없으면 마지막 층에서 첫 층까지 10의 12제곱만큼, 층마다 약 0.24배로 "
                "작아집니다. 1장에서 다룬 기울기 소실입니다. 정규화가 있으면 선이 평평합니다.\n\n"
                "오른쪽을 보면, 없을 때는 15에폭 내내 10%, 곧 열 개 클래스 가운데 찍는 수준에 머뭅니다. 있을 때는 "
                "94~98%에 이릅니다(시드 0~2). 처음 두 에폭은 있을 때도 찍는 수준으로 보입니다. 한 에폭이 업데이트 "
                "11번뿐이라, 20층을 지나는 동안 이동 통계가 아직 평가에 쓸 만하지 않기 때문입니다. 그때 훈련 손실은 "
                "이미 2.4에서 1.2로 내려가 있습니다.",
            ),
            Drawing(
                "deep",
                Words(
                    "20 sigmoid layers with and without batch normalisation: gradient per layer, accuracy per epoch.",
                    "시그모이드 20층, 배치정규화가 있을 때와 없을 때: 층별 기울기와 에폭별 정확도.",
                ),
                deep,
            ),
        ),
        Section(
            Words("Why it helps, and where it does not", "왜 도움이 되고, 어디서는 안 되는가"),
            Words(
                "On its way back through one layer the signal is multiplied by $\\varphi'(z)$ and by the weights, "
                "and, new, **divided by the standard deviation** that the normalisation divides by:\n\n"
                r"$$\text{factor} \approx \gamma\,\frac{\operatorname{rms}\,\varphi'(z)}"
                r"{\operatorname{std}\,\varphi(z)}, \qquad z \sim N(\beta, \gamma^2)$$"
                "\n\nFor a sigmoid that is $0.2117 / 0.2083 = 1.02$: it flattens the signal forward as much as "
                "backward, and the two cancel. The scale of the weights has dropped out; try it. For ReLU the factor "
                "is $\\sqrt{\\pi/(\\pi-1)} = 1.21$: 38 times in 20 layers, so the gradient **explodes** (Yang et al. "
                "2019), and residual connections are needed. Ioffe & Szegedy (2015) held shifting inputs to be the "
                "cause that the layer removes; Santurkar et al. (2018) found rather that it smooths the loss.",
                "한 층을 거슬러 올라갈 때 신호에는 $\\varphi'(z)$와 가중치가 곱해지고, 이제 정규화가 나누는 "
                "**표준편차로도 나누어집니다**.\n\n"
                r"$$\text{배율} \approx \gamma\,\frac{\operatorname{rms}\,\varphi'(z)}"
                r"{\operatorname{std}\,\varphi(z)}, \qquad z \sim N(\beta, \gamma^2)$$"
                "\n\n시그모이드에서는 $0.2117 / 0.2083 = 1.02$입니다. 순전파 신호를 줄이는 만큼 역전파 신호도 "
                "줄이므로 둘이 상쇄됩니다. 가중치의 크기는 식에서 사라졌습니다. 움직여 확인해 보십시오. ReLU에서는 "
                "$\\sqrt{\\pi/(\\pi-1)} = 1.21$이어서 20층이면 38배가 되고, 기울기가 **폭주**합니다(Yang 외 2019). "
                "그래서 잔차 연결이 필요합니다. Ioffe & Szegedy(2015)는 입력 분포의 변화를 없애기 때문이라고 "
                "보았지만, Santurkar 외(2018)는 손실 표면이 매끄러워지기 때문이라고 밝혔습니다.",
            ),
            play=LAYER_BY_LAYER,
        ),
    )

    experiment: ClassVar[Experiment] = Experiment(
        DEEP,
        ("norm", "depth", "activation", "batch_size", "learning_rate", "init"),
        ("gradient_rms", "backward_rms", "activation_rms", "activation_derivative", "update_ratio"),
    )
    tries: ClassVar[tuple[Try, ...]] = (
        Try(
            Words(
                "Switch the normalisation off. Look at the gradient of the first layer, and at the accuracy.",
                "정규화를 끄고 첫 층의 기울기와 정확도를 보십시오.",
            ),
            {"norm": "none"},
            Words(
                "The first layer's gradient is about $10^{-14}$ instead of $10^{-2}$; accuracy stays at 0.08–0.09, a "
                "guess (seeds 0–2). The diagnosis is vanishing gradient, cause: squashing activation. With batch "
                "normalisation it finds nothing, and accuracy is 0.94–0.98.",
                "첫 층의 기울기가 $10^{-2}$ 대신 약 $10^{-14}$이고, 정확도는 찍는 수준인 0.08~0.09에 머뭅니다(시드 "
                "0~2). 진단은 기울기 소실이며 원인은 눌러 버리는 활성화 함수입니다. 배치정규화가 있으면 아무 문제도 "
                "찾지 않고 정확도는 0.94~0.98입니다.",
            ),
        ),
        Try(
            Words(
                "Take batches of 64: twice as many updates. Why does it learn worse? (1,348 samples are 21 batches "
                "of 64, and how many over?)",
                "배치 크기를 64로 해 보십시오. 업데이트가 두 배가 되는데 왜 더 못 배웁니까? (샘플 1,348개는 64개짜리 "
                "배치 21개, 그리고 몇 개가 남습니까?)",
            ),
            {"batch_size": 64},
            Words(
                "4 are left over. Once an epoch, mean and variance of 20 layers come from 4 samples; that update is "
                "wild, and a tenth of it goes into the running statistics, right before they are used for validation. "
                "The training loss ends at 0.3–0.7 instead of 0.15–0.17, accuracy at 0.84–0.91 (seeds 0–2).",
                "4개가 남습니다. 에폭마다 한 번, 20층의 평균과 분산이 샘플 4개에서 나옵니다. 그 업데이트는 크게 "
                "빗나가고, 그 통계의 10분의 1이 검증 직전에 이동 통계로 들어갑니다. 훈련 손실은 0.15~0.17 대신 "
                "0.3~0.7, 정확도는 0.84~0.91에서 끝납니다(시드 0~2).",
            ),
        ),
        Try(
            Words(
                "Batches of 64 again, now with 1,340 samples: 20 full batches and one of 60.",
                "배치 크기는 그대로 64, 샘플만 1,340개로 해 보십시오. 꽉 찬 배치 20개와 60개짜리 하나입니다.",
            ),
            {"batch_size": 64, "samples": 1340},
            Words(
                "Eight samples fewer, and it learns better: training loss 0.14–0.22, accuracy 0.90–0.96 (seeds 0–2). "
                "It was the tiny last batch; `drop_last=True` mends it without counting.",
                "샘플이 8개 줄었는데 더 잘 배웁니다. 훈련 손실 0.14~0.22, 정확도 0.90~0.96입니다(시드 0~2). 원인은 "
                "아주 작은 마지막 배치였습니다. `drop_last=True`를 쓰면 따로 세지 않아도 해결됩니다.",
            ),
        ),
        Try(
            Words(
                "Now batches of 4, for 3 epochs: 1,011 updates, six times as many as at the beginning.",
                "이번에는 배치 크기 4로 3에폭 동안 학습시켜 보십시오. 업데이트는 1,011번으로 처음의 여섯 배입니다.",
            ),
            {"batch_size": 4, "epochs": 3},
            Words(
                "It hardly learns: training loss 1.8–1.9, accuracy 0.17–0.42 (seeds 0–2), in spite of all the "
                "updates. Every layer adds the error of its own statistics to that of the layers before. In the "
                "first update the first layer's gradient is 4 to 36, hundreds to thousands of times the usual: "
                "dividing by a standard deviation that is too small by chance makes it large. The diagnosis names the "
                "cause, BatchNorm over a small batch, and underfitting as what follows.",
                "업데이트가 그렇게 많은데도 거의 배우지 못합니다. 훈련 손실 1.8~1.9, 정확도 0.17~0.42입니다(시드 "
                "0~2). 층마다 자기 통계의 오차가 앞 층의 오차에 더해집니다. 첫 업데이트 때 첫 층의 기울기는 4~36으로 "
                "보통의 수백에서 수천 배입니다. 우연히 작게 나온 표준편차로 나누면 커지기 때문입니다. 진단은 "
                "‘작은 배치의 배치정규화’를 원인으로, 과소적합을 그 결과로 꼽습니다.",
            ),
        ),
        Try(
            Words(
                "Take ReLU with He initialisation. Then switch the normalisation off. Which one is better?",
                "ReLU와 He 초기화로 바꾸어 보고, 그다음 정규화를 꺼 보십시오. 어느 쪽이 더 좋습니까?",
            ),
            {"activation": "ReLU", "init": "he"},
            Words(
                "With it: the backward signal grows 26 to 35 times towards the first layer, close to the $1.21^{19} "
                "= 38$ of the theory, and accuracy is 0.78–0.83. Without it, He initialisation alone keeps the "
                "signal level, and accuracy is 0.92–0.94 (seeds 0–2). With 6 layers instead of 20 batch "
                "normalisation does well: 0.96–0.97. It is no cure for depth by itself.",
                "있을 때는 역전파 신호가 첫 층 쪽으로 가며 26~35배 커져 이론값 $1.21^{19} = 38$에 가깝고, 정확도는 "
                "0.78~0.83입니다. 끄면 He 초기화만으로 신호가 고르게 유지되어 정확도가 0.92~0.94입니다(시드 0~2). "
                "20층 대신 6층이면 배치정규화도 0.96~0.97로 좋습니다. 배치정규화만으로 깊이 문제가 풀리지는 않습니다.",
            ),
            then={"norm": "none"},
        ),
    )
