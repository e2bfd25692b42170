"""Chapter 6: data augmentation."""

from __future__ import annotations

from typing import ClassVar

from trainclinic.lab import augmentation_figures as figures
from trainclinic.lab.chapter import Chapter, Drawing, Experiment, Play, Section, Try
from trainclinic.lab.controls import Control
from trainclinic.lab.words import Words, same

_DIGIT = Control("digit", Words("Digit", "숫자"), "6", choices={str(label): same(str(label)) for label in range(10)})


class DataAugmentation(Chapter):
    """The training samples a little different in every epoch, with labels that stay true."""

    number: ClassVar[int] = 6
    title: ClassVar[Words] = Words("Data augmentation", "데이터 증강")
    lead: ClassVar[Words] = Words(
        "More data without collecting any: change each sample in a way that leaves its label true. What the network "
        "gains depends on which changes the new data will really show.",
        "데이터를 더 모으지 않고 늘리는 방법입니다. 레이블이 그대로 맞는 범위에서 샘플을 조금씩 바꿉니다. 얼마나 "
        "얻는지는 실제로 만날 데이터에 그런 변화가 있는지에 달려 있습니다.",
    )
    text: ClassVar[tuple[Section, ...]] = (
        Section(
            Words("One photograph, many samples", "사진 한 장, 샘플 여러 장"),
            Words(
                """
Mirrored, cropped, turned, brighter, noisier: we still see the same temple, so the label may stay. To the network
each of these is a new set of numbers. If every epoch brings other ones, it cannot learn the pixels by heart and has to
find what stays the same.

The grid is made from a real photograph that comes with scikit-learn. Albumentations (Buslaev et al. 2020) makes it
where version 2.0.8 is installed, `pip install trainclinic[images]`; otherwise the same idea is shown with NumPy alone,
and the figure says so. Look at two kinds: *geometric* changes move pixels (flip, crop, perspective), *photometric* ones
change their values (brightness, noise, blur). Holes cut into the image are a third: the network must not depend on one
spot.
""",
                """
좌우를 뒤집고, 자르고, 돌리고, 밝게 하고, 잡음을 넣어도 사람에게는 같은 건물입니다. 그러니 레이블은 그대로 두어도
됩니다. 하지만 신경망에는 매번 새로운 숫자입니다. 에폭마다 다른 모습이 들어오면 픽셀을 외울 수 없으므로, 변하지 않는
특징을 찾아야 합니다.

그림은 scikit-learn에 들어 있는 실제 사진으로 만들었습니다. Albumentations(Buslaev 외 2020) 2.0.8이 설치되어 있으면
(`pip install trainclinic[images]`) 이 라이브러리로, 없으면 NumPy만으로 만들며, 어느 쪽인지 그림에 적혀 있습니다. 두
종류를 구별해 보십시오. *기하* 변환은 픽셀을 옮기고(뒤집기, 자르기, 원근), *색·밝기* 변환은 픽셀의 값을 바꿉니다(밝기,
잡음, 흐림). 이미지에 구멍을 내는 방법도 있는데, 한 곳에만 의존하지 못하게 하려는 것입니다.
""",
            ),
            Drawing("grid", figures.grid_caption(), figures.grid),
        ),
        Section(
            Words("What the label must survive", "레이블이 유지되어야 합니다"),
            Words(
                r"""
A change is allowed if a person who sees only the result would give the *same* label. A 6 turned by $180^\circ$ is a
9: train on it as a 6, and you teach a mistake.

Turn a real digit. The judge in the table is as simple as can be: it compares the image with the mean image of each
class, and names the nearest. The 6 keeps its label up to $35^\circ$ to the left and $10^\circ$ to the right; at
$180^\circ$ the judge says 9, and the 9 turned over becomes a 6. The 4 of this data set holds out at every angle up to
$60^\circ$, the 8 gives up early: how far one may go depends on the class.

So: no large turns for digits, no mirror for text, no change of hue where colour is the answer.
""",
                r"""
결과만 본 사람도 *같은* 레이블을 붙일 만한 변화라면 써도 됩니다. 6을 $180^\circ$ 돌리면 9입니다. 이것을 6이라고
학습시키면 틀린 것을 가르치게 됩니다.

실제 숫자를 돌려 보십시오. 표의 판정은 아주 단순합니다. 이미지를 클래스마다의 평균 이미지와 비교해 가장 가까운 클래스를
말합니다. 6은 왼쪽으로 $35^\circ$, 오른쪽으로 $10^\circ$까지 레이블을 유지하지만, $180^\circ$에서는 9로 판정되고, 9를
뒤집으면 6이 됩니다. 이 데이터의 4는 $60^\circ$까지 어느 각도에서도 유지되고, 8은 일찍 무너집니다. 허용되는 정도는
클래스에 따라 다릅니다.

그래서 숫자는 크게 돌리지 않고, 글자는 좌우로 뒤집지 않으며, 색이 곧 답인 문제에서는 색조를 바꾸지 않습니다.
""",
            ),
            play=Play("rotation", Words("Turn a digit", "숫자를 돌려 보기"), (
                _DIGIT,
                Control("angle", Words("Angle", "각도"), 180, -180, 180, 5, unit="°"),
            ), figures.show_rotation),
        ),
        Section(
            Words("Shift and noise in NumPy", "NumPy로 하는 이동과 잡음"),
            Words(
                r"""
Two changes that need no library. A **shift** moves the image by whole pixels and repeats the border. **Noise** adds
$\varepsilon \sim N(0, \sigma^2)$ to every pixel; for small $\sigma$ this acts like a penalty on the slope of the
network, so that near inputs get near answers (Bishop 1995).

Play with both on an image of 8×8 pixels with grey levels from 0 to 16. One pixel sounds like little, but it is an
eighth of the image's width, and the plain judge of the table is often wrong after it although *we* are not. That is a
weakness of the judge, and it is what augmentation with shifts teaches a network to overcome. Noise of $\sigma = 2$
hardly disturbs it.
""",
                r"""
라이브러리 없이 할 수 있는 두 가지 변환입니다. **이동**은 이미지를 픽셀 단위로 옮기고 빈자리는 가장자리 픽셀로
채웁니다. **잡음**은 모든 픽셀에 $\varepsilon \sim N(0, \sigma^2)$를 더합니다. $\sigma$가 작으면 신경망의 기울어진
정도에 벌점을 주는 것과 같아서, 가까운 입력에는 가까운 답을 내게 됩니다(Bishop 1995).

0에서 16까지의 밝기를 가진 8×8 이미지로 둘 다 움직여 보십시오. 한 픽셀은 작아 보이지만 이미지 너비의 8분의 1입니다. 표의
단순한 판정은 한 픽셀만 옮겨도 자주 틀리지만 *사람*은 틀리지 않습니다. 이것은 판정의 약점이며, 이동 증강은 신경망이 바로
이 약점을 이겨 내도록 가르칩니다. $\sigma = 2$ 정도의 잡음에는 거의 흔들리지 않습니다.
""",
            ),
            play=Play("pixels", Words("Move a digit and add noise", "숫자를 옮기고 잡음 넣기"), (
                _DIGIT,
                Control("right", Words("To the right", "오른쪽으로"), 1, -3, 3, unit="px"),
                Control("down", Words("Down", "아래로"), 0, -3, 3, unit="px"),
                Control("std", Words("Noise σ", "잡음 σ"), 2.0, 0.0, 8.0, 0.5),
                Control("seed", Words("Seed of the noise", "잡음의 난수 시드"), 0, 0, 9999),
            ), figures.show_pixels),
            code="""\
import numpy as np
from trainclinic.lab import augmentation, digit_images

six = digit_images.DIGITS[6]
print(augmentation.shift(six, right=1, down=0).astype(int))
print(augmentation.noise(six, 2.0, np.random.default_rng(0)).round(1))
""",
        ),
        Section(
            Words("Mixup: the label changes along", "mixup: 레이블도 함께 섞습니다"),
            Words(
                r"""
Mixup (Zhang et al. 2018) breaks the rule in an honest way: it does change the answer, and changes the label by just as
much. Two samples are averaged with a share $\lambda$, and so are their one-hot labels:

$$\tilde{x} = \lambda x_1 + (1-\lambda)\,x_2, \qquad \tilde{y} = \lambda y_1 + (1-\lambda)\,y_2, \qquad
\lambda \sim \mathrm{Beta}(\alpha, \alpha).$$

The label becomes *soft*: $0.7$ of a 6 and $0.3$ of a 1. A network that must say 70 % between two classes cannot become
sure of everything, and is pulled towards straight lines between the samples. With $\alpha = 0.4$, as in the experiment,
$\lambda$ is mostly near $0$ or $1$. The training loss of soft labels never reaches $0$: read the validation loss.
""",
                r"""
mixup(Zhang 외 2018)은 앞의 규칙을 정직하게 어깁니다. 답이 달라지는 만큼 레이블도 똑같이 바꿉니다. 두 샘플을 비율
$\lambda$로 섞고 원-핫 레이블도 같은 비율로 섞습니다.

$$\tilde{x} = \lambda x_1 + (1-\lambda)\,x_2, \qquad \tilde{y} = \lambda y_1 + (1-\lambda)\,y_2, \qquad
\lambda \sim \mathrm{Beta}(\alpha, \alpha).$$

레이블은 *부드러워집니다*. 6이 $0.7$, 1이 $0.3$인 식입니다. 두 클래스 사이에서 70%라고 답해야 하는 신경망은 모든 것을
확신할 수 없고, 샘플 사이를 직선에 가깝게 잇게 됩니다. 실험처럼 $\alpha = 0.4$이면 $\lambda$는 대부분 $0$이나 $1$에
가깝습니다. 부드러운 레이블의 훈련 손실은 $0$이 되지 않으므로 검증 손실을 보아야 합니다.
""",
            ),
            play=Play("mixup", Words("Mix two digits", "숫자 두 개 섞기"), (
                _DIGIT,
                _DIGIT.to("1", name="other", label=Words("Other digit", "다른 숫자")),
                Control("share", Words("Share λ of the first", "첫 숫자의 비율 λ"), 0.7, 0.0, 1.0, 0.05),
            ), figures.show_mixup),
        ),
        Section(
            Words("What it does with 100 samples", "샘플 100개에서의 효과"),
            Words(
                """
Twelve real trainings: 100 digits, 3 hidden layers of 256 units, 100 epochs, each kind with three seeds. Measured here:

| augmentation | as they are | moved by a pixel |
| --- | --- | --- |
| none | 0.878 | 0.367 |
| noise | **0.901** | 0.381 |
| shift | 0.862 | **0.778** |
| mixup | 0.873 | 0.311 |

Left, *noise* helps with every seed, *shift* costs a little, mixup changes little. Right are the same networks on
validation images moved by one pixel: now shift is worth 41 points. The digits of this data set are centred, so the
unmoved images never ask for what the shifted training taught. **Augment with the changes that you will meet**; others
may cost accuracy.
""",
                """
실제 학습 12번의 결과입니다. 숫자 100개, 유닛 256개짜리 은닉층 3개, 100에폭이고, 방법마다 시드 세 개를 썼습니다.
측정값은 다음과 같습니다.

| 증강 | 그대로 | 한 픽셀 이동 |
| --- | --- | --- |
| 없음 | 0.878 | 0.367 |
| 잡음 | **0.901** | 0.381 |
| 이동 | 0.862 | **0.778** |
| mixup | 0.873 | 0.311 |

왼쪽에서 *잡음*은 모든 시드에서 도움이 되고, *이동*은 조금 손해이며, mixup은 별 차이가 없습니다. 오른쪽은 같은 신경망을
한 픽셀 옮긴 검증 이미지로 평가한 것입니다. 여기서는 이동의 효과가 41%포인트입니다. 이 데이터의 숫자는 가운데에 맞춰져
있어서, 옮기지 않은 이미지로는 이동 증강이 가르친 것을 물을 일이 없습니다. **실제로 만날 변화로 증강하십시오.** 다른
변화는 정확도를 깎을 수 있습니다.
""",
            ),
            Drawing("effect", Words("Validation accuracy after training on 100 digits, three seeds each",
                                    "숫자 100개로 학습한 뒤의 검증 정확도, 시드 세 개씩"), figures.effect),
        ),
        Section(
            Words("Rules of use", "사용할 때의 규칙"),
            Words(
                """
1. **Split first, then augment the training part only.** A changed copy of a training image in the validation set is an
   answer that was given away.
2. **Draw anew in every epoch**, in the loader, and do not store ten copies: the more epochs, the more samples.
3. **Give it time.** The task is harder, so training may take several times the epochs: after 15 epochs shift was still
   10 points behind none, after 100 it was 2.
4. **Judge on validation data as they will come**, and count over several seeds: with 449 validation images, an accuracy
   of 0.88 is uncertain by 0.015.
5. It is next best to more data. With all 1,348 training digits the same network reaches 0.985 without any of it.
""",
                """
1. **먼저 나누고, 훈련 데이터만 증강합니다.** 훈련 이미지를 바꾼 사본이 검증 데이터에 들어가면 답을 미리 알려 준
   셈입니다.
2. **에폭마다 새로 뽑습니다.** 사본 열 장을 저장해 두지 말고 로더에서 바꾸십시오. 에폭이 늘수록 샘플도 늘어납니다.
3. **시간을 더 주십시오.** 문제가 어려워지므로 에폭이 몇 배 더 필요할 수 있습니다. 이동 증강은 15에폭에서는 증강이
   없을 때보다 10%포인트 뒤처졌지만 100에폭에서는 2%포인트까지 따라왔습니다.
4. **실제로 들어올 모습의 검증 데이터로 판단하고**, 시드를 여러 개 쓰십시오. 검증 이미지가 449장이면 정확도 0.88의
   불확실성은 0.015입니다.
5. 데이터를 더 모으는 것 다음으로 좋은 방법입니다. 훈련 숫자 1,348장을 모두 쓰면 같은 신경망이 증강 없이도 0.985에
   이릅니다.
""",
            ),
        ),
    )  # fmt: skip
    experiment: ClassVar[Experiment] = Experiment(
        figures.SETTINGS,
        ("augmentation", "samples", "epochs", "width", "depth", "batch_size"),
        ("gradient_rms", "activation_rms", "activation_mean", "dead_unit_fraction", "update_ratio"),
    )
    tries: ClassVar[tuple[Try, ...]] = (
        Try(
            Words("Switch augmentation to noise. The training loss hardly changes; does the accuracy?",
                  "증강을 '잡음'으로 바꾸어 보십시오. 훈련 손실은 거의 같은데 정확도는 어떻습니까?"),
            {"augmentation": "noise"},
            Words("It rises. After 100 epochs the validation accuracy is 0.89 to 0.92 with seeds 0, 1 and 2, against "
                  "0.884, 0.880 and 0.869 without: two to three points more on average. The lowest validation loss "
                  "falls from about 0.36 to 0.30 or less. The training loss ends near 0 in both.",
                  "올라갑니다. 100에폭 뒤의 검증 정확도는 시드 0, 1, 2에서 0.89~0.92로, 증강이 없을 때의 0.884, 0.880, "
                  "0.869보다 평균 2~3%포인트 높습니다. 검증 손실의 최저점은 약 0.36에서 0.30 이하로 내려갑니다. 훈련 "
                  "손실은 양쪽 모두 거의 0으로 끝납니다."),
        ),
        Try(
            Words("Switch it to shift. Why does it not help here?",
                  "증강을 '한 픽셀 이동'으로 바꾸어 보십시오. 왜 여기서는 도움이 되지 않습니까?"),
            {"augmentation": "shift"},
            Words("The validation accuracy ends at 0.84 to 0.88, a little below none. These digits are "
                  "centred in both sets: the network spends its units on positions that never come. Asked about "
                  "moved images it is right in 78 % instead of 37 %, as the figure above shows.",
                  "검증 정확도는 0.84~0.88로 끝나서 증강이 없을 때보다 조금 낮습니다. 이 데이터의 숫자는 "
                  "훈련 데이터와 검증 데이터 모두 가운데에 맞춰져 있어서, 신경망은 나오지 않을 위치에 유닛을 씁니다. "
                  "옮긴 이미지로 물으면 위의 그림처럼 37%가 아니라 78%를 맞힙니다."),
        ),
        Try(
            Words("Switch it to mixup. What happens to the training loss?",
                  "증강을 mixup으로 바꾸어 보십시오. 훈련 손실은 어떻게 됩니까?"),
            {"augmentation": "mixup"},
            Words("It swings between 0.1 and 0.9 to the end and never comes to rest at 0: with soft labels 0 cannot be "
                  "reached. The validation accuracy, 0.86 to 0.90, is about that of no augmentation; the validation "
                  "loss ends 0.01 to 0.11 above its lowest point.",
                  "끝까지 0.1에서 0.9 사이를 오르내리며 0에 머무르지 않습니다. 부드러운 레이블에서는 0이 될 수 "
                  "없기 때문입니다. 검증 정확도는 0.86~0.90으로 증강이 없을 때와 비슷하고, 검증 손실은 최저점보다 "
                  "0.01~0.11 높게 끝납니다."),
        ),
        Try(
            Words("Take all the samples, 20 epochs, no augmentation. How does it compare?",
                  "샘플을 모두 쓰고, 20에폭, 증강 없이 학습해 보십시오. 어떻게 다릅니까?"),
            {"samples": 1400, "epochs": 20},
            Words("The validation accuracy is 0.987, 0.987 and 0.982. Real samples are worth more than any changed "
                  "ones: the best augmentation of 100 samples stays 6 to 8 points below.",
                  "검증 정확도가 0.987, 0.987, 0.982입니다. 실제 샘플은 어떤 변형보다 값집니다. 샘플 100개를 가장 "
                  "잘 증강해도 6~8%포인트 낮습니다."),
        ),
    )  # fmt: skip
