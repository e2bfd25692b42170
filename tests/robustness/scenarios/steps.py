"""What an optimizer step is: accumulated, evaluated in between, scheduled, several at once, or with a closure."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from scenarios import STEPS, X, Y, batch, fit, mlp, row, sgd, train

MICRO = [batch(size, 6, seed=size) for size in (3, 5, 4, 8)]


class Regularized(nn.Module):
    """Dropout, batch norm."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.drop = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.3)
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.drop(torch.relu(self.norm(self.first(x)))))


@row("weights, buffers and generators to the bit")
def bits(attach):
    """Batches from the global generator."""
    model = Regularized()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    tool = attach(model, optimizer, F.mse_loss)
    for _ in range(STEPS):
        x = torch.randn(16, 6)
        fit(tool, model, optimizer, [(x, x[:, :3])], steps=1)
    tool.close()
    return model


@row("gradient accumulation over 4 micro-batches")
def accumulation(attach):
    return train(attach, mlp(), MICRO)


def evaluation(guard):
    def scenario(attach):
        model = Regularized()
        optimizer = sgd(model)
        tool = attach(model, optimizer, F.mse_loss)
        for step in range(STEPS):
            fit(tool, model, optimizer, steps=1)
            if step % 2:
                model.eval()
                with guard():
                    F.mse_loss(model(X[:5]), Y[:5])
                model.train()
        tool.close()
        return model

    return scenario


no_grad = row("evaluation between steps")(evaluation(torch.no_grad))
inference = row("evaluation between steps, inference_mode")(evaluation(torch.inference_mode))
with_gradient = row("evaluation between steps, no_grad forgotten")(evaluation(torch.enable_grad))


@row("scheduler made after attaching")
def schedulers(attach):
    """LambdaLR and OneCycleLR replace `optimizer.step`; ReduceLROnPlateau needs the loss."""
    models = []
    for make in (
        lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step),
        lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=STEPS + 1),
        lambda optimizer: torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=0.5),
    ):
        model = mlp()
        optimizer = sgd(model)
        tool = attach(model, optimizer, F.mse_loss)
        scheduler = make(optimizer)
        for _ in range(STEPS):
            fit(tool, model, optimizer, steps=1)
            scheduler.step(*([1.0] if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau) else []))
        tool.close()
        models.append(model)
    return models


class Pair:
    """Two optimizers that step one after the other."""

    def __init__(self, *optimizers):
        self.optimizers = optimizers

    def zero_grad(self):
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def step(self):
        for optimizer in self.optimizers:
            optimizer.step()


@row("two optimizers of one model")
def two_optimizers(attach):
    model = mlp()
    optimizers = [torch.optim.SGD(model[0].parameters(), lr=0.01), torch.optim.Adam(model[2].parameters(), lr=0.001)]
    tool = attach(model, optimizers, F.mse_loss)
    fit(tool, model, Pair(*optimizers))
    tool.close()
    return model


NOISE = batch(8, 4, seed=3)[0]
REAL = batch(8, 6, seed=4)[0]
ONES, ZEROS = torch.ones(8, 1), torch.zeros(8, 1)


class Adversaries(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 6))
        self.discriminator = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, noise):
        return self.discriminator(self.generator(noise))


def gan_steps(gan, of_generator, of_discriminator, tools):
    loss_fn = F.binary_cross_entropy_with_logits
    for _ in range(STEPS):
        of_discriminator.zero_grad()
        fake = gan.generator(NOISE)
        loss_fn(gan.discriminator(REAL), ONES).backward()
        loss = loss_fn(gan.discriminator(fake.detach()), ZEROS)
        loss.backward()
        of_discriminator.step()
        of_generator.zero_grad()
        loss = loss_fn(gan.discriminator(fake), ONES)
        loss.backward()
        of_generator.step()
        for tool in tools:
            tool.step(loss)


def adversaries():
    gan = Adversaries()
    adam = (torch.optim.Adam(part.parameters(), lr=0.001) for part in (gan.generator, gan.discriminator))
    return gan, *adam


@row("a GAN, one watch per network")
def gan(attach):
    gan, of_generator, of_discriminator = adversaries()
    loss_fn = F.binary_cross_entropy_with_logits
    tools = [attach(gan.generator, of_generator, loss_fn), attach(gan.discriminator, of_discriminator, loss_fn)]
    gan_steps(gan, of_generator, of_discriminator, tools)
    for tool in tools:
        tool.close()
    return gan


@row("a GAN, one watch with both networks")
def gan_in_one(attach):
    gan, of_generator, of_discriminator = adversaries()
    tool = attach(gan, [of_generator, of_discriminator], F.binary_cross_entropy_with_logits)
    gan_steps(gan, of_generator, of_discriminator, [tool])
    tool.close()
    return gan


@row("closure (LBFGS)")
def closure(attach):
    model = mlp()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=3)
    tool = attach(model, optimizer, F.mse_loss)

    def evaluate():
        optimizer.zero_grad()
        loss = F.mse_loss(model(X), Y)
        loss.backward()
        return loss

    for _ in range(2 * STEPS):
        tool.step(optimizer.step(evaluate))
    tool.close()
    return model
