"""Tally: what the passes of one step have shown, call by call, until it is added up."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from trainclinic.measure.reductions import measured, to_floats
from trainclinic.measure.signal import BackwardSignal
from trainclinic.measure.signals.backward_call_span import FEWEST, BackwardCallSpan


class Pass:
    """One forward of the root."""

    def __init__(self) -> None:
        self.is_differentiated = False


class Tally:
    """Numbers of (signal, layer), one for each call of the layer."""

    def __init__(self) -> None:
        self._entries: list[tuple[Any, str, Tensor, int, Pass]] = []
        self._spare: list[tuple[Any, str, Tensor, int, Pass]] = []  # stand in where there is none of the kind
        self._mark = (0, 0)  # how many of each there were before the passes since the last backward

    def add(
        self, signal: Any, layer: str, number: Tensor, elements: int, seen_in: Pass, *, is_spare: bool = False
    ) -> None:
        """One call: what `signal` measured there, over how many elements."""
        (self._spare if is_spare else self._entries).append((signal, layer, number, elements, seen_in))

    def mark(self) -> None:
        """A pass begins, the first since the last backward."""
        self._mark = len(self._entries), len(self._spare)

    def start_over(self) -> None:
        """Forget what came before the mark."""
        del self._entries[: self._mark[0]], self._spare[: self._mark[1]]

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
        self._spare.clear()
        self._mark = (0, 0)

    def add_up(self, loss_scale: float = 1.0) -> dict[tuple[str, str], float]:
        """(signal, layer) → value over all calls; then all is forgotten.

        `loss_scale`: what the loss was multiplied with before it was differentiated.
        """
        found = {}
        for (signal, layer), parts in self._by_place(loss_scale).items():
            if len(parts) == 1:  # nearly always
                total, count = parts[0]
            else:
                total, count = sum(part[0] for part in parts), sum(part[1] for part in parts)
            found[signal.name, layer] = measured(signal.finish(total / count))
            if len(parts) >= FEWEST and isinstance(signal, BackwardSignal):
                growth = BackwardCallSpan.span([signal.finish(total / count) for total, count in parts])
                found[BackwardCallSpan.id(), layer] = growth
        self.clear()
        return found

    def _by_place(self, loss_scale: float) -> dict[tuple[Any, str], list[tuple[float, int]]]:
        """(signal, layer) → total and number of elements of each call."""
        entries = self._differentiated()
        numbers = to_floats([entry[2] for entry in entries])
        calls: dict[tuple[Any, str], list[tuple[float, int]]] = {}
        for (signal, layer, _, count, _), number in zip(entries, numbers, strict=True):
            if loss_scale != 1.0 and isinstance(signal, BackwardSignal):
                number /= loss_scale
            part = (signal.total(number), count)
            parts = calls.get((signal, layer))
            if parts is None:
                calls[signal, layer] = [part]
            else:
                parts.append(part)
        return calls

    def _differentiated(self) -> list[tuple[Any, str, Tensor, int, Pass]]:
        """What was seen in passes that a loss was differentiated through; in all, if nothing shows which these are."""
        entries = self._entries
        if self._spare:
            seen = {entry[:2] for entry in entries}
            entries = entries + [entry for entry in self._spare if entry[:2] not in seen]
        return [entry for entry in entries if entry[-1].is_differentiated] or entries
