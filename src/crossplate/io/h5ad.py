"""AnnData files (.h5ad)."""

import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossplate.errors import InputError
from crossplate.io.raw import IsText, RawTable, optional_module, require_kind
from crossplate.table.columns import require_unique_names


def read_h5ad(path: Path, is_text: IsText) -> RawTable:
    """Read the matrix X as features and obs as sample columns; obs_names are the sample ids.

    A sparse X becomes dense: its zeros are measured zeros, not missing values. Layers, raw, obsm
    and uns are left aside.

    Parameters
    ----------
    path
        The file.
    is_text
        Not needed: columns carry their type.

    Raises
    ------
    InputError
        If anndata is not installed, or the file is not HDF5, damaged, no AnnData, or without X.
    """
    data = _read_anndata(path)
    matrix = _dense(data.X)
    ids = [str(name) for name in data.obs_names]
    names = [str(name) for name in data.var_names]
    sample_columns = [str(name) for name in data.obs.columns]
    require_unique_names([*sample_columns, *names], path.name)
    features = pd.DataFrame(matrix, index=ids, columns=names)
    columns = data.obs.set_axis(sample_columns, axis=1).set_axis(ids, axis=0)
    frame = pd.concat([columns, features], axis=1) if sample_columns else features
    return RawTable(frame, lambda row: f"observation '{ids[row]}'", frozenset(sample_columns))


def write_h5ad(
    like: Path,
    rows: NDArray[np.intp],
    values: pd.DataFrame,
    path: Path,
    *,
    without: Collection[str] = (),
) -> None:
    """Write an AnnData file again with other numbers in X; all else in it stays.

    Parameters
    ----------
    like
        The file that was read.
    rows
        Numbers of the observations to keep.
    values
        New numbers, one row an observation kept, columns named by variable; variables that have
        no column keep their numbers.
    path
        Where to.
    without
        Variables to leave out.
    """
    data = _read_anndata(like)
    data = data[rows, ~data.var_names.astype(str).isin(list(without))].copy()
    matrix = np.array(_dense(data.X), dtype=np.float64)
    matrix[:, data.var_names.astype(str).get_indexer(values.columns)] = values.to_numpy()
    data.X = matrix
    data.write_h5ad(path)


def _read_anndata(path: Path) -> Any:
    anndata = optional_module(
        "anndata", package="anndata", extra="anndata", purpose=f"reading {path.name}"
    )
    require_kind(path, "HDF5", "an AnnData file (HDF5)")
    try:
        with warnings.catch_warnings():
            # Repeated names are warned of there and are an error here.
            warnings.simplefilter("ignore")
            data = anndata.read_h5ad(path)
    except Exception as error:  # h5py and anndata raise many kinds at damaged files
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path.name} cannot be read as AnnData ({reason}); write it again with anndata"
        ) from error
    if data.X is None:
        raise InputError(
            f"{path.name} has no matrix X; put the measurements there and save it again"
        )
    return data


def _dense(matrix: Any) -> NDArray[Any]:
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)
