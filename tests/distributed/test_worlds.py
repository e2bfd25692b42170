"""What is recorded of real distributed trainings: right, complete, and without a trace in the training."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import programs
import pytest
import torch
import world
from torch.nn import functional as F

import trainclinic as tc
from trainclinic.catalog import entry
from trainclinic.diagnose.diagnose import PROBLEMS

OF_FOUR = (
    "ddp", "fsdp", "fsdp_kept", "fsdp_bf16", "fsdp_mixed", "fsdp_two_copies", "fsdp_on_rank_0", "fsdp_not_finite",
    "tensor_parallel", "alone",
)  # fmt: skip
OF_TWO = tuple(programs.SCENARIOS)
EACH = [(2, name) for name in OF_TWO] + [(4, name) for name in OF_FOUR]
#: the same training, however it is spread; scenario → clipping
SAME_AS_ONE_PROCESS = {
    "ddp": None, "ddp_accumulated": None, "ddp_inside": 0.5, "fsdp": None, "fsdp_kept": None, "fsdp_clipped": 0.3,
    "fsdp_mixed": None, "fsdp_after_evaluation": None, "fsdp_two_copies": None,
}  # fmt: skip
GATHERED = [
    (2, "fsdp"), (2, "fsdp_bf16"), (2, "tensor_parallel"), (4, "fsdp_bf16"), (4, "fsdp_mixed"), (4, "fsdp_two_copies"),
    (4, "tensor_parallel"),
]  # fmt: skip
WEIGHTS = {"first": "first.weight", "inner.0": "inner.0.weight", "scale": "scale", "head": "head.weight"}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Size → the folder of a world that has run; test processes of one session share it."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "popen" in base.name else base

    def run(size: int) -> Path:
        def make(place: Path) -> None:
            names = OF_TWO if size == 2 else OF_FOUR
            assert world.start(programs.run, size, place, names) == [0] * size

        return world.once(base / f"world-{size}", make)

    return run


def reference(size: int, clip: float | None) -> dict[str, Any]:
    """The same training in one process and float64, on the global batch: what each signal must be at each step."""
    model = programs.network().double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    seen: dict[str, list[float]] = {}

    def look(module: torch.nn.Module, args: Any, output: torch.Tensor) -> None:
        keep(seen, "activation_rms", output)
        output.register_hook(lambda gradient: keep(seen, "backward_rms", gradient * size))

    model.first.register_forward_hook(look)
    for step in range(world.STEPS):
        optimizer.zero_grad()
        x, y = world.batch(step, size)
        loss = F.cross_entropy(model(x.double()), y)
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        seen.setdefault("loss", []).append(loss.item())
        gradient = torch.cat([p.grad.flatten() for p in model.parameters()])
        seen.setdefault("gradient_norm", []).append(gradient.norm().item())
        before = {layer: model.get_parameter(name).detach().clone() for layer, name in WEIGHTS.items()}
        for layer, name in WEIGHTS.items():
            keep(seen, f"gradient_rms of {layer}", model.get_parameter(name).grad)
            keep(seen, f"weight_rms of {layer}", before[layer])
        optimizer.step()
        for layer, name in WEIGHTS.items():
            moved = (model.get_parameter(name).detach() - before[layer]).norm() / before[layer].norm()
            seen.setdefault(f"update_ratio of {layer}", []).append(moved.item())
    return seen


def keep(seen: dict[str, list[float]], key: str, tensor: torch.Tensor) -> None:
    seen.setdefault(key, []).append(tensor.detach().square().mean().sqrt().item())


@pytest.mark.parametrize(("size", "name"), EACH)
def test_watching_changes_no_bit_on_any_rank(folder: Any, size: int, name: str) -> None:
    for rank in range(size):
        found = torch.load(folder(size) / f"{name}.rank{rank}.pt")
        bare, watched = found["bare"]["weights"], found["watched"]["weights"]
        assert bare.keys() == watched.keys() != set()
        for key, value in bare.items():
            assert torch.equal(value.contiguous().view(torch.uint8), watched[key].contiguous().view(torch.uint8)), key
        assert torch.equal(found["bare generator"], found["watched generator"])


@pytest.mark.parametrize(("size", "name"), [one for one in EACH if one[1] in SAME_AS_ONE_PROCESS])
def test_what_is_recorded_is_that_of_one_process_with_the_global_batch(folder: Any, size: int, name: str) -> None:
    recording = tc.load(folder(size) / f"{name}.clinic")
    assert (len(recording.ranks), recording.steps, recording.ended) == (size, world.STEPS, "completed")
    expected = reference(size, SAME_AS_ONE_PROCESS[name])
    if name == "ddp_accumulated":  # its halves are halved: the backward signal is that of each half
        expected.pop("backward_rms")
    for key, values in expected.items():
        signal, _, layer = key.partition(" of ")
        layer = "first" if signal in ("activation_rms", "backward_rms") else layer
        close = 1e-3 if signal == "update_ratio" else 1e-5  # a difference of float32 numbers
        np.testing.assert_allclose(recording.series(signal, layer).values, values, rtol=close, err_msg=key)
    for layer in WEIGHTS:
        cosines = recording.series("gradient_cosine", layer)
        assert cosines.steps.tolist() == list(range(1, world.STEPS))
        assert (np.abs(cosines.values) <= 1).all()


@pytest.mark.parametrize(("size", "name"), GATHERED)
def test_norms_are_those_of_the_gathered_gradients(folder: Any, size: int, name: str) -> None:
    recording = tc.load(folder(size) / f"{name}.clinic")
    norms = torch.load(folder(size) / f"{name}.rank0.pt")["watched"]["norms"]
    whole = [math.sqrt(sum(value * value for value in step.values())) for step in norms]
    np.testing.assert_allclose(recording.series("gradient_norm").values, whole, rtol=1e-6)
    for layer, parameter in WEIGHTS.items():
        root = math.sqrt(programs.network().get_parameter(parameter).numel())
        expected = [step[parameter] / root for step in norms]
        np.testing.assert_allclose(recording.series("gradient_rms", layer).values, expected, rtol=1e-6)


def test_layers_are_called_as_without_anything_around_the_model(folder: Any) -> None:
    model = programs.network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with tc.watch(model, optimizer) as watch:
        x, y = world.batch(0, 1)
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    alone = watch.recording
    assert {layer.kind for layer in alone.layers} == {"Linear", "tanh", "relu", "Net"}
    for name in ("ddp", "ddp_inside", "fsdp", "fsdp_mixed", "fsdp_after_evaluation"):
        recording = tc.load(folder(2) / f"{name}.clinic")
        assert recording.layers == alone.layers, name
        assert recording.environment["model"] == "Net"
        assert recording.environment["parameters"] == alone.environment["parameters"]
        assert [entry["name"] for entry in recording.facts["parameters"]] == list(dict(model.named_parameters()))
        assert recording.facts["first_module"] == alone.facts["first_module"]
        assert recording.facts["foreign"] == []


def test_the_kind_of_training_is_known(folder: Any) -> None:
    kinds = {"ddp": "DistributedDataParallel", "fsdp": "fully_shard", "flat": "FullyShardedDataParallel",
             "tensor_parallel": "DTensor", "alone": ""}  # fmt: skip
    for name, kind in kinds.items():
        assert tc.load(folder(2) / f"{name}.clinic").facts["distributed"]["kind"] == kind


def test_of_a_flat_parameter_nothing_is_claimed(folder: Any) -> None:
    recording = tc.load(folder(2) / "flat.clinic")
    assert len(recording.series("loss")) == world.STEPS
    assert not {"gradient_norm", "weight_rms", "replica_fingerprint"} & set(recording.signals)
    assert all(one.series("gradient_norm") for one in recording.ranks)


def test_every_shard_learns(folder: Any) -> None:
    for name in ("fsdp", "fsdp_after_evaluation"):
        for parameter in tc.load(folder(2) / f"{name}.clinic").facts["parameters"]:
            assert (parameter["looks"], parameter["gradient_missing"], parameter["gradient_zero"]) == (
                world.STEPS,
                0,
                0,
            )
            assert parameter["moved"] == world.STEPS
            assert parameter["in_optimizer"], parameter["name"]


def test_one_file_is_that_rank_alone(folder: Any) -> None:
    whole = tc.load(folder(4) / "fsdp.clinic")
    ranks = [tc.load(folder(4) / f"fsdp.rank{rank}.clinic") for rank in range(4)]
    assert [one.ranks for one in ranks] == [()] * 4
    assert [one.facts["distributed"]["rank"] for one in ranks] == [0, 1, 2, 3]
    held = [one.facts["distributed"]["sharded"]["head.weight"] for one in ranks]
    assert held == [[10, 30], [10, 30], [10, 30], [0, 30]]
    assert [bool(one.series("weight_rms", "head")) for one in ranks] == [True, True, True, False]
    assert whole.ranks[1].series("loss").values.tolist() == ranks[1].series("loss").values.tolist()
    why = [one.why for one in tc.diagnose(ranks[0]).not_examined if one.problem == "unequal-replicas"]
    assert why == ["one rank of 4 was read alone"]


def test_a_watch_on_one_rank_stops_nobody_and_says_what_is_missing(folder: Any) -> None:
    ddp, fsdp = (tc.load(folder(2) / f"{name}_on_rank_0.clinic") for name in ("ddp", "fsdp"))
    assert ddp.facts["distributed"]["missing"] == fsdp.facts["distributed"]["missing"] == {"1": "no file"}
    everyone = tc.load(folder(2) / "ddp.clinic")
    for layer in WEIGHTS:
        replicated = ddp.series("gradient_rms", layer).values.tolist()
        assert replicated == everyone.series("gradient_rms", layer).values.tolist()
        for signal in ("gradient_rms", "weight_rms", "weight_gain", "update_ratio", "gradient_cosine"):
            assert not fsdp.series(signal, layer)
    assert not fsdp.series("gradient_norm")
    assert len(fsdp.series("loss")) == world.STEPS
    why = [one.why for one in tc.diagnose(fsdp).not_examined if one.problem == "unequal-replicas"]
    assert why == ["rank 1 of 2: no file"]


@pytest.mark.parametrize(("size", "name"), [(2, "ddp_not_finite"), (2, "fsdp_not_finite"), (4, "fsdp_not_finite")])
def test_the_rank_where_it_broke_is_named(folder: Any, size: int, name: str) -> None:
    first = tc.load(folder(size) / f"{name}.clinic").facts["non_finite"]
    assert (first["rank"], first["step"], first["what"]) == (size - 1, 3, "loss")


def test_a_checkpoint_of_a_watched_model_is_that_of_a_bare_one(folder: Any) -> None:
    for rank in range(2):
        found = torch.load(folder(2) / f"fsdp_checkpoint.rank{rank}.pt")
        bare, watched = found["bare"]["saved"], found["watched"]["saved"]
        assert len(bare) == len(watched) == world.STEPS
        for one, other in zip(bare, watched, strict=True):
            assert one.keys() == other.keys()
            assert all(torch.equal(one[key], other[key]) for key in one)
        names = programs.network().state_dict().keys() if rank == 0 else set()  # gathered on the first rank
        assert bare[0].keys() == names


# -- replicas

ALL = ("Net", "first", "inner.0", "inner.1", "head")


@pytest.mark.parametrize(
    ("size", "name", "cause", "layers", "first"),
    [
        (2, "alone", "gradients not averaged", ALL, 0),
        (4, "alone", "gradients not averaged", ALL, 0),
        (2, "alone_from_one_seed", "gradients not averaged", ALL, 1),
        (2, "other_start", "different start", ("first", "inner.0", "head"), 0),
        (2, "one_bias_differs", "different start", ("head",), 0),
        (2, "more_steps", "different steps", ALL, 2),
    ],
)
def test_replicas_that_differ_are_a_problem(
    folder: Any, size: int, name: str, cause: str, layers: tuple[str, ...], first: int
) -> None:
    diagnosis = tc.diagnose(folder(size) / f"{name}.clinic")
    finding = diagnosis.findings[0]
    assert (finding.problem, finding.level, finding.cause) == ("unequal-replicas", "problem", cause)
    assert (finding.layers, finding.steps[0]) == (layers, first)
    problem = entry(PROBLEMS, "unequal-replicas")
    assert cause in problem.causes
    assert {evidence.signal for evidence in finding.evidence} <= set(problem.measures)
    measured = {evidence.signal: evidence.observed for evidence in finding.evidence}
    assert measured["step_difference"] == (world.STEPS if name == "more_steps" else 0)
    assert measured["unequal_parameters"] == {"other_start": 6, "one_bias_differs": 1}.get(name, 9)
    assert (measured["gradient_difference"] > 1e-3) == (name in ("alone", "alone_from_one_seed", "more_steps"))


@pytest.mark.parametrize(("size", "name"), [(2, "ddp"), (4, "ddp"), (2, "ddp_inside"), (2, "ddp_accumulated"),
                                            (2, "ddp_not_finite"), (2, "fsdp_mixed"), (4, "fsdp_mixed")])  # fmt: skip
def test_replicas_that_are_equal_are_left_in_peace(folder: Any, size: int, name: str) -> None:
    diagnosis = tc.diagnose(folder(size) / f"{name}.clinic")
    said = [one.problem for one in (*diagnosis.findings, *diagnosis.not_examined)]
    assert "unequal-replicas" not in said
