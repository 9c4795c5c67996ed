"""``crossplate datasets``: the list, and fetching from a local folder."""

import pytest

from crossplate.datasets import available


@pytest.mark.parametrize("words", [(), ("list",)])
def test_list_names_every_data_set_within_the_width(cli, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "80")
    done = cli("datasets", *words)
    assert done.code == 0
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(done.out.split())
    for dataset in available():
        access = "" if dataset.downloadable else " (no direct download)"
        assert f"{dataset.name} {dataset.title}{access}" in text


def test_fetch_says_where_the_files_are(cli, real_tables, monkeypatch):
    monkeypatch.setenv("CROSSPLATE_DATA", str(real_tables))
    done = cli("datasets", "fetch", "cytof_person1")
    assert done.code == 0, done.err
    folder = real_tables / "cytof_shaham"
    for name in ("person1_day1_baseline.csv.gz", "person1_day2_baseline.csv.gz"):
        assert str(folder / name) in done.out.splitlines()
    assert "Licence: MIT" in done.out


def test_fetch_of_an_unknown_data_set(cli):
    done = cli("datasets", "fetch", "cytof_person3")
    assert done.code == 2
    assert "did you mean 'cytof_person" in done.err
    assert done.err.count("\n") == 1


def test_fetch_without_a_download_says_how_to_get_it(cli, monkeypatch, tmp_path):
    monkeypatch.delenv("CROSSPLATE_DATA", raising=False)
    done = cli("datasets", "fetch", "sacurine", "--out", tmp_path)
    assert done.code == 2
    assert done.err.startswith("crossplate: sacurine has no direct download: ")
    assert list(tmp_path.iterdir()) == []
