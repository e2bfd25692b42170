"""replica_fingerprint."""

from __future__ import annotations

from collections.abc import Mapping

from trainclinic.measure.run_step import RunStep
from trainclinic.measure.signal import RunSignal


class ReplicaFingerprint(RunSignal):
    """Checksum of a parameter's values before the step, in 24 bits: replicas have the same one on every rank.

    Taken on at most 1,024 evenly spread elements of each parameter that a rank holds whole, and only where there are
    several processes. The place is the parameter's name.
    """

    unit = "1"

    def values(self, step: RunStep) -> Mapping[str, float]:
        """A whole number below 2²⁴, which float32 keeps exactly."""
        return step.fingerprints
