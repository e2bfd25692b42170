"""Every twentieth target of a regression is a typing error: those batches throw the weights off, clipping does not."""

from trainclinic.setup import Setup

PROBLEM = "exploding-gradient"
SETTINGS: dict[str, object] = {"norm": 1.0}


def faulty(seed: int) -> Setup:
    """Eight ReLU layers with weights 1.6 times too large, under SGD with momentum."""
    raise NotImplementedError
