"""The one table everything works on, and every check of what a user gave."""

from crossplate.table.combining import FeatureRule, combine_tables
from crossplate.table.sample_table import SampleTable

__all__ = ["FeatureRule", "SampleTable", "combine_tables"]
