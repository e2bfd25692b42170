"""An optimizer that was given only the last layer."""

from trainclinic.cases.frozen_parameters import faulty

__all__ = ["PROBLEM", "SETTINGS", "faulty"]

PROBLEM = "frozen-parameters"
SETTINGS: dict[str, object] = {}
