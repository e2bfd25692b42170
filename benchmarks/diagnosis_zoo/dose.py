"""What a mistake is, and the words in which `doses` says where each can live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from torch import nn
from torch.optim import Muon

from diagnosis_zoo import data_faults as data
from diagnosis_zoo import model_faults as model
from diagnosis_zoo import training_faults as training
from diagnosis_zoo.plan import Plan

Change = Callable[[Plan], Plan]
Fits = Callable[[Plan], bool]


@dataclass(frozen=True)
class Dose:
    """One mistake.

    Attributes:
        words: what was done wrong.
        change: from the good plan to the faulty one.
        fits: whether the plan is one where this can be done and is a mistake.
        how: how it hurts, see `outcome.hurts`.
        accepts: other root causes that are as right.
        why: they are.
    """

    words: str
    change: Change
    fits: Fits
    how: str = "score"
    accepts: tuple[str, ...] = ()
    why: str = ""


# -- where a mistake can live


def anywhere(plan: Plan) -> bool:
    return True


@cache
def built(plan: Plan) -> nn.Module:
    """The plan's network, to look at; plans are compared by identity here."""
    return plan.network(plan.task)


def numeric(plan: Plan) -> bool:
    """Inputs are measurements, all of them."""
    no_measurements = ("graphs", "clicks", "molecules", "networks", "delivery", "epidemic", "claims", "grid")
    return not (plan.task.tokens or plan.family in ("wide and deep", "graph") or plan.task.name in no_measurements)


def one_class(plan: Plan) -> bool:
    return plan.task.classes and not plan.task.each


def binary(plan: Plan) -> bool:
    return isinstance(plan.task.loss, nn.BCEWithLogitsLoss) and plan.task.outputs == 1


def regression(plan: Plan) -> bool:
    return plan.task.metric == "r2"


def single_number(plan: Plan) -> bool:
    return regression(plan) and plan.task.outputs == 1 and plan.task.name != "denoise"


def table(plan: Plan) -> bool:
    return numeric(plan) and not plan.task.length


def columned(plan: Plan) -> bool:
    """Numeric, with more than one column, or a picture."""
    return numeric(plan) and (plan.task.width > 1 or plan.task.length == 12)


def learned(plan: Plan) -> bool:
    """No part is frozen on purpose."""
    return not plan.model


def gapped(plan: Plan) -> bool:
    """The rows trained on are known better than others even when all is well, so that a leak can flatter."""
    return plan.task.name.split(",")[0] in (
        "doubtful", "categories", "brackets", "dots", "hastie", "friedman 3",
        "grades", "churn", "fees", "patients", "clicks", "pairs", "reviews", "snippets",
        "coffee", "assay", "trial", "wear", "delivery", "duels", "recipes", "meters", "stars",
        "triage", "fraud", "habitat", "ripeness", "pilot", "loaves", "claims", "peptides",
    )  # fmt: skip


def sensitive(plan: Plan) -> bool:
    """Something in the network depends much on the mode."""
    return any(
        isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) or (isinstance(module, nn.Dropout) and module.p >= 0.3)
        for module in built(plan).modules()
    )


def steered(plan: Plan) -> bool:
    """The optimizer's steps grow with its learning rate alone."""
    return plan.optimizer.func is not Muon


def has(*kinds: type[nn.Module]) -> Fits:
    return lambda plan: model.has(built(plan), *kinds)


def family(*names: str) -> Fits:
    return lambda plan: plan.family in names


def both(*conditions: Fits) -> Fits:
    return lambda plan: all(condition(plan) for condition in conditions)


def without(condition: Fits) -> Fits:
    return lambda plan: not condition(plan)


def rows(*changes: data.Change) -> Change:
    return lambda plan: plan.with_data(*changes)


def modules(*changes: model.Change) -> Change:
    return lambda plan: plan.with_model(*changes)


def loss(function: training.Loss) -> Change:
    return lambda plan: plan.but(loss=function)
