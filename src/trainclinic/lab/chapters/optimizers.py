"""Chapter 9: optimizers."""

from __future__ import annotations

from typing import ClassVar

from trainclinic.lab.chapter import Chapter, Experiment, Section, Try
from trainclinic.lab.chapters._optimizers import ONE_STEP, PATHS, RACE_FIGURE, SPIRALS
from trainclinic.lab.words import Words


class Optimizers(Chapter):
    """Twelve ways of going downhill, each written out by hand."""

    number: ClassVar[int] = 9
    title: ClassVar[Words] = Words("Optimizers", "경사하강법 옵티마이저")
    lead: ClassVar[Words] = Words(
        "Twelve optimizers, from plain gradient descent to Adam and Muon. Send two of them down the same surface, "
        "check one step by hand, and see why plain SGD learns nothing on the spirals while momentum gets them right.",
        "기본 경사하강법에서 Adam과 Muon까지, 옵티마이저 열두 개를 봅니다. 두 개를 같은 곡면에서 내려보내고, 한 "
        "스텝을 손으로 확인하고, 나선 데이터에서 SGD는 아무것도 못 배우는데 모멘텀은 풀어내는 이유를 찾아봅니다.",
    )
    text: ClassVar[tuple[Section, ...]] = (
        Section(
            Words("Gradient descent, and where it is slow", "경사하강법, 그리고 느린 곳"),
            Words(
                r"Gradient descent (Cauchy 1847) steps against the gradient, $w \leftarrow w - \eta\,g$. A network's "
                r"gradient comes from a batch instead of all samples, which makes it SGD (Robbins & Monro 1951)."
                "\n\n"
                r"In the valley $\tfrac12(x^2 + 25y^2)$ the two directions want different rates. Across it, $\eta$ "
                r"must stay below $2/25 = 0.08$; along it, that is little. At $\eta = 0.03$ the blue path needs 110 "
                r"steps. Set it to 0.079, then to 0.081: from a zigzag to divergence. Then try the other surfaces. "
                r"Rosenbrock and Beale need smaller rates, 0.003 and 0.03 at the most; on the saddle, look at how "
                r"long each path hesitates where the gradient is almost 0.",
                r"경사하강법(Cauchy 1847)은 기울기의 반대쪽으로 한 걸음 갑니다. $w \leftarrow w - \eta\,g$입니다. "
                r"신경망에서는 기울기를 전체 샘플이 아니라 배치에서 구하므로 SGD라고 부릅니다(Robbins & Monro 1951)."
                "\n\n"
                r"골짜기 $\tfrac12(x^2 + 25y^2)$에서는 두 방향이 서로 다른 학습률을 원합니다. 가로지르는 방향에서는 "
                r"$\eta$가 $2/25 = 0.08$보다 작아야 하는데, 길이 방향으로는 그것도 작습니다. $\eta = 0.03$이면 파란 "
                r"경로는 110스텝이 걸립니다. 0.079로, 그다음 0.081로 바꿔 보십시오. 지그재그가 발산으로 변합니다. "
                r"다른 곡면도 골라 보십시오. 로젠브록과 빌에서는 학습률이 더 작아야 합니다(많아야 0.003과 0.03). "
                r"안장점에서는 기울기가 거의 0인 곳에서 경로가 얼마나 머뭇거리는지 보십시오.",
            ),
            play=PATHS,
        ),
        Section(
            Words("Momentum and Nesterov", "모멘텀과 네스테로프"),
            Words(
                r"Momentum (Polyak 1964) keeps a running sum of gradients, and steps along it:"
                "\n\n"
                r"$$v \leftarrow \mu v + g, \qquad w \leftarrow w - \eta\,v.$$"
                "\n\n"
                r"What points the same way every time adds up, to $\frac{1}{1-\mu}$ times one gradient; what changes "
                r"sign cancels. In the valley at $\eta = 0.03$ and $\mu = 0.8$ the red path has arrived for good "
                r"after 34 steps instead of 110. Nesterov's form (1983), $w \leftarrow w - \eta\,(g + \mu v)$, brakes "
                r"a little earlier: 28. Too much momentum overshoots: at $\mu = 0.95$ the path swings for 160 steps, "
                r"longer than without any. And since the steps are $\frac{1}{1-\mu}$ times as long, $\eta$ must be "
                r"smaller: what SGD can bear may throw momentum off.",
                r"모멘텀(Polyak 1964)은 기울기를 누적한 값 $v$를 따라 움직입니다."
                "\n\n"
                r"$$v \leftarrow \mu v + g, \qquad w \leftarrow w - \eta\,v$$"
                "\n\n"
                r"늘 같은 쪽을 가리키는 성분은 기울기 하나의 $\frac{1}{1-\mu}$배까지 쌓이고, 부호가 바뀌는 성분은 "
                r"서로 지워집니다. 골짜기에서 $\eta = 0.03$, $\mu = 0.8$이면 빨간 경로는 110이 아니라 34스텝 만에 "
                r"완전히 도착합니다. 네스테로프의 방식(1983) $w \leftarrow w - \eta\,(g + \mu v)$는 조금 일찍 멈춰서 "
                r"28스텝입니다. 모멘텀이 지나치면 목표를 지나칩니다. $\mu = 0.95$에서는 160스텝 동안 흔들려 "
                r"모멘텀이 없을 때보다 오래 걸립니다. 걸음이 $\frac{1}{1-\mu}$배로 길어지므로 $\eta$는 더 작아야 "
                r"합니다. SGD가 견디는 학습률에서도 모멘텀은 튕겨 나갈 수 있습니다.",
            ),
            code="from trainclinic.lab.optimizers import Momentum\n\n"
            "optimizer = Momentum([1.0], learning_rate=0.1, momentum=0.8)\n"
            "for step in range(1, 6):\n"
            "    before = optimizer.parameters\n"
            '    print(step, "moves by", optimizer.step([1.0]) - before)  # towards -0.1 / (1 - 0.8) = -0.5',
        ),
        Section(
            Words("A rate for each parameter", "파라미터마다 다른 학습률"),
            Words(
                r"Adagrad (Duchi et al. 2011) divides by all the gradient a parameter ever had:"
                "\n\n"
                r"$$s \leftarrow s + g^2, \qquad w \leftarrow w - \eta\,\frac{g}{\sqrt{s} + \varepsilon}.$$"
                "\n\n"
                r"The sum only grows, so the steps only shrink. RMSprop (Hinton 2012) forgets, with $s \leftarrow "
                r"\rho s + (1-\rho) g^2$. Adadelta (Zeiler 2012) also puts the size of past steps in the place of "
                r"$\eta$; its $\eta$ is 1, and it starts with tiny steps, about 0.003."
                "\n\n"
                r"Try RMSprop with $\eta = 0.1$ on the bowl and in the valley above: 18 steps on both, with the same "
                r"loss at the end. A gradient 25 times as large is divided by a root 25 times as large. What made the "
                r"valley hard is gone.",
                r"Adagrad(Duchi 외 2011)는 그 파라미터가 지금까지 받은 기울기 전체로 나눕니다."
                "\n\n"
                r"$$s \leftarrow s + g^2, \qquad w \leftarrow w - \eta\,\frac{g}{\sqrt{s} + \varepsilon}$$"
                "\n\n"
                r"합은 커지기만 하므로 걸음은 작아지기만 합니다. RMSprop(Hinton 2012)은 $s \leftarrow \rho s + "
                r"(1-\rho) g^2$으로 오래된 것을 잊습니다. Adadelta(Zeiler 2012)는 $\eta$ 자리에 지난 걸음의 크기까지 "
                r"넣습니다. $\eta$는 1이고, 처음 걸음은 0.003쯤으로 아주 작습니다."
                "\n\n"
                r"위에서 RMSprop을 $\eta = 0.1$로 두고 둥근 그릇과 좁은 골짜기에서 돌려 보십시오. 둘 다 18스텝이고 "
                r"마지막 손실도 같습니다. 25배 큰 기울기를 25배 큰 제곱근으로 나누기 때문입니다. 골짜기를 어렵게 "
                r"만들던 것이 사라집니다.",
            ),
        ),
        Section(
            Words("Adam and its kin", "Adam과 그 친척들"),
            Words(
                r"Adam (Kingma & Ba 2015) does both: momentum above, RMSprop below, each without the bias of its "
                r"start at 0:"
                "\n\n"
                r"$$\hat m = \frac{m}{1-\beta_1^t}, \quad \hat v = \frac{v}{1-\beta_2^t}, \quad w \leftarrow w - "
                r"\eta\,\frac{\hat m}{\sqrt{\hat v} + \varepsilon}.$$"
                "\n\n"
                r"Below, parameter 1 has gradient 4 and parameter 2 has 0.01. Gradient descent moves them by 0.4 and "
                r"0.001, Adam both by 0.1: the first step is $\eta$, whatever the gradient. AdaMax divides by the "
                r"largest gradient instead; NAdam (Dozat 2016) looks ahead as Nesterov does; RAdam (Liu et al. 2020) "
                r"moves by momentum alone for five steps, until $\hat v$ can be trusted; AdamW (Loshchilov & Hutter "
                r"2019) shrinks the weights apart from the gradient. Weight decay is off in these plays, so that "
                r"AdamW is Adam.",
                r"Adam(Kingma & Ba 2015)은 둘을 합칩니다. 분자는 모멘텀, 분모는 RMSprop이고, 0에서 시작한 치우침을 "
                r"각각 바로잡습니다."
                "\n\n"
                r"$$\hat m = \frac{m}{1-\beta_1^t}, \quad \hat v = \frac{v}{1-\beta_2^t}, \quad w \leftarrow w - "
                r"\eta\,\frac{\hat m}{\sqrt{\hat v} + \varepsilon}$$"
                "\n\n"
                r"아래에서 파라미터 1의 기울기는 4, 파라미터 2의 기울기는 0.01입니다. 경사하강법은 0.4와 0.001만큼 "
                r"움직이고, Adam은 둘 다 0.1만큼 움직입니다. 첫걸음은 기울기와 상관없이 $\eta$입니다. AdaMax는 가장 "
                r"큰 기울기로 나눕니다. NAdam(Dozat 2016)은 네스테로프처럼 앞을 내다봅니다. RAdam(Liu 외 2020)은 "
                r"$\hat v$를 믿을 수 있을 때까지 다섯 스텝을 모멘텀만으로 움직입니다. AdamW(Loshchilov & Hutter "
                r"2019)는 가중치를 기울기와 따로 줄입니다. 이 화면들에서는 가중치 감쇠를 껐으므로 AdamW는 Adam과 "
                r"같습니다.",
            ),
            play=ONE_STEP,
        ),
        Section(
            Words("Muon: a matrix at a time", "Muon: 행렬을 통째로"),
            Words(
                r"All optimizers so far treat a weight matrix as a bag of numbers. Muon (Jordan et al. 2024) looks at "
                r"the matrix. It takes the momentum $B = U S V^{\top}$ and steps along roughly $U V^{\top}$: every "
                r"direction of the matrix moves alike, however strong its gradient."
                "\n\n"
                r"No decomposition is needed. Five rounds of $X \leftarrow aX + (bA + cA^2)X$ with $A = XX^{\top}$ "
                r"push the singular values towards 1; the code shows it for a matrix in which one row is a hundred "
                r"times as large as the others. It is for matrices only, so in the lab AdamW takes the biases, at a "
                r"tenth of the rate. PyTorch's Muon computes this in bfloat16; ours, in float64, agrees with it to a "
                r"tenth of a step, and to 1e-6 when both use the same precision.",
                r"지금까지의 옵티마이저는 가중치 행렬을 숫자 더미로 봅니다. Muon(Jordan 외 2024)은 행렬을 행렬로 "
                r"봅니다. 모멘텀 $B = U S V^{\top}$에서 대략 $U V^{\top}$ 쪽으로 움직이므로, 기울기가 세든 약하든 "
                r"행렬의 모든 방향이 고르게 움직입니다."
                "\n\n"
                r"특잇값 분해는 필요하지 않습니다. $A = XX^{\top}$로 $X \leftarrow aX + (bA + cA^2)X$를 다섯 번 "
                r"되풀이하면 특잇값이 1 쪽으로 모입니다. 코드는 한 행이 다른 행보다 백 배 큰 행렬에서 이를 보여 "
                r"줍니다. 행렬에만 쓸 수 있으므로 이 실험실에서는 편향을 AdamW가 학습률 10분의 1로 맡습니다. PyTorch의 "
                r"Muon은 bfloat16으로, 우리 것은 float64로 계산하여 걸음의 10분의 1 안에서 일치하고, 정밀도를 같게 "
                r"하면 1e-6까지 일치합니다.",
            ),
            code="import numpy as np\n"
            "from trainclinic.lab.optimizers import orthogonalised\n\n"
            "gradient = np.random.default_rng(0).normal(size=(4, 6))\n"
            "gradient[0] *= 100\n"
            'print("before:", np.linalg.svd(gradient, compute_uv=False).round(2))\n'
            'print("after: ", np.linalg.svd(orthogonalised(gradient), compute_uv=False).round(2))',
        ),
        Section(
            Words("A race, and what it does not say", "경주, 그리고 경주가 말해 주지 않는 것"),
            Words(
                r"Five optimizers train the same network of six layers on the digits for 10 epochs. A race is fair "
                r"only if each runs at its own learning rate, so each was tried on a grid and takes its best: SGD "
                r"0.1, momentum 0.01, Adagrad 0.03, Adam 0.003, Muon 0.003."
                "\n\n"
                r"Over three seeds they end between 94 and 97 % validation accuracy, closer together than the "
                r"learning rate sets any one of them apart: momentum at 0.1 instead of 0.01 ends at 9 %. What differs "
                r"is the way there: SGD lurches, Adagrad and Adam get down in the first epochs. Larger comparisons "
                r"found the same (Schmidt et al. 2021: no optimizer wins everywhere; tuning matters more).",
                r"옵티마이저 다섯 개가 같은 6층 신경망을 숫자 데이터로 10에폭 동안 학습시킵니다. 저마다 알맞은 "
                r"학습률로 달려야 공정한 경주이므로, 여러 값을 시험해서 가장 좋은 값을 주었습니다. SGD 0.1, 모멘텀 "
                r"0.01, Adagrad 0.03, Adam 0.003, Muon 0.003입니다."
                "\n\n"
                r"시드 세 개에서 검증 정확도는 모두 94~97%로 끝납니다. 옵티마이저의 차이보다 학습률의 차이가 훨씬 "
                r"큽니다. 모멘텀을 0.01 대신 0.1로 돌리면 9%로 끝납니다. 다른 것은 가는 길입니다. SGD는 출렁이고, "
                r"Adagrad와 Adam은 첫 에폭들에서 빠르게 내려갑니다. 더 큰 비교에서도 결과는 같았습니다(Schmidt 외 "
                r"2021: 어디서나 이기는 옵티마이저는 없고, 조정이 더 중요합니다).",
            ),
            drawing=RACE_FIGURE,
        ),
        Section(
            Words("Which one to take", "무엇을 고를까"),
            Words(
                r"The experiment is a network of four layers that tells three spirals apart: two inputs, a loss with "
                r"long flat stretches, and SGD with $\eta = 0.01$, which hardly gets anywhere in 100 epochs. Watch "
                r"the update ratio, the size of a step against the size of the weights, while you change the "
                r"optimizer."
                "\n\n"
                r"For a start in practice: AdamW with $\eta = 0.001$, since its steps are about $\eta$ long whatever "
                r"the loss; SGD with momentum 0.9 where you have time to tune $\eta$; Muon for the large matrices of "
                r"large networks. Then let $\eta$ fall towards the end, since a step of constant length never "
                r"settles. The code lists the whole family with its sources.",
                r"실험은 나선 세 개를 구별하는 4층 신경망입니다. 입력은 두 개이고 손실에는 길고 평평한 구간이 "
                r"있습니다. $\eta = 0.01$인 SGD는 100에폭 동안 거의 나아가지 못합니다. 옵티마이저를 바꾸면서 업데이트 "
                r"비율(update ratio), 곧 가중치 크기에 대한 걸음의 크기를 지켜보십시오."
                "\n\n"
                r"실전에서는 $\eta = 0.001$인 AdamW로 시작하면 무난합니다. 손실이 어떻든 걸음이 $\eta$쯤이기 "
                r"때문입니다. $\eta$를 조정할 시간이 있으면 모멘텀 0.9인 SGD, 큰 신경망의 큰 행렬에는 Muon이 "
                r"좋습니다. 길이가 일정한 걸음은 끝내 멈추지 못하므로, 끝으로 갈수록 $\eta$를 낮추십시오. 코드는 전체 "
                r"목록과 출처를 보여 줍니다.",
            ),
            code="from trainclinic.lab.optimizers import FAMILY\n\n"
            "for name, kind in FAMILY.items():\n"
            '    print(f"{name:16} {kind.source}")',
        ),
    )
    experiment: ClassVar[Experiment] = Experiment(
        settings=SPIRALS,
        shown=("optimizer", "learning_rate", "schedule", "data", "batch_size", "depth", "epochs"),
        signals=("update_ratio", "gradient_rms", "weight_rms", "dead_unit_fraction"),
    )
    tries: ClassVar[tuple[Try, ...]] = (
        Try(
            Words(
                "Run it with SGD, then with SGD + momentum at the same learning rate, side by side. What does "
                "momentum change?",
                "SGD로 돌리고, 같은 학습률의 SGD + momentum을 나란히 돌려 보십시오. 모멘텀은 무엇을 바꿉니까?",
            ),
            {},
            Words(
                "Everything. SGD ends at 45 to 49 % validation accuracy with a training loss of 0.94 to 0.95, little "
                "better than the guess, ln 3 = 1.10; momentum ends at 99.6 % with 0.006 to 0.007 (three seeds). The "
                "gradients here agree from step to step, so momentum 0.9 moves ten times as far. SGD's run is "
                "diagnosed as underfitting, momentum's as healthy: the steps were too small, not the network.",
                "전부입니다. SGD는 검증 정확도 45~49%, 훈련 손실 0.94~0.95로 끝나서 찍을 때의 ln 3 = 1.10보다 조금 "
                "나을 뿐입니다. 모멘텀은 99.6%, 0.006~0.007로 끝납니다(시드 세 개). 이 데이터에서는 기울기가 스텝마다 "
                "비슷한 쪽을 가리키므로 모멘텀 0.9가 열 배 멀리 갑니다. 진단은 SGD를 과소적합이라 하고, 모멘텀에서는 "
                "아무 문제도 찾지 않습니다. 작았던 것은 신경망이 아니라 걸음입니다.",
            ),
            then={"optimizer": "momentum"},
        ),
        Try(
            Words(
                "Does SGD need momentum for that? Give it a learning rate of 0.1.",
                "꼭 모멘텀이 있어야 합니까? SGD의 학습률을 0.1로 해 보십시오.",
            ),
            {"learning_rate": 0.1},
            Words(
                "No. Ten times the learning rate does what momentum 0.9 did: 99.6 % in all three seeds, training loss "
                "0.008 to 0.010. Before you change the optimizer, tune the one you have.",
                "아닙니다. 학습률 열 배가 모멘텀 0.9가 한 일을 합니다. 시드 세 개 모두 99.6%, 훈련 손실은 "
                "0.008~0.010입니다. 옵티마이저를 바꾸기 전에 지금 것의 학습률부터 조정하십시오.",
            ),
        ),
        Try(
            Words(
                "Adam with 0.001, and SGD with 0.001. Why is the same number too small for one and right for the "
                "other?",
                "Adam을 0.001로, SGD를 0.001로 돌려 보십시오. 같은 숫자가 왜 하나에는 너무 작고 다른 하나에는 "
                "알맞습니까?",
            ),
            {"optimizer": "Adam", "learning_rate": 0.001},
            Words(
                "Adam ends at 99.6 %, SGD at 50 to 52 % with a loss of 1.00. Adam's step is about 0.001 whatever the "
                "gradient; SGD's is 0.001 times a gradient that is itself small. Compare the update ratios: a "
                "learning rate says nothing before you know whose it is.",
                "Adam은 99.6%, SGD는 50~52%에 손실 1.00으로 끝납니다. Adam의 걸음은 기울기와 상관없이 0.001쯤이고, "
                "SGD의 걸음은 작은 기울기에 다시 0.001을 곱한 것입니다. 업데이트 비율을 비교해 보십시오. 학습률은 어느 "
                "옵티마이저의 것인지 알기 전에는 아무 뜻이 없습니다.",
            ),
            then={"optimizer": "SGD"},
        ),
        Try(
            Words(
                "Adam with 0.1: can a step that is always about η long be too long? Look at the share of dead units.",
                "Adam을 0.1로 해 보십시오. 늘 η쯤인 걸음이 너무 길 수도 있습니까? 죽은 유닛의 비율을 보십시오.",
            ),
            {"optimizer": "Adam", "learning_rate": 0.1},
            Words(
                "Yes. Validation accuracy ends at 46, 57 and 87 % in three seeds. The first steps are about half as "
                "large as the weights and push ReLU units to where they are 0 for every input; they do not come back. "
                "The diagnosis says dead ReLU, died while training, in all three, and in two that the learning rate "
                "is too high.",
                "그렇습니다. 시드 세 개에서 검증 정확도가 46, 57, 87%로 끝납니다. 첫 걸음들이 가중치의 절반쯤으로 "
                "커서 ReLU 유닛을 어떤 입력에도 0만 내는 곳으로 밀어 버리고, 그 유닛들은 돌아오지 않습니다. 진단은 셋 "
                "모두에서 학습 중에 죽은 ReLU를, 둘에서는 학습률이 너무 크다는 것을 찾아냅니다.",
            ),
        ),
        Try(
            Words(
                "Muon with 0.03, constant, and then with the schedule “cosine to 0”. Look at the end of the curves.",
                "Muon을 0.03으로, 학습률을 일정하게 두고 한 번, ‘코사인, 0까지’로 한 번 돌려 보십시오. 곡선의 끝을 "
                "보십시오.",
            ),
            {"optimizer": "Muon", "learning_rate": 0.03},
            Words(
                "Both reach 100 % on the way. At a constant rate the end wanders, 93 to 99.6 %, because every step is "
                "equally long, near the minimum too; with the cosine it settles at 99.6 to 100 % and the training "
                "loss at 0.000. The diagnosis is an oscillating loss at the constant rate, and nothing with the "
                "cosine.",
                "둘 다 도중에 100%에 이릅니다. 학습률이 일정하면 최솟값 가까이에서도 걸음이 똑같이 길어서 끝이 "
                "93~99.6% 사이를 떠돕니다. 코사인이면 99.6~100%에 자리 잡고 훈련 손실은 0.000이 됩니다. "
                "진단은 일정한 학습률에서 진동하는 손실이고, 코사인에서는 없습니다.",
            ),
            then={"schedule": "cosine"},
        ),
    )
