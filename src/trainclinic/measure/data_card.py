"""Data card: what a sample of the samples says of the data, before any network is asked.

Rows are copied as they pass, at most 2,000 for training and 2,000 for validation; the numbers are made once, from
all of them, and only the numbers are kept. They stand under `data` in the facts:

    training            rows: distinct samples seen; conflicts: those that came with another target, too; again: share
                        that is a copy of another row of the same batch; constant: share of the features that never
                        differ; inside: share of them that lie between others in their line of a picture or a table
                        of time steps, and are no border; channels: share of the few channels of a long series that
                        never differ at any time; bits: what finely graded features of a row can tell, were
                        they independent: rows with few repeat by chance
    order               pairs: neighbours within batches; alike: share of them with the same class; expected: what
                        shuffling gives; score: how far apart, in standard errors. For real targets `alike` is the
                        correlation of neighbours and `expected` 0; of several targets, that of the
                        one whose neighbours are most alike
    link                agreement: how well the nearest neighbours of a sample tell its target: share of right answers,
                        or R² for real targets; null: the same with the targets permuted, its 99th percentile;
                        linear: how well a linear map of the features tells it (ridge regression, five folds);
                        linear_null: the best of twenty times the same with the targets permuted;
                        guess: the share of the commonest class, or 0; odd: of the samples whose neighbours all agree,
                        the share that carries another class; unanimous: how many there are; proxy: the largest
                        correlation of a single feature with the target
    validation          of the first evaluation. rows; again: share of them that is a copy of another of them;
                        training_batches: share that came in batches of training rows alone; copies: of the others,
                        the share that is a copy of a training row, at least (only a sample of these was seen);
                        fewest_copies: the same of the batch that has the fewest;
                        agreement: as above, of validation rows with training rows as their neighbours;
                        closed_form: how much a fit in closed form to the training rows tells of them: share of right
                        answers, or R² (`closed_form.py`);
                near: share of the others that lie four times nearer to a training row than training rows usually lie to
                each other; near_in_training: the same share among the training rows; overlap: share of the rows that
                are the row before moved on, as windows of one series are;
                        constant_in_training: features that differ here and never there; of them moved: share of the
                        rows in which one does, farthest: how far, in deviations of a usual feature

Nearest neighbours are five, by the Euclidean distance of the standardised features; tokens count as a bag.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from trainclinic.measure.closed_form import told
from trainclinic.measure.reductions import dense, is_sparse

ROWS = 2000  # of training, and as many of validation
FEATURES = 512  # of a row that are kept, evenly spread over it
VOCABULARY = 4096  # tokens told apart
NEIGHBOURS = 5
FEWEST = 50  # rows; of fewer no neighbour tells anything
PERMUTATIONS = 200
_FOLDS, _RIDGE, _LINEAR_PERMUTATIONS = 5, 1e-2, 20
_MOST_FEATURES, _MOST_OUTPUTS = 256, 64  # of a linear map: a training waits for it
NEAR, _ROWS_A_CLASS, _FEWEST_FEATURES = 4.0, 10, 4
_WHOLE = 0.9  # of a batch that are copies: then the training set itself is evaluated
_FEW_ROWS = 16  # of a last batch: its share says little
_CHANNELS = 8  # of a series, at most: of more it may be the times that are few
_BITS, _FINE = 32.0, 5.0  # of a feature of which no value comes twice; that a finely graded one has at least


class DataSample:
    """Rows of both sets, as they pass."""

    def __init__(self) -> None:
        self.training, self.validation = Rows(), Rows()
        # which validation rows are training rows, and the targets of all
        self.known: tuple[Tensor, Tensor] | None = None
        self._card: dict[str, Any] = {}
        self._made_of = 0

    def begin_evaluation(self) -> None:
        """A round of evaluation begins: what the first one showed is enough."""
        if self.validation.count:
            self.validation.close()

    def to_dict(self, *, final: bool = False) -> dict[str, Any]:
        """The numbers; but for the `final` time they are made anew only for half as many rows again."""
        rows = self.training.count + self.validation.count
        complete = not (self.training.wants_more or self.validation.wants_more)
        if rows > self._made_of and (final or complete or rows >= 1.5 * self._made_of):
            self._made_of = rows
            self._card, self.known = card(self.training, self.validation, thorough=final or complete)
            if (final or complete) and "validation" in self._card:
                self._card["validation"] |= _closed_form(self.training, self.validation)
        if complete:
            self.training.forget()
            self.validation.forget()
        return self._card


class Rows:
    """Samples, batch by batch."""

    def __init__(self) -> None:
        self.count = 0
        self.wants_more = True
        self._batches: list[tuple[Tensor, Tensor | None]] = []
        self._pending: Tensor | None = None
        self._shape: tuple[int, ...] = ()
        self.sample: tuple[int, ...] = ()  # the shape of one, where all of its features are kept
        self._pending_sample: tuple[int, ...] = ()

    def close(self) -> None:
        """No more."""
        self._keep(None)
        self.wants_more = False

    def forget(self) -> None:
        """Let the rows go."""
        self._batches.clear()

    def see_inputs(self, inputs: Tensor | None) -> None:
        """A batch of inputs; its targets follow, or the next batch does."""
        self._keep(None)
        if not self.wants_more or inputs is None or inputs.is_nested or is_sparse(inputs):
            return
        if not inputs.ndim or not inputs.numel() or inputs.is_complex():
            return
        flat = inputs.detach().reshape(len(inputs), -1)
        self._pending_sample = tuple(inputs.shape[1:]) if flat.shape[1] <= FEATURES else ()
        self._pending = flat[:, :: max(1, -(-flat.shape[1] // FEATURES))].clone()

    def see_targets(self, targets: Tensor) -> None:
        """The targets of the batch that was seen last; those of another shape are not its."""
        if self._pending is not None:
            same = targets.ndim and not targets.is_nested and len(targets) == len(self._pending)
            self._keep(targets.detach().clone() if same and targets.numel() <= len(targets) * FEATURES else None)

    def _keep(self, targets: Tensor | None) -> None:
        pending, self._pending = self._pending, None
        if pending is None or not self.wants_more or self._shape not in ((), tuple(pending.shape[1:])):
            return
        self._shape, self.sample = tuple(pending.shape[1:]), self._pending_sample
        self._batches.append((pending, targets))
        self.count += len(pending)
        self.wants_more = self.count < ROWS

    def batches(self) -> list[tuple[Tensor, Tensor | None]]:
        """What was kept, on the CPU."""
        self._keep(None)
        return [(x.cpu(), None if y is None else dense(y).cpu()) for x, y in self._batches]


def card(
    training: Rows, validation: Rows, *, thorough: bool = True
) -> tuple[dict[str, Any], tuple[Tensor, Tensor] | None]:
    """The numbers of both, as plain data; empty where no input was seen. `thorough`: what takes longer, too.

    And which of the validation rows are training rows, or such with a little noise, with the targets of all.
    """
    batches = training.batches()
    if not batches:
        return {}, None
    inputs, targets = _joined(batches)
    first = _first_of_each(inputs, targets)
    found: dict[str, Any] = {"training": _about_rows(inputs, batches, first, training.sample), "order": _order(batches)}
    kept, labels = inputs[first], None if targets is None else targets[first]
    features = _features(kept)
    if labels is not None:
        found["link"] = _link(features, labels)
        if thorough and found["link"]:
            found["link"] |= _linear_link(features, labels)
    held, known = validation.batches(), None
    if held:
        found["validation"], copied = _about_validation(held, kept, labels)
        told = [target for _, target in held if target is not None]
        alike = len(told) == len(held) and len({(target.shape[1:], target.dtype) for target in told}) == 1
        known = (copied, torch.cat(told)) if copied is not None and alike else None
    return found, known


def _closed_form(training: Rows, validation: Rows) -> dict[str, float]:
    """What a fit in closed form to the training rows tells of those of validation; empty where none can be made."""
    sets = []
    for rows in (training, validation):
        inputs, answers = _whole(rows.batches())
        if answers is None:
            return {}
        sets.append((inputs.reshape(len(inputs), *rows.sample) if rows.sample else inputs, answers))
    (inputs, answers), held = sets
    first = _first_of_each(inputs, answers)
    try:
        found = told(inputs[first], answers[first], *held)
    except RuntimeError:  # no factorization, or no memory for it: the training goes on without this number
        return {}
    return {} if math.isnan(found) else {"closed_form": found}


def _whole(batches: list[tuple[Tensor, Tensor | None]]) -> tuple[Tensor, Tensor | None]:
    """Inputs and targets put together; None for targets that are not of all rows, or not alike."""
    inputs = torch.cat([x for x, _ in batches])
    targets = [y for _, y in batches if y is not None]
    if len(targets) < len(batches) or len({(y.shape[1:], y.dtype) for y in targets}) > 1:
        return inputs, None
    return inputs, torch.cat(targets)


def _joined(batches: list[tuple[Tensor, Tensor | None]]) -> tuple[Tensor, Tensor | None]:
    inputs, targets = _whole(batches)
    return inputs, None if targets is None else _one_each(targets)


def _one_each(targets: Tensor) -> Tensor | None:
    """(N,) classes or (N, K) real numbers; None for targets that are no property of the sample as a whole."""
    flat = targets.reshape(len(targets), -1)
    if targets.is_floating_point():
        whole = flat[:, 0]
        return whole.long() if flat.shape[1] == 1 and bool((whole == whole.round()).all()) and len(
            torch.unique(whole)) == 2 else flat.float()  # fmt: skip
    return flat[:, 0].long() if flat.shape[1] == 1 else None


def _keys(rows: Tensor) -> list[bytes]:
    return [row.tobytes() for row in (rows + 0 if rows.is_floating_point() else rows).numpy()]  # + 0: no minus zero


def _first_of_each(inputs: Tensor, targets: Tensor | None) -> Tensor:
    """Where each sample, with its target, came first: the same one comes again in every epoch."""
    answers = [b""] * len(inputs) if targets is None else _keys(targets)
    seen: dict[tuple[bytes, bytes], int] = {}
    for index, key in enumerate(zip(_keys(_plain(inputs)), answers, strict=True)):
        seen.setdefault(key, index)
    return torch.tensor(sorted(seen.values()), dtype=torch.long)


def _plain(rows: Tensor) -> Tensor:
    return rows.float() if rows.dtype in (torch.bfloat16, torch.float16) else rows


def _about_rows(
    inputs: Tensor, batches: list[tuple[Tensor, Tensor | None]], first: Tensor, sample: tuple[int, ...]
) -> dict[str, Any]:
    keys = _keys(_plain(inputs[first]))
    again = sum(len(x) - len(set(_keys(_plain(x)))) for x, _ in batches)
    x = inputs[first].float()
    still = (x == x[:1]).all(0) if len(x) > 1 else torch.zeros(x.shape[1], dtype=torch.bool)
    return {
        "rows": len(first),
        "conflicts": len(keys) - len(set(keys)),
        "again": again / max(1, len(inputs)),
        "constant": float(still.float().mean()),
        "inside": float(_between(still.reshape(-1, sample[-1])).float().mean()) if len(sample) > 1 else 0.0,
        "channels": _channels(still, sample),
        "bits": sum(map(_bits, x[:200].T)),
    }


def _channels(still: Tensor, sample: tuple[int, ...]) -> float:
    """Share of the channels of a series that stand still throughout; the shorter of its dimensions are the channels.

    Of padding all channels stand still, at some of the times. 0 where it is not clear which dimension is which.
    """
    if len(sample) != 2 or min(sample) > min(_CHANNELS, max(sample) // 2):
        return 0.0
    over_time = 0 if sample[0] > sample[1] else 1
    return float(still.reshape(sample).all(over_time).float().mean())


def _between(still: Tensor) -> Tensor:
    """Which features stand still although something moves on either side of them in their line."""
    before = torch.cummax((~still).long(), 1)[0] > 0
    after = torch.cummax((~still).long().flip(1), 1)[0].flip(1) > 0
    return still & before & after


def _bits(values: Tensor) -> float:
    """Entropy of the values of one feature; none of a coarse one: the pixels of a drawing tell little together."""
    counts = torch.unique(values, return_counts=True)[1].double() / len(values)
    entropy = float(-(counts * counts.log2()).sum())
    return _BITS if len(counts) == len(values) else entropy if entropy >= _FINE else 0.0


def _order(batches: list[tuple[Tensor, Tensor | None]]) -> dict[str, Any]:
    """Whether neighbours within a batch are more alike than shuffling makes them."""
    _, whole = _joined(batches)
    if whole is None:
        return {}
    answers = [part for part in torch.split(whole, [len(x) for x, _ in batches]) if len(part) > 1]
    if not answers:
        return {}
    if whole.is_floating_point():
        center, spread = whole.mean(0), whole.std(0).clamp_min(1e-30)
        products = torch.cat([(y[1:] - center) * (y[:-1] - center) / spread**2 for y in answers])
        alike, expected, error = float(products.mean(0).max()), 0.0, 1 / len(products) ** 0.5
    else:
        products = torch.cat([(y[1:] == y[:-1]).float() for y in answers])
        share = torch.unique(whole, return_counts=True)[1].double() / len(whole)
        alike, expected = float(products.mean()), float((share**2).sum())
        error = max(1e-12, (expected * (1 - expected) / len(products)) ** 0.5)
    return {"pairs": len(products), "alike": alike, "expected": expected, "score": (alike - expected) / error}


def _features(rows: Tensor) -> Tensor:
    """Standardised, or the counts of the tokens in each row."""
    if not rows.is_floating_point() and rows.shape[1] > 1 and 0 <= int(rows.min()) <= int(rows.max()) < VOCABULARY:
        counts = torch.zeros(len(rows), int(rows.max()) + 1)
        rows = counts.scatter_add_(1, rows.long(), torch.ones(rows.shape))
    x = torch.nan_to_num(rows.float())
    return (x - x.mean(0)) / x.std(0, correction=0).clamp_min(1e-6 * max(1e-30, float(x.abs().mean())))


def _link(x: Tensor, targets: Tensor) -> dict[str, Any]:
    if len(x) < FEWEST:
        return {}
    near = _nearest(x, x, own=True)
    draw = torch.Generator().manual_seed(0)
    null = [_agreement(near, targets[torch.randperm(len(x), generator=draw)]) for _ in range(PERMUTATIONS)]
    found = {
        "rows": len(x),
        "agreement": _agreement(near, targets),
        "null": float(torch.tensor(null).quantile(0.99)),
        "guess": 0.0,
    }
    found["proxy"] = _proxy(x, targets)
    if not targets.is_floating_point():
        found["guess"] = float(torch.unique(targets, return_counts=True)[1].max()) / len(targets)
        around = targets[near]
        unanimous = (around == around[:, :1]).all(1)
        odd = unanimous & (around[:, 0] != targets)
        found |= {"unanimous": int(unanimous.sum()), "odd": float(odd.sum()) / max(1, int(unanimous.sum()))}
    return found


def _linear_link(x: Tensor, targets: Tensor) -> dict[str, float]:
    """What a linear map tells that neighbours may not, such as a sum of many pixels; none of many outputs."""
    if targets.is_floating_point():
        wanted = targets.reshape(len(targets), -1).double()
    else:
        names, places = torch.unique(targets, return_inverse=True)
        wanted = torch.nn.functional.one_hot(places, len(names)).double()
    if wanted.shape[1] > _MOST_OUTPUTS:
        return {}
    x = x[:, :: max(1, -(-x.shape[1] // _MOST_FEATURES))].double().clamp(-10, 10)
    draw = torch.Generator().manual_seed(0)
    permuted = [wanted[torch.randperm(len(wanted), generator=draw)] for _ in range(_LINEAR_PERMUTATIONS)]
    inputs, targets_of_all = torch.cat((x, torch.ones(len(x), 1).double()), 1), torch.cat((wanted, *permuted), 1)
    answers, folds = torch.empty_like(targets_of_all), torch.arange(len(x)) % _FOLDS
    for fold in range(_FOLDS):
        others = inputs[folds != fold]
        square = others.T @ others
        square += _RIDGE * square.diagonal().mean() * torch.eye(len(square)).double()
        answers[folds == fold] = inputs[folds == fold] @ torch.linalg.solve(
            square, others.T @ targets_of_all[folds != fold]
        )
    parts = zip(torch.split(answers, wanted.shape[1], 1), (wanted, *permuted), strict=True)
    if targets.is_floating_point():
        size = (wanted - wanted.mean(0)).square().sum().clamp_min(1e-30)
        told = [1 - float((values - part).square().sum() / size) for part, values in parts]
    else:
        told = [float((part.argmax(1) == values.argmax(1)).double().mean()) for part, values in parts]
    return {"linear": told[0], "linear_null": max(told[1:])}


def _proxy(x: Tensor, targets: Tensor) -> float:
    """The largest |correlation| of one feature with the target, for classes the correlation ratio; 0 for others."""
    if targets.ndim > 1 and 2 * targets.shape[1] > max(2, x.shape[1]):
        return 0.0  # several, or the inputs again, as an autoencoder has them
    x = x.double() - x.double().mean(0)
    if not targets.is_floating_point():
        names, places = torch.unique(targets, return_inverse=True)
        if len(names) < 2 or len(targets) < _ROWS_A_CLASS * len(names):
            return 0.0
        member = torch.nn.functional.one_hot(places, len(names)).double()
        between = (member.sum(0).unsqueeze(1) * ((member.T @ x) / member.sum(0).unsqueeze(1)).square()).sum(0)
        return float((between / x.square().sum(0).clamp_min(1e-30)).max().sqrt())
    y = targets.reshape(len(targets), -1).double()
    y = y - y.mean(0)
    size = y.norm(dim=0).unsqueeze(1) * x.norm(dim=0)
    return float(((y.T @ x).abs() / size.clamp_min(1e-30)).max())


def _nearest(of: Tensor, among: Tensor, *, own: bool) -> Tensor:
    """(len(of), 5): indices of the nearest rows of `among`; `own`: both are the same, and none is its own."""
    distances = torch.cdist(of, among)
    if own:
        distances.fill_diagonal_(torch.inf)
    return distances.topk(min(NEIGHBOURS, len(among) - own), largest=False).indices


def _agreement(near: Tensor, targets: Tensor, of: Tensor | None = None) -> float:
    """How well the neighbours' targets tell those of the rows: share of right answers, or R²."""
    of = targets if of is None else of
    around = targets[near]
    if targets.is_floating_point():
        rest = (of - around.mean(1)).square().sum()
        return 1 - float(rest / (of - of.mean(0)).square().sum().clamp_min(1e-30))
    return float((around.mode(1).values == of).float().mean())


