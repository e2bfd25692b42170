"""trainclinic: your network does not train; it says why, with the evidence."""

from trainclinic.measure.watch import Watch, watch
from trainclinic.recording import Recording, load

__all__ = ["Recording", "Watch", "load", "watch"]
