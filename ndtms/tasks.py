"""Importing the services registers the kinds of job that this app works on; and what is asked for by the clock."""

from __future__ import annotations

from edatrs.core.scope import Actor, open_scope
from edatrs.core.tasks import celery_task
from edatrs.organisations.models import Organisation
from ndtms import quality
from ndtms.services import calendar, imports, submissions

__all__ = ["check_everybody", "draft_monthly", "imports", "quality", "submissions"]


@celery_task("ndtms.check_everybody", acks_late=False)
def check_everybody() -> None:
    """Ask for a check of every organisation that has a service: some rules depend on the date alone. One job each."""
    for organisation in Organisation.objects.filter(services__isnull=False).distinct():
        with open_scope(
            actor=Actor.WORKER,
            organisation_id=organisation.pk,
            organisation_label=organisation.slug,
            person_label="worker",
        ):
            quality.check_later()


@celery_task("ndtms.draft_monthly", acks_late=False)
def draft_monthly() -> None:
    """Ask for the draft of the month that just ended for every agency code that has none, and tell the NDTMS administrators."""
    for organisation in Organisation.objects.filter(services__isnull=False).distinct():
        with open_scope(
            actor=Actor.WORKER,
            organisation_id=organisation.pk,
            organisation_label=organisation.slug,
            person_label="worker",
        ):
            calendar.ask_for_drafts(organisation.slug)
