"""Facts: exact observations of a run, kept small: counts, sums and first times; nothing here grows with the run.

They are stored as plain data under these topics:

    steps               optimizer steps watched
    parameters          one entry a parameter: name, shape, dtype, requires_grad, in_optimizer, and over the looks: how
                        often its gradient was missing, zero, there; how often a step moved it
    modes               passes with gradient by mode of the model, modules that behave differently in eval mode and
                        how often each trained in eval mode; evaluations by mode
    gradient_cleared    steps looked at, and those whose gradients were never cleared since the step before
    loss                name of the loss, what stands before it (`loss_graph.py`), shapes, dtypes; linear: the layers
                        with weights that follow one another in a network that is one linear map (`linear.py`);
                        stacked: the same of a part of a network that has no activation function;
                        penalty: whether it has a term of the weights themselves
    foreign             weights in the graph that neither the model lists nor an optimizer holds (`foreign.py`)
    inputs              kind, shape, per feature: mean, std, min, max over the first samples
    targets             dtype; mean, std, min, max and whether all are whole numbers, or the count of each class
    non_finite          first step with a non-finite loss or gradient, what was non-finite, parameters concerned, and
                        its origin (`origin.py`)
    batch_size          of the first pass
    training_samples    size of the training set, where it is known
    data                what a sample of the samples says (`data_card.py`)
    classes             of the last evaluation, class by class: samples, right answers, right answers once the classes'
                        frequencies are taken out of the scores, predicted
    answers             of the last evaluation: what they tell of the targets (`answers.py`)
    validation_told     whether the user told what validation is
    first_spread        deviation between samples in the first layer's output, against its size: the most in its
                        first looks
    batch_norm          layer → the most values that a mean was taken over in training: batch size × positions
    weight_decay        one entry a parameter group: weight_decay, decoupled (AdamW) or part of the gradient
    alike               layers whose units all had the same weights when the watch began, other than 0
    momentum            one entry a parameter group; 0 where the optimizer has none
    distributed         of several processes only: rank, world_size, kind, what this rank holds (`distributed.py`)
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from trainclinic.measure.distributed import own_class, plain_name
from trainclinic.measure.reductions import dense, is_sparse

FEATURES = 4096  # input features followed at most; classes counted at most
ENOUGH = 2000  # samples for the statistics of inputs and targets


class ParameterFacts:
    """Which parameters could learn, and which did."""

    def __init__(self, names: list[str], parameters: list[nn.Parameter], optimizers: list[Optimizer]) -> None:
        self._optimizers = optimizers
        self._of: dict[int, dict[str, Any]] = {}
        self.entries: list[dict[str, Any]] = []
        self.follow(names, parameters)

    def follow(self, names: list[str], parameters: list[nn.Parameter]) -> None:
        """From now on these parameters; what was seen of those that stay is kept."""
        held = {id(p) for o in self._optimizers for group in o.param_groups for p in group["params"]}
        self._of = {
            id(parameter): self._of.get(id(parameter)) or _entry(name, parameter, in_optimizer=id(parameter) in held)
            for name, parameter in zip(names, parameters, strict=True)
        }
        self.entries = list(self._of.values())
        self._parameters = parameters

    def update(self, gradient_norms: list[float], moved: list[bool], due: list[bool]) -> None:
        """Add one step that was looked at; a parameter not `due` was not to be moved by it."""
        rates = {id(p): group["lr"] for o in self._optimizers for group in o.param_groups for p in group["params"]}
        rows = zip(self.entries, self._parameters, gradient_norms, moved, due, strict=True)
        for entry, parameter, norm, changed, its_step in rows:
            if not its_step:
                continue
            entry["requires_grad"] = parameter.requires_grad
            entry["in_optimizer"] = id(parameter) in rates
            entry["looks"] += 1
            entry["gradient_missing"] += math.isnan(norm)
            entry["gradient_zero"] += norm == 0
            entry["moved"] += changed
            entry["learning_rate_zero"] += float(rates.get(id(parameter), 1.0)) == 0.0


class ModeFacts:
    """In which mode the model trained and was evaluated."""

    def __init__(self, model: nn.Module) -> None:
        self._sensitive: list[tuple[str, nn.Module]] = []
        self._eval_looks: list[int] = []
        self.follow(model)
        self.passes = {"train": 0, "eval": 0}
        self.looks = 0
        self.evaluations = {"train": 0, "eval": 0}

    def follow(self, model: nn.Module) -> None:
        """From now on the modules that the model has now."""
        known = dict(zip((id(module) for _, module in self._sensitive), self._eval_looks, strict=True))
        named = [(plain_name(model, name), module) for name, module in model.named_modules()]
        self._sensitive = [(name, module) for name, module in named if _is_mode_sensitive(module)]
        self._eval_looks = [known.get(id(module), 0) for _, module in self._sensitive]
        self._trainable = [any(p.requires_grad for p in module.parameters()) for _, module in self._sensitive]

    @property
    def dropouts(self) -> int:
        """Modules that drop values."""
        return sum(_dropout(module) > 0 for _, module in self._sensitive)

    def look(self) -> None:
        """Look at every module that behaves differently in eval mode."""
        self.looks += 1
        for index, (_, module) in enumerate(self._sensitive):
            self._eval_looks[index] += not module.training

    def evaluation(self, model: nn.Module) -> None:
        """One pass without gradient."""
        behaves_as_training = any(module.training for _, module in self._sensitive) if model.training else False
        self.evaluations["train" if behaves_as_training else "eval"] += 1

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "passes": dict(self.passes),
            "looks": self.looks,
            "evaluations": dict(self.evaluations),
            "sensitive": [
                {
                    "name": name,
                    "kind": own_class(module).__name__,
                    "eval_looks": count,
                    "trainable": trainable,
                    "dropout": _dropout(module),
                }
                for (name, module), count, trainable in zip(
                    self._sensitive, self._eval_looks, self._trainable, strict=True
                )
            ],
        }


class InputFacts:
    """Scale of each input feature, over the first samples."""

    def __init__(self) -> None:
        self.samples = 0
        self._kind = ""
        self._shape: list[int] = []
        self._sums: dict[str, Tensor] = {}
        self._rows = 0
        self._final: dict[str, Any] | None = None  # once there are enough

    @property
    def enough(self) -> bool:
        """Whether more samples would change little."""
        return self.samples >= ENOUGH

    def update(self, inputs: Tensor | None) -> None:
        """Add one batch; features are dim 1 of (N, F) and (N, C, …), the last dim of (N, T, F)."""
        if inputs is None or not inputs.numel() or inputs.is_complex() or is_sparse(inputs):
            return
        self._kind = "float" if inputs.is_floating_point() else "integer"
        x = dense(inputs.detach())
        self._shape = self._shape or list(x.shape)
        x = x[:, None] if x.ndim == 1 else x
        x = (x.movedim(1, -1) if x.ndim > 3 else x).reshape(-1, x.shape[1] if x.ndim > 3 else x.shape[-1])
        x = x[:, :FEATURES].double()
        part = {"sum": x.sum(0), "square": x.square().sum(0), "min": -x.amin(0), "max": x.amax(0)}
        if self._sums and part["sum"].shape != self._sums["sum"].shape:
            return
        self.samples += len(inputs)
        self._rows += len(x)
        for key, value in part.items():
            if key in self._sums:
                value = self._sums[key] + value if key in ("sum", "square") else torch.maximum(self._sums[key], value)
            self._sums[key] = value

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        if self._final is not None:
            return self._final
        if not self._sums:
            return {"kind": self._kind, "shape": self._shape, "samples": self.samples}
        mean = self._sums["sum"] / self._rows
        std = (self._sums["square"] / self._rows - mean.square()).clamp(min=0).sqrt()
        columns = {"mean": mean, "std": std, "min": -self._sums["min"], "max": self._sums["max"]}
        features = {key: _rounded(value) for key, value in columns.items()}
        found = {"kind": self._kind, "shape": self._shape, "samples": self.samples, "features": features}
        if self.enough:
            self._final = found
        return found


class TargetFacts:
    """What the targets look like, over the first samples."""

    def __init__(self) -> None:
        self.samples = 0
        self._dtype = ""
        self._shape: list[int] = []
        self._classes: dict[int, int] = {}
        self._moments = (0.0, 0.0, 0)
        self._range = (math.inf, -math.inf)
        self._whole = True

    def update(self, targets: Tensor) -> None:
        """Add one batch."""
        if self.samples >= ENOUGH or not targets.numel() or targets.is_complex():
            return
        self.samples += len(targets) if targets.ndim else 1
        targets = dense(targets.detach())
        self._dtype = str(targets.dtype).removeprefix("torch.")
        self._shape = self._shape or list(targets.shape)  # of the first batch: the last one may be short
        flat = targets.flatten()
        if flat.is_floating_point():
            values = flat.double()
            total, square, count = self._moments
            self._range = min(self._range[0], float(values.min())), max(self._range[1], float(values.max()))
            self._moments = (total + float(values.sum()), square + float(values.square().sum()), count + len(values))
            self._whole = self._whole and bool((flat == flat.round()).all())
            if len(self._classes) < 3:  # only to see whether the targets are 0 and 1
                flat = flat[(flat == flat.round()) & (flat.abs() < FEATURES)]
        found, counts = torch.unique(flat.long(), return_counts=True)
        for value, count in zip(found.tolist()[:FEATURES], counts.tolist(), strict=False):
            if value in self._classes or len(self._classes) < FEATURES:
                self._classes[value] = self._classes.get(value, 0) + count

    @property
    def classes(self) -> dict[int, int]:
        """How often each class was seen."""
        return self._classes

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        facts: dict[str, Any] = {"dtype": self._dtype, "shape": self._shape, "samples": self.samples}
        total, square, count = self._moments
        if count:
            mean = total / count
            facts |= {"mean": mean, "std": math.sqrt(max(0.0, square / count - mean * mean))}
            facts |= {"min": self._range[0], "max": self._range[1], "whole": self._whole}
            facts["binary"] = sum(self._classes.values()) == count and set(self._classes) <= {0, 1}
        if not count or facts["binary"]:
            facts["classes"] = {str(value): number for value, number in sorted(self._classes.items())}
        return facts


def _entry(name: str, parameter: nn.Parameter, *, in_optimizer: bool) -> dict[str, Any]:
    return {
        "name": name,
        "shape": list(parameter.shape),
        "dtype": str(parameter.dtype).removeprefix("torch."),
        "requires_grad": parameter.requires_grad,
        "in_optimizer": in_optimizer,
        "looks": 0,
        "gradient_missing": 0,
        "gradient_zero": 0,
        "moved": 0,
        "learning_rate_zero": 0,
    }


def _is_mode_sensitive(module: nn.Module) -> bool:
    """Dropout that drops, batch norm with running statistics, recurrent layers with dropout."""
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    if isinstance(module, nn.modules.batchnorm._NormBase):
        return bool(module.track_running_stats)
    return isinstance(module, nn.RNNBase | nn.MultiheadAttention) and float(module.dropout) > 0


def _dropout(module: nn.Module) -> float:
    """The share that it drops; 0 for what drops nothing."""
    rate = getattr(module, "p", getattr(module, "dropout", 0.0))
    return float(rate) if isinstance(rate, int | float) else 0.0


def weight_decay(optimizers: list[Optimizer]) -> list[dict[str, Any]]:
    """Of every parameter group."""
    return [
        {
            "weight_decay": float(group.get("weight_decay") or 0.0),
            "decoupled": bool(group.get("decoupled_weight_decay", type(one).__name__ in ("AdamW", "Muon"))),
        }
        for one in optimizers
        for group in one.param_groups
    ]


def momentum(optimizers: list[Optimizer]) -> list[float]:
    """Of every parameter group, where it lengthens the step: Adam's betas, Muon's and a dampened one do not."""
    return [
        float(group["momentum"]) if type(one).__name__ in ("SGD", "RMSprop") and not group.get("dampening") else 0.0
        for one in optimizers
        for group in one.param_groups
    ]


def _rounded(values: Tensor) -> list[float]:
    return [float(f"{value:.7g}") for value in values.tolist()]
