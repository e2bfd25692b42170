"""`trainclinic run` under torchrun: a file per rank, one report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import trainclinic as tc

SCRIPT = """
import sys
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(rank)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
model = DistributedDataParallel(model) if sys.argv[1] == "ddp" else model
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(12):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(torch.randn(16, 4)), torch.randint(0, 2, (16,))).backward()
    optimizer.step()
dist.barrier()
sys.stdout.write(f"rank {rank} is done\\n")  # in one piece: the ranks share the stream
dist.destroy_process_group()
"""
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python")


@pytest.mark.parametrize("kind", ["ddp", pytest.param("alone", marks=pytest.mark.slow)])
def test_one_report_for_all_ranks(kind: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    command = [*TORCHRUN, sys.executable, "-m", "trainclinic", "run", "train.py", kind]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split("\n")) == ["", "rank 0 is done", "rank 1 is done"]
    assert done.stderr.count("Ranks   side by side") == 1
    names = sorted(path.name for path in (tmp_path / "clinic").iterdir())
    assert names == ["train.html", "train.rank0.clinic", "train.rank1.clinic"]
    recording = tc.load(tmp_path / "clinic" / "train.clinic")
    assert [one.steps for one in recording.ranks] == [12, 12]
    assert recording.facts["distributed"]["kind"] == {"ddp": "DistributedDataParallel", "alone": ""}[kind]
    assert [layer.name for layer in recording.layers] == ["0", "1", "2"]
    found = [finding.problem for finding in tc.diagnose(recording).findings if finding.level == "problem"]
    assert ("unequal-replicas" in found) == (kind == "alone")
    again = subprocess.run(
        [sys.executable, "-m", "trainclinic", "report", "clinic/train.clinic", "--output", "again.json"],
        cwd=tmp_path,
        check=True,
    )
    assert again.returncode == 0
    ranks = json.loads((tmp_path / "again.json").read_text())["run"]["ranks"]
    assert [(one["rank"], one["steps"], one["ended"]) for one in ranks] == [(0, 12, "completed"), (1, 12, "completed")]
