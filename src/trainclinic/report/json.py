"""The diagnosis, or the cure, as strict JSON, for programs.

NaN means "not measured" and is written `null`; infinities, which JSON cannot write as numbers, are the
strings "Infinity" and "-Infinity". A loss that was measured and is NaN stands as the string "NaN". `schema`
grows when a field changes its meaning or goes; new fields come without notice.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np

from trainclinic.diagnose.chain import Link, chain
from trainclinic.prove import saved
from trainclinic.recording import Recording
from trainclinic.records import Cure, Diagnosis
from trainclinic.report.ranks import rank_numbers
from trainclinic.report.view import every, first_non_finite, validation_signals, verdict, views

SCHEMA = 1


def dumps(diagnosis: Diagnosis) -> str:
    """The diagnosis, a summary of the run, and the chain of factors, as one JSON object."""
    because = {id(view.finding): view.because for view in every(views(diagnosis))}
    plain = diagnosis.to_dict()
    for finding, entry in zip(diagnosis.findings, plain["findings"], strict=True):
        entry["because"] = because.get(id(finding), "")
    document = {
        "format": "trainclinic-report",
        "schema": SCHEMA,
        "verdict": verdict(diagnosis),
        **plain,
        "run": _run(diagnosis.recording) if diagnosis.recording else None,
        "chain": _chain(diagnosis.recording) if diagnosis.recording else None,
    }
    return json.dumps(strict(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def cure_dumps(cure: Cure) -> str:
    """The cure with both arms of its trial, as one JSON object that `trainclinic.load` reads."""
    document = {"format": saved.FORMAT, "schema": saved.SCHEMA, "verdict": cure.verdict, **cure.to_dict()}
    return json.dumps(strict(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def strict(value: Any) -> Any:
    """`value` with every number writable in strict JSON, and tuples as lists."""
    if isinstance(value, dict):
        return {str(key): strict(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [strict(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()  # a lone surrogate cannot be written to a file
    return value


def _run(recording: Recording) -> dict[str, Any]:
    return {
        "steps": recording.steps,
        "ended": recording.ended,
        "loss": _loss(recording),
        "validation": {
            signal.removeprefix("validation_"): recording.series(signal).values[-1]
            for signal in validation_signals(recording)
        },
        "ranks": rank_numbers(recording),
        "layers": [asdict(layer) for layer in recording.layers],
        "environment": recording.environment,
    }


def _loss(recording: Recording) -> dict[str, Any] | None:
    loss = recording.series("loss")
    if not loss:
        return None
    finite = loss.values[np.isfinite(loss.values)]
    return {
        "first": _measured(loss.values[0]),
        "final": _measured(loss.values[-1]),
        "smallest": float(finite.min()) if len(finite) else None,
        "final_step": int(loss.steps[-1]),
        "first_non_finite_step": first_non_finite(loss),
        "unit": loss.unit,
    }


def _measured(value: float) -> float | str:
    return "NaN" if math.isnan(value) else float(value)


def _chain(recording: Recording) -> dict[str, list[dict[str, Any]]]:
    return {
        "early": [_link(link) for link in chain(recording, "early")],
        "late": [_link(link) for link in chain(recording, "late")],
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "layer": link.layer.name,
        "activation": link.activation.name if link.activation else None,
        "backward_rms": link.backward,
        "activation_rms": link.forward,
        "weight_gain": link.gain,
        "activation_derivative": link.derivative,
        "factor": link.factor,
    }
