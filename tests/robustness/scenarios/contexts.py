"""Contexts and function modes of the user's, and the transforms of torch.func."""

from __future__ import annotations

import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from scenarios import STEPS, Wrong, X, Y, fit, mlp, row, sgd, train


class Inside(nn.Module):
    """Runs `context` inside its forward: it is entered and left there."""

    def __init__(self, context):
        super().__init__()
        self.first, self.last, self.context = nn.Linear(6, 8), nn.Linear(8, 3), context

    def forward(self, x):
        h = self.first(x)
        with self.context():
            made = torch.ones(2)
        self.made = made.device.type
        return self.last(torch.tanh(h))


@row('torch.device("meta") inside forward')
def meta_inside(attach):
    model = train(attach, Inside(lambda: torch.device("meta")))
    if model.made != "meta":
        raise Wrong("the context had no effect")
    return model


@row("torch.device context around the loop")
def device_around(attach):
    """Another model is made on the meta device in between."""
    model = mlp()
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    with torch.device("cpu"):
        fit(tool, model, optimizer, steps=STEPS // 2)
    with torch.device("meta"):
        mlp()(torch.ones(2, 6)).sum()
    fit(tool, model, optimizer, steps=STEPS // 2)
    tool.close()
    return model


class Counting(TorchFunctionMode):
    """A mode of the user's that counts what it sees."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.count += 1
        return func(*args, **(kwargs or {}))


class Crossing(nn.Module):
    """Enters a mode in one forward and leaves it in the next."""

    def __init__(self):
        super().__init__()
        self.first, self.last, self.mode, self.is_open = nn.Linear(6, 8), nn.Linear(8, 3), Counting(), False
        self.saw = []

    def forward(self, x):
        h = self.first(x)
        if self.is_open:
            self.mode.__exit__(None, None, None)
        else:
            self.mode.__enter__()
        self.is_open = not self.is_open
        before = self.mode.count
        out = self.last(torch.tanh(h))
        self.saw.append(self.mode.count - before)
        return out


@row("a function mode entered in one forward and left in the next")
def crossing(attach):
    model = train(attach, Crossing())
    if torch.overrides._get_current_function_mode_stack():
        raise Wrong("the user's mode is still open")
    if model.saw != [2, 0] * (STEPS // 2):  # tanh and linear, while it is open
        raise Wrong(f"the user's mode saw {model.saw} calls")
    return model


class DefaultDevice(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        h = self.first(x)
        torch.set_default_device("meta")
        h = torch.tanh(h)
        torch.set_default_device("cpu" if h.sum() > 0 else None)
        return self.last(h)


@row("set_default_device before and inside forward")
def default_device(attach):
    torch.set_default_device("cpu")
    try:
        return train(attach, DefaultDevice())
    finally:
        torch.set_default_device(None)


@row("functional_call with the model's own parameters")
def functional(attach):
    model = mlp()
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.mse_loss(functional_call(model, dict(model.named_parameters()), (X,)), Y)
        loss.backward()
        optimizer.step()
        tool.step(loss)
    tool.close()
    return model


@row("torch.func.grad and vmap of the model between steps")
def per_sample_gradients(attach):
    """Gradients of every sample, as differential privacy and influence functions want them."""
    model = mlp()
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)

    def loss_of(parameters, x, y):
        return F.mse_loss(functional_call(model, parameters, (x[None],)), y[None])

    for _ in range(STEPS):
        parameters = {name: value.detach() for name, value in model.named_parameters()}
        model.found = vmap(grad(loss_of), in_dims=(None, 0, 0))(parameters, X, Y)["0.weight"].mean()
        fit(tool, model, optimizer, steps=1)
    tool.close()
    return model


class Ensemble(nn.Module):
    """vmap inside the forward."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.last(vmap(lambda row: torch.tanh(self.first(row)))(x))


@row("vmap inside forward")
def vmap_inside(attach):
    return train(attach, Ensemble())


@row("torch.jit.trace and FakeTensorMode on the watched model")
def traced(attach):
    from torch._subclasses.fake_tensor import FakeTensorMode

    model = mlp()
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    for step in range(STEPS):
        if step % 2:
            graph = str(torch.jit.trace(model, X, check_trace=False).graph)
            with FakeTensorMode(allow_non_fake_inputs=True):
                model(X)
            if "norm" in graph:
                raise Wrong("the tool is in the traced graph")
        fit(tool, model, optimizer, steps=1)
    tool.close()
    return model


@row("torch.export of the watched model")
def exported(attach):
    model = mlp()
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    fit(tool, model, optimizer, steps=1)
    program = torch.export.export(model, (X,))
    nodes = sorted({str(node.target) for node in program.graph.nodes if node.op == "call_function"})
    if nodes != ["aten.linear.default", "aten.tanh.default"]:
        raise Wrong(f"the tool is in the exported graph: {nodes}")
    fit(tool, model, optimizer, steps=STEPS - 1)
    tool.close()
    return model
