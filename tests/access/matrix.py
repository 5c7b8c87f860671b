"""The cells of the access matrix: who × route × method × whose organisation × whose object, what is expected, and what a leak is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from http.cookies import SimpleCookie
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.test import Client as Browser

from tests.access.filling import filled, form_for
from tests.access.tables import AFTER_PASSWORD, METHODS, OPEN, OWN_SIGN_IN, ROLES, Line, lines
from tests.access.world import DISABLED, ENDED, HALF, NOT_YET, SIGNED_OUT, STALE, World
from tests.core.world import histories, tenant_models

OWN, OTHER, ABSENT, MIXED, NONE = "own", "other", "absent", "mixed", ""
NO_ORGANISATION = "no-such-organisation"
# No ids, and the same for everybody: an address without them is none.
PARTS_OF_ADDRESSES = {"section", "list", "clearance", "detail"}
NO_OBJECT = UUID("00000000-0000-4000-8000-00000000dead")
NO_NUMBER = 2_000_000_000
NEVER = ("commissioner", "platform_support")
READING = ("GET", "HEAD")
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"')
_COOKIE = re.compile(rb"(Set-Cookie: \w+)=[^;]*;")
_CLOCK = re.compile(rb"(expires=)[^;]*;|<time[^>]*>[^<]*</time>")


@dataclass(frozen=True)
class Cell:
    """One question."""

    line: Line
    who: str
    address: str
    object: str
    foreign_ids: bool = False

    def __str__(self) -> str:
        more = " with foreign ids" if self.foreign_ids else ""
        return f"{self.line.method} {self.line.route} by {self.who}, {self.address} address, {self.object or 'no'} object{more}"

    @property
    def role(self) -> str:
        """The role of whoever asks, if they have one today."""
        return self.who.removesuffix(STALE) if self.who.removesuffix(STALE) in ROLES else ""

    @property
    def denied_by_organisation(self) -> bool:
        """A read that the role may do, at one's own address, of what belongs to another organisation: only the walls are in the way."""
        line = self.line
        if self.who != self.role or self.address != OWN or not line.guard or line.method not in READING:
            return False
        if not line.may(self.role):
            return False
        return self.object == OTHER or (not line.objects and line.method == "GET" and not self.foreign_ids)

    @property
    def write_denied_by_organisation(self) -> bool:
        """A change that the role may make, at one's own address, of what belongs to another organisation."""
        mine = self.who == self.role and self.address == OWN and self.object == OTHER
        return mine and self.line.method == "POST" and bool(self.line.guard) and self.line.may(self.role)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    head: bytes
    body: bytes
    sent: tuple[str, ...]

    @cached_property
    def whole(self) -> bytes:
        """Every byte."""
        return self.head + b"\n" + self.body

    @cached_property
    def bare(self) -> bytes:
        """Without what every request changes, and without what the question itself said."""
        found = _CLOCK.sub(b"", self.whole)
        found = _TOKEN.sub(b"", _COOKIE.sub(rb"\1", found))
        for said in self.sent:
            if len(said) > 9:  # a number would be found in a length too
                found = found.replace(said.encode(), b"SAID")
        return found


def cells(*, every_method: bool, whole: bool = False) -> Iterator[Cell]:
    """Without `every_method` those that could reach rows: whoever may, and two roles that never may, read and post.

    `whole` asks every method of everybody at every address of every object, and spares no question that another one answers.
    """
    for line in lines().values():
        if whole and line.of_organisation:
            for who in (
                *ROLES,
                SIGNED_OUT,
                HALF,
                ENDED,
                NOT_YET,
                DISABLED,
                *(role + STALE for role in ROLES),
            ):
                yield from _everywhere(line, who)
            continue
        if not every_method and (line.method not in ("GET", "POST") or not line.of_organisation):
            continue  # HEAD is the GET without what it shows: asked where both walls stand
        if not line.of_organisation:
            for who in (SIGNED_OUT, HALF, "keyworker", "keyworker" + STALE):
                yield Cell(line, who, NONE, NONE)
            yield Cell(line, "keyworker", NONE, NONE, foreign_ids=True)
            continue
        people = [role for role in ROLES if every_method or line.may(role) or role == NEVER[0]]
        if line.method not in ("GET", "POST"):
            # Of one who may and two who never may; GET, which HEAD repeats, and POST are asked of everybody.
            people = [*[role for role in people if line.may(role)][:1], *NEVER]
        if every_method:
            people += [SIGNED_OUT, HALF]
            people += [ENDED, NOT_YET, DISABLED] if line.method in ("GET", "POST") else []
            people += (
                [role + STALE for role in ROLES] if line.fresh and line.method in ("GET", "POST") else []
            )
        for who in people:
            for cell in _of_organisation(line, who):
                # An organisation that is not there does not know which walls stand.
                if every_method or cell.address != ABSENT:
                    yield cell


