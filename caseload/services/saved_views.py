"""Views that a person keeps of a page: filters under a name, never a client's."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from caseload.models import SavedView
from caseload.selectors_work import MY_CASELOAD, Filters, saved_views
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.models import User

MOST = 20
LONGEST_NAME = 60


class Refused(ValueError):
    """The view cannot be kept like that; the message says why and what to do."""


def _name(text: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise Refused("Enter a name for the view")
    if len(words) > LONGEST_NAME:
        raise Refused(
            f"The name of the view must be {LONGEST_NAME} characters or fewer. There are {len(words)}"
        )
    return words


def _person() -> UUID:
    person = current_scope().person_id
    if person is None:
        raise Denied("caseload.view", "not a person")
    return person


def _lock() -> None:
    """One's own views one at a time: two tabs must neither make the same name nor one too many."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=_person())


@transaction.atomic
def keep(*, name: str, filters: Filters, page: str = MY_CASELOAD) -> SavedView:
    """Keep filters under a name for the person acting; a name that is there is written anew. Raises Refused."""
    words = _name(name)
    _lock()
    kept = saved_views(page)
    made = next((view for view in kept if view.name == words), None)
    if made is None and len(kept) >= MOST:
        raise Refused(f"You keep {MOST} views. Remove one first")
    if made is None:
        made = SavedView(organisation_id=current_organisation(), user_id=_person(), page=page, name=words)
    made.filters = filters.kept()
    made.save()
    return made


@transaction.atomic
def rename(*, pk: UUID, name: str) -> SavedView:
    """Call one of the views of the person acting something else. Raises Refused, Denied."""
    words = _name(name)
    _lock()
    view = _mine(pk)
    if any(other.name == words and other.pk != view.pk for other in saved_views(view.page)):
        raise Refused(f"You keep a view called “{words}” already. Enter another name")
    view.name = words
    view.save(update_fields=["name"])
    return view


@transaction.atomic
def remove(*, pk: UUID) -> SavedView:
    """Take one of the views of the person acting away. Raises Denied."""
    view = _mine(pk)
    view.removed_at = clock.now()
    view.save(update_fields=["removed_at"])
    return view


def _mine(pk: UUID) -> SavedView:
    rows = SavedView.objects.filter(pk=pk, user_id=_person(), removed_at__isnull=True)
    found: SavedView | None = rows.first()
    if found is None:
        raise Denied("caseload.view", "not found", subject=str(pk))
    return found
