"""What NDTMS would say of every episode: all rules, set-based, with today's date and the letter in force, pushed down to the episode.

Written only where the answer changed. Called by `episodes_changed` for a few episodes, by a job or `check_quality` for whole services.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from caseload.dataset.reader import Item, load_dictionary
from caseload.dataset.rules import ALL_RULES, ERROR_RULES, WARNING_RULES, sql_failing
from caseload.models import Episode
from edatrs.core import clock
from edatrs.core.scope import Actor, current_organisation, current_scope, open_scope
from edatrs.core.tasks import job_kind
from edatrs.organisations.models import Organisation, Service
from edatrs.organisations.selectors import services_of
from edatrs.organisations.services import jobs
from ndtms import answered, quality_counts
from ndtms.choices import ExtractKind
from ndtms.extract_query import DATE_STYLES, EpisodeColumns, ExtractPlan, Statement, episodes

CHECK_QUALITY = "ndtms.check_quality"
# Up to so many episodes are checked at once, in the transaction that changed them; more are left to a worker.
AT_ONCE = 2_000


def plan_for(service: Service, day: dt.date) -> ExtractPlan:
    """A full extract of the service as of a day, by the letter in force."""
    return ExtractPlan(
        service_id=service.pk,
        organisation_id=service.organisation_id,
        agency_code=service.agency_code,
        dataset=service.dataset,
        letter=service.letter_on(day, load_dictionary().default_letter),
        kind=ExtractKind.FULL,
        as_of=day,
        window_start=dt.date.min,
        cmsid="",
    )


def _items(plan: ExtractPlan) -> tuple[Item, ...]:
    """The items that the rules of the data set read, beside identifiers."""
    names = {name for rule in ALL_RULES if rule.applies(plan.context) for name in rule.items}
    return tuple(item for item in load_dictionary().items if item.name in names)


def statement(plan: ExtractPlan, only: Iterable[UUID] | None = None) -> Statement:
    """INSERT … ON CONFLICT of what each episode fails, and since when. An episode entered in error fails nothing.

    A rule keeps the day it began to fail on while it goes on failing, whatever else of the episode changes, the letter too.
    """
    rows = episodes(plan, _items(plan))
    if only is not None:
        rows = rows.filter(pk__in=list(only))
    base, base_params = rows.query.sql_with_params()
    errors, error_params = sql_failing(ERROR_RULES, EpisodeColumns(), plan.context)
    warnings, warning_params = sql_failing(WARNING_RULES, EpisodeColumns(), plan.context)
    # OFFSET 0: the rules are worked out once, not again wherever their answer is named.
    sql = f"""
INSERT INTO caseload_episodequality AS held
    (organisation_id, client_id, episode_id, errors, warnings, letter, checked_at, since, failing_since)
SELECT %s, f.client_id, f.pk, f.errors, f.warnings, %s, n.now,
       (SELECT COALESCE(jsonb_object_agg(r, n.now), '{{}}') FROM unnest(f.errors || f.warnings) r),
       CASE WHEN cardinality(f.errors || f.warnings) > 0 THEN n.now END
FROM (SELECT e.client_id, e.pk, {errors} AS errors, {warnings} AS warnings
      FROM (SELECT b.*, %s::text AS agncy FROM ({base}) b) e OFFSET 0) f, (SELECT %s::timestamptz AS now) n
ON CONFLICT (episode_id) DO UPDATE
SET errors = EXCLUDED.errors, warnings = EXCLUDED.warnings, letter = EXCLUDED.letter, checked_at = EXCLUDED.checked_at,
    (since, failing_since) = (
        SELECT COALESCE(jsonb_object_agg(a.rule, a.since), '{{}}'), min(a.since) FILTER (WHERE a.rule <> ALL (held.answered)) FROM (
            SELECT r AS rule, COALESCE((held.since ->> r)::timestamptz,
                CASE WHEN r = ANY (held.errors || held.warnings) THEN held.checked_at END, EXCLUDED.checked_at) AS since
            FROM unnest(EXCLUDED.errors || EXCLUDED.warnings) r) a)
