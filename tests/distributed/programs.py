"""Distributed trainings, each run bare and watched, in one process group."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import Replicate
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from world import CLASSES, FEATURES, STEPS, share

import trainclinic as tc

SCENARIOS: dict[str, Callable[..., Any]] = {}


class Net(nn.Module):
    """Sizes that no number of ranks divides, a weight of the root's own, a norm, a function as activation."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(FEATURES, 21)
        self.act = nn.Tanh()
        self.inner = nn.Sequential(nn.Linear(21, 10), nn.LayerNorm(10), nn.ReLU())
        self.scale = nn.Parameter(torch.full((3, 10), 0.9))
        self.head = nn.Linear(10, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(F.relu(self.inner(self.act(self.first(x))) * self.scale.mean(0)))


def network(seed: int = 0) -> Net:
    torch.manual_seed(seed)
    return Net()


def scenario(function: Callable[..., Any]) -> Callable[..., Any]:
    SCENARIOS[function.__name__] = function
    return function


def run(rank: int, size: int, folder: Path, names: tuple[str, ...]) -> None:
    """The programs of these names, bare and watched."""
    warnings.simplefilter("error", RuntimeWarning)  # a watch that gave up
    for name in names:
        function = SCENARIOS[name]
        found: dict[str, Any] = {}
        for arm in ("bare", "watched"):
            torch.manual_seed(100 + rank)
            path = folder / f"{name}.clinic" if arm == "watched" else None
            found[arm] = function(rank, size, path)
            found[arm + " generator"] = torch.get_rng_state()
        torch.save(found, folder / f"{name}.rank{rank}.pt")


def watching(model: nn.Module, optimizer: torch.optim.Optimizer, path: Path | None) -> Any:
    return tc.watch(model, optimizer, path=path, every=1) if path is not None else contextlib.nullcontext()


def local_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: local(p.detach()).clone() for name, p in model.named_parameters()}


