"""Chapter 8: early stopping."""

from __future__ import annotations

from typing import ClassVar

from trainclinic.lab.chapter import Chapter, Experiment, Section, Try
from trainclinic.lab.chapters._early_stopping import CRITERIA, SETTINGS, STOP
from trainclinic.lab.words import Words


class EarlyStopping(Chapter):
    """Stop when the validation loss has stopped falling, and keep the best weights."""

    number: ClassVar[int] = 8
    title: ClassVar[Words] = Words("Early stopping", "조기종료")
    lead: ClassVar[Words] = Words(
        "An overfitting network was good once, on the way. Early stopping notices that the validation loss no longer "
        "falls, ends the training, and puts the weights of the best epoch back.",
        "과적합된 신경망도 학습 도중에는 좋았던 때가 있습니다. 조기종료는 검증 손실이 더 내려가지 않는 것을 "
        "알아채고 학습을 끝낸 뒤, 가장 좋았던 에폭의 가중치로 되돌립니다.",
    )
    text: ClassVar[tuple[Section, ...]] = (
        Section(
            Words("The stop on the curves", "곡선 위의 종료 시점"),
            Words(
                """
A real training on 200 digits of which 40 % got a label drawn at random. The network, 3 layers of 256 units, could
recite all of them, and after 120 epochs it does: the training loss is 0.002.

The validation loss is lowest at epoch 21, at 0.918. Nobody can know that *at* epoch 21; it takes some epochs without
anything better to believe it. The green band is that wait, ten epochs here. At epoch 31 the training stops, and the
weights of epoch 21 are put back. The dotted lines are what would have followed: up to a loss of 1.24, a third worse,
for four times the work.

So early stopping costs some epochs of waiting, and saves all that come after.
""",
                """
숫자 200장으로 한 실제 학습이며, 그중 40%는 레이블을 무작위로 다시 뽑았습니다. 유닛 256개짜리 층 3개인 이 신경망은
모든 샘플을 외울 수 있고, 120에폭 뒤에는 정말 외웁니다. 훈련 손실이 0.002입니다.

검증 손실은 21에폭에서 0.918로 가장 낮습니다. 하지만 21에폭 *당시에는* 그것을 알 수 없습니다. 더 나은 값 없이 몇
에폭이 지나야 믿을 수 있습니다. 초록 띠가 그 기다림이고, 여기서는 10에폭입니다. 31에폭에서 학습을 멈추고 21에폭의
가중치로 되돌립니다. 점선은 계속했을 때의 모습입니다. 네 배나 더 학습하고도 손실은 3분의 1이 늘어난 1.24가 됩니다.

결국 조기종료는 기다리는 몇 에폭을 치르고 그 뒤의 모든 에폭을 아낍니다.
""",
            ),
            STOP,
        ),
        Section(
            Words("Patience and min_delta", "인내(patience)와 min_delta"),
            Words(
                r"""
After every epoch compare the validation loss $E_t$ with the best so far, $E_{opt}$:

$$E_t < E_{opt} - \delta \;\Rightarrow\; \text{counter} = 0, \qquad \text{else counter} + 1; \qquad
\text{counter} \ge \text{patience} \;\Rightarrow\; \text{stop}.$$

**Patience** is how many epochs in a row without an improvement are borne. Too small, and the first bump of the curve
ends the training: on the curve above a patience of 1 stops at epoch 6 with a loss of 1.015. Too large, and epochs are
wasted; with the best weights restored nothing else is lost.

**min_delta** ($\delta$) is the smallest improvement that counts, so that a curve which creeps down by a thousandth
does not train on for ever. Set it well below the steps that matter to you; here 0.1 is so much that the search ends
at epoch 14.
""",
                r"""
에폭이 끝날 때마다 검증 손실 $E_t$를 지금까지의 최저값 $E_{opt}$와 비교합니다.

$$E_t < E_{opt} - \delta \;\Rightarrow\; \text{횟수} = 0, \qquad \text{아니면 횟수} + 1; \qquad
\text{횟수} \ge \text{인내} \;\Rightarrow\; \text{종료}.$$

**인내**(patience)는 개선 없이 연달아 몇 에폭까지 기다릴지를 정합니다. 너무 작으면 곡선이 처음 출렁일 때 끝나
버립니다. 위 곡선에서 1이면 6에폭에서 손실 1.015로 멈춥니다. 너무 크면 에폭을 낭비하지만, 최적 가중치로 되돌린다면
다른 손해는 없습니다.

**min_delta**($\delta$)는 개선으로 쳐 주는 최소 폭입니다. 손실이 0.001씩만 내려가는 곡선을 끝없이 학습하지 않게 해
줍니다. 의미 있는 개선보다 훨씬 작게 정하십시오. 여기서 0.1은 너무 커서 14에폭에서 끝납니다.
""",
            ),
        ),
        Section(
            Words("Restore the best weights, from a copy", "최적 가중치 되돌리기: 반드시 복사본으로"),
            Words(
                """
When the training stops, the network has the weights of the *last* epoch, not of the best. So whenever the loss is the
best so far, keep the weights, and put them back at the end. Two mistakes are common:

1. `kept = model.state_dict()` keeps no weights at all. It holds references to the very tensors that go on changing; at
   the end they are the last ones. `copy.deepcopy` makes them stay. The lines below show both.
2. Restoring only *if* the training was stopped. Where the epochs run out first, the best epoch may still lie behind:
   restore in any case.

The remedy behind the experiment's setting `patience` does both. Copying costs as much memory as the network, and no
time worth mentioning.
""",
                """
학습을 멈춘 순간 신경망에는 가장 좋았던 에폭이 아니라 *마지막* 에폭의 가중치가 들어 있습니다. 그래서 손실이 최저일
때마다 가중치를 보관했다가 끝에서 되돌립니다. 자주 하는 실수가 둘 있습니다.

1. `kept = model.state_dict()`는 가중치를 보관하지 못합니다. 계속 바뀌는 바로 그 텐서를 가리킬 뿐이어서 끝에 보면
   마지막 가중치가 되어 있습니다. `copy.deepcopy`를 써야 남습니다. 아래 코드가 둘을 비교합니다.
2. 조기종료가 걸렸을 때*만* 되돌리는 것입니다. 정해진 에폭을 다 채우고 끝나도 최적 에폭은 이미 지났을 수 있으니 언제나
   되돌리십시오.

실험의 `patience` 설정은 두 가지를 모두 지킵니다. 복사에는 신경망만큼의 메모리가 들 뿐, 시간은 거의 들지 않습니다.
""",
            ),
            code="""\
import copy

import torch
from torch import nn

model = nn.Linear(1, 1)
reference, kept = model.state_dict(), copy.deepcopy(model.state_dict())
with torch.no_grad():
    model.weight += 1  # the training goes on
print("reference is still the best:", torch.equal(reference["weight"], kept["weight"]))  # False: it moved along
model.load_state_dict(kept)
""",
        ),
        Section(
            Words("Prechelt's criteria: GL, PQ, UP", "Prechelt의 기준: GL, PQ, UP"),
            Words(
                r"""
Prechelt (1998) put the question in numbers and compared three families over 1,296 trainings.

**GL** stops when the loss is more than $\alpha$ percent above its best:
$GL(t) = 100\,\left(\frac{E_{va}(t)}{E_{opt}(t)} - 1\right) > \alpha$.

**PQ** waits as long as the training still moves. Over a strip of $k = 5$ epochs it measures the progress
$P_k(t) = 1000\,\left(\frac{\overline{E}_{tr}}{\min E_{tr}} - 1\right)$, and stops when $GL(t)/P_k(t) > \alpha$.

**UP** asks only for the sign: stop when the validation loss, looked at every 5 epochs, has risen $s$ times in a row, by
however little.

Move the controls. The curve is stored, of the run above; dashed is the stop, the dot the best epoch by then, and the
table says what it cost.
""",
                r"""
Prechelt(1998)는 이 질문을 수로 나타내고 세 가지 기준을 학습 1,296번으로 비교했습니다.

**GL**은 손실이 최저값보다 $\alpha$퍼센트 넘게 높아지면 멈춥니다.
$GL(t) = 100\,\left(\frac{E_{va}(t)}{E_{opt}(t)} - 1\right) > \alpha$.

**PQ**는 학습이 아직 나아가는 동안은 기다립니다. $k = 5$에폭 구간의 진척
$P_k(t) = 1000\,\left(\frac{\overline{E}_{tr}}{\min E_{tr}} - 1\right)$을 재고, $GL(t)/P_k(t) > \alpha$이면 멈춥니다.

**UP**은 방향만 봅니다. 5에폭마다 본 검증 손실이 폭에 상관없이 $s$번 연달아 오르면 멈춥니다.

값을 움직여 보십시오. 곡선은 위의 학습을 저장한 것입니다. 점선이 멈춘 시점, 점이 그때까지의 최적 에폭이고, 표는 그
선택으로 얼마나 손해를 보았는지 알려 줍니다.
""",
            ),
            play=CRITERIA,
        ),
        Section(
            Words("What stopping too early or too late costs", "너무 일찍, 너무 늦게 멈추면"),
            Words(
                r"""
Two columns of the table tell the two prices. **Weights restored**: a late stop costs nothing but epochs, an early one
misses the best. GL with $\alpha = 2$ falls for the bump at epoch 7 and pays 10.6 %; with $\alpha = 5$ it stops at
epoch 24 and pays nothing. **Weights as they are**: every epoch of waiting is paid for; UP with $s = 3$ stops at 35 and
would keep a loss 11 % above the best.

PQ hardly ever stops here: with $\alpha = 0.5$ at epoch 100, from $0.75$ on never. A cross-entropy that can go to 0
falls by the same *share* for a hundred epochs, and PQ takes that for progress. Prechelt's networks had squared errors:
know on what a rule was tuned.

In general slow criteria buy a little: about 4 % better results for four times the time (Prechelt 1998).
""",
                r"""
표의 두 열이 두 가지 대가를 보여 줍니다. **가중치 복원**: 늦게 멈추면 에폭만 더 들지만, 일찍 멈추면 최적점을 놓칩니다.
$\alpha = 2$인 GL은 7에폭의 출렁임에 속아 10.6%를 손해 보고, $\alpha = 5$이면 24에폭에 멈추어 손해가 없습니다.
**복원하지 않음**: 기다린 만큼 그대로 손해입니다. $s = 3$인 UP은 35에폭에서 멈추므로 최저값보다 11% 높은 손실이
남습니다.

여기서 PQ는 좀처럼 멈추지 않습니다. $\alpha = 0.5$이면 100에폭에서 멈추고, $0.75$부터는 멈추지 않습니다. 0까지 갈 수
있는 교차 엔트로피는 백 에폭 동안 같은 *비율*로 내려가는데 PQ는 그것을 진척으로 봅니다. Prechelt의 신경망은 제곱 오차를
썼습니다. 어떤 기준이 무엇에 맞춰졌는지 알고 써야 합니다.

대체로 느린 기준은 조금 더 얻습니다. 시간을 네 배 들여 결과가 4%쯤 좋아집니다(Prechelt 1998).
""",
            ),
        ),
        Section(
            Words("What to mind", "주의할 점"),
            Words(
                """
1. **The chosen loss flatters.** The epoch was picked because its validation loss is low, luck included. Keep a third
   part of the data, a test set, for the number you report.
2. **Loss or accuracy?** They need not agree: above, accuracy is highest (0.739) within the first ten epochs, loss is
   lowest at epoch 21. Watch the one you care about.
3. **Not with a schedule that ends low.** Under a cosine the best epochs come last; choose fewer epochs instead.
4. **It is no cure for the cause.** More data, right labels, dropout (chapter 5) or weight decay (chapter 7) lower the
   curve itself; early stopping finds its lowest point. They go together.
5. **Patience** of a tenth of the planned epochs is a fair start.
""",
                """
1. **고른 손실은 실제보다 좋아 보입니다.** 운까지 포함해 검증 손실이 낮아서 고른 에폭이기 때문입니다. 보고할 수치는
   따로 떼어 둔 테스트 데이터로 재십시오.
2. **손실과 정확도 중 무엇을 봅니까?** 둘이 꼭 일치하지는 않습니다. 위에서 정확도는 처음 열 에폭 안에 가장 높고(0.739),
   손실은 21에폭에 가장 낮습니다. 중요한 쪽을 보십시오.
3. **학습률이 끝에서 낮아지는 스케줄과는 맞지 않습니다.** 코사인 스케줄에서는 마지막 에폭이 가장 좋으므로 에폭 수를
   줄이십시오.
4. **원인을 고치지는 않습니다.** 더 많은 데이터, 올바른 레이블, 드롭아웃(5장), 가중치 감쇠(7장)는 곡선 자체를 낮추고,
   조기종료는 그 최저점을 찾습니다. 함께 쓰십시오.
5. **인내**는 계획한 에폭의 10분의 1쯤에서 시작하면 무난합니다.
""",
            ),
        ),
    )  # fmt: skip
    experiment: ClassVar[Experiment] = Experiment(
        SETTINGS,
        ("patience", "epochs", "samples", "label_noise", "width", "dropout", "learning_rate"),
        ("weight_rms", "gradient_rms", "update_ratio", "activation_rms"),
    )
    tries: ClassVar[tuple[Try, ...]] = (
        Try(
            Words("Set patience to 10. When does it stop, and which epoch does it keep?",
                  "인내를 10으로 바꾸어 보십시오. 언제 멈추고 어느 에폭을 남깁니까?"),
            {"patience": 10},
            Words("With seeds 0, 1 and 2 it stops after epochs 31, 22 and 24 and keeps 21, 12 and 14: the best of "
                  "the whole 120 each time. Without it the validation loss goes from 0.96 at its best to 1.27 on "
                  "average, and the diagnosis is overfitting; with it nothing is diagnosed, for a quarter of the "
                  "epochs.",
                  "시드 0, 1, 2에서 31, 22, 24에폭에 멈추고 21, 12, 14에폭을 남깁니다. 모두 120에폭 전체에서 가장 "
                  "좋은 에폭입니다. 조기종료가 없으면 검증 손실이 최저 0.96에서 평균 1.27까지 오르고 과적합으로 "
                  "진단되지만, 있으면 에폭의 4분의 1만 쓰고 진단되는 문제가 없습니다."),
        ),
        Try(
            Words("Set it to 1. What goes wrong?", "1로 바꾸어 보십시오. 무엇이 잘못됩니까?"),
            {"patience": 1},
            Words("The first bump ends it, after 6, 7 and 8 epochs. The loss that is kept is 1.015, 0.975 and "
                  "1.064, where 0.918, 0.929 and 1.044 were to be had: up to 11 % given away, depending on the "
                  "seed.",
                  "처음 출렁일 때 바로 끝나서 6, 7, 8에폭에 멈춥니다. 남는 손실은 1.015, 0.975, 1.064인데 0.918, "
                  "0.929, 1.044까지 갈 수 있었습니다. 시드에 따라 최대 11%를 놓칩니다."),
        ),
        Try(
            Words("Set it to 40. What does it cost?", "40으로 바꾸어 보십시오. 무엇을 치릅니까?"),
            {"patience": 40},
            Words("Epochs only: it stops after 61, 52 and 54, thirty later than with 10, and keeps the same "
                  "weights. But the last loss before the restore is 1.11, 1.08 and 1.20: without the restore it "
                  "would be costly.",
                  "에폭만 더 듭니다. 61, 52, 54에폭에 멈추어 10일 때보다 30에폭 늦지만 남는 가중치는 같습니다. "
                  "다만 되돌리기 직전의 손실은 1.11, 1.08, 1.20이므로, 되돌리지 않았다면 손해가 컸을 것입니다."),
        ),
        Try(
            Words("Learning rate 0.005, patience 10. Where is the best epoch now?",
                  "학습률 0.005, 인내 10으로 해 보십시오. 최적 에폭은 어디입니까?"),
            {"learning_rate": 0.005, "patience": 10},
            Words("At 3, 4 and 5, with stops at 13, 14 and 15. Ten times the rate learns by heart much faster: without "
                  "the stop the loss goes to about 1.96. The wait alone is now enough for the curve to climb to 1.4 "
                  "and more, so that the diagnosis still says overfitting; the weights that were restored are fine.",
                  "3, 4, 5에폭이고 13, 14, 15에폭에 멈춥니다. 학습률이 열 배면 외우는 것도 훨씬 빨라서, 멈추지 "
                  "않으면 손실이 1.96쯤까지 갑니다. 기다리는 동안에도 곡선이 1.4 넘게 올라가므로 진단은 여전히 "
                  "과적합이라고 하지만, 되돌린 가중치는 괜찮습니다."),
        ),
        Try(
            Words("Dropout 0.5, patience 10. Does it stop?", "드롭아웃 0.5, 인내 10으로 해 보십시오. 멈춥니까?"),
            {"dropout": 0.5, "patience": 10},
            Words("No: with seeds 0, 1 and 2 the loss is still finding new lows at epochs 114 to 120. It ends at "
                  "the same 0.96, but with an accuracy of 0.78 to 0.82 where early stopping alone had 0.71.",
                  "멈추지 않습니다. 시드 0, 1, 2 모두 114~120에폭에서도 최저 손실이 새로 나옵니다. 손실은 같은 "
                  "0.96으로 끝나지만, 정확도는 조기종료만 쓴 0.71보다 높은 0.78~0.82입니다."),
        ),
    )  # fmt: skip
