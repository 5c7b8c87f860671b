"""What the commands about one submission share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser

from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation
from ndtms import selectors
from ndtms.models import Submission
from ndtms.services.submissions import Refused


class SubmissionCommand(BaseCommand):
    """Finds the submission as the operator, acts in the scope of its organisation, prints one JSON object."""

    act: Callable[[Submission], dict[str, Any]]

    def add_arguments(self, parser: CommandParser) -> None:
        """The submission's id, as `build_extract` printed it."""
        parser.add_argument("submission")

    def handle(self, *args: Any, **options: Any) -> None:
        """Act, print, exit 0 or 1."""
        try:
            answer = self._answer(options["submission"])
        except Refused as refused:
            self.stdout.write(
                json.dumps({"error": refused.problem, "problem": str(refused)}, ensure_ascii=False)
            )
            raise SystemExit(1) from None
        self.stdout.write(json.dumps(answer, ensure_ascii=False))

    def _answer(self, text: str) -> dict[str, Any]:
        unknown = Refused("unknown_submission", f"There is no submission {text}.")
        try:
            pk = UUID(text)
        except ValueError:
            raise unknown from None
        organisation = Organisation.objects.filter(pk=selectors.organisation_of_submission(pk)).first()
        if organisation is None:
            raise unknown
        with open_scope(
            actor=Actor.OPERATOR,
            organisation_id=organisation.pk,
            organisation_label=organisation.slug,
            person_label="operator",
        ):
            return self.act(selectors.get_submission(pk))
