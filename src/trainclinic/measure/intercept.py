"""Where a training passes through PyTorch's own doors: the backward call and the loss functions.

While any watch is open, `torch.autograd.backward` (which `Tensor.backward` calls) and the losses in
`torch.nn.functional` (which the loss modules call) are wrapped: they tell the watches and do what they always did.
The last watch that closes takes the wrappers away.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

LOSSES = (
    "cross_entropy",
    "nll_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "kl_div",
    "poisson_nll_loss",
    "gaussian_nll_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "hinge_embedding_loss",
)


class Listener(Protocol):
    """What a watch hears."""

    def before_backward(self, loss: Any) -> None:
        """`loss` is about to be differentiated."""

    wants_losses: bool  # at the moment; asked at every loss

    def give_up(self, error: Exception) -> None:
        """Telling it failed."""

    def after_loss(self, name: str, output: Tensor, target: Tensor, loss: Tensor) -> None:
        """A loss function has been computed."""


_listeners: list[Listener] = []
_originals: dict[tuple[Any, str], Callable[..., Any]] = {}
_inside_loss = False


def listen(listener: Listener) -> None:
    """Begin to tell `listener`."""
    if not _listeners:
        _wrap(torch.autograd, "backward", _watched_backward)
        for name in LOSSES:
            _wrap(F, name, _watched_loss)
    _listeners.append(listener)


def ignore(listener: Listener) -> None:
    """Stop telling `listener`."""
    if listener in _listeners:
        _listeners.remove(listener)
        if not _listeners:
            for (owner, name), original in _originals.items():
                if getattr(owner, name).__dict__.get("__wrapped__") is original:
                    setattr(owner, name, original)
            _originals.clear()


def _tell(listener: Listener, method: Callable[..., None], *args: Any) -> None:
    try:
        method(*args)
    except Exception as error:  # ours, not the training's
        listener.give_up(error)


def _wrap(owner: Any, name: str, wrapper: Callable[..., Callable[..., Any]]) -> None:
    original = getattr(owner, name)
    _originals[owner, name] = original
    setattr(owner, name, functools.wraps(original)(wrapper(original)))


def _watched_backward(original: Callable[..., Any]) -> Callable[..., Any]:
    def backward(*args: Any, **kwargs: Any) -> Any:
        tensors = args[0] if args else kwargs.get("tensors")
        for listener in list(_listeners):
            _tell(listener, listener.before_backward, tensors)
        return original(*args, **kwargs)

    return backward


def _watched_loss(original: Callable[..., Any]) -> Callable[..., Any]:
    name = original.__name__
    order = tuple(inspect.signature(original).parameters)[:2]  # (input, target), as this loss spells them

    def loss(*args: Any, **kwargs: Any) -> Any:
        global _inside_loss
        for listener in _listeners:
            if listener.wants_losses:
                break
        else:
            return original(*args, **kwargs)
        if _inside_loss or torch.compiler.is_compiling():
            return original(*args, **kwargs)
        _inside_loss = True  # cross_entropy may call nll_loss: the outer one is the loss
        try:
            result = original(*args, **kwargs)
        finally:
            _inside_loss = False
        given = dict(zip(order, args, strict=False)) | kwargs
        output, target = (given.get(key) for key in order)
        if isinstance(output, Tensor) and isinstance(target, Tensor) and isinstance(result, Tensor):
            for listener in list(_listeners):
                if listener.wants_losses:
                    _tell(listener, listener.after_loss, name, output, target, result)
        return result

    return loss