def _about_validation(
    held: list[tuple[Tensor, Tensor | None]], rows: Tensor, labels: Tensor | None
) -> tuple[dict[str, Any], Tensor | None]:
    inputs, targets = _joined(held)
    keys = _keys(_plain(inputs))
    found: dict[str, Any] = {"rows": len(inputs), "again": 1 - len(set(keys)) / len(keys)}
    if inputs.shape[1:] != rows.shape[1:] or inputs.dtype != rows.dtype:
        return found, None
    known = set(_keys(_plain(rows)))
    copied = torch.tensor([key in known for key in keys]).float()
    shares = [(len(part), float(part.mean())) for part in torch.split(copied, [len(x) for x, _ in held])]
    whole = sum(size for size, share in shares if share > _WHOLE)
    mixed = sum(size * share for size, share in shares if share <= _WHOLE)
    found |= {"copies": mixed / max(1, len(keys) - whole), "training_batches": whole / len(keys)}
    found["fewest_copies"] = min(share for size, share in shares if size >= min(_FEW_ROWS, len(held[0][0])))
    found |= _still_in_training(rows.float(), inputs.float())
    found["overlap"] = _overlap(inputs)
    if labels is not None and targets is not None and len(rows) >= FEWEST:
        alike = labels.dtype == targets.dtype and labels.shape[1:] == targets.shape[1:]
        both = _features(torch.cat((rows, inputs)))
        if alike:
            near = _nearest(both[len(rows) :], both[: len(rows)], own=False)
            found["agreement"] = _agreement(near, labels, targets)
        if rows.is_floating_point() and bool(torch.isfinite(rows).all()):
            numbers, near_ones = _near_copies(both[: len(rows)], both[len(rows) :][copied == 0])
            found |= numbers
            copied[copied == 0] = near_ones
    return found, copied > 0


