"""ParameterProbe: looks at all parameters at once, just before and just after the optimizer's step."""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Container
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from trainclinic.measure.distributed import describe, local, named_parameters, own_class, plain_name, unwrapped
from trainclinic.measure.parts import Parts
from trainclinic.measure.reductions import as_real, measured, norms, spread, to_floats

SAMPLE = 1024  # elements of each parameter that are compared between steps
LARGE = 1 << 20  # elements of a weight with a sparse gradient from which on its norm is that of a sample
NORM_SAMPLE = 1 << 14  # elements of that: the norm of normal values is right to half a percent


@dataclass(frozen=True)
class Weight:
    """A parameter of two or more dimensions, as a layer of the recording.

    Attributes:
        name: the module's name; the parameter's full name where it is not called `weight`.
        kind: the module's class.
        index: its place among all parameters.
        size: number of elements, of a sharded weight those that this rank holds.
        fan_out: outputs that each input feeds; NaN for an embedding, which passes nothing back.
        shape: as PyTorch has it.
    """

    name: str
    kind: str
    index: int
    size: int
    fan_out: float
    shape: tuple[int, ...]


@dataclass(frozen=True)
class ParameterStep:
    """What one optimizer step showed of the parameters. Lists are in the order of `weights`, unless said."""

    weights: tuple[Weight, ...]
    gradient_norms: list[float]
    weight_norms: list[float]
    update_ratios: list[float]
    gradient_cosines: list[float]
    all_gradient_norms: list[float] = field(default_factory=list)  # of every parameter; NaN without a gradient
    all_changed: list[bool] = field(default_factory=list)  # whether the step moved it, of every parameter
    all_due: list[bool] = field(default_factory=list)  # False: held only by an optimizer that did not step
    all_sharded: list[bool] = field(default_factory=list)  # whether other ranks hold further parts of it
    fingerprints: dict[str, float] = field(default_factory=dict)  # of each replica, by the parameter's name


@dataclass(frozen=True)
class _Gradients:
    """A sample of all gradients at one step: flat, and how many elements of it are each parameter's."""

    step: int
    values: Tensor
    lengths: list[int]

    def parts(self) -> tuple[Tensor, ...]:
        """One tensor a parameter."""
        return self.values.split(self.lengths)  # type: ignore[no-any-return, no-untyped-call]

    def of(self, indices: list[int]) -> Tensor:
        """Those of some parameters, flat."""
        if len(indices) == len(self.lengths):
            return self.values
        parts = self.parts()
        return torch.cat([parts[index] for index in indices])


@torch.no_grad()
def alike(probe: ParameterProbe) -> list[str]:
    """Names of the layers whose units have one set of weights between them, other than 0: they stay alike for ever."""
    found = []
    for weight in probe.weights:
        rows = local(probe.parameters[weight.index])
        units = not (weight.kind.startswith("Embedding") or "Norm" in weight.kind)
        if not units or rows.is_meta or rows.layout != torch.strided or len(rows) < 2:
            continue
        if not torch.equal(rows[0], rows[1]):  # which tells in nearly every case
            continue
        if bool((rows == rows[:1]).all()) and bool(rows[0].any()):
            found.append(weight.name)
    return found


