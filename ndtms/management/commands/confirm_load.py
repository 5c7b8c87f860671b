"""`confirm_load SUBMISSION_ID`: NDTMS accepted the file."""

from __future__ import annotations

from typing import Any

from ndtms.management.commands._submission import SubmissionCommand
from ndtms.models import Submission
from ndtms.services import submissions


class Command(SubmissionCommand):
    """Records that the file was loaded: what it carries is held, what it withdraws is not."""

    help = "Record that NDTMS accepted a file."

    def act(self, submission: Submission) -> dict[str, Any]:  # type: ignore[override]  # the base declares its shape
        """Confirm; said again it changes nothing."""
        loaded = submissions.confirm_load(submission=submission, acting_user=None)
        return {
            "submission": str(loaded.pk),
            "state": loaded.state,
            "confirmed_at": loaded.decided_at.isoformat() if loaded.decided_at else None,
        }
