"""Chapter 3: batch size, iteration, epoch."""

from __future__ import annotations

from typing import ClassVar

from trainclinic.lab.chapter import Chapter, Drawing, Experiment, Section, Try
from trainclinic.lab.chapters._batch_size import CALCULATOR, CLOUDS, TRAINED, WORKBOOK, curves, noise
from trainclinic.lab.words import Words

ITERATIONS = """\
import torch
from torch.utils.data import DataLoader, TensorDataset

samples = TensorDataset(torch.randn(3000, 4), torch.randn(3000, 1))
loader = DataLoader(samples, batch_size=300, shuffle=True)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

updates = 0
for x, y in loader:                                        # one epoch
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(x), y).backward()   # mark the batch
    optimizer.step()                                       # learn from it: one update
    updates += 1
print(updates)  # 10
"""


class BatchSize(Chapter):
    """Batch size, iteration and epoch: how many samples stand behind an update, and what that does to it."""

    number: ClassVar[int] = 3
    title: ClassVar[Words] = Words("Batch size, iteration, epoch", "배치 크기, 반복, 에폭")
    lead: ClassVar[Words] = Words(
        "Three words for how the training data is cut up, told with a workbook and counted on a real DataLoader. "
        "Then what the cut does: a small batch gives many noisy updates, a large one few quiet ones.",
        "훈련 데이터를 어떻게 나누는지를 말하는 세 단어를 문제집에 빗대어 설명하고 실제 DataLoader로 세어 봅니다. "
        "그리고 그 결과를 봅니다. 작은 배치는 잡음 섞인 업데이트를 많이, 큰 배치는 잔잔한 업데이트를 적게 만듭니다.",
    )

    text: ClassVar[tuple[Section, ...]] = (
        Section(
            Words("Batch size: how many problems before you mark", "배치 크기: 몇 문제를 풀고 채점하는가"),
            Words(
                "Someone learns from a workbook. They solve a few problems, then turn to the answers and mark them. "
                "Solving alone teaches little; the marking does: it shows why an answer was wrong, and also what "
                "made a right one right. How many problems are solved between two markings is a choice. With **100 "
                "problems**, **20 at a time**, the book is marked 5 times.\n\n"
                "A network does the same. It computes outputs for some samples (solving), the loss compares them "
                "with the targets (marking), and the gradient says how each parameter should change (learning why). "
                "The number of samples per marking is the **batch size**, here 20, and each marking ends in one "
                "update. In the picture every square is a problem; its colour is the round in which it is marked.",
                "어떤 사람이 문제집으로 공부합니다. 몇 문제를 풀고 나서 답지를 펴고 채점합니다. 풀기만 해서는 배우는 "
                "것이 적고, 채점할 때 배웁니다. 틀린 문제는 왜 틀렸는지, 맞힌 문제는 무엇 덕분에 맞혔는지 알게 되기 "
                "때문입니다. 채점과 채점 사이에 몇 문제를 풀지는 스스로 정합니다. **100문제**를 **20문제씩** 풀면 "
                "문제집을 5번 채점합니다.\n\n"
                "신경망도 마찬가지입니다. 샘플 몇 개의 출력을 계산하고(풀기), 손실이 그 출력을 정답과 "
                "비교하고(채점), 기울기가 각 파라미터를 어떻게 바꿀지 알려 줍니다(이유 배우기). 한 번 채점할 때의 "
                "샘플 수가 **배치 크기**이고 여기서는 20입니다. 채점 한 번이 업데이트 한 번으로 끝납니다. 그림에서 "
                "네모 하나가 문제 하나이고, 색은 그 문제를 채점하는 회차입니다.",
            ),
            play=WORKBOOK,
        ),
        Section(
            Words("Iteration: one batch, one update", "반복: 배치 하나, 업데이트 한 번"),
            Words(
                "An **iteration** is one batch gone through: forward pass, loss, backward pass, one step of the "
                "optimizer. The number of batches in the data set is the number of iterations per epoch:\n\n"
                r"$$\text{iterations} = \left\lceil \frac{\text{samples}}{\text{batch size}} \right\rceil = "
                r"\frac{3000}{300} = 10$$"
                "\n\nWith 3,000 samples in batches of 300 the parameters are updated 10 times. The lines below count "
                "it on a real `DataLoader` with a real optimizer. In between two updates the weights stay as they "
                "are: all 300 samples of a batch are judged by the same network.",
                "**반복**(iteration)은 배치 하나를 처리하는 일입니다. 순전파, 손실, 역전파, 그리고 옵티마이저의 한 "
                "걸음까지입니다. 데이터셋 안의 배치 수가 곧 에폭당 반복 수입니다.\n\n"
                r"$$\text{반복 수} = \left\lceil \frac{\text{샘플 수}}{\text{배치 크기}} \right\rceil = "
                r"\frac{3000}{300} = 10$$"
                "\n\n샘플 3,000개를 300개씩 나누면 파라미터가 10번 업데이트됩니다. 아래 코드는 실제 `DataLoader`와 "
                "실제 옵티마이저로 그 수를 셉니다. 업데이트와 업데이트 사이에는 가중치가 변하지 않으므로, 한 배치의 "
                "샘플 300개는 모두 같은 신경망이 채점합니다.",
            ),
            code=ITERATIONS,
        ),
        Section(
            Words("Epoch: the book from cover to cover", "에폭: 문제집을 처음부터 끝까지"),
            Words(
                "An **epoch** is over when the whole workbook has been solved and marked, from cover to cover: every "
                "sample has been used once. A training makes iterations × epochs updates in all.\n\n"
                "Mostly the batch size does not divide the number of samples, and the **last batch** is smaller: "
                "1,000 samples in batches of 300 give 3 full batches and one of 100. Its gradient is the mean over "
                "its own samples only, so each of these counts three times as much as the others. `drop_last=True` "
                "leaves that batch out; with `shuffle=True` other samples are left out in each epoch. Try 1,000 and "
                "300 in the calculator, with and without. It counts as PyTorch's `DataLoader` does.",
                "**에폭**(epoch)은 문제집을 처음부터 끝까지 다 풀고 채점까지 마쳤을 때, 곧 모든 샘플을 한 번씩 썼을 "
                "때 끝납니다. 학습 전체의 업데이트 수는 에폭당 반복 수 × 에폭 수입니다.\n\n"
                "배치 크기가 샘플 수를 나누어떨어뜨리지 못하는 때가 많고, 그러면 **마지막 배치**가 더 작습니다. 샘플 "
                "1,000개를 300개씩 나누면 꽉 찬 배치 3개와 100개짜리 배치 하나가 됩니다. 그 배치의 기울기는 자기 "
                "샘플만의 평균이므로 그 샘플 하나하나는 다른 샘플보다 세 배 무겁게 반영됩니다. `drop_last=True`는 그 "
                "배치를 버립니다. `shuffle=True`이면 버려지는 샘플이 에폭마다 달라집니다. 계산기에 1,000과 300을 "
                "넣고 두 경우를 비교해 보십시오. 계산기는 PyTorch의 `DataLoader`와 똑같이 셉니다.",
            ),
            play=CALCULATOR,
        ),
        Section(
            Words("The gradient of a batch is a guess", "배치의 기울기는 어림값입니다"),
            Words(
                "What one would like to follow is the gradient $G$ over all training samples. A batch gives only the "
                "mean over its own, and another batch would give another one. Each dot is the gradient of one random "
                "batch, from a small network on digits: how far it goes along $G$ (the red dot, at 1), and how far "
                "it strays in the one direction across $G$ in which samples differ most.\n\n"
                "Move the batch size: the cloud shrinks, its centre stays. On average even the smallest batch is "
                "right, which is why training with it works. Then look after 10 epochs: $G$ itself has become short, "
                "the samples still disagree, and in units of $|G|$ the same batch size is much noisier.",
                "우리가 따르고 싶은 것은 훈련 샘플 전체의 기울기 $G$입니다. 배치는 자기 샘플만의 평균을 주고, 다른 "
                "배치는 또 다른 값을 줍니다. 점 하나가 무작위 배치 하나의 기울기이며, 숫자 이미지를 학습하는 작은 "
                "신경망에서 잰 것입니다. 가로는 $G$ 방향(빨간 점이 1)으로 얼마나 갔는지, 세로는 $G$에 수직인 방향 "
                "가운데 샘플마다 가장 많이 다른 방향으로 얼마나 벗어났는지입니다.\n\n"
                "배치 크기를 움직여 보십시오. 구름은 줄어들지만 중심은 그대로입니다. 가장 작은 배치도 "
                "평균으로는 맞으며, 그래서 작은 배치로도 학습이 됩니다. 이제 10에폭 뒤를 봅니다. $G$ 자체는 "
                "짧아졌는데 샘플끼리는 여전히 엇갈려서, $|G|$ 단위로 보면 같은 배치 크기에서 잡음이 훨씬 큽니다.",
            ),
            play=CLOUDS,
        ),
        Section(
            Words("Four times the samples, half the noise", "샘플이 네 배면 잡음은 절반"),
            Words(
                "The noise of a mean over $B$ samples falls as $1/\\sqrt{B}$. The dots are measured over 200 batches "
                "on the real network, the lines are the law:\n\n"
                r"$$\frac{\text{noise}}{|G|} = \frac{\sqrt{B_\text{simple}}}{\sqrt{B}}, \qquad "
                r"B_\text{simple} = \frac{\operatorname{tr}\Sigma}{|G|^2}$$"
                "\n\n$\\Sigma$ is the covariance of the gradients of single samples. $B_\\text{simple}$ is the "
                "**noise scale** (McCandlish et al. 2018), the batch size at which noise and gradient are equally "
                "long: the dotted line. Below it, a larger batch helps almost in proportion; far above it, more "
                "samples are mostly wasted. Here it grows from 36 to about 980 in 10 epochs, so one value taken "
                "before training misleads. At the right the dots fall below the lines: a batch drawn without "
                "replacement that holds nearly all 1,348 samples has hardly any noise left.",
                "샘플 $B$개의 평균에 남는 잡음은 $1/\\sqrt{B}$로 줄어듭니다. 점은 실제 신경망에서 배치 200개로 잰 "
                "값이고, 선은 법칙입니다.\n\n"
                r"$$\frac{\text{잡음}}{|G|} = \frac{\sqrt{B_\text{simple}}}{\sqrt{B}}, \qquad "
                r"B_\text{simple} = \frac{\operatorname{tr}\Sigma}{|G|^2}$$"
                "\n\n$\\Sigma$는 샘플 하나하나의 기울기의 공분산입니다. $B_\\text{simple}$은 **잡음 척도**(noise "
                "scale, McCandlish 외 2018)로, 잡음과 기울기의 길이가 같아지는 배치 크기입니다(점선). 그보다 작을 "
                "때는 배치를 키운 만큼 거의 비례해서 도움이 되고, 훨씬 클 때는 샘플을 더 넣어도 대부분 낭비입니다. "
                "여기서는 10에폭 동안 36에서 약 980으로 커지므로, 학습 전에 한 번 잰 값은 오해를 부릅니다. 오른쪽 "
                "끝에서 점이 선 아래로 내려가는 까닭은, 비복원 추출로 1,348개를 거의 다 담은 배치에는 잡음이 거의 "
                "남지 않기 때문입니다.",
            ),
            Drawing(
                "noise",
                Words(
                    "Spread of the gradient of random batches, measured, beside 1/√B.",
                    "무작위 배치의 기울기가 흩어지는 정도를 잰 값과 1/√B.",
                ),
                noise,
            ),
        ),
        Section(
            Words("What the loss curve shows", "손실 곡선에서 보이는 것"),
            Words(
                "The same network, the same learning rate 0.1, 10 epochs, batches of 8, 64 and 512. On the left, "
                "against **updates**: up to about 30 updates the three run together, although 512 has seen 64 times "
                "as many samples as 8. Batch size 8 jumps up and down, because each point is the loss of only 8 "
                "samples, and because its steps are noisy.\n\n"
                "On the right, against **epochs**: 8 is far ahead, since an epoch gives it 169 updates, against 22 "
                "and 3. So ask of every comparison whether it counts epochs or updates. A jagged curve alone is no "
                "fault: look at its mean.",
                "같은 신경망, 같은 학습률 0.1, 10에폭, 배치 크기만 8, 64, 512입니다. 왼쪽은 **업데이트 수**를 "
                "가로축으로 둡니다. 약 30번까지는 셋이 나란히 내려갑니다. 512는 8보다 64배 많은 샘플을 보았는데도 "
                "그렇습니다. 배치 크기 8의 곡선이 크게 오르내리는 까닭은, 점 하나가 샘플 8개만의 손실이고 걸음 "
                "자체에도 잡음이 있기 때문입니다.\n\n"
                "오른쪽은 **에폭**이 가로축입니다. 배치 크기 8이 훨씬 앞섭니다. 한 에폭에 8은 169번, 64는 22번, "
                "512는 3번 업데이트하기 때문입니다. 그러니 비교를 볼 때마다 에폭으로 세었는지 업데이트로 세었는지 "
                "확인해야 합니다. 곡선이 들쭉날쭉하다는 것만으로는 문제가 아닙니다. 평균을 보십시오.",
            ),
            Drawing(
                "curves",
                Words(
                    "Training loss with batches of 8, 64 and 512: against updates and against epochs.",
                    "배치 크기 8, 64, 512의 훈련 손실: 업데이트 기준과 에폭 기준.",
                ),
                curves,
            ),
        ),
        Section(
            Words("Choosing a batch size", "배치 크기 고르기"),
            Words(
                "Larger batches use the hardware better, until memory is full, and make quieter updates, but fewer "
                "of them in the same time. What they save in noise can be spent on longer steps: with SGD, $k$ times "
                "the batch goes with about $k$ times the learning rate (Goyal et al. 2017), up to a limit near the "
                "noise scale; with Adam rather with $\\sqrt{k}$ times (Malladi et al. 2022).\n\n"
                "Small batches need smaller steps, or their noise throws the weights about. 32 to 256 is a fair "
                "start for a small data set. With batch normalisation the batch has a second task, its mean and "
                "variance; there, very small batches fail for another reason: chapter 4.",
                "큰 배치는 메모리가 찰 때까지 하드웨어를 더 잘 쓰고 더 잔잔한 업데이트를 만들지만, 같은 시간 안의 "
                "업데이트 수는 줄어듭니다. 줄어든 잡음만큼 걸음을 늘릴 수 있습니다. SGD에서는 배치를 $k$배로 하면 "
                "학습률도 약 $k$배로 하되(Goyal 외 2017), 한계는 잡음 척도 근처입니다. Adam에서는 "
                "$\\sqrt{k}$배가 더 맞습니다(Malladi 외 2022).\n\n"
                "작은 배치에는 작은 걸음이 필요합니다. 그렇지 않으면 잡음이 가중치를 마구 흔듭니다. 작은 "
                "데이터셋이라면 32~256이 무난한 출발점입니다. 배치정규화를 쓰면 배치에 평균과 분산을 구하는 두 번째 "
                "역할이 생기고, 아주 작은 배치는 또 다른 이유로 실패합니다. 4장에서 봅니다.",
            ),
        ),
    )

    experiment: ClassVar[Experiment] = Experiment(
        {**TRAINED, "batch_size": 64, "epochs": 20},
        ("batch_size", "epochs", "learning_rate", "optimizer", "samples", "seed"),
        ("gradient_rms", "update_ratio", "activation_rms", "backward_rms"),
    )
    tries: ClassVar[tuple[Try, ...]] = (
        Try(
            Words(
                "Take batches of 512 instead of 64, for the same 20 epochs. How many updates are left, and how far "
                "does it get?",
                "배치 크기를 64에서 512로 바꾸고 똑같이 20에폭 동안 학습시켜 보십시오. 업데이트는 몇 번으로 줄고, "
                "어디까지 배웁니까?",
            ),
            {"batch_size": 512},
            Words(
                "60 updates instead of 440: 3 an epoch instead of 22. The training loss ends at 0.20–0.26 instead of "
                "0.007, validation accuracy at 0.90–0.92 instead of 0.96 (seeds 0–2). The diagnosis finds nothing "
                "ill: the run is merely short, counted in updates.",
                "업데이트가 440번에서 60번으로 줄어듭니다. 에폭당 22번이 3번이 됩니다. 훈련 손실은 0.007 대신 "
                "0.20~0.26, 검증 정확도는 0.96 대신 0.90~0.92에서 끝납니다(시드 0~2). 진단은 아무 문제도 찾지 "
                "않습니다. 업데이트 수로 세면 학습이 짧았을 뿐입니다.",
            ),
        ),
        Try(
            Words(
                "Keep 512, and give it 140 epochs: 420 updates, about as many as 64 had. Does it catch up?",
                "배치 크기 512를 그대로 두고 140에폭 동안 학습시켜 보십시오. 업데이트는 420번으로 64일 때와 "
                "비슷합니다. 따라잡습니까?",
            ),
            {"batch_size": 512, "epochs": 140},
            Words(
                "Yes: training loss 0.006–0.008 and accuracy 0.96–0.97, as batch size 64 after 20 epochs. It has "
                "processed seven times the samples for that. On this network the number of updates decides, not the "
                "number of epochs.",
                "따라잡습니다. 훈련 손실 0.006~0.008, 정확도 0.96~0.97로, 배치 크기 64가 20에폭 뒤에 이른 값과 "
                "같습니다. 대신 샘플은 일곱 배를 처리했습니다. 이 신경망에서는 에폭 수가 아니라 업데이트 수가 결과를 "
                "정합니다.",
            ),
        ),
        Try(
            Words(
                "512 is 8 times 64. Give it 8 times the learning rate, 0.8, and only 20 epochs.",
                "512는 64의 8배입니다. 학습률도 8배인 0.8로 하고 20에폭만 학습시켜 보십시오.",
            ),
            {"batch_size": 512, "learning_rate": 0.8},
            Words(
                "60 updates are now enough for an accuracy of 0.96 (seeds 0–2), as 440 were with 64 at 0.1: quiet "
                "gradients bear longer steps. This is the linear scaling rule (Goyal et al. 2017). The training loss, "
                "at 0.01–0.03, has not caught up entirely.",
                "이제 업데이트 60번으로 정확도 0.96에 이릅니다(시드 0~2). 배치 크기 64, 학습률 0.1에서는 440번이 "
                "걸렸습니다. 잔잔한 기울기는 긴 걸음을 견딥니다. 이것이 선형 스케일링 규칙입니다(Goyal 외 2017). 다만 "
                "훈련 손실은 0.01~0.03으로 완전히 따라잡지는 못했습니다.",
            ),
        ),
        Try(
            Words(
                "Take batches of 8 with an eighth of the learning rate, 0.0125. Compare with 64 at 0.1.",
                "배치 크기를 8로, 학습률을 8분의 1인 0.0125로 하고, 64와 0.1일 때와 비교해 보십시오.",
            ),
            {"batch_size": 8, "learning_rate": 0.0125},
            Words(
                "They end alike: training loss 0.006–0.008 and accuracy 0.96 in both. Eight short noisy steps add up "
                "to about one long quiet one; 3,380 updates do here what 440 did, only slower.",
                "결과가 거의 같습니다. 둘 다 훈련 손실 0.006~0.008, 정확도 0.96입니다. 잡음 섞인 짧은 걸음 여덟 번을 "
                "더하면 잔잔하고 긴 걸음 한 번과 비슷합니다. 업데이트 3,380번이 440번과 같은 일을 하되 더 오래 "
                "걸립니다.",
            ),
            then={"batch_size": 64, "learning_rate": 0.1},
        ),
        Try(
            Words(
                "Mark after every single problem: batch size 1, for 5 epochs, with the learning rate left at 0.1.",
                "한 문제마다 채점해 보십시오. 배치 크기 1로 5에폭이고, 학습률은 0.1 그대로입니다.",
            ),
            {"batch_size": 1, "epochs": 5},
            Words(
                "It falls apart: accuracy 0.08–0.10, a guess, with all three seeds; with two of them the loss ends "
                "as NaN. The diagnosis is a learning rate that is too high. The step is too long for so noisy a "
                "gradient: with 0.0016, a 64th, 5 epochs reach 0.93–0.95.",
                "학습이 무너집니다. 세 시드 모두 정확도가 찍는 수준인 0.08~0.10이고, 그중 둘은 손실이 NaN으로 "
                "끝납니다. 진단은 너무 높은 학습률입니다. 이렇게 잡음이 많은 기울기에는 걸음이 너무 깁니다. 학습률을 "
                "64분의 1인 0.0016으로 하면 5에폭 만에 정확도 0.93~0.95에 이릅니다.",
            ),
        ),
    )