def _overlap(rows: Tensor) -> float:
    """Share of the rows that are the row before moved on, as windows of one series are."""
    width = rows.shape[1]
    steps = [step for step in (1, 2, 3, 4) if 2 * step < width]
    shares = [float((rows[1:, : width - step] == rows[:-1, step:]).all(1).float().mean()) for step in steps]
    return max(shares, default=0.0) if len(rows) > 1 else 0.0


def _near_copies(rows: Tensor, held: Tensor) -> tuple[dict[str, float], Tensor]:
    """Rows that are a training row with a little noise: at a distance at which rows hardly lie by chance.

    Of few features rows lie near everything, and on a grid none lies near its like.
    """
    varied = int((rows.std(0) > 0).sum())
    if not len(held) or varied < _FEWEST_FEATURES:
        return {"near": 0.0, "near_in_training": 0.0}, torch.zeros(len(held))
    among = torch.cdist(rows, rows).fill_diagonal_(torch.inf).amin(1)
    near = float(among[among > 0].median()) / NEAR if bool((among > 0).any()) else 0.0
    close = (torch.cdist(held, rows).amin(1) < near).float()
    return {
        "near": float(close.mean()),
        "near_in_training": float(((among < near) & (among > 0)).float().mean()),
    }, close


def _still_in_training(rows: Tensor, held: Tensor) -> dict[str, Any]:
    """Features that never differ in the training rows and do in those of validation."""
    still = (rows == rows[:1]).all(0) & (held != rows[:1]).any(0)
    apart = torch.nan_to_num((held[:, still] - rows[0, still]).abs())
    varied = rows.std(0, correction=0)[(rows != rows[:1]).any(0)]
    usual = float(varied.median()) if len(varied) else 1.0
    return {
        "constant_in_training": int(still.sum()),
        "moved": float((apart > 0).any(1).float().mean()),
        "farthest": float(apart.max()) / usual if apart.numel() else 0.0,
    }
