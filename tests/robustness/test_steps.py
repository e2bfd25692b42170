"""What an optimizer step is: accumulated, evaluated in between, scheduled, several at once, or with a closure."""

from __future__ import annotations

import pytest
import torch
from arms import both
from by_hand import Hand, compare, rms, tanh
from scenarios import STEPS, X, Y, steps
from torch.nn import functional as F

LAYERS = ["0", "2"]
WIDE, TARGET = X.double(), Y.double()


def mlp(hand, x=WIDE, y=TARGET):
    out = hand.linear("2", hand.act("1", tanh, hand.linear("0", x.double()), True))
    return (out - y.double()).square().mean()


@pytest.mark.row("weights, buffers and generators to the bit")
def test_bits():
    """dropout, batch norm and the batches draw the same numbers; weights and buffers are the same"""
    [(_, recording)] = both(steps.bits)
    assert recording.steps == len(recording.series("backward_rms", "first")) == STEPS


@pytest.mark.row("gradient accumulation over 4 micro-batches")
def test_accumulation():
    """every value, over all micro-batches; the loss is their sum"""
    [(diary, recording)] = both(steps.accumulation)
    compare(recording, diary.expected(lambda hand: sum(mlp(hand, x, y) for x, y in steps.MICRO), LAYERS))


def regularized(masks):
    """By hand, with the dropout that was drawn."""

    def loss_of(hand):
        p = hand.p
        z = F.batch_norm(hand.linear("first", WIDE), None, None, p["norm.weight"], p["norm.bias"], training=True)
        a = hand.act("relu", lambda z: torch.where(z > 0, z, 0.0), z)
        return (hand.linear("last", a * next(masks)) - TARGET).square().mean()

    return loss_of


@pytest.mark.parametrize("scenario", [
    pytest.param(steps.no_grad, marks=pytest.mark.row("evaluation between steps")),
    pytest.param(steps.inference, marks=pytest.mark.row("evaluation between steps, inference_mode")),
    pytest.param(steps.with_gradient, marks=pytest.mark.row("evaluation between steps, no_grad forgotten")),
])  # fmt: skip
def test_evaluation(scenario):
    """every value, of the training passes alone; the validation loss is its own series"""
    [(diary, recording)] = both(scenario)
    torch.manual_seed(0)
    steps.Regularized()
    masks = iter([F.dropout(torch.ones(len(X), 8), 0.3).double() for _ in range(STEPS)])
    told = ["validation_loss", "validation_r2"]
    compare(recording, diary.expected(regularized(masks), ["first", "last"]), but_for=told)
    assert recording.facts["modes"]["passes"] == {"train": STEPS, "eval": 0}
    if scenario is not steps.with_gradient:
        assert recording.series("validation_loss").steps.tolist() == [2, 4]


@pytest.mark.row("scheduler made after attaching")
def test_schedulers():
    """every value, and the learning rate of every step"""
    watched = both(steps.schedulers)
    for diary, recording in watched:
        compare(recording, diary.expected(mlp, LAYERS))
    rates = [recording.series("learning_rate", "group 0").values for _, recording in watched]
    assert rates[0] == pytest.approx([0.01 * 0.5**step for step in range(STEPS)])
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.01, momentum=0.9)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=STEPS + 1)
    expected = []
    for _ in range(STEPS):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        cycle.step()
    assert rates[1] == pytest.approx(expected)
    assert rates[2] == pytest.approx([0.01, 0.01, 0.001, 0.0001])


@pytest.mark.row("two optimizers of one model")
def test_two_optimizers():
    """every value; a step is one of both"""
    [(diary, recording)] = both(steps.two_optimizers)
    both_steps = [(diary.steps[i][0], diary.steps[i + 1][1]) for i in range(0, 2 * STEPS, 2)]
    diary.steps = both_steps
    compare(recording, diary.expected(mlp, LAYERS))
    assert len(recording.measured("learning_rate")) == 0
    assert recording.series("learning_rate", "group 1").values == pytest.approx([0.001] * STEPS)


# -- a GAN


def network(hand, x, prefix=""):
    return hand.linear(f"{prefix}2", hand.act(f"{prefix}1", tanh, hand.linear(f"{prefix}0", x), True))


def entropy(out, target):
    return F.binary_cross_entropy_with_logits(out, target.double())


@pytest.mark.row("a GAN, one watch per network")
def test_gan():
    """every value of each network in its own turn: the discriminator's loss holds nothing of the generator's"""
    (generator, of_generator), (discriminator, of_discriminator) = both(steps.gan)
    noise, real = steps.NOISE.double(), steps.REAL.double()
    expected_d, expected_g, then_d, then_g = [], [], None, None
    for step in range(STEPS):
        g, d = Hand(generator.steps[step][0]), Hand(discriminator.steps[step][0])
        fake = network(g, noise)
        d.loss = entropy(network(d, real), steps.ONES) + entropy(network(d, fake.detach()), steps.ZEROS)
        values = d.signals(LAYERS)
        d.step(values, discriminator.steps[step][1], then_d)
        expected_d.append(values)
        g.loss = entropy(network(Hand(discriminator.steps[step][1]), fake), steps.ONES)
        values = g.signals(LAYERS)
        g.step(values, generator.steps[step][1], then_g)
        expected_g.append(values)
        then_d, then_g = d, g
    compare(of_discriminator, expected_d)
    compare(of_generator, expected_g)


@pytest.mark.row("a GAN, one watch with both networks")
def test_gan_in_one():
    """loss, gradients and updates of both networks; a step is one of both; outputs are not seen"""
    [(diary, recording)] = both(steps.gan_in_one)
    noise, real = steps.NOISE.double(), steps.REAL.double()
    assert recording.steps == STEPS
    for step in range(STEPS):
        (before, between), (_, after) = diary.steps[2 * step : 2 * step + 2]
        d, g = Hand(before), Hand(between)
        fake = network(d, noise, "generator.")
        d_out = [network(d, x, "discriminator.") for x in (real, fake.detach())]
        d.loss = entropy(d_out[0], steps.ONES) + entropy(d_out[1], steps.ZEROS)
        g.loss = entropy(network(g, network(g, noise, "generator."), "discriminator."), steps.ONES)
        of_d = torch.autograd.grad(d.loss, list(d.p.values()), allow_unused=True)
        of_g = torch.autograd.grad(g.loss, list(g.p.values()), allow_unused=True)
        gradients = {name: one if one is not None else other for name, one, other in zip(d.p, of_d, of_g, strict=True)}
        assert recording.series("loss").values[step] == pytest.approx((d.loss + g.loss).item(), rel=1e-5)
        for name, gradient in gradients.items():
            if gradient.ndim > 1:
                layer = name.removesuffix(".weight")
                assert recording.series("gradient_rms", layer).values[step] == pytest.approx(rms(gradient), rel=1e-5)
                ratio = rms(after[name].double() - before[name].double()) / rms(before[name])
                assert recording.series("update_ratio", layer).values[step] == pytest.approx(ratio, rel=1e-5)


@pytest.mark.row("closure (LBFGS)")
def test_closure():
    """outputs, loss and update of every step from where it started; gradients as the step left them"""
    [(diary, recording)] = both(steps.closure)
    gradients = ("gradient_rms", "gradient_norm", "gradient_cosine")
    compare(recording, diary.expected(mlp, LAYERS), but_for=gradients)
    assert len(recording.series("gradient_norm")) == 2 * STEPS
