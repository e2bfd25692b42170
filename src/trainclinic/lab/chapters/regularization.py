"""Chapter 7: regularisation."""

from __future__ import annotations

from typing import ClassVar

from trainclinic.lab.chapter import Chapter, Experiment, Section, Try
from trainclinic.lab.chapters._regularization import COEFFICIENTS, CORNER, DECAY, LINE
from trainclinic.lab.chapters._regularization_figures import BASELINE, NETWORK, NOISY, OLS, PATHS, RIDGE
from trainclinic.lab.words import Words


class Regularization(Chapter):
    """From a line through eleven points to a network that stops believing wrong labels."""

    number: ClassVar[int] = 7
    title: ClassVar[Words] = Words("Regularisation", "규제")
    lead: ClassVar[Words] = Words(
        "A penalty on the size of the weights: first on a line through eleven points, where you can check every "
        "number by hand, then on a network that learns 112 wrong labels by heart unless you stop it.",
        "가중치의 크기에 벌점을 주는 방법입니다. 먼저 점 열한 개를 지나는 직선에서 모든 숫자를 손으로 확인하고, "
        "그다음 틀린 레이블 112개까지 외워 버리는 신경망에 써 봅니다.",
    )
    text: ClassVar[tuple[Section, ...]] = (
        Section(
            Words("The baseline model", "기준 모델"),
            Words(
                r"Before you fit anything, ask what you would guess without $x$. With squared error the best constant "
                r"is the mean: here $\bar y = 82.51 / 11 = 7.5009$, the red line. The eleven points are data set I of "
                r"Anscombe (1973)."
                "\n\n"
                r"Look at how far the points lie from the line. Their mean squared distance, the variance of $y$, is "
                r"3.752. A model that does not get below that number knows nothing about $x$. Every later model is "
                r"judged against it: $R^2 = 1 - \frac{\text{error}}{3.752}$ is the share of the baseline's error that "
                r"it removes.",
                r"무엇이든 맞추기 전에, $x$를 모른다면 어떤 값을 답할지 먼저 정합니다. 제곱 오차에서 가장 좋은 상수는 "
                r"평균입니다. 여기서는 $\bar y = 82.51 / 11 = 7.5009$이고 빨간 선이 그 값입니다. 점 열한 개는 앤스컴"
                r"(Anscombe, 1973)의 데이터셋 I입니다."
                "\n\n"
                r"점들이 선에서 얼마나 떨어져 있는지 보십시오. 거리의 제곱을 평균하면 $y$의 분산, 3.752입니다. 이 "
                r"값보다 작아지지 않는 모델은 $x$에 대해 아무것도 모르는 것입니다. 뒤에 나오는 모델은 모두 이 기준 "
                r"모델과 비교합니다. $R^2 = 1 - \frac{\text{오차}}{3.752}$는 기준 모델의 오차 가운데 없앤 비율입니다.",
            ),
            drawing=BASELINE,
        ),
        Section(
            Words("Linear regression (OLS)", "선형 회귀(OLS)"),
            Words(
                r"Ordinary least squares chooses the line with the smallest sum of squared residuals. With one "
                r"feature you need two sums, $S_{xy} = \sum (x - \bar x)(y - \bar y) = 55.01$ and $S_{xx} = \sum (x - "
                r"\bar x)^2 = 110$:"
                "\n\n"
                r"$$\text{slope} = \frac{S_{xy}}{S_{xx}} = 0.5001, \qquad \text{intercept} = \bar y - 0.5001 \cdot 9 "
                r"= 3.0001.$$"
                "\n\n"
                r"Rounded, that is the title of the figure, $y = 0.5x + 3.0$. The mean squared error falls from 3.752 "
                r"to 1.251, so $R^2 = 0.667$. (The lecture calls it multiple regression; with a single $x$ it "
                r"is the simple case of the same method.)",
                r"최소제곱법(OLS)은 잔차의 제곱합이 가장 작은 직선을 고릅니다. 특성이 하나이면 두 합만 있으면 됩니다. "
                r"$S_{xy} = \sum (x - \bar x)(y - \bar y) = 55.01$이고 $S_{xx} = \sum (x - \bar x)^2 = 110$입니다."
                "\n\n"
                r"$$\text{회귀계수} = \frac{S_{xy}}{S_{xx}} = 0.5001, \qquad \text{절편} = \bar y - 0.5001 \cdot 9 = "
                r"3.0001$$"
                "\n\n"
                r"반올림하면 그림 제목의 $y = 0.5x + 3.0$입니다. 평균제곱오차는 3.752에서 1.251로 줄어 $R^2 = "
                r"0.667$이 됩니다. (강의에서는 다중 선형 회귀라고 부르지만, $x$가 하나이므로 같은 방법의 단순한 "
                r"경우입니다.)",
            ),
            drawing=OLS,
        ),
        Section(
            Words("Ridge: a price on the slope", "릿지: 회귀계수에 매기는 벌점"),
            Words(
                r"Ridge (Hoerl & Kennard 1970) adds $\alpha\,w^2$ to the sum of squares; the lecture calls the "
                r"strength $\lambda$. The penalty lands in the denominator:"
                "\n\n"
                r"$$w = \frac{S_{xy}}{S_{xx} + \alpha} = \frac{55.01}{110 + \alpha}.$$"
                "\n\n"
                r"That is why the six figures look alike: 2 against 110 is little. The intercept pays nothing, so the "
                r"line turns about the mean point $(9, 7.5009)$ and the intercept grows, from 3.0 to 3.08. At $\alpha "
                r"= 1.6$ it is $7.50091 - 9 \cdot 55.01/111.6 = 3.0646$, so 3.06, even where a copy of the slide "
                r"shows 3.07. Below, find the $\alpha$ that halves the slope. Then move the point at $x = 14$, and "
                r"the one at $x = 9$: why does the latter leave the slope alone?",
                r"릿지(Hoerl & Kennard 1970)는 제곱합에 $\alpha\,w^2$을 더합니다. 강의에서는 이 규제 강도를 "
                r"$\lambda$라고 부릅니다. 벌점은 분모로 들어갑니다."
                "\n\n"
                r"$$w = \frac{S_{xy}}{S_{xx} + \alpha} = \frac{55.01}{110 + \alpha}$$"
                "\n\n"
                r"여섯 그림이 비슷해 보이는 까닭이 여기에 있습니다. 110에 견주면 2는 작습니다. 절편에는 벌점이 "
                r"없으므로 직선은 평균점 $(9, 7.5009)$을 중심으로 눕고, 절편은 3.0에서 3.08로 커집니다. $\alpha = "
                r"1.6$이면 $7.50091 - 9 \cdot 55.01/111.6 = 3.0646$이므로, 슬라이드 사본에 3.07로 보이더라도 "
                r"3.06입니다. 아래에서 회귀계수를 절반으로 만드는 $\alpha$를 찾아보십시오. 그다음 $x = 14$인 점과 $x "
                r"= 9$인 점을 움직여 보십시오. 뒤의 점은 왜 회귀계수를 바꾸지 못합니까?",
            ),
            drawing=RIDGE,
            play=LINE,
            code="import numpy as np\n"
            "from trainclinic.lab.regression import ANSCOMBE_X, ANSCOMBE_Y, equation, ridge\n\n"
            "for alpha in np.arange(0, 2.1, 0.4):\n"
            '    print(f"alpha={alpha:.1f}:", equation(*ridge(ANSCOMBE_X, ANSCOMBE_Y, alpha)))',
        ),
        Section(
            Words("L2 shrinks, L1 removes", "L2는 줄이고 L1은 없앱니다"),
            Words(
                r"With ten measurements of 332 diabetes patients (Efron et al. 2004) two penalties part ways. Both "
                r"start from $\frac{1}{2n}\sum r^2$; ridge adds $\frac{\lambda}{2}\sum w^2$, the lasso (Tibshirani "
                r"1996) adds $\lambda\sum |w|$."
                "\n\n"
                r"Follow the curves from left to right. On the left the vector of coefficients gets shorter all the "
                r"time, though a single one may grow or cross zero on the way; none stays at 0. On the right they "
                r"drop to exactly 0, one after another. At $\lambda = 0.1$ L1 has removed six of ten, and on 110 "
                r"patients that it never saw its $R^2$ is 0.485, against 0.483 without a penalty; L2 keeps all ten "
                r"and reaches 0.490. At $\lambda = 1$ L1 has removed everything: that is the baseline again.",
                r"당뇨병 환자 332명의 측정값 열 개(Efron 외 2004)에서는 두 규제가 갈라집니다. 둘 다 "
                r"$\frac{1}{2n}\sum r^2$에서 출발합니다. 릿지는 $\frac{\lambda}{2}\sum w^2$을, 라쏘(Tibshirani "
                r"1996)는 $\lambda\sum |w|$를 더합니다."
                "\n\n"
                r"곡선을 왼쪽에서 오른쪽으로 따라가 보십시오. 왼쪽 그림에서 회귀계수 벡터는 계속 짧아집니다. 계수 "
                r"하나하나는 도중에 커지거나 0을 지나기도 하지만, 0에 머무는 것은 없습니다. 오른쪽에서는 하나씩 "
                r"차례로 정확히 0이 됩니다. $\lambda = 0.1$에서 L1은 열 개 중 여섯 개를 없앴는데, 처음 보는 환자 "
                r"110명에서 $R^2$은 0.485로, 규제가 없을 때의 0.483과 비슷합니다. L2는 열 개를 모두 남기고 "
                r"0.490입니다. $\lambda = 1$이면 L1은 모든 계수를 없애 다시 기준 모델이 됩니다.",
            ),
            drawing=PATHS,
            play=COEFFICIENTS,
        ),
        Section(
            Words("Why L1 finds exact zeros", "L1이 정확한 0을 찾는 이유"),
            Words(
                r"Take two coefficients. The grey curves are points of equal error around the best pair without a "
                r"penalty (green). A penalised solution is where the smallest of them touches what the penalty "
                r"allows: a circle for L2, a diamond for L1."
                "\n\n"
                r"A circle has no corners, so the touching point almost never lies on an axis. A diamond's corners "
                r"lie on the axes. At $\lambda = 0.3$ L2 gives $(0.407,\ 0.163)$ and L1 $(0.292,\ 0)$: blood sugar is "
                r"gone. The algebra says the same: the pull of L2, $\lambda w$, fades as $w$ gets small; the pull of "
                r"L1 stays $\lambda$ to the end, and a weight whose gradient at 0 is smaller than $\lambda$ cannot "
                r"leave 0. Lower $\lambda$ until the red point leaves the corner.",
                r"회귀계수 두 개만 봅니다. 회색 곡선은 규제가 없을 때의 해(초록) 둘레에서 오차가 같은 점들입니다. "
                r"규제를 준 해는 그중 가장 작은 곡선이 허용된 영역에 닿는 점입니다. 그 영역이 L2에서는 원이고 "
                r"L1에서는 마름모입니다."
                "\n\n"
                r"원에는 모서리가 없어서 닿는 점이 축 위에 놓이는 일이 거의 없습니다. 마름모의 모서리는 축 위에 "
                r"있습니다. $\lambda = 0.3$에서 L2는 $(0.407,\ 0.163)$, L1은 $(0.292,\ 0)$으로 혈당이 사라집니다. "
                r"식으로 보아도 같습니다. L2가 당기는 힘 $\lambda w$는 $w$가 작아지면 약해지지만, L1이 당기는 힘은 "
                r"끝까지 $\lambda$입니다. 그래서 0에서의 기울기가 $\lambda$보다 작은 가중치는 0을 벗어나지 못합니다. "
                r"빨간 점이 모서리를 떠날 때까지 $\lambda$를 낮춰 보십시오.",
            ),
            play=CORNER,
        ),
        Section(
            Words("Weight decay is ridge", "가중치 감쇠는 릿지입니다"),
            Words(
                r"A network has no closed form; it has steps. Weight decay adds $\lambda w$ to the gradient, so each "
                r"step of SGD first shrinks the weight:"
                "\n\n"
                r"$$w \leftarrow w - \eta\,(g + \lambda w) = (1 - \eta\lambda)\,w - \eta\,g.$$"
                "\n\n"
                r"Where does a linear layer come to rest? `nn.MSELoss` is $\frac{1}{n}\sum r^2$, so its gradient and "
                r"the decay balance at $\frac{2}{n}X^{\top}(Xw - y) + \lambda w = 0$, that is $(X^{\top}X + "
                r"\frac{n\lambda}{2} I)\,w = X^{\top}y$. It is ridge with $\alpha = n\lambda/2$; had the loss the "
                r"factor $\frac{1}{2n}$, it would be $\alpha = n\lambda$. The play trains the layer on all eleven "
                r"points (with $x$ centred) until it rests and compares: equal to ten decimals. It holds for the full "
                r"batch; small batches make the weight tremble around the same place.",
                r"신경망에는 닫힌 해가 없고 스텝만 있습니다. 가중치 감쇠(weight decay)는 기울기에 $\lambda w$를 "
                r"더하므로, SGD의 스텝마다 가중치가 먼저 조금 줄어듭니다."
                "\n\n"
                r"$$w \leftarrow w - \eta\,(g + \lambda w) = (1 - \eta\lambda)\,w - \eta\,g$$"
                "\n\n"
                r"선형층은 어디에서 멈춥니까? `nn.MSELoss`는 $\frac{1}{n}\sum r^2$이므로 기울기와 감쇠가 균형을 "
                r"이루는 곳은 $\frac{2}{n}X^{\top}(Xw - y) + \lambda w = 0$, 곧 $(X^{\top}X + \frac{n\lambda}{2} "
                r"I)\,w = X^{\top}y$입니다. $\alpha = n\lambda/2$인 릿지와 같습니다. 손실이 $\frac{1}{2n}\sum "
                r"r^2$이라면 $\alpha = n\lambda$입니다. 아래에서는 점 열한 개 전체로($x$는 평균을 빼고) 멈출 때까지 "
                r"학습시켜 비교합니다. 소수점 열 자리까지 같습니다. 이는 전체 배치일 때의 이야기이고, 작은 배치에서는 "
                r"가중치가 같은 자리 둘레에서 흔들립니다.",
            ),
            play=DECAY,
            code="from trainclinic.lab.regression import ANSCOMBE_X, ANSCOMBE_Y, ridge, ridge_alpha, train_linear\n\n"
            "decay = 0.5\n"
            "trained = train_linear([[x] for x in ANSCOMBE_X], ANSCOMBE_Y, decay)  # nn.Linear and SGD\n"
            'print("weight decay:", trained.weights[0], trained.bias)\n'
            'print("ridge:       ", *ridge(ANSCOMBE_X, ANSCOMBE_Y, ridge_alpha(decay, samples=11)))',
        ),
        Section(
            Words("A network that stops believing wrong labels", "틀린 레이블을 믿지 않게 된 신경망"),
            Words(
                r"The experiment trains on 300 digit images. 40 % of their labels were drawn at random, so 112 of "
                r"them are wrong; the validation labels are right. The network has 84,480 weights, enough to learn "
                r"any labels by heart (Zhang et al. 2017)."
                "\n\n"
                r"Look at the red curves: the training loss goes to 0.005, every one of the 300 labels is reproduced, "
                r"the wrong ones too, and validation accuracy ends at 69 %. With weight decay 0.05 (blue) the network "
                r"can no longer afford to believe single samples. It agrees with only 70 % of the labels it was "
                r"given, but with 89 % of the true ones that were hidden from it, and validation accuracy ends at 86 "
                r"%. A training loss of 1.0 is the better network here.",
                r"실험에서는 숫자 이미지 300장으로 학습합니다. 레이블의 40%를 무작위로 뽑았으므로 112개가 틀렸고, "
                r"검증 레이블은 맞습니다. 신경망의 가중치는 84,480개로 어떤 레이블이든 외울 수 있습니다(Zhang 외 "
                r"2017)."
                "\n\n"
                r"빨간 곡선을 보십시오. 훈련 손실이 0.005까지 내려가고, 틀린 것까지 300개 레이블을 모두 그대로 "
                r"내놓으며, 검증 정확도는 69%로 끝납니다. 과적합입니다. 가중치 감쇠 0.05(파랑)에서는 신경망이 더는 "
                r"샘플 하나하나를 그대로 믿을 여유가 없습니다. 받은 레이블과는 70%만 일치하지만, 숨겨진 올바른 "
                r"레이블과는 89% 일치하고, 검증 정확도는 86%로 끝납니다. 여기서는 훈련 손실이 1.0인 신경망이 더 좋은 "
                r"신경망입니다.",
            ),
            drawing=NETWORK,
        ),
        Section(
            Words("One name, two rules: Adam and AdamW", "같은 이름, 두 규칙: Adam과 AdamW"),
            Words(
                r"In `torch.optim.SGD` and `torch.optim.Adam`, `weight_decay` is L2: $\lambda w$ is added to the "
                r"gradient. Adam then divides the sum by $\sqrt{\hat v}$, and a weight with a small gradient is "
                r"shrunk far more than one with a large gradient. In `AdamW` the decay is **decoupled** (Loshchilov & "
                r"Hutter 2019): $w \leftarrow (1 - \eta\lambda)\,w$, apart from the gradient and alike for all "
                r"weights."
                "\n\n"
                r"So the same number means different things. In this experiment, with $\eta = 0.001$ over 800 steps "
                r"of a cosine schedule, AdamW with $\lambda = 0.03$ takes 1.2 % off the weights in all; it needs a "
                r"$\lambda$ of 10 to do what Adam's L2 begins to do at 0.03. Biases and normalisation layers are left "
                r"out of the decay here, as is usual.",
                r"`torch.optim.SGD`와 `torch.optim.Adam`의 `weight_decay`는 L2입니다. 기울기에 $\lambda w$를 "
                r"더합니다. Adam은 그 합을 $\sqrt{\hat v}$로 나누므로, 기울기가 작은 가중치가 기울기가 큰 가중치보다 "
                r"훨씬 많이 줄어듭니다. `AdamW`의 감쇠는 기울기와 **분리되어** 있습니다(Loshchilov & Hutter 2019). $w "
                r"\leftarrow (1 - \eta\lambda)\,w$로 모든 가중치가 같은 비율로 줄어듭니다."
                "\n\n"
                r"그래서 같은 숫자라도 뜻이 다릅니다. 이 실험에서 $\eta = 0.001$, 코사인 스케줄 800스텝이면 AdamW의 "
                r"$\lambda = 0.03$은 가중치를 모두 합해 1.2% 줄일 뿐입니다. Adam의 L2가 0.03에서 하기 시작하는 일을 "
                r"하려면 $\lambda$가 10은 되어야 합니다. 여기서는 흔히 하는 대로 편향과 정규화층을 감쇠에서 뺍니다.",
            ),
        ),
    )
    experiment: ClassVar[Experiment] = Experiment(
        settings=NOISY,
        shown=("weight_decay", "l1", "optimizer", "learning_rate", "samples", "label_noise", "width", "epochs"),
        signals=("weight_rms", "gradient_rms", "update_ratio", "activation_rms"),
    )
    tries: ClassVar[tuple[Try, ...]] = (
        Try(
            Words(
                "Run it as it is, then with weight decay 0.05. Which of the two losses, training or validation, tells "
                "you that it helped?",
                "먼저 그대로 돌리고, 가중치 감쇠를 0.05로 하여 다시 돌려 보십시오. 훈련 손실과 검증 손실 중 어느 쪽이 "
                "나아졌다고 알려 줍니까?",
            ),
            {},
            Words(
                "The validation loss: it ends at 0.87 instead of 1.14 to 1.25, and validation accuracy at 86 to 87 % "
                "instead of 66 to 69 % (three seeds). The training loss got worse, from 0.005 to 1.0, because the "
                "wrong labels are no longer learnt. The diagnosis reports overfitting without the penalty and nothing "
                "with it.",
                "검증 손실입니다. 1.14~1.25 대신 0.87로 끝나고, 검증 정확도는 66~69%에서 86~87%로 올라갑니다(시드 세 "
                "개). 훈련 손실은 틀린 레이블을 더는 외우지 않으므로 0.005에서 1.0으로 나빠집니다. 진단은 규제가 "
                "없으면 과적합을 보고하고, 규제가 있으면 아무것도 보고하지 않습니다.",
            ),
            then={"weight_decay": 0.05},
        ),
        Try(
            Words(
                "More of it: weight decay 0.3. What is left of the network? Look at the size of the weights.",
                "더 세게, 가중치 감쇠를 0.3으로 해 보십시오. 신경망에 무엇이 남습니까? 가중치의 크기(RMS)를 보십시오.",
            ),
            {"weight_decay": 0.3},
            Words(
                "Nothing. The decay is stronger than every gradient: the weights shrink to less than 0.00001, the "
                "network gives the same answer for every image, the training loss stays at 2.29 (a guess among ten "
                "classes costs ln 10 = 2.303) and accuracy is 10 %. Too much of the medicine is a disease of its own. "
                "The diagnosis names it, over-regularized by weight decay, and lists what follows from it: steps as "
                "large as the weights that are left, a vanishing gradient, since weights of 0 let none through, and a "
                "constant prediction.",
                "아무것도 남지 않습니다. 감쇠가 모든 기울기보다 세서 가중치가 0.00001보다 작아지고, 신경망은 어떤 "
                "이미지에도 같은 답을 냅니다. 훈련 손실은 2.29에 머물고(열 개 클래스를 찍을 때의 손실이 ln 10 = "
                "2.303입니다) 정확도는 10%입니다. 약도 지나치면 병입니다. 진단도 가중치 감쇠에 의한 지나친 규제라고 "
                "하고, 거기서 생긴 것을 함께 보여 줍니다. 남은 가중치만큼 큰 걸음(너무 높은 학습률), 가중치가 0이라 "
                "기울기가 지나가지 못하는 기울기 소실, 그리고 상수 예측입니다.",
            ),
        ),
        Try(
            Words(
                "L1 0.05 in place of weight decay. What becomes of the weights, and does it generalise as well?",
                "가중치 감쇠 대신 L1을 0.05로 해 보십시오. 가중치는 어떻게 되고, 일반화는 그만큼 잘됩니까?",
            ),
            {"l1": 0.05},
            Words(
                "98 % of the weights end at exactly 0, in the middle layer 99.5 %; with weight decay none does. "
                "Validation accuracy is 87 to 89 % at its best and falls to 72 to 76 % at the end: better than no "
                "penalty, not as good as weight decay. The few weights that are left slowly learn wrong labels after "
                "all; early stopping would have kept the best epoch.",
                "가중치의 98%가, 가운데 층에서는 99.5%가 정확히 0으로 끝납니다. 가중치 감쇠에서는 하나도 없습니다. "
                "검증 정확도는 가장 좋을 때 87~89%였다가 끝에는 72~76%로 떨어집니다. 규제가 없을 때보다는 낫고 가중치 "
                "감쇠보다는 못합니다. 남은 몇 안 되는 가중치가 결국 틀린 레이블을 천천히 외우기 때문입니다. "
                "조기종료를 썼다면 가장 좋은 에폭을 지켰을 것입니다.",
            ),
        ),
        Try(
            Words(
                "Optimizer Adam, learning rate 0.001, weight decay 0.03; then the same with AdamW. Same λ, same "
                "effect?",
                "옵티마이저 Adam, 학습률 0.001, 가중치 감쇠 0.03으로 돌리고, AdamW로도 똑같이 해 보십시오. λ가 같으면 "
                "효과도 같습니까?",
            ),
            {"optimizer": "Adam", "learning_rate": 0.001, "weight_decay": 0.03},
            Words(
                "No. Adam's L2 stops the training loss at 0.54 to 0.59 and ends at 80 to 82 % validation accuracy; "
                "AdamW's decoupled decay hardly acts: 0.02 and 70 to 73 %. Give AdamW λ = 10 and it ends at 87 to "
                "88 %, though the diagnosis, looking at its loss, calls that over-regularized.",
                "아닙니다. Adam의 L2는 훈련 손실을 0.54~0.59에서 멈추게 하고 검증 정확도는 80~82%로 끝납니다. AdamW의 "
                "분리된 감쇠는 거의 작용하지 않아 0.02와 70~73%입니다. AdamW에 λ = 10을 주면 87~88%로 끝나지만, "
                "손실을 보는 진단은 지나친 규제라고 합니다.",
            ),
            then={"optimizer": "AdamW"},
        ),
        Try(
            Words(
                "Wrong labels 0 and no penalty. Is a training loss near 0 always overfitting?",
                "잘못된 레이블을 0으로 하고 규제 없이 돌려 보십시오. 훈련 손실이 0에 가까우면 언제나 과적합입니까?",
            ),
            {"label_noise": 0.0},
            Words(
                "No. The training loss ends below 0.001, and validation accuracy at 94 to 95 % with the validation "
                "loss near its lowest: a gap that does no harm. Weight decay 0.05 changes the accuracy by less than a "
                "point (95 %) and raises the validation loss from 0.17 to 0.18 up to 0.31. A penalty helps where "
                "there is something that should not be learnt.",
                "아닙니다. 훈련 손실은 0.001 아래로 끝나지만 검증 정확도는 94~95%이고 검증 손실도 가장 낮은 값 "
                "가까이에 있습니다. 해가 없는 차이입니다. 가중치 감쇠 0.05를 주어도 정확도는 95%로 거의 그대로이고, "
                "검증 손실은 0.17~0.18에서 0.31로 오히려 커집니다. 규제는 배우지 말아야 할 것이 있을 때 도움이 됩니다.",
            ),
        ),
    )
