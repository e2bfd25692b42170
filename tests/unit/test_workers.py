"""Workers: a run whose process is lost is made again, and counts once."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest
from small_cures import KilledOnce, vanishing

from trainclinic.prove.cure import cure
from trainclinic.prove.pairs import Job, run
from trainclinic.prove.workers import Workers


@pytest.fixture(scope="module")
def alone():
    return cure(vanishing)


def test_a_killed_process_is_replaced(alone, tmp_path):
    found = cure(KilledOnce(tmp_path), workers=2)
    assert (tmp_path / "killed").exists()
    assert found.trial == alone.trial
    assert found.cost == alone.cost


@pytest.mark.slow
def test_on_a_dask_cluster_of_which_a_worker_is_killed(alone, tmp_path):
    distributed = pytest.importorskip("distributed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            distributed.Client(cluster) as client,
        ):
            found = cure(KilledOnce(tmp_path), executor=client.get_executor())
    assert (tmp_path / "killed").exists()
    assert found.trial == alone.trial
    assert found.cost == alone.cost


def test_threads_share_the_global_generators_and_still_change_nothing(alone):
    with ThreadPoolExecutor(2) as executor:
        assert cure(vanishing, executor=executor).trial == alone.trial


def test_a_make_that_cannot_travel_runs_here_with_a_message():
    lock = Lock()

    def make(seed):
        with lock:
            return vanishing(seed)

    jobs = [Job(make, 0, share=0.1, length=160), Job(make, 1, share=0.1, length=160)]
    with Workers(2) as workers, pytest.warns(RuntimeWarning, match="cannot travel"):
        runs = list(workers.runs(jobs))
    assert [one.curve for one in runs] == [run(job).curve for job in jobs]
