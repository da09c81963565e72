"""The check of a data set: what is wrong, what is suspicious, and what is in it."""

from lib.datasets.check.learnable import count_values, learnability
from lib.datasets.check.parts import Finding, find_parts, shared_subjects
from lib.datasets.check.report import Report, check_data, faults_of_some

__all__ = [
    "Finding",
    "Report",
    "check_data",
    "count_values",
    "faults_of_some",
    "find_parts",
    "learnability",
    "shared_subjects",
]