WHERE (held.errors, held.warnings, held.letter) IS DISTINCT FROM (EXCLUDED.errors, EXCLUDED.warnings, EXCLUDED.letter)
   OR (held.failing_since IS NULL) <> ((EXCLUDED.errors || EXCLUDED.warnings) <@ held.answered)"""  # noqa: S608  # names of our own, values as parameters
    head = (plan.organisation_id, plan.letter, *error_params, *warning_params, plan.agency_code)
    return Statement(sql, (*head, *base_params, clock.now()))


_VOIDED = """
UPDATE caseload_episodequality q SET errors = '{}', warnings = '{}', checked_at = %s, since = '{}', failing_since = NULL
FROM caseload_episode e WHERE e.id = q.episode_id AND e.voided_at IS NOT NULL AND q.organisation_id = %s
AND e.service_id = %s AND (cardinality(q.errors) > 0 OR cardinality(q.warnings) > 0)"""


def check_service(service: Service, only: Iterable[UUID] | None = None) -> int:
    """Check the episodes of a service of the organisation acted for, or some of them. Returns how many answers changed."""
    if service.organisation_id != current_organisation():
        raise ValueError(f"{service.agency_code} is not a service of the organisation acted for")
    only = None if only is None else list(only)
    made = statement(plan_for(service, clock.today()), only)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('datestyle')")
        before = cursor.fetchone()[0]
        cursor.execute(
            "SELECT set_config('datestyle', %s, true)",
            [DATE_STYLES[load_dictionary().setting("date_format")]],
        )
        cursor.execute(made.sql, made.params)
        changed = cursor.rowcount
        cursor.execute("SELECT set_config('datestyle', %s, true)", [before])
        cursor.execute(_VOIDED, [clock.now(), service.organisation_id, service.pk])
        changed += cursor.rowcount
    answered.review(service.pk, only)
    return int(changed)


def check_episodes(episode_ids: list[Any]) -> None:
    """Check episodes after a change, in its transaction: what `edatrs.core.registry.episodes_changed` calls. Many are left to a worker."""
    ids = list(episode_ids)
    if len(ids) > AT_ONCE:
        check_later()
        return
    by_service: dict[UUID, list[UUID]] = {}
    for pk, service_id in _with_beside(ids):
        by_service.setdefault(service_id, []).append(pk)
    for service in Service.objects.filter(pk__in=list(by_service)):
        check_service(service, by_service[service.pk])


def _with_beside(ids: list[Any]) -> Iterable[tuple[UUID, UUID]]:
    """(id, service) of episodes and of those beside them, of the same client at the same service: a rule may be about both."""
    changed = Episode.objects.filter(pk__in=ids).order_by()
    found = Episode.objects.filter(client_id__in=changed.values("client_id")).values_list(
        "pk", "service_id", "client_id"
    )
    rows, wanted = list(found), set(ids)
    places = {(client, service) for pk, service, client in rows if pk in wanted}
    return [(pk, service) for pk, service, client in rows if (client, service) in places]


def check_organisation() -> int:
    """Check every service of the organisation acted for. Returns how many answers changed."""
    return sum(check_service(service) for service in services_of(current_organisation()))


def after_load() -> None:
    """At the end of a load of the organisation acted for, in its transaction: all its episodes when they are few, else by a worker.

    All of them: a client's new date of birth counts for episodes that the bundle does not name.
    """
    if Episode.objects.order_by()[: AT_ONCE + 1].count() > AT_ONCE:
        check_later()
    else:
        check_organisation()


def check_later(requested_by: UUID | None = None) -> None:
    """Ask a worker to check the organisation acted for; asked twice before it began, it is done once."""
    organisation = current_organisation()
    key = f"{CHECK_QUALITY}:{organisation}"
    if jobs.is_waiting(key):
        return
    try:
        with transaction.atomic():
            _enqueue(organisation, key, requested_by)
    except IntegrityError:
        # One is running and may have passed by what is new: another comes after it.
        _enqueue(organisation, f"{key}:{current_scope().act}", requested_by)


def _enqueue(organisation: UUID, key: str, requested_by: UUID | None) -> None:
    jobs.enqueue(
        kind=CHECK_QUALITY,
        organisation_id=organisation,
        subject=organisation,
        unique_key=key,
        requested_by=requested_by,
    )


@job_kind(CHECK_QUALITY, timeout=dt.timedelta(hours=2))
def check_quality(lease: Any) -> None:
    """Check every service of an organisation, one a transaction; safe to run twice."""
    organisation = Organisation.objects.get(pk=lease.organisation_id)
    services = list(services_of(organisation.pk))
    for done, service in enumerate(services, start=1):
        with open_scope(
            actor=Actor.WORKER,
            organisation_id=organisation.pk,
            organisation_label=organisation.slug,
            person_label="worker",
        ):
            check_service(service)
            quality_counts.record(service)
        lease.progress(done, len(services), f"{service.agency_code} checked")
