"""Why a remedy does not fit, in Korean: a sentence for each refusal. The English ones are the remedies' own.

`{}` stands for what a refusal fills in; the Korean sentence has it by its number. A refusal begins with the id of its
remedy, which has its words elsewhere.
"""

from __future__ import annotations

#: the English sentence → the Korean one
REFUSALS: dict[str, str] = {
    # of the catalogue
    "expected {} {}, got {}; choose one inside": "{0}: {1} 안의 값이어야 하는데 {2}입니다",
    "expected the settings {}, got {}; leave the others out": "설정은 {0}인데 {1}을(를) 받았습니다. 나머지는 빼세요",
    "expected code that runs on this setup, got {}: {}; it is not applied":
        "여기에서 실행되는 코드여야 하는데 오류가 났습니다({0}: {1}). 적용하지 않았습니다",
    "one of {}": "{0} 가운데 하나",
    "at least {}": "{0} 이상",
    "at most {}": "{0} 이하",
    "from {} to {}": "{0}에서 {1}까지",
    "nothing that was tried made it better": "시도한 것 가운데 더 나아지게 한 것이 없습니다",
    # of the batches
    "train_loader is a {}, not a DataLoader; change it where it is built":
        "train_loader가 DataLoader가 아니라 {0}입니다. 만드는 곳에서 바꾸세요",
    "the data set is a stream, which cannot be drawn from at random; use a shuffle buffer":
        "데이터가 스트림이라 무작위로 뽑을 수 없습니다. 셔플 버퍼를 쓰세요",
    "train_loader has a batch sampler of its own; change that":
        "train_loader에 따로 둔 batch_sampler가 있습니다. 그것을 바꾸세요",
    "train_loader has no len(), so that it is not known how long the training is; give it one":
        "train_loader에 len()이 없어 학습 길이를 알 수 없습니다. 길이를 정해 주세요",
    "train_loader: expected batches, got none; give it data":
        "train_loader에서 배치가 하나도 나오지 않습니다. 데이터를 넣으세요",
    # of the network
    "{} is lazy, and its size not known yet; pass a batch through the model before its optimizer is built":
        "{0}의 크기가 아직 정해지지 않았습니다(Lazy). 옵티마이저를 만들기 전에 배치 하나를 통과시키세요",
    "the model cannot be run on a batch ({}: {})": "모델에 배치를 넣어 실행할 수 없습니다({0}: {1})",
    "the model cannot be copied to be looked at: {}": "모델을 살펴보려고 복사할 수 없습니다: {0}",
    "the forward of {} was replaced on the object itself": "{0}의 forward가 객체에서 직접 바뀌었습니다",
    "{} cannot be copied ({}: {})": "{0}을(를) 복사할 수 없습니다({1}: {2})",
    "there are no hidden layers with weights that are called as modules":
        "모듈로 호출되는, 가중치가 있는 은닉층이 없습니다",
    "every hidden layer has a normalization behind it already": "모든 은닉층 뒤에 이미 정규화가 있습니다",
    "Muon takes matrices only; add the norms where the network is defined, and an AdamW for their parameters":
        "Muon은 행렬만 다룹니다. 신경망을 정의하는 곳에 정규화를 넣고, 그 파라미터는 AdamW에 맡기세요",
    "the network is compiled or wrapped ({}); treat it before that is done":
        "신경망이 컴파일되었거나 감싸여 있습니다({0}). 그 전에 치료하세요",
    "the network is a ScriptModule, which is fixed; treat the module it was made of":
        "신경망이 바꿀 수 없는 ScriptModule입니다. 그것을 만든 모듈을 치료하세요",
    "the hidden layers are frozen: what they have learned is kept; thaw them, or treat the part that learns":
        "은닉층이 고정되어 있어 배운 것을 그대로 둡니다. 고정을 풀거나, 학습하는 부분을 치료하세요",
    "the weight of {} is computed from others, as by weight_norm; initialize before that is applied":
        "{0}의 가중치는 weight_norm처럼 다른 값에서 계산됩니다. 그것을 적용하기 전에 초기화하세요",
    "{} shares its weight with {}, which it would change, too; initialize the two by hand":
        "{0}의 가중치를 {1}도 함께 써서 같이 바뀌게 됩니다. 둘을 직접 초기화하세요",
    "{} are one {}; give each place its own": "{0}은(는) 하나의 {1}입니다. 자리마다 따로 두세요",
    "{} belongs to a {}, which uses its parts in its own way; build it from single layers":
        "{0}은(는) 부품을 나름대로 쓰는 {1}의 일부입니다. 층을 하나씩 이어 만드세요",
    "the network cannot be run with it ({}: {}); change it where it is defined":
        "이것을 넣으면 신경망이 실행되지 않습니다({0}: {1}). 정의하는 곳에서 바꾸세요",
    # of its activation functions
    "its forward does something else in training than in evaluation, which a traced graph would fix; make it a "
    "module, such as nn.Dropout()":
        "forward가 훈련과 평가에서 서로 다른 일을 하는데, 추적한 그래프는 하나로 굳어 버립니다. nn.Dropout() "
        "같은 모듈로 만드세요",
    "with `step` it is not known what the model is called with, so that a traced graph of it cannot be checked; "
    "make its activation functions modules":
        "`step`을 쓰면 모델이 무엇으로 호출되는지 알 수 없어 추적한 그래프를 확인할 수 없습니다. 활성화 함수를 "
        "모듈로 만드세요",
    "its activation functions are called inside a forward that cannot be traced ({}); make them modules, such as "
    "nn.Sigmoid()":
        "추적할 수 없는 forward 안에서 활성화 함수를 호출합니다({0}). nn.Sigmoid() 같은 모듈로 만드세요",
    "its traced graph computes something else than the model; make its activation functions modules":
        "추적한 그래프의 계산이 모델과 다릅니다. 활성화 함수를 모듈로 만드세요",
    "it is for ReLU and its kin, and between the layers there is {}; glorot-init is for tanh":
        "ReLU 계열을 위한 것인데 층 사이에 {0}. tanh에는 자비에르 초기화가 맞습니다",
    "it is for tanh and sigmoid, and between the layers there is {}; he-init is for ReLU":
        "tanh와 시그모이드를 위한 것인데 층 사이에 {0}. ReLU에는 He 초기화가 맞습니다",
    "only {}": "{0}만 있습니다",
    "no activation function that could be seen": "활성화 함수가 보이지 않습니다",
    "the hidden weights have such a scale already; if they are the cause, it is not by their size":
        "은닉층의 가중치 크기가 이미 그만합니다. 가중치가 원인이라 해도 크기 때문은 아닙니다",
    "there is no {} between layers with weights": "가중치가 있는 층 사이에 {0}이(가) 없습니다",
    "{} is called behind the last layer, too, where it belongs to the output; give that place a module of its own":
        "{0}은(는) 출력에 속하는 마지막 층 뒤에서도 호출됩니다. 그 자리에는 모듈을 따로 두세요",
    # of one remedy each
    "with `step` it is not known what in a batch is the input; augment there":
        "`step`을 쓰면 배치에서 무엇이 입력인지 알 수 없습니다. 그 안에서 증강하세요",
    "the inputs are no tensor of numbers that could be changed a little; dropout fits":
        "입력이 조금씩 바꿀 수 있는 수의 텐서가 아닙니다. 드롭아웃이 맞습니다",
    "AlbumentationsX {} is installed, whose licence (AGPL) asks much of what uses it; install "
    "trainclinic[images] in its place, or use shift":
        "AlbumentationsX {0}이(가) 설치되어 있는데, 그 라이선스(AGPL)는 쓰는 쪽에 많은 것을 요구합니다. 대신 "
        "trainclinic[images]를 설치하거나 shift를 쓰세요",
    "affine needs Albumentations; pip install trainclinic[images], or use shift":
        "affine에는 Albumentations가 필요합니다. pip install trainclinic[images]를 하거나 shift를 쓰세요",
    "expected a strength below 1 for affine, got {}": "affine의 세기는 1보다 작아야 하는데 {0}입니다",
    "{} needs images (samples, channels, height, width), the inputs have {} dimensions; noise and mixup fit":
        "{0}에는 이미지(샘플, 채널, 높이, 너비)가 필요한데 입력은 {1}차원입니다. 잡음과 mixup이 맞습니다",
    "mixup mixes targets, which {} takes as class indices only; use CrossEntropyLoss":
        "mixup은 목표값을 섞는데 {0}은(는) 클래스 번호만 받습니다. CrossEntropyLoss를 쓰세요",
    "every learning rate is 0, and so is any multiple; set one":
        "학습률이 모두 0이라 몇 배를 해도 0입니다. 값을 정하세요",
    "{} sets rates of its own over the run; change them where it is built":
        "{0}이(가) 학습하는 동안 학습률을 정합니다. 만드는 곳에서 바꾸세요",
    "{} belongs to the present optimizer; build both anew where they are built":
        "{0}은(는) 지금 옵티마이저의 것입니다. 만드는 곳에서 둘 다 새로 만드세요",
    "the optimizer is {} already; change its learning rate": "옵티마이저가 이미 {0}입니다. 학습률을 바꾸세요",
    "with `step` it is not known where the targets are; weight the loss there":
        "`step`을 쓰면 목표값이 어디에 있는지 알 수 없습니다. 그 안에서 손실에 가중치를 주세요",
    "the classes are balanced, {} to {} samples; look for another cause":
        "클래스마다 샘플이 {0}~{1}개로 균형이 맞습니다. 다른 원인을 찾으세요",
    "{} takes no weight for a class; how='sampler' fits":
        "{0}에는 클래스 가중치를 줄 수 없습니다. how='sampler'가 맞습니다",
    "the loss has class weights already; change those": "손실에 이미 클래스 가중치가 있습니다. 그것을 바꾸세요",
    "the batches are not drawn by a plain DataLoader, whose order could be replaced; how='loss' fits":
        "순서를 바꿀 수 있는 보통 DataLoader로 배치를 뽑지 않습니다. how='loss'가 맞습니다",
    "the targets are no class indices": "목표값이 클래스 번호가 아닙니다",
    "it balances 2 to {} classes, the targets hold {}": "클래스 2~{0}개를 맞추는데 목표값에는 {1}개가 있습니다",
    "class {} has no sample in the training data; a weight brings none":
        "클래스 {0}은(는) 훈련 데이터에 샘플이 없습니다. 가중치로는 생기지 않습니다",
    "the loss has a pos_weight already; change that one": "손실에 이미 pos_weight가 있습니다. 그것을 바꾸세요",
    "the gradient norm is clipped at {} already, which is no more than {}; a smaller learning rate does more":
        "기울기 노름을 이미 {0}에서 자르고 있고, 이는 {1}보다 크지 않습니다. 학습률을 낮추는 쪽이 낫습니다",
    "LBFGS takes several gradients in one step, which no hook sees; clip in its closure":
        "LBFGS는 한 걸음에 기울기를 여러 번 구하며 훅으로는 볼 수 없습니다. closure 안에서 자르세요",
    "there is a schedule already, {}; two would multiply": "이미 스케줄 {0}이(가) 있습니다. 둘을 두면 곱해집니다",
    "its share is {} everywhere already; choose another one": "이미 모든 곳에서 비율이 {0}입니다. 다른 값을 고르세요",
    "there is none to switch off": "끌 드롭아웃이 없습니다",
    "no layer with weights follows another and the last BatchNorm; weight-decay fits":
        "다른 층과 마지막 배치정규화 뒤에 오는, 가중치가 있는 층이 없습니다. 가중치 감쇠가 맞습니다",
    "the training has a loop of its own, which it would replace; stop there, and keep a deep copy of the best "
    "weights":
        "학습 루프가 따로 있는데 그것을 대신하게 됩니다. 그 안에서 멈추고, 가장 좋은 가중치를 deepcopy로 남기세요",
    "there is no validation data to tell when to stop; hold some out":
        "언제 멈출지 알려 줄 검증 데이터가 없습니다. 조금 떼어 두세요",
    "a patience of {} epochs never ends a training of {}; choose a shorter one":
        "인내가 {0}에폭이면 {1}에폭의 학습은 끝나지 않습니다. 더 짧게 하세요",
    "the loss gets what it expects, as far as its graph tells": "그래프로 보는 한, 손실은 기대하는 것을 받고 있습니다",
    "with `step` the loss is inside of it; repair it there": "`step`을 쓰면 손실이 그 안에 있습니다. 거기서 고치세요",
    "outputs of {} differ in how many numbers they are; make the last layer as wide as the targets":
        "{0}: 출력의 개수가 목표값과 다릅니다. 마지막 층의 너비를 목표값에 맞추세요",
    "model and loss cannot be run on a batch ({}: {})": "모델과 손실에 배치를 넣어 실행할 수 없습니다({0}: {1})",
    "there is no BatchNorm in the network": "신경망에 배치정규화가 없습니다",
    "every BatchNorm is frozen, and keeps the statistics that it has; put it into eval mode":
        "배치정규화가 모두 고정되어 지금의 통계를 그대로 씁니다. 평가 모드로 두세요",
    "{}; insert-layer-norm fits": "{0}. 층 정규화가 맞습니다",
    "{} gives outputs of {} dimensions, over which a batch norm would mix positions":
        "{0}의 출력이 {1}차원이라 배치정규화가 위치를 뒤섞습니다",
    "batches of {} are too small for it": "배치 크기 {0}은(는) 너무 작습니다",
    "{} is called {} times in a pass, whose statistics would be mixed":
        "{0}이(가) 한 번의 순전파에서 {1}번 호출되어 통계가 섞입니다",
    "the last batch of an epoch is a single sample, which has no statistics, unless drop_last=True is set":
        "에폭의 마지막 배치가 샘플 하나라 통계를 낼 수 없습니다. drop_last=True이면 됩니다",
    "it needs a cross-entropy over classes, the loss is {}; mixup of augment-data softens targets of any loss":
        "클래스에 대한 교차 엔트로피가 필요한데 손실은 {0}입니다. 데이터 증강의 mixup은 어떤 손실에서도 목표값을 "
        "부드럽게 합니다",
    "the loss is computed inside `step`; smooth the targets there":
        "손실을 `step` 안에서 계산합니다. 거기서 목표값을 부드럽게 하세요",
    "it is {} already; choose another one": "이미 {0}입니다. 다른 값을 고르세요",
    "{} samples make fewer than {} batches of {}; lower the learning rate instead":
        "샘플 {0}개로는 {2}개짜리 배치가 {1}개도 되지 않습니다. 대신 학습률을 낮추세요",
    "with `step` it is not known what the model is called with; he-init or glorot-init need no batch":
        "`step`을 쓰면 모델이 무엇으로 호출되는지 알 수 없습니다. He 초기화와 자비에르 초기화에는 배치가 필요 "
        "없습니다",
    "a compiled network does not call the hooks that it needs; treat it before that is done":
        "컴파일된 신경망은 여기에 필요한 훅을 부르지 않습니다. 컴파일하기 전에 치료하세요",
    "the training uses the plain loop already; look for the fault in the model or in step: a call of eval(), or "
    "a backward pass of its own":
        "이미 기본 루프로 학습합니다. 모델이나 step에서 eval() 호출이나 따로 하는 역전파를 찾아보세요",
    "it needs {} hidden layers that keep their width, each with an activation module of its own behind it, and "
    "finds {}; write x + f(x) in the forward":
        "너비가 그대로이고 뒤에 활성화 모듈이 하나씩 있는 은닉층이 {0}개 필요한데 {1}개 있습니다. forward에 x + "
        "f(x)를 쓰세요",
    "train_loader is a {}, not a DataLoader, and its batches are no tensors of as many rows; change it where it is "
    "built":
        "train_loader가 DataLoader가 아니라 {0}이고, 배치가 행 수가 같은 텐서들이 아닙니다. 만드는 곳에서 바꾸세요",
    "train_loader, a {}, begins with other samples each time: it does not keep an order":
        "train_loader({0})는 시작할 때마다 다른 표본을 주므로 정해진 순서가 없습니다",
    "between all layers that are called as modules there is something that is not linear, or that cannot be followed":
        "모듈로 부르는 층들 사이에 모두 선형이 아닌 것이 있거나, 따라갈 수 없습니다",
    "the training samples are drawn by {} already, not in their order":
        "훈련 샘플을 이미 순서대로가 아니라 {0}(으)로 뽑습니다",
    "no feature varies; look at how the data is loaded": "변하는 특성이 없습니다. 데이터를 읽는 곳을 살펴보세요",
    "the features have mean near 0 and deviation near 1 already": "특성의 평균이 이미 0, 표준편차가 1에 가깝습니다",
    "with `step` it is not known which part of a batch the model is given; standardize the data set":
        "`step`을 쓰면 배치의 어느 부분이 모델에 들어가는지 알 수 없습니다. 데이터를 표준화하세요",
    "the model has an attribute {} already": "모델에 이미 {0}(이)라는 속성이 있습니다",
    "the inputs are no real numbers in columns, but such as token numbers or several tensors; scale the numbers "
    "among them in the data set":
        "입력이 열로 놓인 실수가 아니라 토큰 번호나 여러 텐서입니다. 그 가운데 수는 데이터에서 크기를 맞추세요",
    "the samples differ in shape between batches; standardize the data set":
        "배치마다 샘플의 모양이 다릅니다. 데이터를 표준화하세요",
    "the loss is neither MSELoss nor L1Loss of outputs and targets, so that it is not known how it grows with "
    "the unit of the targets":
        "손실이 출력과 목표값의 MSELoss도 L1Loss도 아니어서, 목표값의 단위에 따라 어떻게 커지는지 알 수 없습니다",
    "a target does not vary; look at how the data is loaded":
        "변하지 않는 목표값이 있습니다. 데이터를 읽는 곳을 살펴보세요",
    "the targets have mean near 0 and deviation near 1 already": "목표값의 평균이 이미 0, 표준편차가 1에 가깝습니다",
    "the model ends with {}, which bounds its answers; remove it first":
        "모델이 {0}(으)로 끝나 출력의 범위가 막혀 있습니다. 먼저 그것을 없애세요",
    "outputs and targets have different columns; give them the same shape":
        "출력과 목표값의 열 수가 다릅니다. 모양을 같게 하세요",
    "Muon takes matrices only; give the others to an AdamW beside it":
        "Muon은 행렬만 다룹니다. 나머지는 옆에 둔 AdamW에 맡기세요",
    "the optimizer holds every parameter; the model cannot be run ({}: {})":
        "옵티마이저에 모든 파라미터가 있지만 모델을 실행할 수 없습니다({0}: {1})",
    "no gradient reaches {} and {} others, although the optimizer holds them; remove the detach(), .data, "
    ".item() or torch.no_grad() between them and the loss":
        "{0} 외 {1}개는 옵티마이저에 있는데도 기울기가 닿지 않습니다. 손실까지 가는 길의 detach(), .data, "
        ".item(), torch.no_grad()를 없애세요",
    "{} parameters are frozen by requires_grad=False, on purpose as it seems; set unfreeze":
        "파라미터 {0}개가 requires_grad=False로, 일부러인 듯 고정되어 있습니다. unfreeze를 켜세요",
    "the optimizer holds every parameter already, and a gradient reaches each":
        "옵티마이저에 이미 모든 파라미터가 있고 기울기도 모두 닿습니다",
    "{} has a length of its own; stretch it where it is built": "{0}에 정해진 길이가 있습니다. 만드는 곳에서 늘리세요",
    "{} of this short training is {} steps; lower the learning rate instead":
        "이 짧은 학습의 {0}배는 {1}스텝입니다. 대신 학습률을 낮추세요",
    "{} holds schedulers that know the parameter groups as they are; set the weight decay before you build it":
        "{0} 안의 스케줄러들이 지금의 파라미터 그룹을 기억합니다. 만들기 전에 가중치 감쇠를 정하세요",
    "{} has none; use AdamW or SGD": "{0}에는 가중치 감쇠가 없습니다. AdamW나 SGD를 쓰세요",
    "this PyTorch's {} mixes it with the gradient; use AdamW":
        "이 PyTorch의 {0}은(는) 감쇠를 기울기에 섞습니다. AdamW를 쓰세요",
    "the optimizer holds no weights of two dimensions or more": "옵티마이저에 2차원 이상의 가중치가 없습니다",
    "it is for a chain of Linear layers, each called once with what the one before gives; widen {} where it is "
    "defined":
        "앞 층의 출력을 차례로 한 번씩 받는 선형층의 사슬을 위한 것입니다. {0}을(를) 정의하는 곳에서 넓히세요",
    "it does not know how {} ({}) grows with the layers around it; widen the network where it is defined":
        "{0}({1})이(가) 앞뒤 층과 함께 어떻게 커지는지 알 수 없습니다. 신경망을 정의하는 곳에서 넓히세요",
}  # fmt: skip
