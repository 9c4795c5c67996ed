"""Stored matrices: every kind reads as the array that was written."""

import anndata
import dask.array
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import zarr

from crossplate import InputError
from crossplate.stored import stored_matrix

X = np.random.default_rng(0).normal(size=(2500, 7)).round(3)
NAMES = [f"marker {k}" for k in range(7)]


def as_memmap(folder):
    np.save(folder / "x.npy", X)
    return np.load(folder / "x.npy", mmap_mode="r")


def as_hdf5(folder, **options):
    h5py.File(folder / "x.h5", "w").create_dataset("x", data=X, **options)
    return h5py.File(folder / "x.h5")["x"]


def as_zarr(folder):
    return zarr.create_array(str(folder / "x.zarr"), data=X, chunks=(600, 7))


def as_anndata(folder, x=X):
    names = pd.DataFrame(index=NAMES)
    anndata.AnnData(x, var=names).write_h5ad(folder / "x.h5ad")
    return anndata.read_h5ad(folder / "x.h5ad", backed="r")


KINDS = {
    "memmap": as_memmap,
    "hdf5": as_hdf5,
    "hdf5 in chunks": lambda folder: as_hdf5(folder, chunks=(333, 7)),
    "zarr": as_zarr,
    "dask": lambda _: dask.array.from_array(X, chunks=(700, 3)),
    "anndata": as_anndata,
    "sparse anndata": lambda folder: as_anndata(folder, scipy.sparse.csr_matrix(X)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_reads_as_the_array(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("crossplate.stored.READ_AT_ONCE", 8 * 7 * 1500)
    matrix = stored_matrix(KINDS[kind](tmp_path))
    assert (len(matrix), matrix.shape) == (2500, (2500, 7))
    np.testing.assert_array_equal(matrix.read(601, 1402), X[601:1402])
    blocks = list(matrix.blocks())
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate([x for _, x in blocks]), X)
    for where, x in blocks:
        np.testing.assert_array_equal(x, X[where])


def test_anndata_brings_feature_names(tmp_path):
    frame = stored_matrix(as_anndata(tmp_path)).framed(0, 2)
    assert list(frame.columns) == NAMES
    np.testing.assert_array_equal(frame, X[:2])


def test_pieces_are_the_chunks_of_the_storage(tmp_path):
    assert stored_matrix(as_zarr(tmp_path)).piece == 600
    assert stored_matrix(dask.array.from_array(X, chunks=(700, 3))).piece == 700


def test_large_is_more_than_fits_in_memory(tmp_path, monkeypatch):
    matrix = stored_matrix(as_memmap(tmp_path))
    assert not matrix.is_large
    monkeypatch.setattr("crossplate.stored.IN_MEMORY", X.nbytes - 1)
    assert matrix.is_large


@pytest.mark.parametrize("x", [X, pd.DataFrame(X), X.tolist(), scipy.sparse.csr_matrix(X)])
def test_what_is_in_memory_is_not_stored(x):
    assert stored_matrix(x) is None


def test_unusable_matrices_are_told(tmp_path):
    with pytest.raises(InputError, match="1 dimensions"):
        stored_matrix(dask.array.zeros(5))
    unknown = dask.array.from_array(X)
    with pytest.raises(InputError, match="compute_chunk_sizes"):
        stored_matrix(unknown[unknown[:, 0] > 0])
    broken = X.copy()
    broken[11, 2] = np.inf
    with pytest.raises(InputError, match=r"row 12, feature 3 is infinite"):
        stored_matrix(dask.array.from_array(broken)).read(10, 20)
