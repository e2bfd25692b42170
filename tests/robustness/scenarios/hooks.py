"""Other people's hooks on the same modules."""

from __future__ import annotations

from torch import nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_post_hook

from scenarios import STEPS, Wrong, fit, mlp, row, sgd


@row("user's forward hook that changes an output")
def changing(attach):
    """One that was there before, one that comes in the middle of the training and goes again."""
    model = mlp()
    model[0].register_forward_hook(lambda module, args, output: output * 2.0)
    model[2].register_forward_pre_hook(lambda module, args: (args[0] + 1.0,))
    return _train(attach, model)


def _train(attach, model):
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    fit(tool, model, optimizer)
    tool.close()
    return model


@row("user's tensor hook that changes a gradient")
def gradient(attach):
    """On an output and on a parameter."""
    model = mlp()
    model[0].register_forward_hook(lambda module, args, output: output.register_hook(lambda g: g * 0.5) and None)
    model[2].weight.register_hook(lambda g: g.clamp(-0.01, 0.01))
    return _train(attach, model)


@row("user's full backward hook")
def full_backward(attach):
    model = mlp()
    model.seen = []
    for module in (model, model[0], model[2]):
        module.register_full_backward_hook(lambda module, *gradients: model.seen.append(gradients[1][0].norm().item()))
    model[2].register_full_backward_pre_hook(lambda module, gradients: (gradients[0] * 2.0,))
    return _train(attach, model)


class InPlaceAfter(nn.Module):
    """The user's full backward hook sits where it can; in-place ReLUs where none can."""

    def __init__(self):
        super().__init__()
        self.first, self.act, self.middle = nn.Linear(6, 8), nn.ReLU(inplace=True), nn.Linear(8, 8)
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.middle(self.act(self.first(x))))


@row("full backward hook in a model with in-place ReLU")
def full_backward_inplace(attach):
    model = InPlaceAfter()
    model.last.register_full_backward_hook(lambda module, into, out: None)
    return _train(attach, model)


@row("hooks on all modules and optimizers")
def everywhere(attach):
    """As profilers and other monitors set them."""
    seen = []
    handles = [
        nn.modules.module.register_module_forward_pre_hook(lambda module, args: seen.append(len(args))),
        nn.modules.module.register_module_forward_hook(lambda module, args, output: seen.append(output.numel())),
        register_optimizer_step_post_hook(lambda *_: seen.append(0)),
    ]
    try:
        return _train(attach, mlp())
    finally:
        for handle in handles:
            handle.remove()


@row("a hook removed and set again while training")
def coming_and_going(attach):
    model = mlp()
    optimizer = sgd(model)
    tool = attach(model, optimizer, F.mse_loss)
    for _ in range(STEPS):
        handle = model[0].register_forward_pre_hook(lambda module, args: (args[0] * 1.5,))
        fit(tool, model, optimizer, steps=1)
        handle.remove()
    tool.close()
    return model


@row("nothing left after closing")
def leaves_nothing(attach):
    """Hooks, and methods put over those of the model or the optimizer."""
    model = mlp()
    optimizer = sgd(model)
    before = traces(model, optimizer)
    tool = attach(model, optimizer, F.mse_loss)
    fit(tool, model, optimizer)
    tool.close()
    left = sorted(traces(model, optimizer) - before)
    if left:
        raise Wrong(f"left after closing: {', '.join(left)}")
    fit(tool, model, optimizer, steps=1)
    return model


def traces(model, optimizer):
    owners = [(key or "the model", module) for key, module in model.named_modules()] + [("the optimizer", optimizer)]
    found = {f"{name} of {key}" for key, owner in owners for name in vars(owner)}
    for key, owner in owners:
        for name, table in vars(owner).items():
            if "hooks" in name and hasattr(table, "values"):
                found |= {f"{getattr(hook, '__qualname__', type(hook).__name__)} on {key}" for hook in table.values()}
    return found
