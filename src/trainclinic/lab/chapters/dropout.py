"""Chapter 5: dropout."""

from __future__ import annotations

from typing import ClassVar

from trainclinic.lab import dropout_figures as figures
from trainclinic.lab.chapter import Chapter, Drawing, Experiment, Play, Section, Try
from trainclinic.lab.controls import Control
from trainclinic.lab.words import Words

_P = Control("p", Words("Dropout p", "드롭아웃 비율 p"), 0.5, 0.0, 0.9, 0.05,
             help=Words("probability that a unit is switched off", "유닛이 꺼질 확률"))  # fmt: skip
_SEED = Control("seed", Words("Seed of the mask", "마스크의 난수 시드"), figures.SHOWN_SEED, 0, 9999)


class Dropout(Chapter):
    """A network that learns by heart, and random units switched off against it."""

    number: ClassVar[int] = 5
    title: ClassVar[Words] = Words("Dropout", "드롭아웃")
    lead: ClassVar[Words] = Words(
        "A large network and few samples: it learns them by heart. Dropout switches units off at random in every step, "
        "so that none of them can rely on another.",
        "신경망은 크고 샘플은 적으면 신경망이 샘플을 통째로 외워 버립니다. 드롭아웃은 스텝마다 유닛을 무작위로 꺼서 "
        "유닛들이 서로에게만 기대지 못하게 합니다.",
    )
    text: ClassVar[tuple[Section, ...]] = (
        Section(
            Words("Overfitting: the curves part", "과적합: 두 곡선이 갈라집니다"),
            Words(
                r"""
The figure is one real training: 3 hidden layers of 256 units, 200 images of digits, and 30 % of the training labels
drawn anew at random, as a stand-in for the errors of real data. The validation labels are all right.

At first both losses fall: the network learns what digits have in common. Then the **training** loss goes on to almost
$0$, wrong labels included, while the **validation** loss turns and rises. From there on the network learns the samples,
not the digits. That is overfitting. Look at three things: where the validation loss is lowest (the dot), how far it
climbs from there, and that the training loss tells nothing of it. A gap alone is no overfitting; the *rise* is.
""",
                r"""
그림은 실제로 학습한 결과입니다. 유닛 256개짜리 은닉층 3개, 숫자 이미지 200장이며, 현실 데이터의 오류를 흉내 내려고
훈련 레이블의 30%를 무작위로 다시 뽑았습니다. 검증 레이블은 모두 맞습니다.

처음에는 두 손실이 함께 내려갑니다. 숫자들의 공통된 특징을 배우는 구간입니다. 그다음 **훈련** 손실은 틀린 레이블까지
외우며 거의 $0$으로 가지만, **검증** 손실은 방향을 바꾸어 올라갑니다. 이때부터는 숫자가 아니라 샘플을 배우는 것이고,
이것이 과적합입니다. 검증 손실이 가장 낮은 곳(점), 거기서부터 올라간 폭, 그리고 훈련 손실만 보아서는 이를 알 수 없다는
점을 확인하십시오. 두 손실의 차이만으로는 과적합이 아닙니다. *상승*이 과적합입니다.
""",
            ),
            Drawing("curves", Words("Training and validation loss of a real network part",
                                    "실제 신경망의 훈련 손실과 검증 손실이 갈라지는 모습"), figures.curves),
        ),
        Section(
            Words("The full network and the thinned one", "전체 신경망과 솎아 낸 신경망"),
            Words(
                r"""
In every training step each hidden unit is switched off with probability $p$, on its own. A unit that is off gives $0$,
and every connection to and from it drops out of that step, forward and backward. What remains is a *thinned* network.

The crosses come from the mask of an actual `nn.Dropout`, not from an artist: move the seed, and other units go. With
$p = 0.5$ about half of them are off, but not exactly half, since each is drawn alone; the table compares the count with
the expected $p \cdot n$. In a real layer every *sample* of the batch gets a mask of its own.

$n$ units have $2^n$ thinned networks. The 12 hidden units here have 4,096; all of them share one set of weights
(Srivastava et al. 2014).
""",
                r"""
스텝마다 은닉 유닛은 저마다 확률 $p$로 꺼집니다. 꺼진 유닛의 출력은 $0$이고, 그 유닛으로 들어오고 나가는 연결은 그
스텝의 순전파와 역전파에서 모두 빠집니다. 남은 것이 *솎아 낸*(thinned) 신경망입니다.

그림의 × 표시는 임의로 그린 것이 아니라 실제 `nn.Dropout`의 마스크에서 나왔습니다. 시드를 바꾸면 다른 유닛이 꺼집니다.
$p = 0.5$이면 절반쯤 꺼지지만 유닛마다 따로 뽑으므로 꼭 절반은 아닙니다. 표에서 실제 개수와 기댓값 $p \cdot n$을
비교해 보십시오. 실제 층에서는 배치의 *샘플*마다 마스크가 다릅니다.

유닛이 $n$개면 솎아 낸 신경망은 $2^n$가지입니다. 여기의 은닉 유닛 12개로는 4,096가지이며, 모두가 같은 가중치를 함께
씁니다 (Srivastava 외 2014).
""",
            ),
            Drawing("thinned", Words("The same network, full and thinned by a real dropout mask",
                                     "같은 신경망의 전체 모습과 실제 드롭아웃 마스크로 솎아 낸 모습"), figures.thinned),
            Play("mask", Words("Draw another mask", "마스크를 새로 뽑아 보기"), (_P, _SEED), figures.show_mask),
        ),
        Section(
            Words("Why it helps", "왜 도움이 되는가"),
            Words(
                r"""
Learning by heart needs *teamwork*: this unit answers for image 17, that one corrects it for image 18, and together they
recite a wrong label. Such a team works only as long as every member is there. With dropout any partner may be missing
in the next step, so a unit earns its keep only by a feature that is useful in any company. Srivastava et al. (2014)
call the teams *co-adaptation*.

There is a second view. Each step trains one of $2^n$ thinned networks, and evaluation with all units on is close to
their average vote. Averages of many models make fewer mistakes than each of them.

Dropout also adds noise: the gradient of a step is that of a random network, so training takes more epochs.
""",
                r"""
샘플을 외우려면 *팀워크*가 필요합니다. 한 유닛이 17번 이미지를 맡으면 다른 유닛이 18번 이미지에서 그 답을 고쳐 주는
식으로, 함께 틀린 레이블까지 외웁니다. 이런 팀은 구성원이 모두 있을 때만 통합니다. 드롭아웃을 쓰면 다음 스텝에 누가
빠질지 모르므로, 유닛은 누구와 함께 있어도 쓸모 있는 특징을 배워야 합니다. Srivastava 외(2014)는 이런 팀을
*공적응*(co-adaptation)이라고 부릅니다.

다르게 볼 수도 있습니다. 스텝마다 $2^n$가지 솎아 낸 신경망 가운데 하나를 학습하고, 유닛을 모두 켠 평가는 그 신경망들의
평균에 가깝습니다. 여러 모델의 평균은 하나하나보다 덜 틀립니다.

드롭아웃은 잡음도 더합니다. 스텝마다 무작위로 뽑힌 신경망의 기울기를 쓰므로 에폭이 더 필요합니다.
""",
            ),
        ),
        Section(
            Words("The scaling by 1/(1−p)", "1/(1−p) 배율"),
            Words(
                r"""
If half of the units are off, the next layer would receive half of the sum that it receives at evaluation. So what is on
is multiplied, in training, by $1/(1-p)$:

$$y_i = \frac{m_i}{1-p}\,x_i, \qquad P(m_i = 1) = 1 - p, \qquad
\mathrm{E}[y_i] = \frac{1-p}{1-p}\,x_i = x_i .$$

This is *inverted* dropout, the form in PyTorch. The table sends six numbers through a real `nn.Dropout`: with $p = 0.5$
each comes out as $0$ or doubled, never as it was. The mean over many masks is the number itself, and so is the output
in `eval()`. Turn $p$ up: the mean still arrives, but later, for the variance of $y_i$ is $x_i^2\,p/(1-p)$.
""",
                r"""
유닛의 절반이 꺼지면 다음 층이 받는 합도 평가 때의 절반이 됩니다. 그래서 학습할 때는 켜진 유닛에 $1/(1-p)$을 곱합니다.

$$y_i = \frac{m_i}{1-p}\,x_i, \qquad P(m_i = 1) = 1 - p, \qquad
\mathrm{E}[y_i] = \frac{1-p}{1-p}\,x_i = x_i .$$

이것이 PyTorch가 쓰는 *역드롭아웃*(inverted dropout)입니다. 표는 숫자 여섯 개를 실제 `nn.Dropout`에 넣은 결과입니다.
$p = 0.5$이면 출력은 $0$이거나 두 배이고, 원래 값 그대로 나오는 일은 없습니다. 하지만 마스크를 여러 번 뽑아 평균하면
원래 값이 되고, `eval()`의 출력도 원래 값입니다. $p$를 키워 보십시오. $y_i$의 분산이 $x_i^2\,p/(1-p)$이므로 평균이 더
늦게 맞춰집니다.
""",
            ),
            play=Play("scaling", Words("Six numbers through nn.Dropout", "숫자 여섯 개를 nn.Dropout에 통과시키기"), (
                _P,
                Control("masks", Words("Masks", "마스크 수"), 500, 1, 5000, log=True),
                _SEED.to(0),
            ), figures.show_scaling),
        ),
        Section(
            Words("Off at evaluation", "평가할 때는 끕니다"),
            Words(
                r"""
Dropout belongs to training alone. `model.train()` switches it on, `model.eval()` off; in `eval()` the layer passes its
input through unchanged, and the same input gives the same output every time.

Forgetting `model.eval()` makes the answers random and worse: run the lines twice and compare. Forgetting to go back to
`model.train()` afterwards is the quieter mistake, since it trains without dropout and nothing looks wrong.

One consequence is seen in every plot: the training loss is measured *with* units off, the validation loss with all
of them on. A training loss **above** the validation loss is therefore normal with dropout, and no fault.
""",
                r"""
드롭아웃은 학습할 때만 씁니다. `model.train()`이 켜고 `model.eval()`이 끕니다. `eval()`에서는 입력이 그대로 통과하므로
같은 입력에는 언제나 같은 출력이 나옵니다.

`model.eval()`을 잊으면 답이 무작위로 흔들리고 나빠집니다. 코드를 두 번 실행해 비교해 보십시오. 평가한 뒤
`model.train()`으로 되돌리지 않는 실수는 더 알아채기 어렵습니다. 드롭아웃 없이 학습하면서도 겉으로는 아무 문제가 없어
보입니다.

그래프를 볼 때 알아 둘 점이 하나 있습니다. 훈련 손실은 유닛을 *끈 채로* 재고, 검증 손실은 모두 켜고 잽니다. 따라서
드롭아웃을 쓸 때 훈련 손실이 검증 손실보다 **높은** 것은 정상입니다.
""",
            ),
            code="""\
import torch
from torch import nn

layer, x = nn.Dropout(0.5), torch.ones(8)
print("train:", layer.train()(x))  # 0 or 2, other units every time
print("eval: ", layer.eval()(x))  # 1, always
""",
        ),
        Section(
            Words("What it does to the curves", "곡선은 어떻게 달라지는가"),
            Words(
                r"""
The same network, data and seed, without and with $p = 0.5$. Without it the validation loss is lowest within the first
few epochs and then climbs. With it the training loss no longer reaches $0$, the lowest validation loss comes much later
and is lower, and it rises only a little from there.

Dropout delays overfitting; it does not forbid it. Train long enough and even this network begins to recite. Early
stopping goes well with it (chapter 8).

How much? $0.5$ for wide hidden layers and $0.1$ to $0.2$ for narrow ones or for the inputs are usual. With too much of
it nothing is learned at all: the experiment shows both ends.
""",
                r"""
신경망, 데이터, 시드는 같고, 드롭아웃이 없는 경우와 $p = 0.5$인 경우입니다. 드롭아웃이 없으면 검증 손실은 처음 몇 에폭
안에 가장 낮아진 뒤 계속 올라갑니다. 드롭아웃을 쓰면 훈련 손실이 $0$까지 가지 않고, 검증 손실의 최저점이 훨씬 늦게, 더
낮게 나타나며, 그 뒤의 상승도 작습니다.

드롭아웃은 과적합을 늦출 뿐 막아 주지는 않습니다. 오래 학습하면 이 신경망도 결국 외우기 시작합니다. 그래서
조기종료(8장)와 함께 쓰면 좋습니다.

비율은 넓은 은닉층이면 $0.5$, 좁은 층이나 입력에는 $0.1$에서 $0.2$를 흔히 씁니다. 너무 크면 아무것도 배우지 못합니다.
아래 실험에서 양쪽 끝을 모두 볼 수 있습니다.
""",
            ),
            Drawing("effect", Words("The same training without and with dropout",
                                    "드롭아웃이 없는 학습과 있는 학습"), figures.effect),
        ),
    )  # fmt: skip
    experiment: ClassVar[Experiment] = Experiment(
        figures.SETTINGS,
        ("dropout", "width", "samples", "label_noise", "epochs", "learning_rate", "depth"),
        ("activation_rms", "gradient_rms", "activation_derivative", "dead_unit_fraction", "weight_rms"),
    )
    tries: ClassVar[tuple[Try, ...]] = (
        Try(
            Words("Set dropout to 0.5. When is the validation loss lowest, and how far does it rise after that?",
                  "드롭아웃을 0.5로 바꾸어 보십시오. 검증 손실은 언제 가장 낮고, 그 뒤 얼마나 올라갑니까?"),
            {"dropout": 0.5},
            Words("Without dropout it is lowest at epoch 2 or 3, 0.72 on average over seeds 0, 1 and 2, and ends at "
                  "1.16 with an accuracy of 0.73; the diagnosis is overfitting with every seed. With 0.5 it is "
                  "lowest at epochs 53 to 73, about 0.63, and ends at 0.65 to 0.80 with an accuracy of 0.75 to 0.79; "
                  "nothing is diagnosed.",
                  "드롭아웃이 없으면 2~3에폭에서 가장 낮고(시드 0, 1, 2의 평균 0.72), 정확도 0.73에 손실 1.16으로 "
                  "끝나며, 모든 시드에서 과적합으로 진단됩니다. 0.5이면 53~73에폭에서 가장 낮고(0.63쯤), 정확도 "
                  "0.75~0.79에 손실 0.65~0.80으로 끝나며, 진단되는 문제가 없습니다."),
        ),
        Try(
            Words("Set it to 0.2. Is a little dropout enough?", "0.2로 바꾸어 보십시오. 조금만 꺼도 충분합니까?"),
            {"dropout": 0.2},
            Words("Not for 80 epochs. The best epoch moves to 6 to 10 and its validation loss falls to 0.67, but after "
                  "that the network learns by heart all the same and ends at 1.26 to 1.46, higher than without. Had it "
                  "been stopped at its best, 0.2 would have been fine.",
                  "80에폭 동안 막기에는 부족합니다. 최적 에폭이 6~10으로 늦춰지고 그때의 검증 손실도 0.67로 "
                  "낮아지지만, 그 뒤에는 결국 외우기 시작해서 드롭아웃이 없을 때보다 높은 1.26~1.46으로 끝납니다. "
                  "가장 좋을 때 멈췄다면 0.2로도 괜찮았을 것입니다."),
        ),
        Try(
            Words("Set it to 0.9.", "0.9로 바꾸어 보십시오."),
            {"dropout": 0.9},
            Words("Nothing is learned: the accuracy ends at 0.09 to 0.11, a guess among ten classes, and the "
                  "validation loss stays near ln 10 ≈ 2.30. With 26 of 256 units on in each of three layers, the "
                  "steps pull in random directions. The diagnosis names it: over-regularized, since dropout erases too "
                  "much to learn from the rest.",
                  "아무것도 배우지 못합니다. 정확도는 열 개 가운데 하나를 찍는 수준인 0.09~0.11로 끝나고, 검증 손실은 "
                  "ln 10 ≈ 2.30 근처에 머뭅니다. 세 층에서 256개 가운데 26개쯤만 켜지므로 스텝마다 제멋대로인 "
                  "방향으로 움직입니다. 진단도 지나친 규제라고 하고, 드롭아웃이 너무 많이 지운다는 것을 원인으로 "
                  "꼽습니다."),
        ),
        Try(
            Words("No dropout, but no wrong labels either. Does it still overfit?",
                  "드롭아웃 없이, 틀린 레이블도 없애 보십시오. 그래도 과적합입니까?"),
            {"label_noise": 0.0},
            Words("Hardly: the accuracy ends at 0.93 to 0.95, and from its best the validation loss rises by 0.03 "
                  "at most, although the training loss is below 0.001 just the same. Right labels by heart do "
                  "little harm. It is the wrong ones that cost 20 points.",
                  "거의 아닙니다. 정확도는 0.93~0.95로 끝나고, 훈련 손실이 똑같이 0.001 아래로 가는데도 검증 "
                  "손실은 최저점에서 0.03 이내로만 올라갑니다. 맞는 레이블을 외우는 것은 크게 해롭지 "
                  "않습니다. 20%포인트를 잃게 한 것은 틀린 레이블입니다."),
        ),
        Try(
            Words("16 units a layer and dropout 0.5.", "층당 유닛을 16개로 줄이고 드롭아웃을 0.5로 해 보십시오."),
            {"width": 16, "dropout": 0.5},
            Words("Now dropout does harm: the accuracy ends at 0.12 to 0.21, against 0.61 to 0.70 for 16 units "
                  "without it, and the diagnosis is underfitting. Eight units that change in every step are too few "
                  "to pass on what matters. Dropout needs width.",
                  "이번에는 드롭아웃이 해롭습니다. 정확도가 0.12~0.21로 끝나는데, 유닛 16개에 드롭아웃이 없으면 "
                  "0.61~0.70입니다. 진단은 과소적합입니다. 스텝마다 바뀌는 여덟 개쯤의 유닛으로는 필요한 정보를 "
                  "전달할 수 없습니다. 드롭아웃에는 충분한 너비가 필요합니다."),
        ),
    )  # fmt: skip
