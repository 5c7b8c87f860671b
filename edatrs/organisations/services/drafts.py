"""Keep what somebody is typing, give it back, take it away when it is saved, thrown away or 30 days old (design section 8)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from uuid import UUID

from django.http import QueryDict

from edatrs.core import clock
from edatrs.core.scope import Actor, current_organisation, current_scope, open_scope
from edatrs.organisations.models import Draft, LeaverDraft, Organisation

KEPT_DAYS = 30
LONGEST = 300_000
# Never kept: what is sent with every form, and what must not be stored.
_LEFT_OUT = frozenset({"csrfmiddlewaretoken", "_draft", "_page", "password", "token", "code"})


class TooLong(ValueError):
    """More text than a draft holds."""


class AlreadySaved(RuntimeError):
    """The page that sent this was saved or thrown away meanwhile: what comes late is not kept again."""


def _author() -> UUID:
    person = current_scope().person_id
    if person is None:
        raise ValueError("only a person has drafts")
    return person


def find(*, form: str, object_id: str) -> Draft | None:
    """The open draft of the person acting. One query."""
    return Draft.objects.filter(
        user_id=_author(), form=form, object=object_id, closed_at__isnull=True
    ).first()


def typed(draft: Draft) -> QueryDict:
    """The fields as they were sent."""
    data = QueryDict(mutable=True)
    for name, values in json.loads(draft.text):
        data.setlist(name, values)
    return data


def keep(
    *, form: str, object_id: str, client: UUID | None, address: str, version: int, page: str, data: QueryDict
) -> Draft:
    """Keep the fields of a form. Raises TooLong, AlreadySaved."""
    fields = [(name, values) for name, values in data.lists() if name not in _LEFT_OUT]
    text = json.dumps(fields)
    if len(text) > LONGEST:
        raise TooLong(
            f"This is more than a draft can hold ({LONGEST:,} characters). Save it, or make it shorter"
        )
    now = clock.now()
    held = Draft.objects.select_for_update().filter(user_id=_author(), form=form, object=object_id).first()
    if held is not None and held.closed_at is not None and page and held.page == page:
        raise AlreadySaved
    written = {
        "about_client": client,
        "address": address,
        "version": version,
        "text": text,
        "page": page,
        "kept_at": now,
        "closed_at": None,
    }
    draft, _ = Draft.objects.update_or_create(
        organisation_id=current_organisation(),
        user_id=_author(),
        form=form,
        object=object_id,
        defaults=written,
    )
    return draft


def close(*, form: str, object_id: str, page: str = "") -> bool:
    """Take the text away, because it was saved or is not wanted. Returns whether there was any."""
    now = clock.now()
    mine = Draft.objects.filter(user_id=_author(), form=form, object=object_id)
    was_open = mine.filter(closed_at__isnull=True).update(text="[]", page=page, closed_at=now, kept_at=now)
    if not was_open and page and not mine.update(page=page, closed_at=now, kept_at=now):
        # Nothing was kept yet, but an autosave may be on its way.
        Draft.objects.create(
            organisation_id=current_organisation(),
            user_id=_author(),
            form=form,
            object=object_id,
            address="",
            text="[]",
            page=page,
            kept_at=now,
            closed_at=now,
        )
    return bool(was_open)


def mine() -> list[Draft]:
    """The open drafts of the person acting, in the organisation acted for, the newest first. One query; the texts are not read."""
    return list(
        Draft.objects.filter(user_id=_author(), closed_at__isnull=True).defer("text").order_by("-kept_at")
    )


def of_clients(clients: Iterable[UUID]) -> dict[UUID, list[str]]:
    """The forms with an open draft of the person acting, by client. One query."""
    found: dict[UUID, list[str]] = {}
    rows = Draft.objects.filter(user_id=_author(), closed_at__isnull=True, about_client__in=list(clients))
    for client, form in rows.order_by("form").values_list("about_client", "form"):
        found.setdefault(client, []).append(form)
    return found


def open_on(client: UUID) -> list[Draft]:
    """The open drafts of the person acting about a client: what discharge asks to finish first. One query."""
    return list(
        Draft.objects.filter(user_id=_author(), closed_at__isnull=True, about_client=client).defer("text")
    )


def purge() -> int:
    """Delete the drafts of every organisation that are older than 30 days, and what is closed for a day. Returns how many."""
    gone = 0
    for organisation in Organisation.objects.all():
        with open_scope(
            actor=Actor.WORKER,
            organisation_id=organisation.pk,
            organisation_label=organisation.slug,
            person_label="worker",
        ):
            now = clock.now()
            old = Draft.objects.filter(kept_at__lt=now - dt.timedelta(days=KEPT_DAYS))
            closed = Draft.objects.filter(closed_at__lt=now - dt.timedelta(days=1))
            sealed = LeaverDraft.objects.filter(kept_at__lt=now - dt.timedelta(days=KEPT_DAYS))
            gone += old.delete()[0] + closed.delete()[0] + sealed.delete()[0]
    return gone