def _everywhere(line: Line, who: str) -> Iterator[Cell]:
    """Every address and every object of it, and with foreign ids in every field."""
    objects = [OWN, OTHER, ABSENT] if line.objects else [NONE]
    if sum(kind not in PARTS_OF_ADDRESSES for _, kind in line.objects) > 1:
        objects.append(MIXED)
    for address in (OWN, OTHER, ABSENT):
        for thing in objects:
            yield Cell(line, who, address, thing)
    if line.method in ("GET", "HEAD", "POST"):
        for thing in objects:
            yield Cell(line, who, OWN, thing, foreign_ids=True)


def _of_organisation(line: Line, who: str) -> Iterator[Cell]:
    """Every address; at one's own every object, but what no page offers or reads is asked with a foreign one alone."""
    objects = [NONE] if not line.objects else [OWN, OTHER, ABSENT]
    if sum(kind not in PARTS_OF_ADDRESSES for _, kind in line.objects) > 1:
        objects.append(MIXED)
    if who in NEVER and line.method not in ("GET", "POST"):
        # Their role is refused before anything is looked for: one question tells.
        yield Cell(line, who, OWN, objects[0])
        return
    if who not in ROLES and line.method != "GET":
        # Refused before the page is reached, as their GET is, which is asked of everything.
        yield Cell(line, who, OWN, objects[0])
        return
    for thing in objects if line.method in ("GET", "HEAD", "POST") else objects[1:2] or objects:
        yield Cell(line, who, OWN, thing)
    for address in (OTHER, ABSENT):
        yield Cell(line, who, address, OTHER if line.objects else NONE)
    if line.method in ("GET", "POST") and who in ROLES:
        yield Cell(line, who, OWN, objects[0], foreign_ids=True)


def expected(cell: Cell) -> tuple[frozenset[int], str]:
    """The statuses that are right, and how a redirection must begin; from the tables alone."""
    line, anything = cell.line, ""
    if not line.of_organisation:
        if line.act != OPEN and cell.who == SIGNED_OUT:
            return frozenset({302}), "/sign-in/"
        if line.act == OWN_SIGN_IN and cell.who == HALF:
            return frozenset({302}), "/confirm/"
        if line.fresh and cell.who.endswith(STALE):
            return frozenset({302}), "/confirm/"
        if line.act == AFTER_PASSWORD and line.route == "set-up/" and cell.who in (HALF, "keyworker" + STALE):
            return frozenset({302}), "/confirm/"
        return line.answers, anything
    if cell.who in (SIGNED_OUT, HALF, DISABLED):
        return frozenset({302}), "/sign-in/"
    if cell.address != OWN or not cell.role or not line.may(cell.role):
        return frozenset({404}), anything
    if line.fresh and cell.who.endswith(STALE):
        return frozenset({302}), "/confirm/"
    if not line.offered or line.method == "OPTIONS":
        return line.answers, anything
    if cell.object in (OTHER, ABSENT, MIXED):
        return frozenset({404}), anything
    if cell.foreign_ids and line.route.endswith("/caseload/"):
        return line.answers | {404}, anything  # asks for the caseload of somebody who is no colleague
    if cell.foreign_ids and line.route.endswith("/emergency/open/"):
        return line.answers | {404}, anything  # asks for what partners hold of a client who is not one's own
    if (
        cell.foreign_ids
        and line.method == "POST"
        and {("pk", "client"), ("pk", "voided"), ("pk", "link_side")} & set(line.objects)
    ):
        return line.answers | {404}, anything  # the form says another client than the address
    return line.answers, anything


