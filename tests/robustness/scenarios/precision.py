"""Number types other than float32."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from scenarios import STEPS, X, Y, mlp, row, sgd, train

SKIPPED = 1  # the batch whose gradients overflow


@row("bf16 autocast")
def bf16_autocast(attach):
    model = mlp(nn.ReLU)
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    for _ in range(STEPS):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.mse_loss(model(X).float(), Y)
        loss.backward()
        optimizer.step()
        tool.step(loss)
    tool.close()
    return model


@row("fp16 autocast and GradScaler, one step skipped")
def fp16_grad_scaler(attach):
    model = mlp(nn.ReLU)
    optimizer = sgd(model)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    tool = attach(model, optimizer, F.mse_loss)
    for step in range(STEPS):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.float16):
            loss = F.mse_loss(model(X).float() * (1e6 if step == SKIPPED else 1.0), Y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        tool.step(loss)
    tool.close()
    return model


@row("float64 model")
def float64(attach):
    return train(attach, mlp().double(), [(X.double(), Y.double())])


@row("bfloat16 model")
def bfloat16(attach):
    return train(attach, mlp(nn.ReLU).bfloat16(), [(X.bfloat16(), Y.bfloat16())])


class Complex(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 8, dtype=torch.cfloat)
        self.last = nn.Linear(8, 3, dtype=torch.cfloat)

    def forward(self, x):
        return self.last(self.first(x.to(torch.cfloat))).abs()


@row("complex parameters")
def complex_parameters(attach):
    return train(attach, Complex())


@row("default dtype float64")
def default_dtype(attach):
    torch.set_default_dtype(torch.float64)
    try:
        return train(attach, mlp(), [(X.double(), Y.double())])
    finally:
        torch.set_default_dtype(torch.float32)
