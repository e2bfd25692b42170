"""What the passes without gradient between two training passes add up to: as a whole, and class by class."""

from __future__ import annotations

import torch
from torch import Tensor

MOST_CLASSES = 200  # told apart


def answered_rightly(name: str, output: Tensor, target: Tensor) -> Tensor | None:
    """Which answers are right, in the shape of `target`; None where the loss `name` compares no classes."""
    if name in ("cross_entropy", "nll_loss") and not target.is_floating_point() and output.ndim > 1:
        return output.argmax(1) == target
    if name.startswith("binary_cross_entropy") and output.shape == target.shape:
        border = 0.0 if name.endswith("with_logits") else 0.5
        return (output > border) == (target > 0.5)
    return None


class ByClass:
    """How often each class was answered rightly in the last round of evaluation, and what the scores alone could do.

    `right_adjusted` counts the answers after the training set's class frequencies were taken out of the scores: what
    a mere shift of the decision would reach (logit adjustment, Menon et al. 2021).
    """

    def __init__(self) -> None:
        self._counts: Tensor | None = None  # (4, K): samples, right, right_adjusted, predicted
        self._last: Tensor | None = None

    def add(self, name: str, output: Tensor, target: Tensor, training: dict[int, int]) -> None:
        """One batch; `training`: how often each class was seen in training."""
        if not target.ndim:
            return
        if name == "cross_entropy" and output.ndim == 2 and not target.is_floating_point() and target.ndim == 1:
            scores, target = output.detach().float(), target.long()
        elif name == "binary_cross_entropy_with_logits" and output.numel() == len(target) == target.numel():
            scores = torch.stack((torch.zeros_like(output).flatten(), output.detach().flatten()), 1).float()
            target = target.flatten().round().long()
        else:
            return
        classes = scores.shape[1]
        if classes > MOST_CLASSES or not len(target):
            return
        lowest, highest = torch.stack(torch.aminmax(target)).tolist()  # waits for a device once, as the loss does
        if lowest < 0 or highest >= classes:
            return
        share = torch.tensor([max(1, training.get(index, 0)) for index in range(classes)], device=scores.device)
        adjusted, plain = (scores - share.log()).argmax(1), scores.argmax(1)
        parts = (target, target[plain == target], target[adjusted == target], plain)
        counts = torch.stack([part.bincount(minlength=classes) for part in parts])
        same = self._counts is not None and self._counts.shape == counts.shape
        self._counts = self._counts + counts if same and self._counts is not None else counts

    def end(self) -> None:
        """The round has ended."""
        if self._counts is not None:
            self._last, self._counts = self._counts, None

    def to_dict(self) -> dict[str, list[int]]:
        """Of the last round, class by class; empty where nothing was seen."""
        counts = self._last if self._last is not None else self._counts
        names = ("samples", "right", "right_adjusted", "predicted")
        return {} if counts is None else dict(zip(names, counts.tolist(), strict=True))


class EvaluationRound:
    """Loss, and accuracy or R², over the samples of one round of evaluation.

    Evaluations on the training set in the same round cannot be told from validation and are averaged in.
    """

    def __init__(self) -> None:
        self.passes = 0
        self.clear()

    def clear(self) -> None:
        """Forget the round."""
        self.passes = 0
        self._name = ""
        self._samples = 0
        self._loss = 0.0
        self._right, self._answers = 0.0, 0
        self._residual, self._sum, self._square, self._count = 0.0, 0.0, 0.0, 0

    def add(self, name: str, output: Tensor, target: Tensor, loss: Tensor) -> None:
        """One loss without gradient; ignored when no pass of the model came before it."""
        if not self.passes or loss.numel() != 1 or not target.numel():
            return
        self._name = self._name or name
        if name != self._name:
            return  # another loss on the same output
        samples = len(target) if target.ndim else 1
        self._samples += samples
        self._loss += float(loss) * samples
        right = answered_rightly(name, output, target)
        if right is not None:
            self._right += float(right.sum())
            self._answers += target.numel()
        elif name == "mse_loss" and output.shape == target.shape:
            values = target.double()
            self._residual += float((output.double() - values).square().sum())
            self._sum, self._square = self._sum + float(values.sum()), self._square + float(values.square().sum())
            self._count += target.numel()

    def figures(self) -> dict[str, float]:
        """{"loss": …, "accuracy" or "r2": …}, empty when nothing was evaluated; begins a new round."""
        if not self._samples:
            self.passes = 0
            return {}
        found = {"loss": self._loss / self._samples}
        if self._answers:
            found["accuracy"] = self._right / self._answers
        variance = self._square - self._sum**2 / self._count if self._count else 0.0
        if variance > 0:
            found["r2"] = 1 - self._residual / variance
        self.clear()
        return found