class Matrix:
    """Asks the questions of a world, each in a savepoint that is rolled back."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.browser = Browser(raise_request_exception=False)
        self.foreign_rows = self._fingerprints([*_written(), _PEOPLE])
        self.writes = self._writes()
        self.on_trail_before = self._on_trail()
        self.on_trail = 0
        self.forms: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self.forget: Callable[[], None] = lambda: None

    def ask(self, cell: Cell) -> tuple[Answer, bool]:
        """The answer, and whether a row of the other organisation was changed."""
        path, sent = self._path(cell)
        sent.insert(0, path)
        jar: SimpleCookie = SimpleCookie()
        if cell.who in self.world.sessions:
            jar[settings.SESSION_COOKIE_NAME] = self.world.sessions[cell.who]
        self.browser.cookies = jar
        sid = transaction.savepoint()
        try:
            data, said = self._data(cell, path)
            self.forget()  # looking at the form is not the question
            response = self.browser.generic(
                cell.line.method,
                path,
                data if cell.line.method == "POST" else "",
                content_type="application/x-www-form-urlencoded",
                query_params=None if cell.line.method == "POST" or not cell.foreign_ids else dict(said),
            )
            body = b"".join(response.streaming_content) if response.streaming else response.content
            head = "\n".join(f"{name}: {value}" for name, value in sorted(response.headers.items()))
            cookies = "\n".join(
                f"Set-Cookie: {morsel.OutputString()}" for morsel in response.cookies.values()
            )
            answer = Answer(
                response.status_code, f"{head}\n{cookies}".encode(), body, (*sent, *(v for _, v in said))
            )
            asked_to_show = cell.line.method == "GET" and answer.status == 200 and cell.line.guard == "walls"
            self.on_trail = self._on_trail() - self.on_trail_before if asked_to_show else 0
            # What answers 404 or 405, or leads to sign-in, has been rolled back or never began.
            might = cell.line.method == "POST" and answer.status not in (404, 405) and cell.who in ROLES
            changed = might and self._changed()
        finally:
            transaction.savepoint_rollback(sid)
            connection.needs_rollback = False
        return answer, changed

    def _path(self, cell: Cell) -> tuple[str, list[str]]:
        """The address, and the ids in it."""
        sides = {OWN: self.world.own, OTHER: self.world.other}
        kinds = dict(cell.line.objects)
        sent: list[str] = []

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name == "organisation":
                found = sides[cell.address].organisation.slug if cell.address in sides else NO_ORGANISATION
            else:
                whose = OWN if kinds[name] in PARTS_OF_ADDRESSES else cell.object or OWN
                if whose == MIXED:
                    whose = OWN if name == "pk" else OTHER
                if whose == ABSENT:
                    found = str(NO_NUMBER if kinds[name] == "membership" else NO_OBJECT)
                else:
                    found = str(sides[whose].object(kinds[name], cell.role))
            sent.append(found)
            return found

        return "/" + _CONVERTER.sub(value, cell.line.route), sent

    def _data(self, cell: Cell, path: str) -> tuple[str, list[tuple[str, str]]]:
        """A form that is right, and where ids are foreign, those of the other organisation under every name a page could read."""
        side = self.world.other if cell.foreign_ids else self.world.own
        fields = [*_form(cell.line.route, side.agency, side.service_id)]
        offers = cell.line.of_organisation and cell.line.method == "POST" and cell.line.offered
        if offers and not fields and cell.line.may(cell.role):
            fields = self._as_shown(cell, path)
        if cell.foreign_ids:
            other = self.world.other
            fields += [
                ("organisation", other.organisation.slug),
                ("organisation_id", str(other.organisation.pk)),
                *((kind, str(pk)) for kind, pk in other.objects.items()),
                ("pk", str(other.objects["submission"])),
                ("id", str(other.objects["person"])),
                ("agency", other.agency),
                ("service_id", other.service_id),
                ("state", "all"),
                ("role", "clinician"),
                ("page", "1"),
                ("ordering", "organisation__name"),
                ("next", f"/o/{other.organisation.slug}/submissions/{other.objects['submission']}/"),
            ]
        return urlencode(fields), fields if cell.foreign_ids else []

    def _as_shown(self, cell: Cell, path: str) -> list[tuple[str, str]]:
        """The form of the page, filled in. Where the page is not shown, that of one's own object with the ids of what is asked for."""
        if not cell.role or cell.address != OWN:
            return []
        # Of what is not there no page is shown: its GET is a question of its own.
        page = self.browser.get(path) if cell.object != ABSENT else None
        if page is not None and page.status_code == 200:
            form = form_for(page.content.decode(), path)
            return filled(form) if form else []
        own = self._path(replace(cell, object=OWN))[0]
        # Every question is rolled back: the page would be the same again.
        if (cell.who, own) not in self.forms:
            page = self.browser.get(own)
            form = form_for(page.content.decode(), own) if page.status_code == 200 else None
            self.forms[cell.who, own] = filled(form) if form else []
        ids = dict(zip(own.split("/"), path.split("/"), strict=True))
        return [(name, ids.get(value, value)) for name, value in self.forms[cell.who, own]]

    def _on_trail(self) -> int:
        """How many events stand on the trail of one's own organisation."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('app.organisation', %s, true)", [str(self.world.own.organisation.pk)]
            )
            cursor.execute(
                "SELECT count(*) FROM audit_auditevent WHERE chain = %s", [self.world.own.organisation.pk]
            )
            found = cursor.fetchone()[0]
            cursor.execute("SELECT set_config('app.organisation', '', true)")
        return int(found)

    def _changed(self) -> bool:
        """Whether a row of the other organisation is not as it was. Looked at is what was written to at all since the last question."""
        written = self._writes()
        tables = {name for name, times in written.items() if times != self.writes.get(name)}
        self.writes = written
        looked_at = tables & self.foreign_rows.keys()
        return bool(looked_at) and any(
            self.foreign_rows[name] != found for name, found in self._fingerprints(looked_at).items()
        )

    def _writes(self) -> dict[str, int]:
        """How often each table was written to in this transaction, what was rolled back in it included."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables "
                "WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"
            )
            return dict(cursor.fetchall())

    def _fingerprints(self, tables: Iterable[str]) -> dict[str, str]:
        """Of every row of the other organisation in these tables; of a person who has a role there, too."""
        other = self.world.other.organisation.pk
        people = "FROM organisations_user t JOIN organisations_membership m ON m.user_id = t.id WHERE m.organisation_id = %(other)s"
        parts = (
            f"SELECT '{name}', md5(string_agg(t::text, '|' ORDER BY t::text)) "
            + (people if name == _PEOPLE else f"FROM {name} t WHERE organisation_id = %(other)s")
            for name in sorted(tables)
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.organisation', %s, true)", [str(other)])
            cursor.execute(" UNION ALL ".join(parts), {"other": other})
            found = dict(cursor.fetchall())
            cursor.execute("SELECT set_config('app.organisation', '', true)")
        return found


_PAGES_WRITE = {
    "organisations_clearance",
    "organisations_membership",
    "organisations_task",
    "organisations_job",
    "organisations_service",
}
_PEOPLE = "organisations_user"
# Not what counts who looked: a look at one's own writes there too.
_NOT_COUNTED = {"caseload_opening", "audit_auditevent"}


def _written() -> list[str]:
    """Every table with an organisation that a page could change."""
    tenant = {m._meta.db_table for m in tenant_models() if m not in histories()}
    return sorted((tenant | _PAGES_WRITE) - _NOT_COUNTED)


def _form(route: str, agency: str, service_id: str) -> Iterator[tuple[str, str]]:
    """A form as a person would send it."""
    today = dt.date.today()  # noqa: TID251  # typed by a person
    if route.endswith("/api/submissions/"):
        yield from (("service", agency), ("kind", "reporting"), ("as_of", today.isoformat()))
    elif route.endswith("/submissions/"):
        yield from (("service", agency), ("kind", "reporting"), ("confirmed", "yes"), *_boxes("as_of", today))
    elif route.endswith("/people/invite/"):
        yield from (("name", "Somebody New"), ("email", "somebody.new@test.example"))
        yield from (("role", "keyworker"), ("services", service_id), *_boxes("valid_from", today))
    elif route.endswith("/people/<uuid:pk>/"):
        yield from (("role", "team_manager"), ("services", service_id), *_boxes("valid_from", today))
    elif route.endswith("/end/"):
        yield "when", "now"
    elif route.endswith("/second-factor/"):
        yield from (("identity_check", "in_person"), ("reason", "lost"))
    elif route.endswith("/refuse/"):
        yield "reason", "The file is of another month"


def _boxes(name: str, day: dt.date) -> tuple[tuple[str, str], ...]:
    return (f"{name}_day", str(day.day)), (f"{name}_month", str(day.month)), (f"{name}_year", str(day.year))


def missing_methods(route: str) -> list[str]:
    """The methods of a route that have no line."""
    return [method for method in METHODS if (route, method) not in lines()]


# The privacy notice names the partners to everybody (O-34, O-134): their names, and nothing else of them. So do the pages on which
# somebody chooses with whom to share, or sees who cannot see a record.
_SHARING = "o/<slug:organisation>/clients/<uuid:pk>/sharing/"
NAMES_PARTNERS = {
    "privacy/",
    "o/<slug:organisation>/agreements/",
    "o/<slug:organisation>/agreements/<uuid:pk>/parties/",
    *(f"{_SHARING}{page}" for page in ("", "printed/", "consents/new/", "decisions/new/")),
}


def foreign_bytes(world: World, cell: Cell, answer: Answer) -> str:
    """What of the other organisation is in the answer that the question did not say itself; empty: nothing."""
    if cell.line.route in NAMES_PARTNERS:
        answer = replace(answer, body=answer.body.replace(world.other.organisation.name.encode(), b""))
    if world.other.mark.encode() in answer.whole or world.other.mark.lower().encode() in answer.whole:
        text = answer.whole
        for said in answer.sent:
            text = text.replace(said.encode(), b"")
        at = text.lower().find(world.other.mark.lower().encode())
        if at >= 0:
            return text[at : at + 20].decode(errors="replace")
    for found in world.foreign.finditer(answer.whole.decode(errors="replace")):
        if found[0] not in answer.sent and not any(found[0] in said for said in answer.sent):
            return found[0]
    return ""
