"""Passages of code that several remedies share."""

from __future__ import annotations


def initialized(layers: list[str], how: str) -> str:
    """Code that draws the weights of these layers anew with one line, and sets their biases to 0."""
    return (
        f"for name in {layers!r}:\n"
        "    layer = model.get_submodule(name)\n"
        f"    {how}\n"
        "    if layer.bias is not None:\n"
        "        nn.init.zeros_(layer.bias)\n"
    )


def normalized(norms: dict[str, str]) -> str:
    """Code that puts a norm behind each of these layers; its parameters join the optimizer beside the layer's own."""
    lines = "\n".join(f"    {name!r}: {norm}," for name, norm in norms.items())
    return (
        "norms = {\n" + lines + "\n}\n"
        "for name, norm in norms.items():\n"
        "    layer = model.get_submodule(name)\n"
        "    own = next(layer.parameters())\n"
        "    norm.to(own.device, own.dtype)\n"
        "    model.set_submodule(name, nn.Sequential(layer, norm))\n"
        "    for group in optimizer.param_groups:\n"
        '        if any(parameter is own for parameter in group["params"]):\n'
        '            group["params"] += norm.parameters()\n'
    )


def replaced(modules: dict[str, str]) -> str:
    """Code that puts new modules in the place of others, and their parameters in that of the old in the optimizer."""
    lines = "\n".join(f"    {name!r}: {module}," for name, module in modules.items())
    return (
        "modules = {\n" + lines + "\n}\n"
        "like = next(model.parameters())\n"
        "new = {}\n"
        "for name, module in modules.items():\n"
        "    module.to(like.device, like.dtype)\n"
        "    new |= zip(model.get_submodule(name).parameters(), module.parameters())\n"
        "    model.set_submodule(name, module)\n"
        "for group in optimizer.param_groups:\n"
        '    group["params"][:] = [new.get(parameter, parameter) for parameter in group["params"]]\n'
    )
