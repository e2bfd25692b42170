"""Why a problem was not examined, and where a number ceased to be finite, in Korean; the English is the rules' own.

`{}` stands for what a sentence fills in; the Korean one has it by its number.
"""

from __future__ import annotations

#: why a problem could not be examined: the English sentence → the Korean one
UNSEEN: dict[str, str] = {
    "{} (layers not looked at: {})": "{0} (층을 보지 못했습니다: {1})",
    "no call of the model was seen: it may run inside a compiled function":
        "모델이 호출되는 것을 보지 못했습니다. 컴파일된 함수 안에서 실행되는 듯합니다",
    "the eager copy gives outputs of another shape than the compiled model":
        "컴파일하지 않은 복사본과 컴파일된 모델의 출력 모양이 다릅니다",
    "the eager copy gives other outputs than the compiled model":
        "컴파일하지 않은 복사본과 컴파일된 모델의 출력이 다릅니다",
    "only a training can show it": "학습해 보아야 알 수 있습니다",
    "no rows of the training set were seen": "훈련 데이터의 샘플을 보지 못했습니다",
    "no targets were seen that neighbours in a batch could share":
        "배치 안의 이웃끼리 같을 수 있는 목표값을 보지 못했습니다",
    "too few rows were seen with one target each": "목표값이 하나씩 있는 샘플을 너무 적게 보았습니다",
    "no rows of a validation set were seen": "검증 데이터의 샘플을 보지 못했습니다",
    "no validation was seen that could be held against a guess": "찍는 것과 견줄 수 있는 검증을 보지 못했습니다",
    "the recording does not say what BatchNorm took its means over":
        "배치정규화가 무엇에 대해 평균을 냈는지 기록에 없습니다",
    "the targets are not one class for each sample": "목표값이 샘플마다 클래스 하나가 아닙니다",
    "the batches come in order, so that the classes seen first are not those of the set":
        "배치가 순서대로 나와, 처음 본 클래스들이 데이터 전체를 대표하지 않습니다",
    "fewer than {} rows were seen: too few to tell what never differs":
        "본 샘플이 {0}개가 되지 않아, 무엇이 변하지 않는지 알기에 너무 적습니다",
    "the outputs of several samples were not seen together": "여러 샘플의 출력을 함께 보지 못했습니다",
    "at least {} steps are needed to tell a constant from a beginning":
        "답이 상수인지 아직 시작 단계인지 가리려면 적어도 {0}스텝이 필요합니다",
    "no ReLU was seen": "ReLU를 보지 못했습니다",
    "too few samples were seen to tell a dead unit from a quiet one":
        "본 샘플이 너무 적어, 죽은 유닛인지 잠시 조용한 유닛인지 가릴 수 없습니다",
    "neither two hidden layers nor a layer called once per time step was seen":
        "은닉층 둘도, 시간 단계마다 호출되는 층도 보지 못했습니다",
    "the loss was not seen": "손실을 보지 못했습니다",
    "the loss was not finite at any learning rate, or there was no time to try others":
        "어느 학습률에서도 손실이 유한하지 않았거나, 다른 학습률을 시험할 시간이 없었습니다",
    "how many steps the training will have is not known": "학습이 몇 스텝이 될지 알 수 없습니다",
    "no weight was seen to be updated": "가중치가 업데이트되는 것을 보지 못했습니다",
    "the loss is none of PyTorch's own, so what it expects is not known":
        "PyTorch의 손실 함수가 아니라서 무엇을 기대하는지 알 수 없습니다",
    "the nearest neighbours tell nothing here, which says little of sequences and tokens, and in so short a time the "
    "network learned nothing either":
        "최근접 이웃이 아무것도 알려 주지 않는데, 시퀀스와 토큰에서는 그것으로 알 수 있는 것이 적습니다. 그렇게 짧은 "
        "시간에는 신경망도 아무것도 배우지 못했습니다",
    "too few rows, or too few of the rarer classes, for neighbours to tell anything":
        "샘플이, 또는 드문 클래스의 샘플이 너무 적어 이웃으로는 알 수 없습니다",
    "the loss has several parts, so that it is not known what the label of a sample is":
        "손실이 여러 부분으로 되어 있어 샘플의 레이블이 무엇인지 알 수 없습니다",
    "too few samples have neighbours that agree on a class": "이웃이 모두 한 클래스인 샘플이 너무 적습니다",
    "at least {} evaluations are needed, {} were seen": "적어도 {0}번 평가해야 하는데 {1}번 보았습니다",
    "the recording does not say what the optimizer's weight decay was": "옵티마이저의 가중치 감쇠가 기록에 없습니다",
    "{}; tell them with watch.validate(loss=…)": "{0}. watch.validate(loss=…)로 알려 주세요",
    "{} validation losses were seen, at least {} are needed": "검증 손실이 적어도 {1}개 필요한데 {0}개 보았습니다",
    "fewer than two layers with weights, and no sigmoid or tanh, were seen":
        "가중치가 있는 층이 둘이 되지 않고, 시그모이드나 tanh도 보지 못했습니다",
    "no sigmoid or tanh was seen in a hidden layer": "은닉층에서 시그모이드나 tanh를 보지 못했습니다",
    "fewer than two steps were looked at": "두 스텝도 보지 못했습니다",
    "at least {} steps are needed to tell rest from a slow start":
        "멈춘 것인지 느린 출발인지 가리려면 적어도 {0}스텝이 필요합니다",
    "neither accuracy nor R² in validation, or no neighbours to compare it with, were seen":
        "검증의 정확도나 R², 또는 그것과 견줄 이웃을 보지 못했습니다",
    "the training has not come to its end": "학습이 아직 끝나지 않았습니다",
    "at least {} steps are needed to judge where a curve is going":
        "곡선이 어디로 가는지 판단하려면 적어도 {0}스텝이 필요합니다",
    "the run had one process": "프로세스 하나로 학습했습니다",
    "one rank of {} was read alone": "랭크 {0}개 가운데 하나만 읽었습니다",
    "{}, …": "{0} 등",
    "{}, rank {} of {}: {}": "{0}; 랭크 {2}개 중 {1}번: {3}",
    "rank {} of {}: {}": "랭크 {1}개 중 {0}번: {2}",
    "its file cannot be read": "파일을 읽을 수 없습니다",
    "no parameter is held whole by more than one process": "두 프로세스 이상이 통째로 가진 파라미터가 없습니다",
    "the model's input was not seen as a tensor of numbers": "모델의 입력을 수의 텐서로 보지 못했습니다",
    "the loss is none of PyTorch's own, so that its graph tells nothing of the network":
        "PyTorch의 손실 함수가 아니어서, 손실의 그래프로는 신경망을 알 수 없습니다",
    "neither two hidden layers that passed a backward signal nor a layer called once per time step was seen":
        "역전파 신호를 보낸 은닉층이 둘이 되지 않고, 시간 단계마다 한 번씩 호출되는 층도 보지 못했습니다",
    "no pass of the model with a gradient was seen": "기울기가 있는 순전파를 보지 못했습니다",
}  # fmt: skip

