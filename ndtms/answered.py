"""Which warnings somebody has answered, pushed down to the episodes, and which of these answers still stand.

An answer stands while the episode fails the rule by the very values that were recorded when it was given: a change of any item that the
rule reads, of the rule or of the letter ends it, and the warning is on the work list again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from caseload.dataset.reader import load_dictionary
from caseload.dataset.rules import RULES, Record, Rule
from caseload.dataset.rules.scope import BESIDE
from caseload.models import EpisodeQuality
from caseload.reading import records_of
from caseload.record import list_of
from edatrs.core import clock, trail
from edatrs.core.crypto import keyed_hash
from edatrs.core.scope import current_organisation
from ndtms.choices import AnswerEnd
from ndtms.models import QualityAnswer

BATCH = 500
_PUSHED = """
UPDATE caseload_episodequality q SET answered = a.rules, failing_since = (
    SELECT min(s.value::timestamptz) FROM jsonb_each_text(q.since) s WHERE s.key <> ALL (a.rules))
FROM (SELECT e.id, COALESCE(array_agg(x.rule::text ORDER BY x.rule) FILTER (WHERE x.rule IS NOT NULL), '{}') AS rules
      FROM unnest(%s::uuid[]) e(id)
      LEFT JOIN ndtms_qualityanswer x ON x.organisation_id = %s AND x.episode_id = e.id AND x.ended_at IS NULL
      GROUP BY e.id) a
WHERE q.organisation_id = %s AND q.episode_id = a.id"""


def stands_for(rule: Rule, letter: str, record: Record) -> str:
    """A keyed hash of the rule, the letter and what the rule reads of a record: equal while nothing of it has changed."""
    held = [f"{name}={_recorded(name, record)!r}" for name in sorted(rule.items)]
    if rule.looks_beside:
        held.append(repr(sorted(str(other.get("DISD")) for other in record.get(BESIDE) or ())))
    text = "|".join([rule.id, repr(rule.condition), letter, *held])
    return keyed_hash("ndtms.quality_answer", text)


def _recorded(name: str, record: Mapping[str, Any]) -> Any:
    listed = list_of(load_dictionary().item(name))
    if listed is None:
        return record.get(name) or None
    return [entry.get(name) or None for entry in record.get(listed.name) or ()]


def push(episode_ids: Iterable[Any]) -> None:
    """Write down to episodes which of their warnings are answered, and since when the oldest of the others is known."""
    organisation = current_organisation()
    with connection.cursor() as cursor:
        cursor.execute(_PUSHED, [list(episode_ids), organisation, organisation])


def standing(only: Iterable[UUID] | None = None, **where: Any) -> Any:
    """The answers that have not ended, of some episodes or of all."""
    rows = QualityAnswer.objects.filter(ended_at__isnull=True, **where)
    return rows if only is None else rows.filter(episode_id__in=list(only))


def review(service_id: UUID, only: Iterable[UUID] | None = None) -> int:
    """After a check: end the answers that no longer stand. Returns how many. One query where nobody answered anything."""
    ended = 0
    found = list(standing(only, episode__service_id=service_id).order_by("pk"))
    for start in range(0, len(found), BATCH):
        answers = found[start : start + BATCH]
        ids = {answer.episode_id for answer in answers}
        held = {row.pk: row for row in EpisodeQuality.objects.filter(pk__in=ids)}
        records = records_of(ids)
        over = {a.pk: why for a in answers if (why := _why_ended(a, held.get(a.episode_id), records))}
        for why in set(over.values()):
            _end([a for a in answers if over.get(a.pk) == why], why)
        ended += len(over)
    return ended


def _why_ended(answer: QualityAnswer, held: EpisodeQuality | None, records: Mapping[UUID, Record]) -> str:
    if held is None or answer.rule not in held.warnings:
        return AnswerEnd.RIGHT.value
    same = stands_for(RULES[answer.rule], held.letter, records[answer.episode_id]) == answer.stands_for
    return "" if same else AnswerEnd.CHANGED.value


def _end(answers: list[QualityAnswer], why: str, by_label: str = "") -> None:
    """End some answers now, for one reason, and say so on the trail."""
    QualityAnswer.objects.filter(Q(pk__in=[a.pk for a in answers]), ended_at__isnull=True).update(
        ended_at=clock.now(), ended_why=why, ended_by_label=by_label
    )
    for answer in answers:
        trail.record(
            "ndtms.quality_answer_ended",
            subject=str(answer.client_id),
            details={"answer": answer.pk, "episode": answer.episode_id, "rule": answer.rule, "why": why},
        )
    push({answer.episode_id for answer in answers})


def take_back(answer: QualityAnswer, by_label: str) -> None:
    """End an answer because somebody takes it back."""
    _end([answer], AnswerEnd.UNDONE.value, by_label)
