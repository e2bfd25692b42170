"""Chapter 1: vanishing and exploding gradients."""

from __future__ import annotations

from typing import ClassVar

from trainclinic.lab.chapter import Chapter, Experiment, Section, Try
from trainclinic.lab.chapters._vanishing_gradient import BOUND, EXPLOSION, SATURATION, UNITS, UPDATE
from trainclinic.lab.chapters._vanishing_gradient_figures import (
    CHAIN,
    DEEP,
    GRADIENT_PER_LAYER,
    SATURATED_SHARE,
    SIGMOID,
)
from trainclinic.lab.words import Words


class VanishingGradient(Chapter):
    """Why the first layers of a deep network stop learning, seen in the numbers of a real one."""

    number: ClassVar[int] = 1
    title: ClassVar[Words] = Words("Vanishing and exploding gradients", "기울기 소실과 기울기 폭주")
    lead: ClassVar[Words] = Words(
        "A network of 20 sigmoid layers trains for 15 epochs and learns nothing. You will see the gradient shrink "
        "layer by layer, find the factor that shrinks it, and bring the network back with one change.",
        "시그모이드 층 20개를 쌓은 신경망이 15에폭 동안 학습해도 아무것도 배우지 못합니다. 기울기가 층마다 줄어드는 "
        "모습을 보고, 무엇이 줄이는지 찾고, 설정 하나를 바꾸어 신경망을 되살려 봅니다.",
    )
    text: ClassVar[tuple[Section, ...]] = (
        Section(
            Words("Forward and back", "순전파와 역전파"),
            Words(
                r"In the **forward pass** every layer computes $z_l = W_l h_{l-1} + b_l$ and $h_l = \varphi(z_l)$, up "
                r"to the error. The **backward pass** asks the other way round: by how much does the error change "
                r"when $z_l$ changes? With the chain rule, $\delta_l = \frac{\partial Error}{\partial z_l}$ is"
                "\n\n"
                r"$$\delta_l = \varphi'(z_l) \odot W_{l+1}^{\top} \delta_{l+1}, \qquad \frac{\partial Error}{\partial "
                r"W_l} = \delta_l\, h_{l-1}^{\top}.$$"
                "\n\n"
                r"Every step back multiplies by two things: the slope $\varphi'$ of the activation function and the "
                r"weights. Below, each layer is a single unit, so you can follow every number. Read the column $h$ "
                r"downwards and the column $\delta$ upwards. With sigmoid and $w = 1$, five layers leave 0.0005 of "
                r"the gradient. Then choose ReLU: every $\delta$ is 1.",
                r"**순전파**에서는 층마다 $z_l = W_l h_{l-1} + b_l$과 $h_l = \varphi(z_l)$을 차례로 계산하여 오차까지 "
                r"갑니다. **역전파**는 거꾸로 묻습니다. $z_l$이 변하면 오차는 얼마나 변합니까? 연쇄 법칙을 쓰면 "
                r"$\delta_l = \frac{\partial Error}{\partial z_l}$은 다음과 같습니다."
                "\n\n"
                r"$$\delta_l = \varphi'(z_l) \odot W_{l+1}^{\top} \delta_{l+1}, \qquad \frac{\partial Error}{\partial "
                r"W_l} = \delta_l\, h_{l-1}^{\top}$$"
                "\n\n"
                r"한 층을 되돌아갈 때마다 활성화 함수의 미분값 $\varphi'$과 가중치, 두 가지를 곱합니다. 아래에서는 "
                r"층마다 유닛이 하나뿐이라 모든 숫자를 따라갈 수 있습니다. $h$ 열은 위에서 아래로, $\delta$ 열은 "
                r"아래에서 위로 읽으십시오. 시그모이드에 $w = 1$이면 다섯 층을 지난 기울기는 0.0005만 남습니다. "
                r"ReLU로 바꾸면 모든 $\delta$가 1이 됩니다.",
            ),
            play=UNITS,
        ),
        Section(
            Words("The sigmoid and its derivative", "시그모이드 함수와 그 미분함수"),
            Words(
                r"The sigmoid squeezes every number into the range from 0 to 1:"
                "\n\n"
                r"$$\sigma(x) = \frac{1}{1 + e^{-x}}, \qquad \sigma'(x) = \sigma(x)\,\bigl(1 - \sigma(x)\bigr).$$"
                "\n\n"
                r"Look at the red curve. A product of two shares that add up to 1 is largest when both are one half, "
                r"so $\sigma'(x)$ is largest at $x = 0$: $\sigma'(0) = 0.5 \cdot 0.5 = 0.25$. Everywhere else it is "
                r"smaller: 0.105 at $x = 2$, 0.0066 at $x = 5$. This is the whole seed of the trouble. Even at its "
                r"best point, a sigmoid lets a quarter of the gradient through.",
                r"시그모이드 함수는 어떤 수든 0과 1 사이로 눌러 넣습니다."
                "\n\n"
                r"$$\sigma(x) = \frac{1}{1 + e^{-x}}, \qquad \sigma'(x) = \sigma(x)\,\bigl(1 - \sigma(x)\bigr)$$"
                "\n\n"
                r"빨간 곡선을 보십시오. 더해서 1이 되는 두 수의 곱은 둘 다 절반일 때 가장 큽니다. 그래서 "
                r"$\sigma'(x)$는 $x = 0$에서 가장 크고, 그 값은 $\sigma'(0) = 0.5 \cdot 0.5 = 0.25$입니다. 다른 "
                r"곳에서는 더 작아서 $x = 2$에서 0.105, $x = 5$에서 0.0066입니다. 모든 문제가 여기에서 시작됩니다. "
                r"시그모이드는 가장 좋은 지점에서도 기울기를 4분의 1만 통과시킵니다.",
            ),
            drawing=SIGMOID,
        ),
        Section(
            Words("The product of many derivatives", "미분값을 여러 번 곱하면"),
            Words(
                r"The deeper the network, the more derivatives are multiplied. One sigmoid layer leaves between 0 and "
                r"0.25, two leave at most $0.25^2 = 0.0625$, three at most $0.25^3 = 0.015625$, and"
                "\n\n"
                r"$$\lim_{n \to \infty} \left( \frac{\partial h}{\partial z} \right)^n = 0.$$"
                "\n\n"
                r"The figure is no theory: it is a real network of 20 layers with Xavier weights, random numbers "
                r"drawn so small that a layer's weights pass a signal on at its size (Glorot & Bengio 2010). In every "
                r"layer the measured mean of $\sigma'(z)$ is near 0.234; multiplied up from the last layer back, it "
                r"ends at $2.5 \cdot 10^{-13}$, under the bound $9.1 \cdot 10^{-13}$. The weights have a factor of "
                r"about 1.00, so the signal itself (red) falls alongside. In the play below, let $z$ spread out: "
                r"$\sigma'$ leaves its peak, and the product falls faster still.",
                r"층이 깊어질수록 미분값을 더 여러 번 곱합니다. 시그모이드 1층은 0에서 0.25 사이, 2층은 많아야 "
                r"$0.25^2 = 0.0625$, 3층은 많아야 $0.25^3 = 0.015625$를 남기고, 끝없이 쌓으면 다음과 같습니다."
                "\n\n"
                r"$$\lim_{n \to \infty} \left( \frac{\partial h}{\partial z} \right)^n = 0$$"
                "\n\n"
                r"그림은 이론이 아니라 자비에르 초기화를 한 실제 20층 신경망입니다. 자비에르 초기화는 층의 가중치가 "
                r"신호를 제 크기대로 전하도록 난수의 크기를 정합니다(Glorot & Bengio 2010). 층마다 잰 $\sigma'(z)$의 "
                r"평균은 약 0.234이고, 마지막 층부터 거꾸로 곱해 가면 $2.5 \cdot 10^{-13}$에 이르러 상한 $9.1 \cdot "
                r"10^{-13}$ 바로 아래에 놓입니다. 가중치의 배율은 약 1.00이므로 신호 자체(빨간색)도 나란히 "
                r"떨어집니다. 아래에서 $z$를 넓게 퍼뜨려 보십시오. $\sigma'$이 꼭대기를 벗어나 곱이 더 빨리 "
                r"줄어듭니다.",
            ),
            drawing=CHAIN,
            play=BOUND,
        ),
        Section(
            Words("The gradient of every layer, measured", "층마다 잰 기울기"),
            Words(
                r"Here is the disease and two of its cures, measured in the first steps of three networks of 20 "
                r"hidden layers. A layer's gradient is many numbers; their RMS (root of the mean square) is their "
                r"usual size. With sigmoid the gradient falls along a straight line on the log axis: the first layer "
                r"gets $9 \cdot 10^{-15}$, the output layer $3 \cdot 10^{-2}$, three million million times as much. "
                r"With ReLU, or with batch normalisation before each sigmoid, the line is level."
                "\n\n"
                r"Both cures bring the factor per layer back to about 1. An active ReLU has slope 1; half of them are "
                r"off, and He's weights, larger by $\sqrt 2$, make up for that (He et al. 2015): measured factor "
                r"0.98. Batch normalisation divides $z$ by its small standard deviation, which enlarges the gradient "
                r"just as much (Ioffe & Szegedy 2015): 0.96, though its mean $\sigma'$ is only 0.205. The code trains "
                r"the sick network and asks for the diagnosis.",
                r"병과 그 처방 두 가지를, 은닉층이 20개인 세 신경망의 첫 몇 걸음에서 쟀습니다. 한 층의 기울기는 수가 "
                r"많으므로 그 대표 크기인 RMS(제곱 평균의 제곱근)를 봅니다. 시그모이드에서는 "
                r"기울기가 로그 축 위에서 직선으로 떨어집니다. 첫 층은 $9 \cdot 10^{-15}$, 출력층은 $3 \cdot "
                r"10^{-2}$로 3조 배 차이가 납니다. ReLU를 쓰거나 시그모이드 앞에 배치정규화를 넣으면 선이 평평합니다."
                "\n\n"
                r"두 처방 모두 층당 배율을 약 1로 되돌립니다. 켜진 ReLU의 미분값은 1이고 절반은 꺼져 있는데, $\sqrt "
                r"2$배 큰 He 가중치가 그만큼 메웁니다(He 외 2015). 잰 배율은 0.98입니다. 배치정규화는 $z$를 작은 "
                r"표준편차로 나누어 기울기를 그만큼 키웁니다(Ioffe & Szegedy 2015). $\sigma'$ 평균은 0.205뿐이지만 "
                r"배율은 0.96입니다. 코드는 병든 신경망을 학습시키고 진단합니다.",
            ),
            drawing=GRADIENT_PER_LAYER,
            code="import trainclinic as tc\n"
            "from trainclinic.lab.experiment import Make\n\n"
            'sick = tc.run(Make({"depth": 20, "activation": "Sigmoid", "init": "xavier"}), seed=0)\n'
            "tc.report(tc.diagnose(sick))",
        ),
        Section(
            Words("Saturation", "포화"),
            Words(
                r"Sigmoid and tanh change little where $|x|$ is large: the curve is flat, the derivative is near 0, "
                r"and the unit is **saturated**. We count a unit as saturated where its slope is below a tenth of its "
                r"best: $|z| > 3.64$ for sigmoid, $|z| > 1.82$ for tanh. Move the scale of the inputs and watch two "
                r"things: the share of saturated units climbs, and the outputs pile up at the ends of their range."
                "\n\n"
                r"The figure counts them in the 20-layer network. At the usual weights almost none is saturated: that "
                r"network vanishes by the 0.25 alone. With weights × 8 about half of them are (48 %). The large "
                r"weights then carry the signal back, but the network still stops at an accuracy of 0.55 to 0.60.",
                r"시그모이드와 tanh는 $|x|$가 크면 출력이 거의 변하지 않습니다. 곡선이 평평해져 미분값이 0에 가깝고, "
                r"이때 유닛이 **포화**되었다고 합니다. 여기서는 미분값이 최댓값의 10분의 1보다 작으면 포화로 셉니다. "
                r"시그모이드는 $|z| > 3.64$, tanh는 $|z| > 1.82$입니다. 입력의 크기를 움직이며 두 가지를 보십시오. "
                r"포화된 유닛의 비율이 오르고, 출력이 범위의 양 끝에 쌓입니다."
                "\n\n"
                r"그림은 20층 신경망에서 센 것입니다. 보통 가중치에서는 포화된 유닛이 거의 없습니다. 이 신경망의 "
                r"기울기는 오직 0.25 때문에 사라집니다. 가중치를 8배로 하면 약 절반(48%)이 포화됩니다. 이때는 큰 "
                r"가중치가 신호를 뒤로 나르지만, 정확도는 0.55에서 0.60에 머뭅니다.",
            ),
            drawing=SATURATED_SHARE,
            play=SATURATION,
        ),
        Section(
            Words("What a vanished gradient does to an update", "사라진 기울기와 가중치 업데이트"),
            Words(
                r"Gradient descent moves every weight against its gradient, by the learning rate $\eta$:"
                "\n\n"
                r"$$W_i = W_{i-1} - \eta \frac{\partial Error}{\partial W}.$$"
                "\n\n"
                r"The table is one such step of a real network, in the first and in the last layer, each time for the "
                r"weight with the largest gradient. With 20 sigmoid layers and $\eta = 0.1$ the last layer moves from "
                r"0.0740 to 0.0845. The first layer should move by $2.4 \cdot 10^{-15}$; its weight is a 32-bit "
                r"number with about seven digits, so $W_i$ is $W_{i-1}$ to the last bit. It would take a million "
                r"million steps to change it by 1 %. Raise $\eta$ to 10: it does not help. Then choose ReLU, or fewer "
                r"layers.",
                r"경사하강법은 모든 가중치를 기울기의 반대쪽으로, 학습률 $\eta$만큼 옮깁니다."
                "\n\n"
                r"$$W_i = W_{i-1} - \eta \frac{\partial Error}{\partial W}$$"
                "\n\n"
                r"표는 실제 신경망이 한 걸음 업데이트되는 모습입니다. 첫 층과 마지막 층에서 기울기가 가장 큰 가중치를 "
                r"하나씩 골랐습니다. 시그모이드 20층에 $\eta = 0.1$이면 마지막 층은 0.0740에서 0.0845로 움직입니다. "
                r"첫 층은 $2.4 \cdot 10^{-15}$만큼 움직여야 하지만, 가중치는 유효숫자가 일곱 자리쯤인 32비트 수라서 "
                r"$W_i$는 $W_{i-1}$과 마지막 비트까지 같습니다. 1%를 바꾸려면 1조 걸음이 필요합니다. $\eta$를 10으로 "
                r"올려도 소용이 없습니다. 그다음 ReLU를 고르거나 층을 줄여 보십시오.",
            ),
            play=UPDATE,
        ),
        Section(
            Words("When the factor is above 1: explosion", "배율이 1보다 크면: 기울기 폭주"),
            Words(
                r"The same product explodes when its factors are above 1. Take ReLU layers and multiply He's weights "
                r"by a gain $g$: each layer now enlarges the signal about $g$ times, forward and backward. With $g = "
                r"1.5$ and 20 layers the measured growth is about 1.4 a layer each way, the error of the first batch "
                r"is 411 instead of 1.08, and the gradient's norm (the length of all its numbers as one vector) is "
                r"5,182 instead of 0.71. One step of that size throws the weights away."
                "\n\n"
                r"**Clipping** shortens the gradient to a largest norm and keeps its direction (Pascanu et al. 2013): "
                r"the step becomes bearable, while the growth per layer stays. **He initialisation** removes the "
                r"cause: at $g = 1$ the curves are level. Batch normalisation rescales every layer, whatever the gain.",
                r"곱하는 값이 1보다 크면 같은 곱이 폭주합니다. ReLU 층에서 He 가중치에 배율 $g$를 곱하면, 층마다 "
                r"신호가 순전파와 역전파 모두 약 $g$배로 커집니다. $g = 1.5$에 20층이면 잰 증가는 양쪽 모두 층당 "
                r"약 1.4배이고, 첫 배치의 오차는 1.08이 아니라 411, 기울기의 노름(모든 기울기를 한 벡터로 본 길이)은 "
                r"0.71이 아니라 5,182입니다. 이런 크기의 한 걸음이면 가중치는 멀리 튕겨 나갑니다."
                "\n\n"
                r"**기울기 클리핑**은 방향은 그대로 두고 노름을 상한까지 줄입니다(Pascanu 외 2013). 걸음은 견딜 "
                r"만해지지만 층당 증가는 그대로입니다. **He 초기화**는 원인을 없앱니다. $g = 1$에서는 곡선이 "
                r"평평합니다. 배치정규화는 배율이 얼마든 층마다 크기를 다시 맞춥니다.",
            ),
            play=EXPLOSION,
        ),
    )
    experiment: ClassVar[Experiment] = Experiment(
        {**DEEP, "optimizer": "Adam", "learning_rate": 0.001, "epochs": 15},
        ("depth", "activation", "init", "gain", "norm", "optimizer", "learning_rate", "clip"),
        ("gradient_rms", "activation_derivative", "backward_rms", "saturated_share", "weight_gain", "update_ratio"),
    )
    tries: ClassVar[tuple[Try, ...]] = (
        Try(
            Words(
                "Replace sigmoid by ReLU with He initialisation. What happens to the gradient of the first layer?",
                "시그모이드를 ReLU와 He 초기화로 바꾸십시오. 첫 층의 기울기는 어떻게 됩니까?",
            ),
            {"activation": "ReLU", "init": "he"},
            Words(
                "The heatmap has much the same colour from the first layer to the last: the first layer's gradient "
                "begins at 0.4 to 1.4 times that of the last hidden layer and ends at 1.4 to 5.4 times, where sigmoid "
                "left a million millionth. Validation accuracy is 0.88 to 0.91 (three seeds) instead of 0.08 to 0.09, "
                "a guess among ten classes, and the diagnosis is clean.",
                "히트맵의 색이 첫 층부터 마지막 층까지 거의 같습니다. 첫 층의 기울기는 마지막 은닉층의 0.4~1.4배로 "
                "시작하여 1.4~5.4배로 끝납니다. 시그모이드에서는 1조분의 1쯤이었습니다. 검증 정확도는 0.08~0.09(10개 "
                "클래스를 찍는 수준)에서 0.88~0.91로 오르고(시드 3개), 진단에는 아무 문제도 나오지 않습니다.",
            ),
        ),
        Try(
            Words(
                "Keep the sigmoid and add batch normalisation. The derivative stays below 0.25: why does it train?",
                "시그모이드는 그대로 두고 배치정규화를 넣으십시오. 미분값은 여전히 0.25보다 작은데 왜 학습이 됩니까?",
            ),
            {"norm": "batch"},
            Words(
                "Accuracy is 0.91 to 0.94. The mean derivative even falls, from 0.234 to 0.205, but batch "
                "normalisation divides by the standard deviation of z, about a fifth, and so multiplies the gradient "
                "by about five in each layer. Layer normalisation, over the units of one sample, divides by a larger "
                "spread: with it the same network stays a guess (0.08 to 0.09).",
                "정확도가 0.91~0.94입니다. 미분값의 평균은 0.234에서 0.205로 오히려 줄지만, 배치정규화가 z를 약 5분의 "
                "1인 표준편차로 나누므로 층마다 기울기가 약 5배가 됩니다. 한 샘플의 유닛들을 정규화하는 층 정규화는 "
                "더 큰 퍼짐으로 나눕니다. 그래서 같은 신경망이 찍는 수준(0.08~0.09)에 머뭅니다.",
            ),
        ),
        Try(
            Words(
                "How many sigmoid layers still train? Begin with 3, then go up.",
                "시그모이드는 몇 층까지 학습됩니까? 3층부터 늘려 보십시오.",
            ),
            {"depth": 3},
            Words(
                "Each layer costs a factor of about four. Accuracy after 15 epochs: 2 layers 0.87 to 0.89, 3 layers "
                "0.76 to 0.82, 4 layers 0.54 to 0.61, 6 layers 0.19 to 0.31. Up to 4 layers the diagnosis only says "
                "that the training ended too soon (undertrained); from 6 layers on it is a vanishing gradient. Adam "
                "helps, since it rescales every step; still the deep ones stay at the start.",
                "층마다 기울기가 약 4분의 1이 됩니다. 15에폭 뒤 정확도는 2층 0.87~0.89, 3층 0.76~0.82, 4층 0.54~0.61, "
                "6층 0.19~0.31입니다. 4층까지는 학습이 너무 일찍 끝났다고만 하고(학습 부족), 6층부터는 기울기 소실로 "
                "진단합니다. Adam이 걸음의 크기를 다시 맞추어 도와주는데도 깊은 신경망은 출발점에 머뭅니다.",
            ),
            then={"depth": 6},
        ),
        Try(
            Words(
                "If the gradient is small, why not take larger steps? Multiply the learning rate by 100.",
                "기울기가 작다면 더 크게 걸으면 되지 않습니까? 학습률을 100배로 올려 보십시오.",
            ),
            {"learning_rate": 0.1},
            Words(
                "It stays a guess: 0.08 to 0.09, also at 0.01. The gradients differ by twelve decades and one "
                "learning rate serves them all, so the last layers are thrown off (the diagnosis adds that the "
                "learning rate is too high, and that units have saturated) while the first ones have nothing to go by.",
                "여전히 찍는 수준인 0.08~0.09이고, 0.01에서도 같습니다. 기울기의 크기는 1조 배 차이가 나는데 학습률은 "
                "하나입니다. 그래서 마지막 층들은 튕겨 나가고(진단에 너무 높은 학습률과 포화가 더해집니다) 앞쪽 "
                "층들은 따라갈 신호가 없습니다.",
            ),
        ),
        Try(
            Words(
                "Make it explode: ReLU, He, gain 1.2, plain SGD at 0.1. Then set clipping to 1.",
                "폭주시켜 봅시다. ReLU, He 초기화, 배율 1.2, SGD 학습률 0.1로 학습시키고, 그다음 클리핑을 1로 "
                "두십시오.",
            ),
            {"activation": "ReLU", "init": "he", "gain": 1.2, "optimizer": "SGD", "learning_rate": 0.1},
            Words(
                "Without clipping the loss starts at 24 to 146, where a guess has 2.3, leaps several hundredfold or "
                "more in one step, and is NaN after two steps: the gradient explodes, and every weight is lost. On "
                "this page, where every fourth step is measured, the clinic has seen a single step before that; it "
                "names the length of the steps, a learning rate that is too high, and its treatment shortens them, "
                "with seed 0 by a warm-up: accuracy 0.41, which is diagnosed as underfitting. With every step "
                "measured (the notebook) it names the exploding gradient first. Clipping at 1 is a short step too, "
                "and the network reaches 0.53 to 0.71; with gain 1 and clipping 0.68 to 0.82. Shorter steps keep it "
                "alive, the right scale of the weights lets it learn.",
                "클리핑이 없으면 손실이 24~146에서 시작해(찍을 때는 2.3입니다) 한 번에 수백 배 넘게 뛰고, 두 스텝 "
                "뒤부터 NaN입니다. 기울기가 폭주하여 가중치를 모두 잃습니다. 이 화면에서는 네 스텝마다 재므로 "
                "클리닉이 그전에 본 것은 한 스텝뿐입니다. 그래서 보폭, 곧 너무 높은 학습률을 지적하고 걸음을 줄이는 "
                "치료를 고릅니다. 시드 0에서는 웜업이고 정확도는 0.41에 그칩니다(진단은 과소적합). 모든 스텝을 "
                "재면(노트북) 기울기 폭주를 먼저 지적합니다. 클리핑 1도 걸음을 줄이는 방법이며 신경망이 0.53~0.71에 "
                "이르고, 배율 1에 클리핑까지 하면 0.68~0.82입니다. 짧은 걸음은 신경망을 살려 두고, 알맞은 가중치 "
                "크기는 배우게 합니다.",
            ),
            then={"clip": 1.0},
        ),
    )