#: where a number ceased to be finite: the English sentence → the Korean one
PLACES: dict[str, str] = {
    "At step {} (batch {}) {}.": "{0}스텝(배치 {1}): {2}.",
    "At step {} {}.": "{0}스텝: {1}.",
    "`{}` in `{}` gave {}: a whole row of what it compares was masked":
        "`{1}`의 `{0}` 결과가 {2}입니다. 비교할 것 한 줄이 모두 가려졌습니다",
    "`{}` in `{}` gave {} where it was given {} and {}":
        "`{1}`의 `{0}`에 {3}과(와) {4}이(가) 들어가 {2}이(가) 나왔습니다",
    "`{}` in `{}` gave {} where it was given {}": "`{1}`의 `{0}`에 {3}이(가) 들어가 {2}이(가) 나왔습니다",
    "`{}` in `{}` gave {} in {} from numbers of at most {} in size":
        "`{1}`의 `{0}`에 크기가 {4} 이하인 수가 들어갔는데, {3} 형식에서 {2}이(가) 나왔습니다",
    "the slope of `{}` in `{}` gave {} for a finite gradient":
        "`{1}`의 `{0}` 미분이 유한한 기울기를 받아 {2}을(를) 냈습니다",
    "`{}` in `{}` gave {}": "`{1}`의 `{0}` 결과가 {2}입니다",
    "the batch itself held {} that are not finite: argument `{}`, row {}":
        "배치에 이미 유한하지 않은 값이 있었습니다: {0}, 인자 `{1}`, {2}행",
    "1 number": "1개",
    "{} numbers": "{0}개",
    "`{}` was not finite before the batch came": "`{0}`이(가) 배치가 들어오기 전부터 유한하지 않았습니다",
    "the model's output and the loss were finite, but the slope of the loss was not":
        "모델의 출력과 손실은 유한했지만 손실의 기울기가 유한하지 않았습니다",
    "the model's output was finite, the loss behind it was not, in `{}` where it was given {} and {}":
        "모델의 출력은 유한했지만 손실이 유한하지 않았습니다. `{0}`에 {1}과(와) {2}이(가) 들어갔습니다",
    "the model's output was finite, the loss behind it was not, in `{}` where it was given {}":
        "모델의 출력은 유한했지만 손실이 유한하지 않았습니다. `{0}`에 {1}이(가) 들어갔습니다",
    "the model's output was finite, the loss behind it was not, in `{}`":
        "모델의 출력은 유한했지만 손실이 `{0}`에서 유한하지 않게 되었습니다",
    "the model's output was finite, the loss behind it was not": "모델의 출력은 유한했지만 손실이 유한하지 않았습니다",
    "it was seen, but where it began is not localised: {}": "나타났지만 어디서 시작했는지는 알아내지 못했습니다. {0}",
    # why not
    "on this device it is known only after the update, unless stop_on or on_finding is given":
        "이 장치에서는 stop_on이나 on_finding이 없으면 업데이트 뒤에야 알 수 있습니다",
    "the optimizer had moved the weights when it was seen": "알았을 때는 옵티마이저가 이미 가중치를 옮긴 뒤였습니다",
    "running the batch again raised {}: {}": "배치를 다시 실행하니 오류가 났습니다({0}: {1})",
    "the weights are sharded over several processes": "가중치가 여러 프로세스에 나뉘어 있습니다",
    "no training pass of the model was seen before it": "그 전에 모델이 훈련 데이터를 처리하는 것을 보지 못했습니다",
    "more passes were run for one step than are held": "한 스텝에 실행한 순전파가 보관하는 수보다 많습니다",
    "a non-finite number arose in {} that is not in the model's output; the loss may have it from there or from "
    "itself":
        "모델의 출력에는 없지만 {0}에서 유한하지 않은 값이 생겼습니다. 손실이 거기서 받았는지 스스로 만들었는지 "
        "알 수 없습니다",
    "{} operations gave non-finite numbers, each on its own": "연산 {0}개가 저마다 유한하지 않은 값을 냈습니다",
    "it comes from an operation in {} that cannot be followed, or from what the model keeps outside of its "
    "buffers":
        "따라갈 수 없는 {0}의 연산이나, 모델이 버퍼 밖에 둔 값에서 왔습니다",
    "several operations gave non-finite numbers, and mending them does not help":
        "여러 연산이 유한하지 않은 값을 냈고, 고쳐 보아도 나아지지 않습니다",
    "the gradient was finite when the batch was run again": "배치를 다시 실행하니 기울기가 유한했습니다",
    "hooks on the model's modules see, and may change, the gradient":
        "모델의 모듈에 걸린 훅이 기울기를 바꿀 수 있습니다",
    "the model sets hooks on its tensors that see, and may change, the gradient":
        "모델이 텐서에 건 훅이 기울기를 바꿀 수 있습니다",
    "other gradients were not finite when the batch was run again":
        "배치를 다시 실행하니 다른 기울기가 유한하지 않았습니다",
    "finite gradients added up to an infinite one": "유한한 기울기들을 더한 값이 무한대가 되었습니다",
    "several operations gave non-finite numbers that did not reach the loss":
        "손실에 닿지 않는 여러 연산이 유한하지 않은 값을 냈습니다",
    "the output was differentiated more than once": "출력을 두 번 이상 미분했습니다",
    "the gradient of the model's output was changed in place": "모델 출력의 기울기가 제자리에서 바뀌었습니다",
    "the model draws random numbers from Python or NumPy, which are not held":
        "모델이 Python이나 NumPy의 난수를 쓰는데 이것은 보관하지 않습니다",
    "the model's output was changed in place": "모델의 출력이 제자리에서 바뀌었습니다",
    "the model gave another output when the batch was run again": "배치를 다시 실행하니 모델의 출력이 달라졌습니다",
    "the buffer {} has changed since": "그 뒤로 버퍼 {0}이(가) 바뀌었습니다",
    "the batch was changed in place after the model had seen it": "모델이 본 뒤에 배치가 제자리에서 바뀌었습니다",
    "the step was being captured as a CUDA graph": "그 스텝을 CUDA 그래프로 담는 중이었습니다",
    "the batch was spread over several devices": "배치가 여러 장치에 나뉘어 있었습니다",
    "the model exchanges statistics with other processes": "모델이 다른 프로세스와 통계를 주고받습니다",
    "the model has more than {} buffers": "모델의 버퍼가 {0}개보다 많습니다",
    "the model has changed its mode since": "그 뒤로 모델의 모드가 바뀌었습니다",
}  # fmt: skip
