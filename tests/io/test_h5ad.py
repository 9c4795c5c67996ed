"""Tests of crossplate.io.h5ad beyond what all formats share."""

import warnings
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.io import read_table


def save(path: Path, names: list[str], ids: list[str], **obs: object) -> Path:
    values = np.arange(len(ids) * len(names), dtype=np.float32).reshape(len(ids), len(names))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        anndata.AnnData(
            X=values, obs=pd.DataFrame(obs, index=ids), var=pd.DataFrame(index=names)
        ).write_h5ad(path)
    return path


def test_numbers_in_obs_are_no_features_and_any_var_name_is(tmp_path: Path) -> None:
    path = save(tmp_path / "a.h5ad", ["age", "sample"], ["a", "b"], n_counts=[5.5, 6.5])
    table = read_table(path)
    assert table.features.columns.tolist() == ["age", "sample"]
    assert table.features.index.tolist() == ["a", "b"]
    assert table.metadata["n_counts"].tolist() == [5.5, 6.5]
    assert (table.features.dtypes == np.float64).all()


def test_a_column_of_obs_can_be_named_as_id(tmp_path: Path) -> None:
    path = save(tmp_path / "a.h5ad", ["X1"], ["0", "1"], code=["p", "q"])
    assert read_table(path, sample_id="code").features.index.tolist() == ["p", "q"]


def test_repeated_names_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.h5ad", ["X1", "X1"], ["a", "b"])
    with pytest.raises(InputError, match=r"a\.h5ad.*'X1' stands 2 times"):
        read_table(path)
    path = save(tmp_path / "b.h5ad", ["X1"], ["a", "a"])
    with pytest.raises(InputError, match=r"b\.h5ad: the sample id 'a' in the row names"):
        read_table(path)
    path = save(tmp_path / "c.h5ad", ["X1"], ["a", "b"], X1=[1, 2])
    with pytest.raises(InputError, match=r"c\.h5ad.*'X1' stands 2 times"):
        read_table(path)


def test_a_cell_that_is_infinite_is_named_by_its_observation(tmp_path: Path) -> None:
    data = anndata.AnnData(
        X=np.array([[1.0], [np.inf]]),
        obs=pd.DataFrame(index=["a", "b"]),
        var=pd.DataFrame(index=["X1"]),
    )
    data.write_h5ad(tmp_path / "a.h5ad")
    with pytest.raises(InputError, match=r"a\.h5ad, observation 'b', column 'X1'.*infinite"):
        read_table(tmp_path / "a.h5ad")


def test_hdf5_that_is_no_anndata_or_has_no_matrix_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5ad", "w") as file:
        file["values"] = [1, 2, 3]
    with pytest.raises(InputError, match=r"a\.h5ad (cannot be read as AnnData|has no matrix X)"):
        read_table(tmp_path / "a.h5ad")
    anndata.AnnData(obs=pd.DataFrame(index=["a"])).write_h5ad(tmp_path / "b.h5ad")
    with pytest.raises(InputError, match=r"b\.h5ad"):
        read_table(tmp_path / "b.h5ad")
