"""AnnData files (.h5ad)."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

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
    matrix = data.X.toarray() if hasattr(data.X, "toarray") else np.asarray(data.X)
    ids = [str(name) for name in data.obs_names]
    names = [str(name) for name in data.var_names]
    sample_columns = [str(name) for name in data.obs.columns]
    require_unique_names([*sample_columns, *names], path.name)
    features = pd.DataFrame(matrix, index=ids, columns=names)
    columns = data.obs.set_axis(sample_columns, axis=1).set_axis(ids, axis=0)
    frame = pd.concat([columns, features], axis=1) if sample_columns else features
    return RawTable(frame, lambda row: f"observation '{ids[row]}'", frozenset(sample_columns))
