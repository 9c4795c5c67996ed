"""All methods on all pairs of batches of a table, in one table that can show who loses."""

from crossplate.compare.executing import on_dask, on_this_machine
from crossplate.compare.running import Comparison, compare
from crossplate.compare.settings import CompareSettings
from crossplate.compare.summary import Summary

__all__ = ["CompareSettings", "Comparison", "Summary", "compare", "on_dask", "on_this_machine"]
