"""Models of the ndtms app."""

from ndtms.models.holding import NationalHolding
from ndtms.models.submissions import Submission, SubmissionContent, SubmissionDownload

__all__ = ["NationalHolding", "Submission", "SubmissionContent", "SubmissionDownload"]
