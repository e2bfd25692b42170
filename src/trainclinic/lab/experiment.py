"""From the settings of an experiment to the Setup that is trained: ordinary PyTorch, built fresh from a seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.utils.data import DataLoader, TensorDataset

from trainclinic.errors import LabError
from trainclinic.lab.controls import Values, read_all
from trainclinic.lab.korean import korean
from trainclinic.lab.muon import MuonAdamW
from trainclinic.lab.settings import SETTINGS
from trainclinic.setup import Setup
from trainclinic.treat.operation import operate
from trainclinic.treat.remedies.augment_data import AugmentData
from trainclinic.treat.remedies.early_stopping import EarlyStopping
from trainclinic.treat.remedy import RefusedError, Remedy

MOST_WEIGHTS = 2_000_000  # of one network: a step of it takes a few hundredths of a second
MOST_STEPS = 20_000  # of one training
REGRESSIONS = ("diabetes",)
IMAGES = {"digits": (1, 8, 8)}  # channels, height, width: as images they can be shifted
SPIRALS, ARMS, TURNS = 900, 3, 1.5  # samples, classes, turns of each arm


def values(given: Mapping[str, Any]) -> Values:
    """All settings, with what is given over the defaults.

    Raises:
        LabError: a value is outside its range, or the training would be too large.
    """
    found = read_all(SETTINGS.values(), given)
    depth, width = cast(int, found["depth"]), cast(int, found["width"])
    weights = max(0, depth - 1) * width**2 + 75 * width
    if weights > MOST_WEIGHTS:
        raise LabError(
            f"depth and width: expected at most {MOST_WEIGHTS:,} weights, got {weights:,}; take fewer layers or units",
            f"가중치는 {MOST_WEIGHTS:,}개까지인데 {weights:,}개가 됩니다. 층이나 유닛을 줄이세요",
        )
    steps = cast(int, found["epochs"]) * math.ceil(cast(int, found["samples"]) / cast(int, found["batch_size"]))
    if steps > MOST_STEPS:
        raise LabError(
            f"epochs and batch_size: expected at most {MOST_STEPS:,} steps, got {steps:,}; take fewer epochs or larger "
            "batches",
            f"업데이트는 {MOST_STEPS:,}번까지인데 {steps:,}번이 됩니다. 에폭 수를 줄이거나 배치를 키우세요",
        )
    return found


class Make:
    """A `make` of the lab's: its Setup is built from settings alone, so it travels as plain data.

    Args:
        given: settings; what is not named is at its default.

    Raises:
        LabError: see `values`.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.values = values(given)

    def __call__(self, seed: int) -> Setup:
        """The Setup, built fresh: network, optimizer, data, in this order, from the generators as they are."""
        chosen: Any = self.values
        train, val, inputs, outputs = loaders(chosen, seed)
        if chosen["norm"] == "batch":
            _check_last_batch(train)
        model = network(chosen, inputs, outputs)
        optimizer = optimizer_of(chosen, model)
        regression = chosen["data"] in REGRESSIONS
        if chosen["l1"]:
            _shrink(model, optimizer, chosen["l1"])
        setup = Setup(
            model,
            nn.MSELoss() if regression else nn.CrossEntropyLoss(),
            optimizer,
            train,
            val,
            chosen["epochs"],
            "r2" if regression else "accuracy",
            scheduler_of(chosen, optimizer),
            chosen["clip"] or None,
        )
        try:
            return operate(setup, remedies(chosen))[0]
        except RefusedError as reason:
            raise LabError(
                f"experiment: expected settings that fit each other, but {reason}",
                f"설정이 서로 맞지 않습니다. {korean(str(reason))}",
            ) from reason


def _check_last_batch(loader: Any) -> None:
    """Batch normalisation takes mean and variance over a batch, and one sample has none."""
    samples, size = len(loader.dataset), loader.batch_size
    if (samples % size or size) == 1:
        raise LabError(
            "batch_size and samples: batch normalisation expects at least 2 samples in every batch, got "
            f"{samples:,} samples in batches of {size}, so that the last batch has 1; take another batch size or "
            "number of samples",
            f"배치정규화는 배치마다 샘플이 2개 이상이어야 하는데, 샘플 {samples:,}개를 {size}개씩 나누면 마지막 "
            "배치에 1개만 "
            "남습니다. 배치 크기나 샘플 수를 바꾸세요",
        )


def network(chosen: Any, inputs: int, outputs: int) -> nn.Sequential:
    """Linear, normalisation, activation, dropout, for each hidden layer; then the last Linear."""
    norms: dict[str, Callable[[int], nn.Module]] = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
    modules: list[nn.Module] = [nn.Flatten()] if chosen["data"] in IMAGES else []
    width = inputs
    for _ in range(chosen["depth"]):
        modules.append(_linear(chosen, width, chosen["width"]))
        width = chosen["width"]
        if chosen["norm"] in norms:
            modules.append(norms[chosen["norm"]](width))
        modules.append(getattr(nn, chosen["activation"])())
        if chosen["dropout"]:
            modules.append(nn.Dropout(chosen["dropout"]))
    return nn.Sequential(*modules, _linear(chosen, width, outputs))


