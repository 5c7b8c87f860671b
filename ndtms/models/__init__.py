"""Models of the ndtms app."""

from ndtms.models.answers import QualityAnswer, QualityCount
from ndtms.models.holding import NationalHolding
from ndtms.models.imports import ImportFile, ImportLine, ImportRun
from ndtms.models.mismatches import Mismatch, MismatchFile, NilReturn
from ndtms.models.submissions import Submission, SubmissionContent, SubmissionDownload

__all__ = [
    "ImportFile",
    "ImportLine",
    "ImportRun",
    "Mismatch",
    "MismatchFile",
    "NationalHolding",
    "NilReturn",
    "QualityAnswer",
    "QualityCount",
    "Submission",
    "SubmissionContent",
    "SubmissionDownload",
]
