"""`preview_load SUBMISSION_ID`: what the national collection will do with the file, of the build's snapshot."""

from __future__ import annotations

from typing import Any

from edatrs.core import trail
from ndtms import selectors
from ndtms.management.commands._submission import SubmissionCommand
from ndtms.models import Submission
from ndtms.services.submissions import ON_DISK, Refused


class Command(SubmissionCommand):
    """Prints new, replaced, removed_by_consent and missing (contract section 3)."""

    help = "Say what NDTMS will do with a file before it is sent."

    def act(self, submission: Submission) -> dict[str, Any]:  # type: ignore[override]  # the base declares its shape
        """The kept preview; looking is on the trail."""
        if submission.state not in ON_DISK:
            raise Refused("not_built", "There is no file of this submission: it was not built.")
        trail.record("ndtms.preview_viewed", subject=str(submission.pk))
        return selectors.preview(submission)
