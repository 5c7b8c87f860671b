"""Taking a list out as a file: asked for with a reason, made anew at each download, ended by time or by hand (wish 1, threats 5 and 17).

No line of a list is kept: `ListExport` holds what was asked, `ListExportDownload` how much was taken and its SHA-256.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from uuid import UUID, uuid5

from django.db import transaction
from django.urls import reverse

from caseload import export_columns
from caseload.choices import ExportPurpose, LawfulGround
from caseload.models import ListExport, ListExportDownload
from caseload.models.export import LONGEST_DAYS
from caseload.selectors_export import MOST_LINES, Narrowed, count_of, get_export, lines_of, narrowed
from edatrs.core import access, clock, people_csv, registry, trail
from edatrs.core.access import Denied
from edatrs.core.people_csv import Written
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.choices import Role
from edatrs.organisations.models import User
from edatrs.organisations.services.outbox import tell

HOURS = 24
# A file that leaves the organisation is a disclosure of each client in it: as many entries on the trail.
MOST_GIVEN = 1_000
_TOLD = "An export of a list with names was asked for"
_TOLD_LEAVES = "An export of a list for somebody outside was asked for"


class Refused(ValueError):
    """It cannot be done; the message says why and what to do. `field` is what it is about, where one is."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field or None


def check(*, asked: Narrowed, columns: Collection[str], names: bool, leaves: bool) -> tuple[int, int]:
    """How many lines and clients a list has now, for who asks. Raises Refused."""
    if not export_columns.allowed(columns, names=names):
        raise Refused("Choose at least one column", "columns")
    lines, people = count_of(asked)
    if lines == 0:
        raise Refused("Nobody matches. Take a filter away")
    if lines > MOST_LINES:
        raise Refused(
            f"The list has {lines:,} lines. At most {MOST_LINES:,} can be exported at once: choose a service or a keyworker"
        )
    if leaves and people > MOST_GIVEN:
        raise Refused(
            f"The list is of {people:,} people. At most {MOST_GIVEN:,} can be given to somebody outside at once, because it is logged for "
            "each of them. Choose a service or a keyworker",
            "leaves",
        )
    return lines, people


def export_of_form(form_id: UUID, person_id: UUID) -> UUID:
    """The id of the export that a page asks for, so that sending it twice asks once. It cannot be aimed at anybody else's row."""
    return uuid5(current_organisation(), f"list export {person_id} {form_id}")


@transaction.atomic
def ask(
    *,
    form_id: UUID,
    asked: Narrowed,
    columns: Collection[str],
    names: bool,
    names_reason: str,
    purpose: str,
    reason: str,
    hours: int,
    leaves: bool,
    recipient: str,
    lawful_ground: str,
    acting_user: User,
) -> ListExport:
    """Keep what was asked: from now on the person acting may take the file, for `hours`. The same page sent twice asks once.

    With names, or for somebody outside, the governance officer is told. Raises Refused, Denied.
    """
    access.require(export_columns.ACT)
    export_id = export_of_form(form_id, acting_user.pk)
    # One's own one at a time: two of the same page at once must not both find nothing.
    User.objects.select_for_update(no_key=True).only("pk").get(pk=acting_user.pk)
    before = ListExport.objects.filter(pk=export_id).first()
    if before is not None:
        return before  # type: ignore[no-any-return]  # of this model
    _check_words(
        names=names,
        names_reason=names_reason,
        purpose=purpose,
        reason=reason,
        hours=hours,
        leaves=leaves,
        recipient=recipient,
        lawful_ground=lawful_ground,
    )
    lines, people = check(asked=asked, columns=columns, names=names, leaves=leaves)
    kept = export_columns.allowed(columns, names=names)
    now = clock.now()
    made = ListExport(
        id=export_id,
        user=acting_user,
        by_label=acting_user.full_name,
        filters=asked.kept(),
        columns=[column.key for column in kept],
        names=names,
        names_reason=names_reason.strip() if names else "",
        purpose=purpose,
        reason=reason.strip(),
        leaves=leaves,
        recipient=recipient.strip() if leaves else "",
        lawful_ground=lawful_ground if leaves else "",
        lines=lines,
        people=people,
        asked_at=now,
        expires_at=now + dt.timedelta(hours=hours),
    )
    made.save(force_insert=True)
    trail.record(
        "caseload.list_export.asked",
        subject=str(made.pk),
        details={
            "columns": made.columns,
            "names": names,
            "purpose": purpose,
            "ground": made.lawful_ground,
            "lines": lines,
            "people": people,
            "until": made.expires_at,
        },
    )
    if names or leaves:
        tell(
            unique_key=f"list-export:{made.pk}",
            organisation_id=current_organisation(),
            role=Role.INFORMATION_GOVERNANCE,
            words=_TOLD_LEAVES if leaves else _TOLD,
            link=f"exports/{made.pk}/",
        )
    return made


