"""Trust checks: what a careful reader would ask before believing a result.

Each check is one function of plain arrays and returns a `TrustCheck`; `run_checks` makes them all.
They count subjects, never replicates, and read no labels of target rows.
"""

from crossplate.evaluate.trust.batch_difference import check_batch_effect
from crossplate.evaluate.trust.calling import NOT_CALLED, Calling, call, calling_threshold
from crossplate.evaluate.trust.check import TrustCheck, Verdict, checks_frame
from crossplate.evaluate.trust.checks import run_checks
from crossplate.evaluate.trust.confounding import check_confounding
from crossplate.evaluate.trust.label_shift import check_label_shift
from crossplate.evaluate.trust.overcorrection import check_overcorrection
from crossplate.evaluate.trust.precision import check_precision
from crossplate.evaluate.trust.run_order import check_run_order
from crossplate.evaluate.trust.shared_subjects import check_shared_subjects
from crossplate.evaluate.trust.single_feature import check_single_feature
from crossplate.evaluate.trust.support import Support, check_support, outside_support

__all__ = [
    "NOT_CALLED",
    "Calling",
    "Support",
    "TrustCheck",
    "Verdict",
    "call",
    "calling_threshold",
    "check_batch_effect",
    "check_confounding",
    "check_label_shift",
    "check_overcorrection",
    "check_precision",
    "check_run_order",
    "check_shared_subjects",
    "check_single_feature",
    "check_support",
    "checks_frame",
    "outside_support",
    "run_checks",
]
