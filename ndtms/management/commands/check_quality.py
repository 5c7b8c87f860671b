"""`check_quality [--agency CODE]`: run all rules over the record and push down what each episode fails."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Service
from ndtms import quality


class Command(BaseCommand):
    """Prints how many answers changed by agency as one JSON object; exit 0 checked, 1 no such agency."""

    help = "Check every episode against the NDTMS rules, as of today. To be run once a day: some rules depend on the date."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which service; all when left out."""
        parser.add_argument("--agency", help="NDTMS agency code; all services when left out")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, print, exit."""
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            services = Service.objects.select_related("organisation").order_by("agency_code")
            if options["agency"]:
                services = services.filter(agency_code=options["agency"])
            wanted = list(services)
        if options["agency"] and not wanted:
            words = f"No service has the agency code {options['agency']}. Check the code with NDTMS."
            self.stdout.write(json.dumps({"error": "unknown_agency", "problem": words}))
            raise SystemExit(1)
        changed = {}
        for service in wanted:
            with open_scope(
                actor=Actor.OPERATOR,
                organisation_id=service.organisation_id,
                organisation_label=service.organisation.slug,
                person_label="operator",
            ):
                changed[service.agency_code] = quality.check_service(service)
        self.stdout.write(json.dumps({"changed": changed}))