def local(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def train(model: nn.Module, rank: int, size: int, path: Path | None, **how: Any) -> dict[str, Any]:
    """Some steps; what the ranks hold in the end, and with `norms` what the whole gradient was, by their own sum."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    norms = []
    if how.get("evaluated"):
        with torch.no_grad():
            model(share(0, rank, size)[0])
    with watching(how.get("seen", model), optimizer, path):
        for step in range(STEPS):
            optimizer.zero_grad()
            x, y = share(step, rank, size)
            if how.get("break_at") == (step, rank):
                x = x * float("nan")
            F.cross_entropy(model(x).float(), y).backward()
            for parameter in how.get("averaged", ()):
                dist.all_reduce(parameter.grad)
                parameter.grad /= size
            if how.get("norms"):
                norms.append({name: full(p.grad).double().norm().item() for name, p in model.named_parameters()})
            if "clip" in how:
                torch.nn.utils.clip_grad_norm_(model.parameters(), how["clip"])
            optimizer.step()
            for _ in range(how.get("extra", 0)):
                optimizer.step()
    return {"weights": local_weights(model), "norms": norms}


def full(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def sharded(model: Net, **how: Any) -> Net:
    for part in (model.first, model.inner, model.head):
        fully_shard(part, **how)
    fully_shard(model, **how)
    return model


# -- DistributedDataParallel


@scenario
def ddp(rank: int, size: int, path: Path | None) -> Any:
    return train(DistributedDataParallel(network()), rank, size, path)


@scenario
def ddp_inside(rank: int, size: int, path: Path | None) -> Any:
    model = DistributedDataParallel(network(seed=rank))  # broadcast from rank 0
    return train(model, rank, size, path, seen=model.module, clip=0.5)


@scenario
def ddp_accumulated(rank: int, size: int, path: Path | None) -> Any:
    model = DistributedDataParallel(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watching(model, optimizer, path):
        for step in range(STEPS):
            optimizer.zero_grad()
            x, y = share(step, rank, size)
            with model.no_sync():
                (F.cross_entropy(model(x[:4]), y[:4]) / 2).backward()
            (F.cross_entropy(model(x[4:]), y[4:]) / 2).backward()
            optimizer.step()
    return {"weights": local_weights(model)}


@scenario
def ddp_on_rank_0(rank: int, size: int, path: Path | None) -> Any:
    return train(DistributedDataParallel(network()), rank, size, path if rank == 0 else None)


@scenario
def ddp_not_finite(rank: int, size: int, path: Path | None) -> Any:
    return train(DistributedDataParallel(network()), rank, size, path, break_at=(3, size - 1))


# -- fully_shard


@scenario
def fsdp(rank: int, size: int, path: Path | None) -> Any:
    return train(sharded(network()), rank, size, path, norms=True)


@scenario
def fsdp_kept(rank: int, size: int, path: Path | None) -> Any:
    return train(sharded(network(), reshard_after_forward=False), rank, size, path)


@scenario
def fsdp_bf16(rank: int, size: int, path: Path | None) -> Any:
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    return train(sharded(network(), mp_policy=policy), rank, size, path, norms=True)


@scenario
def fsdp_clipped(rank: int, size: int, path: Path | None) -> Any:
    return train(sharded(network()), rank, size, path, clip=0.3)


@scenario
def fsdp_mixed(rank: int, size: int, path: Path | None) -> Any:
    model = network()
    replicated = [model.scale, *model.inner.parameters()]
    fully_shard(model.first)
    fully_shard(model.head)
    return train(model, rank, size, path, norms=True, averaged=replicated)


@scenario
def fsdp_after_evaluation(rank: int, size: int, path: Path | None) -> Any:
    """An evaluation leaves the root's own weight gathered, in the place of the shard that the optimizer holds."""
    return train(sharded(network()), rank, size, path, evaluated=True)


@scenario
def fsdp_on_rank_0(rank: int, size: int, path: Path | None) -> Any:
    return train(sharded(network()), rank, size, path if rank == 0 else None)


@scenario
def fsdp_not_finite(rank: int, size: int, path: Path | None) -> Any:
    return train(sharded(network()), rank, size, path, break_at=(3, size - 1))


@scenario
def fsdp_checkpoint(rank: int, size: int, path: Path | None) -> Any:
    model = sharded(network())
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    saved = []
    with watching(model, optimizer, path):
        for step in range(STEPS):
            optimizer.zero_grad()
            x, y = share(step, rank, size)
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            saved.append(get_model_state_dict(model, options=options))
    return {"weights": local_weights(model), "saved": saved}


@scenario
def fsdp_two_copies(rank: int, size: int, path: Path | None) -> Any:
    """Shards over pairs of ranks, each pair a replica of the other."""
    mesh = init_device_mesh("cpu", (size // 2, 2), mesh_dim_names=("replicate", "shard"))
    return train(sharded(network(), mesh=mesh), rank, size, path, norms=True)


@scenario
def flat(rank: int, size: int, path: Path | None) -> Any:
    """The older FullyShardedDataParallel: one flat parameter."""
    return train(FullyShardedDataParallel(network(), device_id=torch.device("cpu")), rank, size, path)


@scenario
def tensor_parallel(rank: int, size: int, path: Path | None) -> Any:
    """Layers split between ranks that all see the same batch."""
    model = network()
    plan = {"first": ColwiseParallel(output_layouts=Replicate()), "head": RowwiseParallel(input_layouts=Replicate())}
    parallelize_module(model, init_device_mesh("cpu", (size,)), plan)
    return train(model, 0, 1, path, norms=True)


# -- replicas that drift apart


@scenario
def alone(rank: int, size: int, path: Path | None) -> Any:
    """Nobody wrapped it: each rank trains a network of its own."""
    return train(network(seed=rank), rank, size, path)


@scenario
def alone_from_one_seed(rank: int, size: int, path: Path | None) -> Any:
    return train(network(), rank, size, path)


@scenario
def other_start(rank: int, size: int, path: Path | None) -> Any:
    """Gradients are averaged, but the ranks never had the same weights."""
    model = network(seed=rank)
    return train(model, rank, size, path, averaged=list(model.parameters()))


@scenario
def one_bias_differs(rank: int, size: int, path: Path | None) -> Any:
    model = network()
    with torch.no_grad():
        model.head.bias += rank
    return train(model, rank, size, path, averaged=list(model.parameters()))


@scenario
def more_steps(rank: int, size: int, path: Path | None) -> Any:
    """The last rank steps twice where the others step once."""
    model = network()
    return train(model, rank, size, path, averaged=list(model.parameters()), extra=int(rank == size - 1))
