"""What the answers of the last evaluation tell of the targets themselves.

Rows are kept as they pass, at most 2,000 of one round, and only numbers remain of them:

    rows        answers that were looked at
    surest      of the fifth of the answers that the network is surest of, the share that is right, and `surest_rows`,
                how many these are. Where labels are wrong, or classes overlap everywhere, even the surest answers are
                wrong as often; where some samples are merely hard, the surest ones are right
    own, before, after  how well the answers fit a row's own target, and that of the row before or after it: share of
                right answers, or the correlation; `order`: how well those targets fit each other; `luck`: four standard
                errors above what answers to other rows reach
    guess       of classes: the share that is right where the commonest one is always the answer
    flattered   by how much the figure (right answers, or the share of the variance) is better than that of the rows
                that are no copies of training rows; where there are both
    mixture     of real targets: the share of rows with the answer's own target, where the others carry any other row's
                (a mixture of the two, by EM); `mixture_gain`: by how much it explains the targets better than two
                normal distributions around the answer do, a narrow and a wide one, in nats a row

Confident learning: Northcutt, Jiang & Chuang 2021. Mixtures of right and wrong targets: Arazo et al. 2019.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

ROWS = 2000
FEATURES = 512  # of an answer
FEWEST = 40  # answers; of fewer nothing follows
_SUREST = 0.2
_SCALES = (1.0, 1.5, 2.0, 3.0)  # where half the targets are another row's, the best answer is half of the right one
_ROUNDS = 30  # of EM


class Answers:
    """Outputs and targets of the last round of evaluation."""

    def __init__(self) -> None:
        self._name = ""
        self._now: list[tuple[Tensor, Tensor]] = []
        self._last: list[tuple[Tensor, Tensor]] = []
        self._count = 0

    def add(self, name: str, output: Tensor, target: Tensor) -> None:
        """One batch."""
        if type(output) is not Tensor or type(target) is not Tensor:
            return  # of a distributed tensor, whatever is asked may be asked of all processes
        if self._count >= ROWS or not (output.ndim and target.ndim) or not target.numel() or target.is_complex():
            return
        if output.numel() > len(target) * FEATURES or len(output) != len(target) or output.is_sparse:
            return
        self._name = name
        room = ROWS - self._count
        self._now.append((output.detach()[:room].clone(), target.detach()[:room].clone()))
        self._count += len(self._now[-1][0])

    def end(self) -> None:
        """The round has ended."""
        if self._now:
            self._last, self._now, self._count = self._now, [], 0

    def to_dict(self, known: tuple[Tensor, Tensor] | None = None) -> dict[str, Any]:
        """Of the last round; empty where no loss that is known compared output and target.

        Args:
            known: which rows of an earlier round are training rows, and the targets of that round: whether its rows
                came in the same order.
        """
        rows = [(output, target.cpu()) for output, target in self._now or self._last]
        rows = [(output, target) for output, target in rows if not _numbers_the_rows(target)]
        if not rows or len({(y.shape[1:], o.shape[1:], y.dtype) for o, y in rows}) > 1:
            return {}
        output, target = (torch.cat(parts).cpu() for parts in zip(*rows, strict=True))
        output = output.float()
        if not bool(torch.isfinite(output).all()):
            return {}
        if self._name == "mse_loss" and output.shape == target.shape and target.is_floating_point():
            answers, values = output.reshape(len(output), -1), target.float().reshape(len(target), -1)
            spread = (values - values.mean(0)).square().sum(1).mean().clamp_min(1e-30)
            score = 1 - (answers - values).square().sum(1) / spread
            return _of_numbers(answers, values) | _flattery(score, target, known)
        scored = _scored(self._name, output, target)
        if scored is None:
            return {}
        asked = (scored[1] >= 0).sum(1)
        right = (scored[0] == scored[1]).sum(1) / asked.clamp_min(1)
        return _of_classes(*scored) | _flattery(right.where(asked > 0, torch.nan), target, known)


def _numbers_the_rows(target: Tensor) -> bool:
    """Whether the targets are 0, 1, 2, …: each row's own partner in the batch, as contrastive losses have it."""
    return (
        target.ndim == 1
        and len(target) > 2
        and not target.is_floating_point()
        and bool((target == torch.arange(len(target))).all())
    )


def _scored(name: str, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor] | None:
    """(N, P) answers, targets and how sure each answer is, over the positions of a row; None where none are classes.

    Targets that are no class of the output, which a loss leaves out, are −1.
    """
    if name == "cross_entropy" and output.ndim > 1 and not target.is_floating_point():
        if output.shape[:1] + output.shape[2:] != target.shape:
            return None
        chance, answer = output.log_softmax(1).max(1)
        classes = target.long().where(target < output.shape[1], torch.tensor(-1))
        return tuple(part.reshape(len(part), -1) for part in (answer, classes, chance))  # type: ignore[return-value]
    if name == "binary_cross_entropy_with_logits" and output.shape == target.shape:
        if not bool(((target == 0) | (target == 1)).all()):
            return None
        return tuple(part.reshape(len(part), -1)  # type: ignore[return-value]
                     for part in ((output > 0).long(), target.long(), output.abs()))  # fmt: skip
    return None


