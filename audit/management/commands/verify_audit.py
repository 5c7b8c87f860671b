"""`verify_audit`: verify the chains of the trail and print what was found as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.verification import PARTNERSHIP, PARTNERSHIP_CHAIN, Report, verify_chains
from edatrs.core import trail
from edatrs.core.scope import Actor
from edatrs.organisations.models import Organisation


class Command(BaseCommand):
    """Exit 0: every chain is whole. Exit 1: the first bad row of each that is not is named."""

    help = "Verify the chains of the trail: links, numbers without gaps, seals, heads. Prints JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """One chain only."""
        parser.add_argument(
            "--chain",
            default="",
            metavar="SLUG",
            help=f"an organisation's slug, or '{PARTNERSHIP}'; all if left out",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, note it on the trail, print."""
        try:
            report = verify_chains(options["chain"])
        except Organisation.DoesNotExist:
            raise CommandError(f"there is no organisation '{options['chain']}'") from None
        noted = self._note(report, one=bool(options["chain"]))
        answer = {
            "ok": not report.problems,
            "read_as": report.role,
            "rows": sum(found.rows for found in report.chains),
            "noted": noted,
            "chains": [
                {
                    "chain": found.label,
                    "id": str(found.chain),
                    "rows": found.rows,
                    "first_bad": found.problem.sequence if found.problem else None,
                    "problem": found.problem.fault.value if found.problem else None,
                }
                for found in report.chains
            ],
        }
        self.stdout.write(json.dumps(answer, indent=2))
        if report.problems or not noted:
            sys.exit(1)

    def _note(self, report: Report, *, one: bool) -> bool:
        """Put the verification on the trail; a chain whose head is forged takes no entry, and the report must come out all the same."""
        chain = report.chains[0].chain if one else PARTNERSHIP_CHAIN
        try:
            trail.record_now(
                "audit.verified",
                actor=Actor.OPERATOR,
                actor_id=None,
                actor_label="verify_audit",
                organisation_id=None if chain == PARTNERSHIP_CHAIN else chain,
                details={
                    "chains": len(report.chains),
                    "rows": sum(found.rows for found in report.chains),
                    "problems": len(report.problems),
                    "by": report.role,
                },
            )
        except Exception as error:  # noqa: BLE001  # whatever it was, the answer says so and the exit code is 1
            self.stderr.write(f"could not be noted on the trail: {type(error).__name__}")
            return False
        return True