def _linear(chosen: Any, inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    draw: dict[str, Callable[[Tensor], object]] = {
        "xavier": nn.init.xavier_normal_,
        "he": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
        "lecun": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="linear"),
        "orthogonal": nn.init.orthogonal_,
    }
    with torch.no_grad():
        if chosen["init"] in draw:
            draw[chosen["init"]](layer.weight)
            layer.bias.zero_()
        layer.weight *= chosen["gain"]
    return layer


def optimizer_of(chosen: Any, model: nn.Module) -> Optimizer:
    """The optimizer, with weight decay on the weights and none on biases and norms."""
    name, rate, decay = chosen["optimizer"], chosen["learning_rate"], chosen["weight_decay"]
    weights = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    if name == "Muon":
        return MuonAdamW(weights, others, rate, decay)
    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "SGD": (torch.optim.SGD, {}),
        "momentum": (torch.optim.SGD, {"momentum": 0.9}),
        "Nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        "AdaMax": (torch.optim.Adamax, {}),
    }
    kind, arguments = kinds.get(name, (getattr(torch.optim, name, None), {}))
    made: Optimizer = kind(groups, lr=rate, **arguments)
    return made


def scheduler_of(chosen: Any, optimizer: Optimizer) -> LRScheduler | None:
    """What the learning rate does over the epochs."""
    epochs = chosen["epochs"]
    shapes: dict[str, Callable[[int], float]] = {
        "cosine": lambda epoch: 0.5 * (1 + math.cos(math.pi * epoch / epochs)),
        "step": lambda epoch: 0.1 if epoch >= 2 * epochs / 3 else 1.0,
    }
    shape = shapes.get(chosen["schedule"])
    return LambdaLR(optimizer, shape) if shape else None


def remedies(chosen: Any) -> list[Remedy]:
    """The settings that are remedies of the catalogue, applied as a cure applies them."""
    found: list[Remedy] = []
    if chosen["augmentation"] != "none":
        strength = {"noise": 0.5, "shift": 0.13, "mixup": 0.4}[chosen["augmentation"]]
        found.append(AugmentData(chosen["augmentation"], strength))
    if 0 < chosen["patience"] < chosen["epochs"]:  # a longer one never ends it
        found.append(EarlyStopping(chosen["patience"]))
    return found


def _shrink(model: nn.Module, optimizer: Optimizer, penalty: float) -> None:
    """L1 as a proximal step: after each update every weight moves towards 0 by η λ, and stops there."""
    weights = [parameter for parameter in model.parameters() if parameter.ndim > 1]

    def shrink(stepped: Optimizer, *_: Any) -> None:
        by = stepped.param_groups[0]["lr"] * penalty
        with torch.no_grad():
            for weight in weights:
                weight.copy_(weight.sign() * (weight.abs() - by).clamp(min=0))

    optimizer.register_step_post_hook(shrink)


# -- data


def loaders(chosen: Any, seed: int) -> tuple[Any, Any, int, int]:
    """Training loader, validation loader, features, outputs; the split is the same for every seed."""
    from trainclinic.cases._data import loaders as tables

    if chosen["data"] == "spirals":
        train_set, val_set = _spirals()
    else:
        train, val = tables(chosen["data"], seed)
        train_set, val_set = (cast(TensorDataset, loader.dataset) for loader in (train, val))
    x, y = train_set.tensors
    x, y = x[: chosen["samples"]], y[: chosen["samples"]]
    outputs = 1 if chosen["data"] in REGRESSIONS else int(y.max()) + 1
    if chosen["label_noise"]:
        y = _some_wrong(y, chosen["label_noise"], outputs)
    features = x.shape[1]
    if chosen["data"] in IMAGES:
        shape = IMAGES[chosen["data"]]
        x, val_set = x.reshape(-1, *shape), TensorDataset(val_set.tensors[0].reshape(-1, *shape), val_set.tensors[1])
    order = torch.Generator().manual_seed(seed)
    return (
        DataLoader(TensorDataset(x, y), min(chosen["batch_size"], len(x)), shuffle=True, generator=order),
        DataLoader(val_set, len(val_set)),
        features,
        outputs,
    )


def _some_wrong(y: Tensor, share: float, classes: int) -> Tensor:
    """The same samples for every seed."""
    drawn = torch.Generator().manual_seed(7)
    wrong = torch.rand(len(y), generator=drawn) < share
    if classes == 1:
        return torch.where(wrong[:, None] if y.ndim > 1 else wrong, y[torch.randperm(len(y), generator=drawn)], y)
    return torch.where(wrong, torch.randint(classes, y.shape, generator=drawn), y)


def _spirals() -> tuple[TensorDataset, TensorDataset]:
    """Arms of a spiral, one a class, with a little noise; every fourth sample is for validation."""
    drawn = torch.Generator().manual_seed(42)
    label = torch.arange(SPIRALS) % ARMS
    radius = torch.rand(SPIRALS, generator=drawn).sqrt()
    angle = 2 * math.pi * (TURNS * radius + label / ARMS) + 0.15 * torch.randn(SPIRALS, generator=drawn)
    x = torch.stack([radius * angle.cos(), radius * angle.sin()], 1) / 0.5
    held_out = torch.arange(SPIRALS) % 4 == 0
    return TensorDataset(x[~held_out], label[~held_out]), TensorDataset(x[held_out], label[held_out])
