"""The origin of a non-finite number, as a recording holds it, in one plain sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def cause(origin: Mapping[str, Any]) -> str:
    """The key in `NonFinite.causes`; "operation" where the recording knows nothing of an origin."""
    where = str(origin.get("where", ""))
    if where in ("input", "weights", "backward", "loss"):
        return where
    if where == "unknown":
        return "not localised"
    return {"overflow": "overflow", "masked": "masked row"}.get(str(origin.get("how", "")), "operation")


def place(origin: Mapping[str, Any], model: str) -> str:
    """The module's name, the model's class where it is the model itself; "" where there is none."""
    if origin.get("where") not in ("forward", "backward", "weights"):
        return ""
    return str(origin.get("module") or model)


def sentence(first: Mapping[str, Any], model: str) -> str:
    """What happened, where and when.

    Args:
        first: the fact `non_finite`.
        model: class of the model.
    """
    origin = first.get("origin") or {}
    batch = origin.get("batch", -1)
    when = f"At step {first['step']}" + (f" (batch {batch})" if isinstance(batch, int) and batch >= 0 else "")
    words = {"forward": _forward, "backward": _backward, "input": _input, "weights": _weights, "loss": _loss}
    said = words.get(str(origin.get("where", "")), _unknown)(origin, place(origin, model))
    return f"{when} {said}." if said else ""


def _forward(origin: Mapping[str, Any], place: str) -> str:
    result, operation = _number(origin.get("result", "nan")), origin.get("operation", "")
    said = f"`{operation}` in `{place}` gave {result}"
    if origin.get("how") == "masked":
        return f"{said}: a whole row of what it compares was masked"
    if origin.get("inputs"):
        return f"{said} where it was given {_given(origin)}"
    if origin.get("largest"):
        return f"{said} in {origin.get('dtype', '')} from numbers of at most {origin['largest']} in size"
    return said


def _backward(origin: Mapping[str, Any], place: str) -> str:
    result = _number(origin.get("result", "nan"))
    return f"the slope of `{origin.get('operation', '')}` in `{place}` gave {result} for a finite gradient"


def _input(origin: Mapping[str, Any], place: str) -> str:
    count, row = origin.get("elements", 0), origin.get("row", 0)
    numbers = "1 number" if count == 1 else f"{count} numbers"
    return f"the batch itself held {numbers} that are not finite: argument `{origin.get('operation', '')}`, row {row}"


def _weights(origin: Mapping[str, Any], place: str) -> str:
    return f"`{origin.get('operation', '')}` was not finite before the batch came"


def _loss(origin: Mapping[str, Any], place: str) -> str:
    if origin.get("slope"):
        return "the model's output and the loss were finite, but the slope of the loss was not"
    operation = f", in `{origin['operation']}`" if origin.get("operation") else ""
    given = f" where it was given {_given(origin)}" if origin.get("inputs") else ""
    return f"the model's output was finite, the loss behind it was not{operation}{given}"


def _unknown(origin: Mapping[str, Any], place: str) -> str:
    return f"it was seen, but where it began is not localised: {origin['why']}" if origin.get("why") else ""


def _given(origin: Mapping[str, Any]) -> str:
    return " and ".join(str(value) for value in origin["inputs"])


def _number(value: Any) -> str:
    return {"nan": "NaN", "inf": "∞", "-inf": "−∞"}.get(str(value), str(value))
