"""The mistakes, problem by problem, with where each can live: `DOSES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import nn
from torch.optim import SGD, Adagrad, Adam, AdamW

from diagnosis_zoo import data_faults as data
from diagnosis_zoo import model_faults as model
from diagnosis_zoo import training_faults as training
from diagnosis_zoo.depth import deeper, deeper_plain, sigmoid_cell
from diagnosis_zoo.dose import (
    Change,
    Dose,
    anywhere,
    binary,
    both,
    built,
    columned,
    family,
    gapped,
    has,
    learned,
    loss,
    modules,
    numeric,
    one_class,
    regression,
    rows,
    sensitive,
    single_number,
    steered,
    table,
    without,
)

relu = has(nn.ReLU)
normed = has(*model.NORMS)
batch_normed = has(nn.BatchNorm1d, nn.BatchNorm2d)
deep = both(learned, family("mlp", "vgg", "gated", "separable", "autoencoder", "graph", "sets", "rnn", "nested",
                            "siamese", "relations", "backward"))  # fmt: skip
parametrized = family("weight norm", "spectral")  # what is written into a weight is lost
initialized_by = "the mistake is in the initialization, and named by what it does"


# -- data


def _data() -> Iterator[tuple[str, Dose]]:
    def classes(change: Callable[[int], data.Change]) -> Change:
        return lambda plan: plan.with_data(change(plan.task.outputs))

    # fmt: off
    name = "unscaled-inputs"
    yield name, Dose("inputs times 300", rows(data.inputs(lambda x: 300 * x)), numeric)
    yield name, Dose("grey values from 0 to 255", rows(data.inputs(lambda x: 72 * x + 115)), numeric)
    yield name, Dose("first feature times 1,000", rows(data.inputs(data.first_times(1000))), both(numeric, lambda plan:
                     plan.task.width > 1 and plan.task.length != 12))
    yield name, Dose("inputs off centre by 1,000", rows(data.inputs(lambda x: x + 1000)), numeric)
    yield name, Dose("a ten-thousandth of the inputs", rows(data.inputs(lambda x: x / 10_000)), numeric)
    yield name, Dose("measurements times 1,000", rows(data.inputs(data.measured(lambda x: 1000 * x))),
                     family("wide and deep", "factorized"))
    name = "class-imbalance"
    yield name, Dose("one other in fifty", rows(data.rare(0.02)), lambda plan: one_class(plan) or binary(plan))
    yield name, Dose("one other in twenty-five", rows(data.rare(0.04)), lambda plan: one_class(plan) or binary(plan))
    name = "noisy-labels"
    yield name, Dose("six labels in ten at random", classes(partial(data.wrong, 0.6)), lambda plan:
                     plan.task.classes)
    yield name, Dose("four labels in ten taken for the next class", classes(partial(data.confused, 0.4)), lambda plan:
                     plan.task.classes and plan.task.outputs > 2)
    yield name, Dose("half the targets of other rows", rows(data.wrong(0.5, 2)), lambda plan: not plan.task.classes)
    name = "misaligned-data"
    yield name, Dose("targets shifted by one row", rows(data.seen(data.shifted)), anywhere)
    yield name, Dose("shuffled apart", rows(data.seen(data.shuffled_apart)), anywhere)
    yield name, Dose("a target lost after a quarter", rows(data.seen(data.half_shifted)), anywhere,
                     accepts=("noisy-labels",), why="a quarter of the rows stay right: noise of three labels in four")
    yield name, Dose("classes numbered otherwise", classes(data.remapped), lambda plan: plan.task.classes)
    name = "unshuffled-data"
    yield name, Dose("class by class", data.unshuffled, anywhere)
    yield name, Dose("class by class, batches of 16", lambda plan: data.unshuffled(plan).but(batch=16), anywhere)
    name = "constant-feature"
    yield name, Dose("every other column written over", rows(data.inputs(data.dead_columns)), columned)
    yield name, Dose("columns dead while training", rows(data.dead_while_training), columned)
    yield name, Dose("divided by a deviation of 0", rows(data.divided_by_nothing), both(table, columned),
                     accepts=("unscaled-inputs",), why="what is validated on is a hundred million")
    yield name, Dose("measurements written over", rows(data.inputs(data.measured(lambda x: 0 * x + 1))),
                     family("wide and deep", "factorized"))
    name = "data-leak"
    for words, change in (("validated on training rows", data.validated_on_training),
                          ("rows doubled before the split", data.half_validated_on_training),
                          ("fitted on the validation rows, too", data.trained_on_validation)):
        yield name, Dose(words, rows(change), gapped, "report")
    yield name, Dose("augmented before the split", rows(data.augmented_before_split), both(numeric, gapped),
                     "report")
    yield name, Dose("target among the inputs", rows(data.target_among_inputs), table)
    # fmt: on


# -- integrity


def _integrity() -> Iterator[tuple[str, Dose]]:
    # fmt: off
    name = "non-finite"
    yield name, Dose("a missing value", rows(data.with_nan), numeric, "breaks")
    yield name, Dose("logarithm by hand", loss(training.logarithm_by_hand), one_class, "breaks")
    yield name, Dose("logarithm by hand, yes or no", loss(training.chance_by_hand), binary, "breaks")
    yield name, Dose("error in shares of the target", loss(training.relative_error), single_number, "breaks")
    yield name, Dose("root of a ReLU", modules(model.after_activations(lambda: model.Apply(torch.sqrt))), both(
                     learned, relu), "breaks")
    yield name, Dose("logarithm before the output", modules(model.before_output(lambda: model.Apply(
                     lambda x: x.relu().log()))), both(learned, without(family("two towers"))), "breaks")
    name = "frozen-parameters"
    yield name, Dose("everything frozen but the output", modules(model.frozen), learned)
    yield name, Dose("optimizer of the output alone", lambda plan: plan.but(learn=model.output_only), learned)
    yield name, Dose("layers renewed after the optimizer", lambda plan: plan.but(after=(model.renewed,)), both(
                     learned, without(has(nn.RNNBase)), without(parametrized)))
    yield name, Dose("detached before the output", modules(model.before_output(lambda: model.Apply(
                     lambda x: x.detach()))), both(learned, without(family("two towers", "wide and deep"))))
    yield name, Dose("layers in a plain list", modules(model.Unlisted), lambda plan: learned(plan) and isinstance(
                     built(plan), nn.Sequential) and plan.task.outputs > 1)
    name = "stale-gradient"
    yield name, Dose("no zero_grad", training.looped(zero_grad="never"), anywhere)
    yield name, Dose("zero_grad once an epoch", training.looped(zero_grad="epoch"), anywhere)
    name = "wrong-mode"
    carried = ("resnet", "densenet", "separable", "residual", "squeeze", "inception", "inverted residual",
               "hybrid")  # where the scale rests on the norms
    yield name, Dose("eval mode stays after the first validation", training.looped(mode="stays"), family(*carried))
    yield name, Dose("eval mode from the start", training.looped(mode="eval"), family(*carried))
    yield name, Dose("validated in training mode, by eights", training.looped(mode="validates"), sensitive, "report")
    name = "loss-output-mismatch"
    yield name, Dose("softmax before cross-entropy", loss(training.softmax_first), lambda plan: plan.task.classes)
    yield name, Dose("sigmoid before the loss of logits", loss(training.sigmoid_first), lambda plan: isinstance(
                     plan.task.loss, nn.BCEWithLogitsLoss))
    yield name, Dose("NLLLoss of logits", loss(training.likelihood_of_logits), lambda plan: plan.task.classes)
    yield name, Dose("squared error of the class number", loss(training.number_of_class), one_class)
    yield name, Dose("(N, 1) against (N,)", loss(training.crossed), single_number)
    yield name, Dose("ReLU after the output", modules(model.after_all(torch.relu)), regression)
    yield name, Dose("sign of the loss", loss(training.turned), regression)
    name = "batchnorm-small-batch"
    for size in (2, 3):
        yield name, Dose(f"batches of {size}", training.small_batch(size), batch_normed)
    # fmt: on


# -- gradients and initialization


def _gradients() -> Iterator[tuple[str, Dose]]:
    # fmt: off
    name = "vanishing-gradient"
    yield name, Dose("ten more layers, sigmoid", lambda plan: deeper(plan, nn.Sigmoid), both(
                     learned, family("mlp", "vgg", "separable", "graph")))
    yield name, Dose("sigmoid recurrence", sigmoid_cell, lambda plan: plan.name.startswith("cell by hand"))
    yield name, Dose("24 layers, PyTorch's initialization", deeper_plain, both(learned, family("mlp", "vgg", "graph")),
                     accepts=("poor-initialization",), why="the gain of PyTorch's default is what shrinks the gradient")
    yield name, Dose("recurrent weights a twentieth", modules(model.looped(0.05)), lambda plan: plan.family == "rnn",
                     accepts=("poor-initialization",), why=initialized_by)
    name = "exploding-gradient"
    for gain in (4.0, 8.0):
        yield name, Dose(f"He's deviation times {gain:g}", modules(model.he_times(gain)), both(deep, without(
                         normed), without(has(nn.Tanh))), accepts=("poor-initialization",), why=initialized_by)
    yield name, Dose("recurrent weights times 6", modules(model.looped(6)), has(nn.RNNBase),
                     accepts=("poor-initialization",), why=initialized_by)
    yield name, Dose("recurrent weights times 3, ReLU", lambda plan: plan.built(act=nn.ReLU).with_model(
                     model.looped(3)).but(clip=None), lambda plan: plan.name.startswith("cell by hand"),
                     accepts=("poor-initialization", "non-finite"), why=initialized_by + "; it overflows")
    name = "dead-relu"
    for bias in (-6, -12):
        yield name, Dose(f"biases {bias}", modules(model.biased(bias)), both(learned, relu, without(normed)),
                         accepts=("poor-initialization",), why=initialized_by)
    yield name, Dose("a layer below 0", modules(model.negative), both(learned, relu, family(
                     "mlp", "vgg", "sets", "wide and deep", "two towers", "u-net", "nested", "siamese", "relations")),
                     accepts=("poor-initialization",), why=initialized_by)
    name = "saturated-activation"
    squashed = both(learned, has(nn.Tanh, nn.Sigmoid))
    yield name, Dose("activations of 20 z", modules(model.before_activations(lambda x: 20 * x)), squashed)
    yield name, Dose("activations of 60 z", modules(model.before_activations(lambda x: 60 * x)), squashed)
    yield name, Dose("tanh of 30 z", modules(model.activated(lambda: nn.Sequential(model.Apply(lambda x: 30 * x),
                     nn.Tanh()))), both(learned, family("mlp", "vgg", "sets", "graph", "temporal", "autoencoder",
                     "nested", "siamese", "relations", "experts", "ensemble", "backward"), without(squashed)))
    yield name, Dose("biases 8", modules(model.biased(8)), squashed, accepts=("poor-initialization",),
                     why=initialized_by)
    name = "poor-initialization"
    yield name, Dose("deviation 0.005", modules(model.deviation(0.005)), both(learned, without(normed), family(
                     "mlp", "vgg", "sets", "graph", "autoencoder", "u-net", "fourier", "dense", "nested", "siamese",
                     "relations", "ensemble", "experts", "words", "backward")))
    yield name, Dose("all weights alike", modules(model.alike), both(learned, without(has(nn.RNNBase)), without(
                     parametrized)))
    yield name, Dose("deviation 3, tanh or sigmoid", modules(model.deviation(3)), squashed)
    yield name, Dose("deviation 2 behind layer norms", modules(model.deviation(2)), both(learned, has(nn.LayerNorm)))
    # fmt: on


# -- optimization and generalization


def _optimization() -> Iterator[tuple[str, Dose]]:
    def rate(factor: float) -> Change:
        return lambda plan: plan.at(factor)

    overflow = "a step that large overflows: both sentences say the same"
    adaptive = both(steered, lambda plan: plan.optimizer.func in (Adam, AdamW))
    # fmt: off
    name = "learning-rate-too-high"
    yield name, Dose("learning rate times 100", rate(100), steered, accepts=("non-finite",), why=overflow)
    yield name, Dose("learning rate times 1,000", rate(1000), steered, accepts=("non-finite",), why=overflow)
    yield name, Dose("learning rate times 30", rate(30), steered)
    name = "learning-rate-too-low"
    for words, factor in (("a thousandth", 1e-3), ("a ten-thousandth", 1e-4)):
        yield name, Dose(f"learning rate {words}", rate(factor), lambda plan: plan.optimizer.func is not Adagrad)
    name = "oscillating-loss"
    momentum_is_rate = "momentum multiplies the step by 1 / (1 - momentum)"
    yield name, Dose("momentum 0.99", training.plain_momentum(0.99), both(steered, learned),
                     accepts=("learning-rate-too-high",), why=momentum_is_rate)
    yield name, Dose("momentum 0.995", training.plain_momentum(0.995), both(steered, learned),
                     accepts=("learning-rate-too-high",), why=momentum_is_rate)
    yield name, Dose("batches of 2, the rate left", training.left_rate, both(steered, without(batch_normed)),
                     accepts=("learning-rate-too-high",), why="noise grows with the rate over the batch: either is far")
    name = "constant-prediction"
    yield name, Dose("grey values cut to whole numbers", rows(data.inputs(data.whole_numbers)), numeric,
                     accepts=("constant-feature",), why="every feature is constant, and this is why")
    yield name, Dose("averaged over the batch", modules(model.before_output(lambda: model.Apply(
                     lambda x: x.mean(0, keepdim=True).expand_as(x)))), both(learned, without(family("two towers",
                     "wide and deep"))))
    yield name, Dose("features masked out", modules(model.before_output(lambda: model.Apply(lambda x: 0 * x))), both(
                     learned, without(family("two towers", "wide and deep"))))
    name = "overfitting"
    for count in (40, 80):
        yield name, Dose(f"{count} rows", lambda plan, count=count: plan.with_data(data.few(count)).but(
                         epochs=max(plan.epochs, min(120, plan.epochs * plan.task.sizes[0] // count)), schedule=None,
                         batch=min(plan.batch, 20)), both(learned, lambda plan: plan.task.sizes[0] > 100), "overfit")
    name = "underfitting"
    yield name, Dose("activations forgotten", modules(model.activated(nn.Identity)), both(
                     learned, has(*model.ACTIVATIONS)))
    yield name, Dose("a single unit wide", lambda plan: plan.built(width=1), family("lstm", "two-way", "attended",
                     "rnn", "sets", "graph", "temporal", "two towers", "dense", "highway", "experts", "maxout",
                     "minimal", "words", "messages", "relations", "conv gru"))
    yield name, Dose("layers of two units", lambda plan: plan.built(widths=(2, 2)), family("mlp"))
    yield name, Dose("one channel", lambda plan: plan.built(channels=(1, 1)), both(learned, family("vgg")))
    name = "undertrained"
    for words, share in (("an eighth", 1 / 8), ("a twelfth", 1 / 12), ("a fifth", 1 / 5)):
        yield name, Dose(f"{words} of the epochs", training.shortened(share), learned)
    name = "over-regularized"
    yield name, Dose("dropout 0.9", modules(model.after_activations(lambda: nn.Dropout(0.9))), both(
                     learned, has(*model.ACTIVATIONS)))
    yield name, Dose("weight decay 1", training.optimized(weight_decay=1.0), lambda plan: plan.optimizer.func in (
                     Adam, SGD))
    yield name, Dose("weight decay 100", training.optimized(weight_decay=100.0), lambda plan:
                     plan.optimizer.func is AdamW)
    yield name, Dose("penalty of absolute weights", training.looped(penalty=0.02), both(adaptive, learned))
    # fmt: on


def _doses() -> dict[str, list[Dose]]:
    found: dict[str, list[Dose]] = {}
    for part in (_data, _integrity, _gradients, _optimization):
        for problem, dose in part():
            found.setdefault(problem, []).append(dose)
    return found


DOSES = _doses()
#: faults of the data, of integrity and of gradients and initialization: what a checkup is for
EXAMINED = frozenset(problem for part in (_data, _integrity, _gradients) for problem, _ in part())