def _of_classes(answers: Tensor, targets: Tensor, sure: Tensor) -> dict[str, Any]:
    right = answers == targets
    known = targets >= 0
    count = int(known.sum())
    if count < FEWEST:
        return {}
    most = max(FEWEST // 2, int(count * _SUREST))
    surest = sure[known].topk(most).indices
    found = {
        "rows": count,
        "surest": float(right[known][surest].float().mean()),
        "surest_rows": most,
        "own": float(right[known].float().mean()),
        "guess": _guess(targets),
    }
    pairs = len(answers) - 1
    if pairs < FEWEST:
        return found
    share = [float((values == index).float().mean() * (others == index).float().mean())
             for values, others in ((answers[known], targets[known]),)
             for index in torch.unique(targets[known]).tolist()]  # fmt: skip
    guess = sum(share)
    return found | {
        "after": float((answers[:-1] == targets[1:]).float().mean()),
        "before": float((answers[1:] == targets[:-1]).float().mean()),
        "order": float((targets[1:] == targets[:-1]).float().mean()),
        "luck": guess + 4 * math.sqrt(guess * (1 - guess) / pairs),
    }


def _flattery(score: Tensor, target: Tensor, known: tuple[Tensor, Tensor] | None) -> dict[str, float]:
    if known is None:
        return {}
    copied, targets = known
    count = min(len(copied), len(score))
    if targets[:count].shape != target[:count].shape or not torch.equal(targets[:count], target[:count]):
        return {}  # the rows come in another order each time
    answered = ~score[:count].isnan()
    copied, score = copied[:count][answered], score[:count][answered]
    if min(int(copied.sum()), int((~copied).sum())) < FEWEST // 2:
        return {}
    return {"flattered": float(score.mean() - score[~copied].mean())}


def _guess(targets: Tensor) -> float:
    """Share of the commonest class: of the one that every column has, or column by column where each is a yes or no."""
    columns = targets.T if int(targets.max()) < 2 else targets.reshape(1, -1)
    known = [column[column >= 0] for column in columns]
    most = sum(int(torch.bincount(column).max()) for column in known if len(column))
    return most / max(1, sum(map(len, known)))


def _of_numbers(output: Tensor, target: Tensor) -> dict[str, Any]:
    if len(output) < FEWEST:
        return {}
    answers, values = output.double() - output.double().mean(0), target.double() - target.double().mean(0)
    found: dict[str, Any] = {"rows": len(output), "own": _correlation(answers, values)}
    found |= {"after": _correlation(answers[:-1], values[1:]), "before": _correlation(answers[1:], values[:-1])}
    found |= {"order": _correlation(values[1:], values[:-1]), "luck": 4 / math.sqrt(len(output))}
    right, gain = _mixture(answers, values)
    return found | {"mixture": right, "mixture_gain": gain}


def _correlation(answers: Tensor, values: Tensor) -> float:
    size = float(answers.norm() * values.norm())
    return float((answers * values).sum()) / size if size > 0 else 0.0


def _mixture(answers: Tensor, values: Tensor) -> tuple[float, float]:
    """Share of the answers that have their own target, and what the mixture gains over errors of two sizes."""
    every = slice(None, None, max(1, answers.numel() // (10 * ROWS)))
    answers, values = answers.flatten()[every], values.flatten()[every]
    spread = float(values.square().mean().sqrt())
    if spread <= 0 or float(answers.square().mean()) <= 0:
        return 1.0, 0.0
    wrong = _density(values, spread)
    alone = _two_scales(values - answers)
    best = (1.0, 0.0)
    for scale in _SCALES:
        rest = values - scale * answers
        share, size = 0.5, max(1e-3 * spread, float(rest.abs().median()) / 2)
        for _ in range(_ROUNDS):
            own = share * _density(rest, size)
            belongs = own / (own + (1 - share) * wrong).clamp_min(1e-300)
            share = min(0.999, max(0.001, float(belongs.mean())))
            size = max(1e-3 * spread, math.sqrt(float((belongs * rest.square()).sum() / belongs.sum())))
        both = float((share * _density(rest, size) + (1 - share) * wrong).clamp_min(1e-300).log().mean())
        if both - alone > best[1]:
            best = (share, both - alone)
    return best


def _two_scales(rest: Tensor) -> float:
    """Mean log density of errors that are small for some rows and large for others, by EM: noise, not other targets."""
    size = float(rest.square().mean().sqrt())
    share, narrow, wide = 0.5, 0.5 * size, 1.5 * size
    for _ in range(_ROUNDS):
        near = share * _density(rest, narrow)
        belongs = near / (near + (1 - share) * _density(rest, wide)).clamp_min(1e-300)
        share = min(0.999, max(0.001, float(belongs.mean())))
        narrow, wide = (
            max(1e-3 * size, math.sqrt(float((weight * rest.square()).sum() / weight.sum().clamp_min(1e-12))))
            for weight in (belongs, 1 - belongs)
        )
    return float((share * _density(rest, narrow) + (1 - share) * _density(rest, wide)).clamp_min(1e-300).log().mean())


def _density(distance: Tensor, size: float) -> Tensor:
    return torch.exp(-0.5 * (distance / size).square()) / (size * math.sqrt(2 * math.pi))
