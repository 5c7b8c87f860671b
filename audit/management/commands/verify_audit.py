"""`verify_audit`: verify the chains of the trail and print what was found as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.verification import PARTNERSHIP, PARTNERSHIP_CHAIN, Report, verify_chains
from edatrs.core import trail
from edatrs.core.scope import Actor
from edatrs.organisations.models import Organisation


class Command(BaseCommand):
    """Exit 0: every chain is whole, agrees with what was signed and sent out, and no record was written past the trail. Exit 1: the first
    bad row or statement of each is named.
    """

    help = (
        "Verify the chains of the trail: links, numbers without gaps, seals, heads; the signed statements that are held outside the "
        "database; acts that changed a record without an entry. Prints JSON."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One chain only; statements from elsewhere."""
        parser.add_argument(
            "--chain",
            default="",
            metavar="SLUG",
            help=f"an organisation's slug, or '{PARTNERSHIP}'; all if left out",
        )
        parser.add_argument(
            "--heads",
            type=Path,
            default=None,
            metavar="FOLDER",
            help="the folder of signed statements, if not EDATRS_HEADS_DIR: a copy that was kept elsewhere",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, note it on the trail, print."""
        if options["heads"] is not None and not options["heads"].is_dir():
            raise CommandError(f"--heads: there is no folder '{options['heads']}'")
        try:
            report = verify_chains(options["chain"], folder=options["heads"])
        except Organisation.DoesNotExist:
            raise CommandError(f"there is no organisation '{options['chain']}'") from None
        noted = self._note(report, one=bool(options["chain"]))
        self.stdout.write(json.dumps({**self._answer(report), "noted": noted}, indent=2))
        for words in self._words(report):
            self.stderr.write(words)
        if report.findings or not noted:
            sys.exit(1)

    def _answer(self, report: Report) -> dict[str, Any]:
        outside = report.outside
        return {
            "ok": not report.findings,
            "read_as": report.role,
            "rows": sum(found.rows for found in report.chains),
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
            "signed_heads": {
                "folder": outside.folder,
                "statements": outside.held,
                "newest": outside.newest or None,
                "first_bad": outside.problem.number if outside.problem else None,
                "problem": outside.problem.fault.value if outside.problem else None,
                "put_back_before": outside.restored,
            },
            "without_entry": [
                {
                    "organisation": found.organisation,
                    "table": found.table,
                    "act": str(found.act) if found.act else None,
                    "rows": found.rows,
                    "first": found.first,
                }
                for found in report.unrecorded
            ],
        }

    def _words(self, report: Report) -> list[str]:
        """What was found, for people, a line each."""
        said = [
            f"{found.label}, entry {found.problem.sequence}: {found.problem.fault}"
            for found in report.chains
            if found.problem
        ]
        if report.outside.problem:
            said.append(
                f"signed heads, statement {report.outside.problem.number}: {report.outside.problem.fault}"
            )
        said += [
            f"{found.organisation}, {found.table}, row {found.first}: "
            + (
                f"written by act {found.act}, which has no entry"
                if found.act
                else "changed outside every act"
            )
            for found in report.unrecorded
        ]
        if not report.outside.held:
            said.append("no signed statement is held outside: a complete older copy put back cannot be seen")
        return said

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
                    "problems": report.findings,
                    "statements": report.outside.held,
                    "by": report.role,
                },
            )
        except Exception as error:  # noqa: BLE001  # whatever it was, the answer says so and the exit code is 1
            self.stderr.write(f"could not be noted on the trail: {type(error).__name__}")
            return False
        return True
