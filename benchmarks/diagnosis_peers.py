"""What other tools say of a training, in our names: torchmortem 0.1.1 at its default, torch-audit 0.3.0 at every step.

The mapping is generous. A tool is right if any of what it says could be read as the true cause, and first is whatever
it says at its highest severity, since neither orders its findings; what is only a hint of style (dimensions that are no
multiple of eight, half precision not used, weight decay on biases) convicts nobody and raises no alarm, and what is
said as mere information is counted where it is right and raises none either. torchmortem wants to be told the loss
after every step: it gets what backward was called on.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook

from trainclinic.measure.run import build
from trainclinic.setup import Setup, train

#: title begins with → what it may mean
TORCHMORTEM = {
    "Vanishing gradients": ("vanishing-gradient", "poor-initialization", "saturated-activation", "dead-relu"),
    "Exploding gradients": ("exploding-gradient", "learning-rate-too-high", "unscaled-inputs", "non-finite"),
    "Gradient stalling": ("vanishing-gradient", "dead-relu", "frozen-parameters", "constant-prediction"),
    "Dead units": ("dead-relu",),
    "Activation saturation": ("saturated-activation", "unscaled-inputs", "poor-initialization"),
    "Update ratio too low": ("learning-rate-too-low", "frozen-parameters", "undertrained"),
    "Update ratio too high": ("learning-rate-too-high", "oscillating-loss"),
    "Training divergence": ("learning-rate-too-high", "exploding-gradient", "non-finite", "stale-gradient"),
    "Loss plateau": ("constant-prediction", "learning-rate-too-low", "underfitting", "undertrained"),
    "High gradient noise": ("oscillating-loss", "batchnorm-small-batch", "noisy-labels"),
    "Rank collapse": ("over-regularized", "constant-prediction", "underfitting"),
    "Weight norm explosion": ("learning-rate-too-high", "exploding-gradient", "stale-gradient"),
    "Stagnant weight norms": ("learning-rate-too-low", "frozen-parameters", "undertrained"),
    "Inter-layer weight norm": ("poor-initialization", "exploding-gradient"),
}

#: rule → what it may mean; rules that are not here are hints of style
TORCH_AUDIT = {
    "TA100": ("non-finite",),
    "TA102": ("exploding-gradient", "learning-rate-too-high", "unscaled-inputs", "stale-gradient"),
    "TA103": ("dead-relu", "vanishing-gradient", "frozen-parameters", "constant-prediction"),
    "TA104": ("frozen-parameters",),
    "TA105": ("dead-relu",),
    "TA301": ("unscaled-inputs",),
    "TA302": ("unscaled-inputs", "constant-feature"),
    "TA304": ("batchnorm-small-batch",),
    "TA405": ("poor-initialization", "over-regularized"),
    "TA500": ("frozen-parameters",),
}

Said = list[tuple[str, int]]  # what it says, the gravest first: a key of the tables above or a text, and its severity
INFORMATION = 0  # a severity that alarms nobody


def torchmortem(make: Callable[[int], Setup], seed: int, around: Any = contextlib.nullcontext) -> Said:
    """Train under torchmortem; `around` is a context for the training, such as autocast.

    Raises:
        Exception: whatever the tool or the training raises; it is counted as "nothing said".
    """
    import atexit

    from torchmortem import Autopsy

    logging.getLogger("torchmortem").setLevel(logging.CRITICAL)
    setup = build(make, seed)
    autopsy = Autopsy(setup.model, optimizer=setup.optimizer)
    autopsy.attach()
    atexit.unregister(autopsy._atexit_handler)  # it writes a report where the process ends
    last = [float("nan")]
    backward = Tensor.backward

    def noted(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        last[0] = float(self.detach()) if self.numel() == 1 else last[0]
        return backward(self, *args, **kwargs)

    Tensor.backward = noted  # type: ignore[method-assign]
    handle = register_optimizer_step_post_hook(lambda *_: autopsy.step(loss=last[0]))
    try:
        with around(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            train(setup)
            autopsy.detach()
    finally:
        Tensor.backward = backward  # type: ignore[method-assign]
        handle.remove()
    report = autopsy.get_report()
    titles = [(finding.title, int(finding.severity)) for finding in report.findings] if report else []
    return gravest_first(
        (next((key for key in TORCHMORTEM if title.startswith(key)), title), severity) for title, severity in titles
    )


def torch_audit(make: Callable[[int], Setup], seed: int, around: Any = contextlib.nullcontext) -> Said:
    """Train under torch-audit's autopatch mode, at every step; see `torchmortem`."""
    from torch_audit import autopatch

    setup = build(make, seed)
    logging.disable(logging.CRITICAL)
    auditor = autopatch(setup.model, optimizer=setup.optimizer, every_n_steps=1, reporters=[])
    try:
        with around(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            train(setup)
    finally:
        auditor.unpatch()
        logging.disable(logging.NOTSET)
    return gravest_first((finding.rule_id, finding.severity._rank()) for finding in auditor.findings)


def gravest_first(found: Iterable[tuple[str, int]]) -> Said:
    """Each said once, at its gravest; what is as grave stays in the tool's own order."""
    said: dict[str, int] = {}
    for what, severity in found:
        said[what] = max(severity, said.get(what, severity))
    return sorted(said.items(), key=lambda item: -item[1])


PEERS = {"torchmortem": torchmortem, "torch-audit": torch_audit}
MEANINGS = {"torchmortem": TORCHMORTEM, "torch-audit": TORCH_AUDIT}


def answer(tool: str, make: Callable[[int], Setup], seed: int, around: Any = contextlib.nullcontext) -> Said | str:
    """What it says, or the error that it ended with."""
    torch.manual_seed(seed)
    try:
        return PEERS[tool](make, seed, around)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
