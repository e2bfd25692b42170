"""Adam at 0.1 on the digits: a hundredth of it learns."""

from trainclinic.cases.learning_rate_too_high import faulty

__all__ = ["PROBLEM", "SETTINGS", "faulty"]

PROBLEM = "learning-rate-too-high"
SETTINGS: dict[str, object] = {"factor": 0.01}
