"""A loop that never clears the gradients."""

from trainclinic.cases.stale_gradient import faulty

__all__ = ["PROBLEM", "SETTINGS", "faulty"]

PROBLEM = "stale-gradient"
SETTINGS: dict[str, object] = {}
