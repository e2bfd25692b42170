"""A watched run that forks: the child does what it can with the watch it inherits. `forking.py FOLDER` tells.

It is a program of its own so that the child ends as a Python program ends, where everything that is open is closed.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import warnings
from pathlib import Path

import torch
from a_run import parts, train

import trainclinic as tc
from trainclinic import clinic_file
from trainclinic.errors import RecordingError

clinic_file.FLUSH_EVERY = 0.0
torch.set_num_threads(1)  # OpenMP's threads do not survive a fork: a bare training hangs as well


def main(folder):
    for how in ("lets it go", "trains on", "closes it", "attaches to the same path", "outlives the parent's watch"):
        path = folder / f"{how}.clinic"
        model, optimizer, x, y = parts()
        watch = tc.watch(model, optimizer, path=path, every=1)
        for _ in range(5):
            train(model, optimizer, x, y)
        outlives = how == "outlives the parent's watch"
        told, tell = os.pipe()
        closed, close = os.pipe()
        if os.fork() == 0:
            os.close(close)
            if outlives:
                os.read(closed, 1)
            os.write(tell, json.dumps(in_child(how, watch, model, optimizer, x, y)).encode())
            del watch, model, optimizer
            gc.collect()
            sys.exit(0)
        os.close(tell)
        if not outlives:
            said = os.read(told, 10_000)
            os.wait()
        for _ in range(5):
            train(model, optimizer, x, y)
        watch.close()
        os.close(close)
        if outlives:
            said = os.read(told, 10_000)
            os.wait()
        print(json.dumps({"how": how, "child": json.loads(said)}))


def in_child(how, watch, model, optimizer, x, y):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ended = ""
        if how in ("trains on", "closes it"):
            train(model, optimizer, x, y)
            train(model, optimizer, x, y)
        if how == "closes it":
            ended = watch.close().ended
        if how == "attaches to the same path":
            try:
                tc.watch(model, optimizer, path=watch._journal.file.path)
            except RecordingError as error:
                ended = str(error)
    return {"said": [str(warning.message) for warning in said], "ended": ended}


main(Path(sys.argv[1]))
