"""A small training, alone or watched, and what other processes do with it; tests kill, starve and race these."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sqlite3
import time

import torch
from torch import nn
from torch.nn import functional as F

import trainclinic as tc
from trainclinic.clinic_file import ClinicFile
from trainclinic.errors import RecordingError

processes = multiprocessing.get_context("forkserver")  # each starts from a process that has only imported
processes.set_forkserver_preload(["trainclinic", "pytest", "torch._dynamo"])  # what each would import on its own


def parts():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 1))
    return model, torch.optim.AdamW(model.parameters(), lr=0.01), torch.randn(32, 8), torch.randn(32, 1)


def train(model, optimizer, x, y):
    """One step; returns its loss."""
    optimizer.zero_grad()
    loss = F.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# -- in processes of their own


def train_until_killed(path, log):
    """Log each step when it is done: its number, the time, its loss."""
    torch.set_num_threads(1)
    model, optimizer, x, y = parts()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with tc.watch(model, optimizer, path=path):
        for step in range(10**9):
            loss = train(model, optimizer, x, y)
            os.write(out, f"{step} {time.monotonic()!r} {loss!r}\n".encode())
            time.sleep(0.001)


def attach_and_wait(path, ready):
    model, optimizer, *_ = parts()
    tc.watch(model, optimizer, path=path)
    ready.set()
    time.sleep(60)


def attach_with_others(path, start, answers, end):
    """Attach the moment that everybody is there; tell how it went, and die at the end without closing."""
    start.wait()
    try:
        file = ClinicFile(path)
    except RecordingError as error:
        answers.put(str(error))
    else:
        file.put("winner", os.getpid())
        file.flush()
        answers.put(os.getpid())
    end.wait()
    answers.close()
    answers.join_thread()
    os._exit(1)


def fold(path, answers):
    """What only the last one that has the file open may do."""
    with contextlib.closing(sqlite3.connect(path, timeout=0)) as connection:
        try:
            answers.put(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0])
        except sqlite3.OperationalError as error:
            answers.put(str(error))


def read_often(path, loaded, end):
    """Read the file again and again while it is written; put down how many steps each reading had."""
    counts = []
    while not end.is_set():
        recording = tc.load(path)
        loss = recording.series("loss")
        assert loss.steps.tolist() == list(range(len(loss)))
        assert len(loss) == recording.steps
        counts.append(len(loss))
        time.sleep(0.002)
    loaded.put(counts)