class ParameterProbe:
    """Looks at the parameters of one model.

    Args:
        model: its parameters are listed once, now.
    """

    def __init__(self, model: nn.Module) -> None:
        self.distributed = describe(model)
        model = unwrapped(model)
        self._parts = Parts(model)
        listed = _listed(model)
        self.names = [name for name, _ in listed]
        self.parameters = [parameter for _, parameter in listed]
        modules = {plain_name(model, name): module for name, module in model.named_modules()}
        self.weights = tuple(
            _weight(name, modules[name.rpartition(".")[0]], index, parameter)
            for index, (name, parameter) in enumerate(listed)
            if parameter.ndim > 1 and local(parameter).numel() and _is_continuous(parameter)
        )
        sharded = self.distributed["sharded"] if self.distributed else {}
        self._sharded = [name in sharded for name in self.names]
        self._samples = [_Sample(local(parameter)) for parameter in self.parameters]
        self._watched = [_is_continuous(parameter) for parameter in self.parameters]
        self._previous: _Gradients | None = None  # of the step before
        self._earlier: _Gradients | None = None  # what `_previous` was before this step
        self._before: Tensor | None = None
        self._measured: tuple[list[float], list[float], list[float]] | None = None

    def is_current(self, model: nn.Module) -> bool:
        """Whether these are still the model's parameters."""
        if not self._parts.changed():
            return True
        listed = _listed(unwrapped(model))
        return len(listed) == len(self.parameters) and all(
            parameter is known for (_, parameter), known in zip(listed, self.parameters, strict=True)
        )

    @torch.no_grad()
    def remember(self, step: int, only: Container[int] | None = None) -> None:
        """Keep a sample of the gradients of `step`, to compare the next step's with; `only`: as in `again`."""
        self._previous = self._renewed(self._previous, self._gradients(step), only)

    @torch.no_grad()
    def before(self, step: int, gradient_scale: float = 1.0) -> None:
        """Just before the optimizer's step: norms of gradients and weights, and samples of both.

        `gradient_scale`: what the optimizer is going to divide the gradients by.
        """
        gradient_norms = [value / gradient_scale for value in self._gradient_norms()]
        self._measured = (gradient_norms, self._weight_norms(), self._cosines(step))
        self._before = self._weight_sample()

    @torch.no_grad()
    def again(self, step: int, only: Container[int] | None = None, gradient_scale: float = 1.0) -> None:
        """Take the gradients anew, because they have changed since `before`.

        A closure computes them inside the step; and where several optimizers step in turn there may be a backward
        between: `only` the parameters with these ids are then about to be updated.
        """
        assert self._measured is not None
        found, self._previous = self._previous, self._earlier
        gradient_norms = [value / gradient_scale for value in self._gradient_norms()]
        cosines = self._cosines(step)
        if only is not None:
            assert self._previous is not None
            self._previous = self._renewed(found, self._previous, only)
            gradient_norms = self._of(only, gradient_norms, self._measured[0])
            cosines = self._of(only, cosines, self._measured[2])
        self._measured = (gradient_norms, self._measured[1], cosines)

    @torch.no_grad()
    def after(self, waiting: Container[int] = ()) -> ParameterStep:
        """Just after the optimizer's step; `waiting`: ids of parameters whose optimizer did not step."""
        assert self._measured is not None
        assert self._before is not None
        gradient_norms, weight_norms, cosines = self._measured
        before, self._before, self._measured = self._before, None, None
        moved = self._segments((self._weight_sample() - before).square())
        size = self._segments(before.square())
        ratios = [math.sqrt(m / s) if s > 0 else math.nan for m, s in zip(moved, size, strict=True)]
        pick = [weight.index for weight in self.weights]
        due = [id(parameter) not in waiting for parameter in self.parameters]
        gradient_norms = [value if its else math.nan for value, its in zip(gradient_norms, due, strict=True)]
        return ParameterStep(
            weights=self.weights,
            gradient_norms=[gradient_norms[index] for index in pick],
            weight_norms=weight_norms,
            update_ratios=[
                math.nan if not due[index] else math.inf if math.isnan(moved[index]) else ratios[index]
                for index in pick
            ],
            gradient_cosines=[cosines[index] if due[index] else math.nan for index in pick],
            all_gradient_norms=gradient_norms,
            all_changed=[value != 0 for value in moved],
            all_due=due,
            all_sharded=self._sharded,
            fingerprints=self._fingerprints(before) if self.distributed else {},
        )

    def _weight_norms(self) -> list[float]:
        """A step reads few rows of a weight with a sparse gradient: to read all of a large one would be felt."""
        parts, scales = [], []
        for weight in self.weights:
            parameter = self.parameters[weight.index]
            whole = local(parameter).detach()
            sparse = parameter.grad is not None and parameter.grad.is_sparse
            parts.append(spread(whole, NORM_SAMPLE) if sparse and whole.numel() > LARGE else whole)
            scales.append(math.sqrt(whole.numel() / parts[-1].numel()))
        found = to_floats(norms(parts))
        return [measured(value * scale) for value, scale in zip(found, scales, strict=True)]

    def _gradient_norms(self) -> list[float]:
        gradients = [
            (index, _values(local(parameter.grad)))
            for index, parameter in enumerate(self.parameters)
            if parameter.grad is not None and self._watched[index]
        ]
        found = to_floats(norms([gradient for _, gradient in gradients]))
        gradient_norms = [math.nan] * len(self.parameters)
        for (index, _), value in zip(gradients, found, strict=True):
            gradient_norms[index] = measured(value)
        return gradient_norms

    def _weight_sample(self) -> Tensor:
        views = [how.of(local(parameter)) for parameter, how in zip(self.parameters, self._samples, strict=True)]
        self._lengths = [view.numel() for view in views]
        return _joined(views)

    def _gradients(self, step: int) -> _Gradients:
        views = []
        for parameter, how in zip(self.parameters, self._samples, strict=True):
            gradient = local(parameter.grad)
            if gradient is None or gradient.is_sparse:
                views.append(as_real(local(parameter).detach()).new_zeros(0))
            else:
                views.append(how.of(gradient))
        return _Gradients(step, _joined(views), [view.numel() for view in views])

    def _cosines(self, step: int) -> list[float]:
        previous = self._earlier = self._previous
        self._previous = now = self._gradients(step)
        cosines = [math.nan] * len(self.parameters)
        if previous is None or previous.step != step - 1:
            return cosines
        both = [i for i, (a, b) in enumerate(zip(previous.lengths, now.lengths, strict=True)) if a == b > 0]
        if both:
            then, at, lengths = previous.of(both), now.of(both), [now.lengths[index] for index in both]
            products = _segment_sums(torch.stack((then * at, then.square(), at.square())), lengths)
            for index, a, b, c in zip(both, *products, strict=True):
                cosines[index] = a / math.sqrt(b * c) if b * c > 0 else math.nan
        return cosines

    def _of(self, only: Container[int], new: list[float], old: list[float]) -> list[float]:
        """The new values of the parameters with these ids, the old ones of the others."""
        return [n if id(p) in only else o for p, n, o in zip(self.parameters, new, old, strict=True)]

    def _renewed(self, old: _Gradients | None, new: _Gradients, only: Container[int] | None) -> _Gradients:
        """The same for samples of gradients."""
        if only is None or old is None or old.step != new.step:
            return new
        pairs = zip(self.parameters, new.parts(), old.parts(), strict=True)
        parts = [now if id(parameter) in only else then for parameter, now, then in pairs]
        return _Gradients(new.step, torch.cat(parts), [part.numel() for part in parts])

    def _fingerprints(self, sample: Tensor) -> dict[str, float]:
        """A number of 24 bits, which float32 holds exactly, from the sample of each parameter that is whole here."""
        values = sample.cpu().numpy()
        ends = list(itertools.accumulate(self._lengths))
        return {
            name: float(zlib.crc32(values[end - length : end].tobytes()) & 0xFFFFFF)
            for name, sharded, length, end in zip(self.names, self._sharded, self._lengths, ends, strict=True)
            if not sharded
        }

    def _segments(self, flat: Tensor) -> list[float]:
        return _segment_sums(flat[None], self._lengths)[0]


