"""Loaded once in the process from which every training is forked, so that one begins within milliseconds.

Imports and tables only: a backward pass would start threads, which no fork survives.
"""

import torch

from trainclinic import catalog
from trainclinic.diagnose.diagnose import PROBLEMS
from trainclinic.lab.experiment import Make
from trainclinic.lab.settings import DATA
from trainclinic.treat.operation import REMEDIES

torch.set_num_threads(1)
for name in DATA:
    Make({"data": name})(0)
for package in (PROBLEMS, REMEDIES, "trainclinic.measure.signals"):
    catalog.entries(package)
import trainclinic.lab.training  # noqa: E402, F401 - the trainings' own code
