"""On a Dask cluster."""

import os
import sys
from dataclasses import replace

import pandas as pd
import pytest

from crossplate.compare import CompareSettings, compare, on_dask
from crossplate.errors import InputError

from .tables import QUICK, make_table

SETTINGS = CompareSettings(
    methods=("centring", "joint"),
    classifiers=("logistic",),
    repeats=2,
    method_settings={"joint": QUICK["joint"]},
)


distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


@pytest.mark.slow  # two processes that import everything
def test_a_cluster_of_two_processes_gives_the_figures_of_one(cluster, tmp_path):
    table = make_table(1, replicates=2)
    here = compare(table, SETTINGS, folder=tmp_path / "here")
    execute = on_dask(cluster.scheduler_address)
    seen = []
    there = compare(
        table,
        SETTINGS,
        folder=tmp_path / "there",
        execute=execute,
        progress=lambda *done: seen.append(done),
    )
    assert seen == [(done, 10) for done in range(11)]
    pd.testing.assert_frame_equal(
        there.rows.drop(columns="seconds"), here.rows.drop(columns="seconds"), check_exact=True
    )
    with distributed.Client(cluster) as client:
        worked = client.run(lambda: (os.getpid(), "crossplate.compare.work" in sys.modules))
    assert len({os.getpid(), *(process for process, _ in worked.values())}) == 3
    assert all(there for _, there in worked.values())
    # what is finished is not sent to the cluster again
    again = compare(table, SETTINGS, folder=tmp_path / "there", execute=execute)
    pd.testing.assert_frame_equal(again.rows, there.rows)


@pytest.mark.slow
def test_a_refusal_on_a_worker_is_a_note(cluster, tmp_path):
    table = make_table(1)
    wrong = replace(SETTINGS, methods=("coral",), method_settings={"coral": {"shrinkage": -1.0}})
    result = compare(
        table, wrong, folder=tmp_path / "out", execute=on_dask(cluster.scheduler_address)
    )
    notes = result.rows.set_index("method")["note"]
    assert notes["coral"].str.contains("shrinkage is -1.0").all()
    assert (notes["zscore"] == "").all()


def test_no_scheduler_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("crossplate.compare.executing._CONNECT_SECONDS", 0.2)
    with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127.0.0.1:1;"):
        compare(make_table(), SETTINGS, folder=tmp_path, execute=on_dask("tcp://127.0.0.1:1"))


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install crossplate\[dask\]"):
        on_dask("tcp://127.0.0.1:8786")