def _listed(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Names and parameters; a lazy one is none before its first batch."""
    return [item for item in named_parameters(model) if not isinstance(item[1], UninitializedParameter)]


def _joined(views: list[Tensor]) -> Tensor:
    """One flat float64 tensor; in main memory where the model is spread over devices."""
    if len({view.device for view in views}) > 1:
        views = [view.cpu() for view in views]
    return torch.cat(views).double()


def _segment_sums(rows: Tensor, lengths: list[int]) -> list[list[float]]:
    """Sums over consecutive segments of each row."""
    if rows.device.type == "cpu":  # numpy's is several times as fast; it wants no empty segment
        found = [[0.0] * len(lengths) for _ in rows]
        filled = [index for index, length in enumerate(lengths) if length]
        starts = list(itertools.accumulate((lengths[index] for index in filled), initial=0))[:-1]
        with np.errstate(invalid="ignore", over="ignore"):  # NaN is a value like any other
            totals = np.add.reduceat(rows.numpy(), starts, axis=1).tolist() if starts else []
        for row, total in zip(found, totals, strict=False):
            for index, value in zip(filled, total, strict=True):
                row[index] = value
        return found
    sums = torch.segment_reduce(rows.T.contiguous(), "sum", lengths=torch.tensor(lengths, device=rows.device), axis=0)
    return sums.T.tolist()


class _Sample:
    """How `spread` samples a contiguous tensor like this parameter, or its gradient."""

    def __init__(self, parameter: Tensor) -> None:
        sample = spread(torch.empty(parameter.shape, device="meta"), SAMPLE)
        self._length = (sample.numel(),)
        self._stride = (sample.stride()[0] if sample.numel() > 1 else 1,)
        self._size = parameter.numel()
        self._usual = type(parameter) in (Tensor, nn.Parameter) and not parameter.is_complex()

    def of(self, tensor: Tensor) -> Tensor:
        """`spread`, in one call where the tensor is an ordinary one; call it without gradient."""
        if self._usual and tensor.is_contiguous() and tensor.numel() == self._size:
            return tensor.as_strided(self._length, self._stride)
        return spread(as_real(tensor.detach()), SAMPLE)


def _weight(name: str, module: nn.Module, index: int, parameter: Tensor) -> Weight:
    owner, _, own = name.rpartition(".")
    shape = tuple(parameter.shape)
    fan_out = float(shape[0] * math.prod(shape[2:]))
    if isinstance(module, nn.modules.conv._ConvNd):
        fan_out /= module.groups * math.prod(module.stride)
        if module.transposed:
            fan_out = float(shape[1] * math.prod(shape[2:]))
    elif isinstance(module, nn.Embedding | nn.EmbeddingBag):
        fan_out = math.nan
    kind = own_class(module).__name__
    layer = owner or kind if own == "weight" else name
    return Weight(layer, kind, index, local(parameter).numel(), fan_out, shape)


def _is_continuous(parameter: Tensor) -> bool:
    return parameter.is_floating_point() or parameter.is_complex()


def _values(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient
