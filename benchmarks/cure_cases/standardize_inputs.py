"""The wine table in its own units: proline in hundreds, hue around 1."""

from trainclinic.cases.unscaled_inputs import faulty

__all__ = ["PROBLEM", "SETTINGS", "faulty"]

PROBLEM = "unscaled-inputs"
SETTINGS: dict[str, object] = {"floor": 0.001}
