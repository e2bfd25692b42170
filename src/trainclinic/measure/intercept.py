"""Where a training passes through PyTorch's own doors: the backward call, the losses, the optimizers, the scaler.

While any watch is open, `torch.autograd.backward` (which `Tensor.backward` calls), the losses in
`torch.nn.functional` (which the loss modules call), `GradScaler.scale` and `.step`, and `torch.compile` are wrapped:
they tell the watches and do what they always did. Optimizers tell through PyTorch's hook on all of them, so that one
made later is not missed. The last watch that closes takes everything away.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.amp.grad_scaler import GradScaler
from torch.compiler import is_dynamo_compiling
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from trainclinic.measure.hook import is_transformed

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

    wants_losses: bool  # at the moment; asked at every loss

    def before_backward(self, loss: Any) -> None:
        """`loss` is about to be differentiated."""

    def after_backward(self, loss: Any) -> None:
        """It has been differentiated."""

    def after_loss(self, name: str, output: Tensor, target: Tensor, loss: Tensor) -> None:
        """A loss function has been computed."""

    def before_step(self, optimizer: Optimizer) -> None:
        """An optimizer, anyone's, is about to step."""

    def after_step(self, optimizer: Optimizer) -> None:
        """It has stepped."""

    def after_scale(self, loss: Tensor, scaled: Tensor, scaler: GradScaler) -> None:
        """A GradScaler has scaled a loss."""

    def before_scaler_step(self, optimizer: Optimizer) -> None:
        """A GradScaler is about to let `optimizer` step, if its gradients are finite."""

    def after_scaler_step(self, optimizer: Optimizer) -> None:
        """It has, or has not."""

    def after_compile(self, given: Any, compiled: Any) -> Any:
        """`torch.compile` has made `compiled` of `given`; what is returned takes its place."""

    def give_up(self, error: Exception) -> None:
        """Telling it failed."""


_listeners: tuple[Listener, ...] = ()  # made anew when one comes or goes, which may happen while they are told
_originals: dict[tuple[Any, str], Callable[..., Any]] = {}
_handles: list[Any] = []
_inside = threading.local()


def listen(listener: Listener) -> None:
    """Begin to tell `listener`."""
    global _listeners
    if not _listeners:
        _wrap(torch.autograd, "backward", _watched_backward)
        _wrap(torch, "compile", _watched_compile)
        _wrap(GradScaler, "scale", _watched_scale)
        _wrap(GradScaler, "step", _watched_scaler_step)
        for name in LOSSES:
            _wrap(F, name, _watched_loss)
        _handles.append(register_optimizer_step_pre_hook(_before_step))
        _handles.append(register_optimizer_step_post_hook(_after_step))
    _listeners = (*_listeners, listener)


def ignore(listener: Listener) -> None:
    """Stop telling `listener`."""
    global _listeners
    if listener in _listeners:
        _listeners = tuple(one for one in _listeners if one is not listener)
        if not _listeners:
            for (owner, name), original in _originals.items():
                if getattr(owner, name).__dict__.get("__wrapped__") is original:
                    setattr(owner, name, original)
            _originals.clear()
            for handle in _handles:
                handle.remove()
            _handles.clear()


def _tell(listener: Listener, method: Callable[..., None], *args: Any) -> None:
    try:
        method(*args)
    except Exception as error:  # ours, not the training's
        listener.give_up(error)


def _wrap(owner: Any, name: str, wrapper: Callable[..., Callable[..., Any]]) -> None:
    original = getattr(owner, name)
    _originals[owner, name] = original
    setattr(owner, name, functools.wraps(original)(wrapper(original)))


def _before_step(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
    if not is_dynamo_compiling():
        for listener in _listeners:  # here and in the backward without `_tell`: a call less in every step
            try:
                listener.before_step(optimizer)
            except Exception as error:
                listener.give_up(error)


def _after_step(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
    if not is_dynamo_compiling():
        for listener in _listeners:
            try:
                listener.after_step(optimizer)
            except Exception as error:
                listener.give_up(error)


def _watched_backward(original: Callable[..., Any]) -> Callable[..., Any]:
    def backward(*args: Any, **kwargs: Any) -> Any:
        if is_dynamo_compiling():
            return original(*args, **kwargs)
        tensors = args[0] if args else kwargs.get("tensors")
        for listener in _listeners:
            try:
                listener.before_backward(tensors)
            except Exception as error:
                listener.give_up(error)
        result = original(*args, **kwargs)
        for listener in _listeners:
            try:
                listener.after_backward(tensors)
            except Exception as error:
                listener.give_up(error)
        return result

    return backward


def _watched_scale(original: Callable[..., Any]) -> Callable[..., Any]:
    def scale(scaler: GradScaler, outputs: Any) -> Any:
        scaled = original(scaler, outputs)
        if isinstance(outputs, Tensor) and scaled is not outputs:
            for listener in _listeners:
                _tell(listener, listener.after_scale, outputs, scaled, scaler)
        return scaled

    return scale


def _watched_scaler_step(original: Callable[..., Any]) -> Callable[..., Any]:
    def step(scaler: GradScaler, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        for listener in _listeners:
            _tell(listener, listener.before_scaler_step, optimizer)
        result = original(scaler, optimizer, *args, **kwargs)
        for listener in _listeners:
            _tell(listener, listener.after_scaler_step, optimizer)
        return result

    return step


def _watched_compile(original: Callable[..., Any]) -> Callable[..., Any]:
    def compile(*args: Any, **kwargs: Any) -> Any:
        compiled = original(*args, **kwargs)
        given = args[0] if args else kwargs.get("model")
        for listener in _listeners:
            try:
                compiled = listener.after_compile(given, compiled)
            except Exception as error:  # ours, not the training's
                listener.give_up(error)
        return compiled

    return compile


def _watched_loss(original: Callable[..., Any]) -> Callable[..., Any]:
    name = original.__name__
    order = tuple(inspect.signature(original).parameters)[:2]  # (input, target), as this loss spells them

    def loss(*args: Any, **kwargs: Any) -> Any:
        if is_dynamo_compiling():
            return original(*args, **kwargs)
        for listener in _listeners:
            if listener.wants_losses:
                break
        else:
            return original(*args, **kwargs)
        if getattr(_inside, "loss", False) or is_transformed():
            return original(*args, **kwargs)
        _inside.loss = True  # cross_entropy may call nll_loss: the outer one is the loss
        try:
            result = original(*args, **kwargs)
        finally:
            _inside.loss = False
        given = dict(zip(order, args, strict=False)) | kwargs
        output, target = (given.get(key) for key in order)
        if isinstance(output, Tensor) and isinstance(target, Tensor) and isinstance(result, Tensor):
            for listener in _listeners:
                if listener.wants_losses:
                    _tell(listener, listener.after_loss, name, output, target, result)
        return result

    return loss
