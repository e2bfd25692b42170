"""EvaluationRound: the passes without gradient between two training passes, and what they add up to."""

from __future__ import annotations

from torch import Tensor


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
        if name in ("cross_entropy", "nll_loss") and not target.is_floating_point() and output.ndim > 1:
            self._right += float((output.argmax(1) == target).sum())
            self._answers += target.numel()
        elif name.startswith("binary_cross_entropy") and output.shape == target.shape:
            border = 0.0 if name.endswith("with_logits") else 0.5
            self._right += float(((output > border) == (target > 0.5)).sum())
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