def _check_words(
    *,
    names: bool,
    names_reason: str,
    purpose: str,
    reason: str,
    hours: int,
    leaves: bool,
    recipient: str,
    lawful_ground: str,
) -> None:
    """What has to be said. Raises Refused."""
    checks = (
        (purpose not in ExportPurpose.values, "Choose what it is for", "purpose"),
        (not reason.strip(), "Say why you need the list", "reason"),
        (not 0 < hours <= LONGEST_DAYS * 24, "Choose how long you need it", "hours"),
        (names and not export_columns.may_have_names(), "Your role can export without names only", "names"),
        (names and not names_reason.strip(), "Say why it does not do without names", "names_reason"),
        (
            leaves and not export_columns.reaches_clients(),
            "Your role cannot export for somebody outside",
            "leaves",
        ),
        (leaves and not recipient.strip(), "Write who gets it", "recipient"),
        (leaves and lawful_ground not in LawfulGround.values, "Choose the lawful ground", "lawful_ground"),
    )
    for wrong, words, field in checks:
        if wrong:
            raise Refused(words, field)


def is_open(export: ListExport) -> bool:
    """Whether the file may still be taken."""
    return export.ended_at is None and clock.now() < export.expires_at


@transaction.atomic
def download(*, export_id: UUID, acting_user: User) -> Written:
    """Make the file as the person acting may have it now, and note that it was taken. Raises Denied, Refused.

    Role, columns, who is hidden, what is entered in error: everything is asked again, at this moment. One that has ended is not found.
    """
    export = get_export(export_id, own=True, lock=True)
    if not is_open(export):
        raise Refused("This export has ended. Ask for it again")
    columns = export_columns.allowed(export.columns, names=export.names)
    if not columns:
        raise Denied(export_columns.ACT, "role", subject=str(export.pk))
    if export.leaves and not export_columns.reaches_clients():
        raise Denied(export_columns.ACT, "role", subject=str(export.pk))
    asked = narrowed(export.filters)
    if asked.kept() != export.filters:
        # A service, a keyworker or a code is gone, or the role may not narrow by it any more: fewer filters would be a longer list.
        raise Refused("The list cannot be made as it was asked for any more. Ask for it again")
    check(asked=asked, columns=export.columns, names=export.names, leaves=export.leaves)
    lines = lines_of(asked, columns)
    written = people_csv.write([column.words for column in columns], lines.cells)
    made = ListExportDownload(
        export=export,
        columns=[column.key for column in columns],
        lines=written.lines,
        people=lines.people,
        size=len(written.content),
        sha256=written.sha256,
        at=clock.now(),
    )
    made.save(force_insert=True)
    trail.record(
        "caseload.list_export.downloaded",
        subject=str(export.pk),
        details={
            "download": made.pk,
            "columns": made.columns,
            "names": export.names,
            "lines": made.lines,
            "people": made.people,
            "bytes": made.size,
            "sha256": made.sha256,
        },
    )
    if export.leaves:
        registry.list_given(
            registry.ListGiven(
                download_id=made.pk,
                client_ids=tuple(lines.clients),
                categories=tuple(export_columns.categories_of(columns)),
                recipient=export.recipient,
                purpose=ExportPurpose(export.purpose).label,
                lawful_ground=export.lawful_ground,
                given_on=clock.today(),
            )
        )
    return written


def end(*, export_id: UUID, acting_user: User) -> ListExport:
    """No download from now on: by who asked, or the governance officer. Ending twice changes nothing. Raises Denied."""
    with transaction.atomic():
        export = get_export(export_id, lock=True)
        if export.ended_at is not None:
            return export
        export.ended_at = clock.now()
        export.ended_by_label = acting_user.full_name
        export.save(update_fields=["ended_at", "ended_by_label"])
    trail.record("caseload.list_export.ended", subject=str(export.pk))
    return export


def address_of(export: ListExport) -> str:
    """The page of an export of the organisation acted for."""
    return reverse("caseload:export", args=[current_scope().organisation_label, export.pk])
