"""Mistakes in the network: each a function from module to module, applied to what the plan has built."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Hardswish)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)
Change = Callable[[nn.Module], nn.Module]
Made = Callable[[nn.Module], nn.Module]


class Apply(nn.Module):
    """A plain function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def weighted(model: nn.Module) -> list[nn.Module]:
    """Linear and convolution layers in their order; the last one is the output."""
    return [one for one in model.modules() if isinstance(one, nn.Linear | nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d)]


def has(model: nn.Module, *kinds: type[nn.Module]) -> bool:
    return any(isinstance(module, kinds) for module in model.modules())


def replaced(kinds: tuple[type[nn.Module], ...], made: Made) -> Change:
    """Every module of these kinds by what `made` makes of it."""

    def change(model: nn.Module) -> nn.Module:
        for parent in list(model.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, kinds):
                    setattr(parent, name, made(child))
        return model

    return change


def activated(act: Callable[[], nn.Module]) -> Change:
    """Another activation everywhere."""
    return replaced(ACTIVATIONS, lambda _: act())


def after_activations(made: Callable[[], nn.Module]) -> Change:
    """Something after every activation."""
    return replaced(ACTIVATIONS, lambda act: nn.Sequential(act, made()))


def before_activations(function: Callable[[Tensor], Tensor]) -> Change:
    """Something before every activation."""
    return replaced(ACTIVATIONS, lambda act: nn.Sequential(Apply(function), act))


def before_output(made: Callable[[], nn.Module]) -> Change:
    """Something before the output layer."""

    def change(model: nn.Module) -> nn.Module:
        last = weighted(model)[-1]
        return replaced((type(last),), lambda one: nn.Sequential(made(), one) if one is last else one)(model)

    return change


def after_all(function: Callable[[Tensor], Tensor]) -> Change:
    """Something after the output."""
    return lambda model: nn.Sequential(model, Apply(function))


# -- weights


def recurrent(model: nn.Module) -> Iterator[Tensor]:
    """The weights that go from one time step to the next."""
    for name, parameter in model.named_parameters():
        if "weight_hh" in name or name.endswith("recurrent.weight"):
            yield parameter


def hidden(change: Callable[[Tensor], object]) -> Change:
    """The weights of every layer but the output."""

    def applied(model: nn.Module) -> nn.Module:
        with torch.no_grad():
            for layer in weighted(model)[:-1]:
                change(layer.weight)
            for weight in recurrent(model):
                change(weight)
        return model

    return applied


def looped(factor: float) -> Change:
    """The recurrent weights times a factor."""

    def change(model: nn.Module) -> nn.Module:
        with torch.no_grad():
            for weight in recurrent(model):
                weight.mul_(factor)
        return model

    return change


def biased(value: float) -> Change:
    """The biases of every hidden layer."""

    def change(model: nn.Module) -> nn.Module:
        with torch.no_grad():
            for layer in weighted(model)[:-1]:
                if layer.bias is not None:
                    layer.bias.fill_(value)
        return model

    return change


def negative(model: nn.Module) -> nn.Module:
    """A layer that follows a ReLU has weights and biases below 0 only: its own ReLU never opens."""
    layer = weighted(model)[1]
    with torch.no_grad():
        layer.weight.abs_().neg_()
        if layer.bias is not None:
            layer.bias.abs_().neg_()
    return model


def he_times(gain: float) -> Change:
    """He's initialization, the deviation times `gain`."""
    return hidden(lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu").mul_(gain))


def deviation(std: float) -> Change:
    return hidden(lambda weight: nn.init.normal_(weight, std=std))


def alike(model: nn.Module) -> nn.Module:
    """Every weight of a layer the same number, so that its units stay alike."""
    return hidden(lambda weight: nn.init.constant_(weight, 0.02))(model)


# -- what does not learn


def frozen(model: nn.Module) -> nn.Module:
    """A line left over from fine-tuning: everything but the output is frozen."""
    kept = {id(parameter) for parameter in weighted(model)[-1].parameters()}
    for parameter in model.parameters():
        parameter.requires_grad_(id(parameter) in kept)
    return model


def output_only(model: nn.Module) -> list[nn.Parameter]:
    """The optimizer is given the parameters of the output layer."""
    return list(weighted(model)[-1].parameters())


def renewed(model: nn.Module) -> nn.Module:
    """Every hidden layer is made anew, after the optimizer was built."""
    for layer in weighted(model)[:-1]:
        layer.weight = nn.Parameter(layer.weight.detach().clone())
        if layer.bias is not None:
            layer.bias = nn.Parameter(layer.bias.detach().clone())
    return model


class Unlisted(nn.Module):
    """All layers but the output in a plain list, which PyTorch does not look into."""

    def __init__(self, model: nn.Sequential) -> None:
        super().__init__()
        self.body, self.output = list(model.children())[:-1], model[-1]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.body:
            x = layer(x)
        return self.output(x)
