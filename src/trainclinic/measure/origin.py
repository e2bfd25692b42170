"""Where the first non-finite number came from: the place is named, or it is said why it cannot be known.

The failing pass is run again and followed operation by operation. What is named was seen to fail again, in a run that
gave what the training had got.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from trainclinic.measure.backward import BackwardTrace, Slope, finite
from trainclinic.measure.distributed import plain_name
from trainclinic.measure.held import HeldPasses, Pass, unchanged
from trainclinic.measure.replay import NotLocalizedError, Replay
from trainclinic.measure.trace import Event, Trace

MOST_CANDIDATES = 6  # each is tried by running the batch again


def locate(held: HeldPasses, loss: dict[str, Any] | None) -> dict[str, Any]:
    """Find the origin.

    Args:
        held: the passes since the last step.
        loss: None where the loss was finite; else what is known of the operation that made it.

    Returns:
        where: "input", "weights", "forward", "loss", "backward" or "unknown"; batch: number of the pass, -1 where
        unknown; module, kind, operation: the place; and what there is to say of it, see `singular.said`. With
        "unknown", why.
    """
    try:
        if any(type(one).__name__ in ("DTensor", "FlatParameter") for one in held.root.parameters()):
            raise NotLocalizedError("the weights are sharded over several processes")  # to look at them is to wait
        passes = [record for record in held.passes if record.gradients] or held.passes
        if not passes:
            raise NotLocalizedError("no training pass of the model was seen before it")
        if loss is None:
            return _on_the_way_back(held, passes)
        return _on_the_way_forward(held, passes, loss)
    except NotLocalizedError as reason:
        why = str(reason)
    except Exception as error:  # whatever a model raises when it does not find what it found before
        why = f"running the batch again raised {type(error).__name__}: {error}"
    batch = held.passes[-1].number if len(held.passes) == 1 else -1
    return {"where": "unknown", "batch": batch, "module": "", "kind": "", "operation": "", "why": why}


# -- the loss is not finite


def _on_the_way_forward(held: HeldPasses, passes: list[Pass], loss: dict[str, Any]) -> dict[str, Any]:
    suspects = [record for record in passes if not all(finite(output) for output, _ in record.outputs)]
    beside: list[Event] = []
    for record in suspects + [record for record in passes if record not in suspects]:
        replay = Replay(held, record)
        trace, outputs = _traced(replay, frozenset())
        replay.check(outputs)
        event = _first_cause(replay, trace, outputs)
        if event is not None:
            return _of_event(held, record, event)
        beside += [event for event in trace.events if not event.meant]
    if held.dropped:
        raise NotLocalizedError("more passes were run for one step than are held")
    if beside:
        at = beside[0].frame.module or beside[0].frame.kind
        raise NotLocalizedError(f"a non-finite number arose in {at} that is not in the model's output; the loss may "
                                "have it from there or from itself")  # fmt: skip
    return {"where": "loss", "batch": passes[-1].number, "module": "", "kind": "", **loss}


def _traced(replay: Replay, mend: frozenset[Any]) -> tuple[Trace, list[Tensor]]:
    trace = Trace(replay.model, mend)
    with replay.conditions(), trace.placed():
        outputs = replay.run(trace, lambda given: trace.begin(_start(replay.model, given)))
    return trace, outputs


def _start(model: nn.Module, given: dict[str, Any]) -> Iterator[tuple[str, str, Tensor]]:
    for name, value in given.items():
        yield from (("input", name, leaf) for leaf in tree_leaves(value) if isinstance(leaf, Tensor))
    yield from (("weights", name, parameter) for name, parameter in model.named_parameters())
    for name, buffer in model.named_buffers():
        yield "weights" if bool(torch.isnan(buffer).any()) else "constant", name, buffer


def _first_cause(replay: Replay, trace: Trace, outputs: list[Tensor]) -> Event | None:
    """The first event that the output has its non-finite numbers from; None where they are meant, or there are none."""
    with torch.no_grad():
        found = _candidates(trace, trace.marks(outputs))
    _refuse_hidden(found)
    if len(found) > MOST_CANDIDATES:
        raise NotLocalizedError(f"{len(found)} operations gave non-finite numbers, each on its own")
    return found[0] if len(found) == 1 else _necessary(replay, found)


def _refuse_hidden(found: list[Event]) -> None:
    at = next((event.frame for event in found if event.source == "hidden"), None)
    if at is not None:
        raise NotLocalizedError(f"it comes from an operation in {at.module or at.kind} that cannot be followed, or "
                                "from what the model keeps outside of its buffers")  # fmt: skip


def _candidates(trace: Trace, marks: Iterable[Event]) -> list[Event]:
    """All that may be the cause: what is not meant, and what made NaN of infinities that were."""
    queue, known = list(marks), dict[Event, None]()
    while queue:
        event = queue.pop()
        if event not in known:
            known[event] = None
            queue += event.parents
    own = [event for event in known if not event.meant]
    found = [event for event in own if not event.parents or any(parent.meant for parent in event.parents)]
    return sorted(found, key=trace.events.index)


def _necessary(replay: Replay, found: list[Event]) -> Event | None:
    """Of several candidates the first without which the output would be finite, were it not for the others."""
    if not found:
        return None
    mended = list(found)
    if not _finite_with(replay, mended):
        raise NotLocalizedError("several operations gave non-finite numbers, and mending them does not help")
    for event in reversed(found):
        rest = [other for other in mended if other is not event]
        if _finite_with(replay, rest):
            mended = rest
    return mended[0]


def _finite_with(replay: Replay, mended: list[Event]) -> bool:
    replay.again()
    trace, outputs = _traced(replay, frozenset(event.key for event in mended))
    with torch.no_grad():
        return not _candidates(trace, trace.marks(outputs))


def _of_event(held: HeldPasses, record: Pass, event: Event) -> dict[str, Any]:
    where = "forward" if event.source == "operation" else event.source
    module, kind = event.frame.module, event.frame.kind
    if where == "weights":
        module = event.operation.rpartition(".")[0]
        kind = type(held.model.get_submodule(module)).__name__
    operation = plain_name(held.model, event.operation) if where == "weights" else event.operation
    place = {"module": plain_name(held.model, module), "kind": kind, "operation": operation}
    return {"where": where, "batch": record.number, **place, **event.facts}


# -- the loss is finite, a gradient is not


def _on_the_way_back(held: HeldPasses, passes: list[Pass]) -> dict[str, Any]:
    for record in passes:
        if not all(finite(pair[0]) for _, pair in record.gradients if pair):
            event = _beneath(held, record)
            slope = {"where": "loss", "batch": record.number, "module": "", "kind": "", "operation": "", "slope": True}
            return slope if event is None else _of_event(held, record, event)
    for record in passes:
        found = _first_slope(held, record)
        if found is not None:
            return found
    raise NotLocalizedError("the gradient was finite when the batch was run again")


def _beneath(held: HeldPasses, record: Pass) -> Event | None:
    """The cause of what is not finite in an output, though the loss does without it."""
    if all(finite(output) for output, _ in record.outputs):
        return None
    replay = Replay(held, record)
    trace, outputs = _traced(replay, frozenset())
    replay.check(outputs)
    return _first_cause(replay, trace, outputs)


def _first_slope(held: HeldPasses, record: Pass) -> dict[str, Any] | None:
    if any(module._backward_hooks or module._backward_pre_hooks for module in held.model.modules()):
        raise NotLocalizedError("hooks on the model's modules see, and may change, the gradient")
    replay, back = Replay(held, record), BackwardTrace()
    trace = Trace(replay.model, made=back.made)
    with replay.conditions():
        with trace.placed():
            outputs = replay.run(trace, lambda given: trace.begin(_start(replay.model, given)))
        replay.check(outputs)
        if trace.hooks_left_out:
            raise NotLocalizedError("the model sets hooks on its tensors that see, and may change, the gradient")
        came = _gradients(record, outputs)
        pairs = [(output, came[index]) for index, output in enumerate(outputs) if index in came]
        bad = back.run([output for output, _ in pairs], [gradient for _, gradient in pairs], replay.model)
    named = held.model.named_parameters()
    if not bad.keys() <= {name for name, weight in named if weight.grad is not None and not finite(weight.grad)}:
        raise NotLocalizedError("other gradients were not finite when the batch was run again")
    slopes = sorted({slope for found in bad.values() for slope in found}, key=lambda slope: slope.order)
    if bad and not slopes:
        raise NotLocalizedError("finite gradients added up to an infinite one")
    return _of_slope(held, record, trace, slopes[0]) if slopes else None


def _of_slope(held: HeldPasses, record: Pass, trace: Trace, slope: Slope) -> dict[str, Any]:
    """Its operation, or what was not finite there already, though it did not reach the loss: 0 times NaN is NaN."""
    if slope.frame is None:
        raise NotLocalizedError("finite gradients added up to an infinite one")
    before = _candidates(trace, slope.marks)
    _refuse_hidden(before)
    if len(before) > 1:
        raise NotLocalizedError("several operations gave non-finite numbers that did not reach the loss")
    if before:
        return _of_event(held, record, before[0])
    module = plain_name(held.model, slope.frame.module)
    place = {"module": module, "kind": slope.frame.kind, "operation": slope.operation, "result": slope.result}
    return {"where": "backward", "batch": record.number, **place}


def _gradients(record: Pass, outputs: list[Tensor]) -> dict[int, Tensor]:
    """dL/d(output), by the output's number.

    Where it was not held, some finite numbers: an infinite slope makes NaN of those just as well, even of 0.
    """
    found: dict[int, Tensor] = {}
    for index, held in record.gradients:
        if index in found:
            raise NotLocalizedError("the output was differentiated more than once")
        if held is not None and not unchanged(held):
            raise NotLocalizedError("the gradient of the model's output was changed in place")
        found[index] = _some_numbers(outputs[index]) if held is None else held[0]
    return found or {index: _some_numbers(output) for index, output in enumerate(outputs)}


def _some_numbers(output: Tensor) -> Tensor:
    ramp = torch.linspace(-1, 1, output.numel(), device=output.device) / max(1, output.numel())
    return ramp.reshape(output.shape).to(output.dtype)
