"""The pages beside a bare view that fetches the same rows: list, search, one client (design section 10).

The bare view stands behind the same sign-in, in the same transaction, and says what it fetched in the plainest table: what is compared is
the page itself with its managers, its trail, its frame and its components.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import path

from caseload.models import Registration
from caseload.search import read_query
from edatrs.core.scope import Actor, current_organisation, open_scope
from edatrs.core.views import OrganisationView
from edatrs.organisations.models import Organisation, User
from edatrs.urls import urlpatterns as real
from tests.benchmarks import people, world
from tests.benchmarks.measure import Cost
from tests.factories.organisations import sign_in

TIMES = 60
_TABLE = Engine().from_string(
    "<!DOCTYPE html><title>Bare</title>{% for rows in tables %}<table>"
    "{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>{% endfor %}"
)
_LIST = """
SELECT r.client_id, r.clientid, s.agency_code, i.forename, i.surname, i.date_of_birth,
       EXISTS (SELECT FROM caseload_episode e WHERE e.registration_id = r.id AND e.consent = '' AND e.voided_at IS NULL
               AND e.discharged_on IS NULL)
FROM caseload_registration r JOIN caseload_client c ON c.id = r.client_id JOIN organisations_service s ON s.id = r.service_id
LEFT JOIN caseload_clientidentity i ON i.client_id = c.id
WHERE r.organisation_id = %s AND c.voided_at IS NULL AND r.clientid > %s ORDER BY r.clientid, r.id LIMIT 51
"""
_FIND = """
SELECT c.id, i.*, r.clientid, s.agency_code, EXISTS (SELECT FROM caseload_episode e WHERE e.client_id = c.id
       AND e.organisation_id = c.organisation_id AND e.consent = '' AND e.voided_at IS NULL AND e.discharged_on IS NULL)
FROM caseload_client c JOIN caseload_clientidentity i ON i.client_id = c.id
JOIN caseload_registration r ON r.client_id = c.id JOIN organisations_service s ON s.id = r.service_id
WHERE c.organisation_id = %s AND c.voided_at IS NULL
AND c.id IN (SELECT client_id FROM caseload_searchtoken WHERE organisation_id = %s AND token = ANY(%s)) LIMIT 100
"""
_RECENT = """
SELECT o.client_id, o.at, i.forename, i.surname FROM caseload_opening o
JOIN caseload_client c ON c.id = o.client_id AND c.voided_at IS NULL LEFT JOIN caseload_clientidentity i ON i.client_id = o.client_id
WHERE o.organisation_id = %s AND o.user_id = %s ORDER BY o.at DESC LIMIT 6
"""
_OF_CLIENT = "WHERE t.organisation_id = %(organisation)s AND t.client_id = %(client)s"
_OF_EPISODE = f"""
JOIN caseload_episode e ON e.organisation_id = t.organisation_id AND e.id = t.episode_id
{_OF_CLIENT} AND e.client_id = %(client)s AND e.voided_at IS NULL"""
# The rows that the overview of a client shows or counts, written by hand: a statement for each table.
_ONE = (
    f"SELECT t.*, c.* FROM caseload_clientidentity t JOIN caseload_client c ON c.organisation_id = t.organisation_id "
    f"AND c.id = t.client_id {_OF_CLIENT} AND c.voided_at IS NULL",
    f"SELECT t.* FROM caseload_clientcontact t {_OF_CLIENT}",
    f"SELECT t.*, s.* FROM caseload_registration t JOIN organisations_service s ON s.id = t.service_id {_OF_CLIENT}",
    f"SELECT t.* FROM caseload_episode t {_OF_CLIENT} AND t.voided_at IS NULL ORDER BY t.referred_on DESC",
    "SELECT l.* FROM organisations_serviceletter l WHERE l.service_id IN "
    f"(SELECT t.service_id FROM caseload_registration t {_OF_CLIENT})",
    *(
        f"SELECT t.* FROM caseload_{table} t {_OF_EPISODE} AND t.voided_at IS NULL"
        for table in (
            "intervention",
            "subinterventionreview",
            "timeintreatment",
            "outcome",
            "clientinformationreview",
        )
    ),
    *(
        f"SELECT t.* FROM caseload_{table} t {_OF_EPISODE}"
        for table in ("confidentialityexplained", "episodeclosing")
    ),
    f"SELECT t.* FROM caseload_episodequality t {_OF_CLIENT}",
    f"SELECT t.*, u.full_name FROM caseload_allocation t JOIN organisations_user u ON u.id = t.keyworker_id {_OF_CLIENT}",
    "SELECT t.* FROM caseload_clientmerge t WHERE t.organisation_id = %(organisation)s AND t.survivor_id = %(client)s",
    "SELECT t.*, i.reason FROM consent_consentact t "
    f"LEFT JOIN consent_consentinvalidation i ON i.consent_act_id = t.id {_OF_CLIENT}",
    f"SELECT t.* FROM consent_consentdeferral t {_OF_CLIENT}",
    "SELECT actor_label, roles, at FROM audit_auditevent WHERE chain = %(organisation)s AND subject = %(client)s::text "
    "AND name = 'caseload.client.viewed' ORDER BY sequence DESC LIMIT 50",
)


class BareView(OrganisationView, abstract=True):
    """Behind the same sign-in and in the same scope; every statement a table."""

    act = "client.find"

    def asked(self, request: HttpRequest) -> Iterable[tuple[str, Any]]:
        """The statements and their parameters."""
        raise NotImplementedError

    def answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Fetch and show."""
        with connection.cursor() as cursor:
            tables = []
            for statement, parameters in self.asked(request):
                cursor.execute(statement, parameters)
                tables.append(cursor.fetchall())
            return HttpResponse(_TABLE.render(Context({"tables": tables})))

    get = post = answer


class BareList(BareView):
    """The list."""

    def asked(self, request: HttpRequest) -> Iterable[tuple[str, Any]]:
        """As the list's."""
        yield _LIST, [current_organisation(), request.GET.get("after", "")]
        yield _RECENT, [current_organisation(), request.user.pk]


class BareFind(BareView):
    """The search."""

    def asked(self, request: HttpRequest) -> Iterable[tuple[str, Any]]:
        """As the search's."""
        tokens = [t.text for part in read_query(request.POST["q"]) for t in part.alternatives]
        yield _FIND, [current_organisation(), current_organisation(), tokens]
        yield _RECENT, [current_organisation(), request.user.pk]


class BareOne(BareView):
    """One client."""

    def asked(self, request: HttpRequest) -> Iterable[tuple[str, Any]]:
        """As the overview's."""
        who = {"organisation": current_organisation(), "client": self.kwargs["pk"]}
        return ((statement, who) for statement in _ONE)


urlpatterns = [
    path("o/<slug:organisation>/bare/list/", BareList.as_view()),
    path("o/<slug:organisation>/bare/find/", BareFind.as_view()),
    path("o/<slug:organisation>/bare/<uuid:pk>/", BareOne.as_view()),
    *real,
]


def measure(database: str, clients: str, repeats: str = "") -> Cost:
    """Median milliseconds of each page and of its bare view, with and without row security; queries and plans."""
    world.use(database)
    count = int(clients)
    found: dict[str, Any] = {}
    with (
        override_settings(ROOT_URLCONF="tests.benchmarks.pages", ALLOWED_HOSTS=["*"], DEBUG=False),
        _signed_in() as (browser, slug),
    ):
        asks = _asks(browser, slug, count)
        for ask in asks.values():
            ask(0)  # warm: plans, templates, caches
        found["ms"] = _medians(asks)
        found["plans"] = {name: _looked_up(asks[name], slug) for name in ("list", "search", "client")}
        _row_security(database, on=False)
        found["ms without row security"] = _medians({n: asks[n] for n in ("list", "search", "client")})
        _row_security(database, on=True)
    return Cost(seconds=sum(found["ms"].values()) / 1000, facts=found)


@contextmanager
def _signed_in() -> Iterator[tuple[Browser, str]]:
    slug = people.slug(3)
    browser = Browser()
    sign_in(browser, User.objects.get(email="keyworker@bench-3.example"))
    yield browser, slug


def _asks(browser: Browser, slug: str, count: int) -> dict[str, Callable[[int], None]]:
    organisation = Organisation.objects.get(slug=slug)
    with open_scope(actor=Actor.WORKER, organisation_id=organisation.pk, organisation_label=slug):
        clients = list(
            Registration.objects.order_by("client_id_text").values_list("client_id", flat=True)[: TIMES + 1]
        )
    own = list(range(3, count, people.ORGANISATIONS))

    def get(address: str) -> None:
        answer = browser.get(address)
        assert answer.status_code == 200, (address, answer.status_code)

    def post(address: str, typed: str) -> None:
        answer = browser.post(address, {"q": typed})
        assert answer.status_code == 200, (address, answer.status_code)

    def after(turn: int) -> str:
        return people.client_id(own[turn * 97 % len(own)])

    def name(turn: int) -> str:
        return people.surname(own[turn * 31 % len(own)] // people.ORGANISATIONS, count)

    return {
        "list": lambda turn: get(
            f"/o/{slug}/clients/?after={after(turn)}~00000000-0000-4000-8000-000000000000"
        ),
        "bare list": lambda turn: get(f"/o/{slug}/bare/list/?after={after(turn)}"),
        "search": lambda turn: post(f"/o/{slug}/clients/", name(turn)),
        "bare search": lambda turn: post(f"/o/{slug}/bare/find/", name(turn)),
        "client": lambda turn: get(f"/o/{slug}/clients/{clients[turn]}/"),
        "bare client": lambda turn: get(f"/o/{slug}/bare/{clients[turn]}/"),
    }


def _medians(asks: dict[str, Callable[[int], None]]) -> dict[str, float]:
    """Interleaved, so that a busy moment falls on all."""
    times: dict[str, list[float]] = {name: [] for name in asks}
    for turn in range(TIMES):
        for name, ask in asks.items():
            start = time.perf_counter()
            ask(turn)
            times[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(found) for name, found in times.items()}


def _looked_up(ask: Callable[[int], None], slug: str) -> dict[str, Any]:
    """How many queries a page makes, and which tables of clients any of them reads from end to end."""
    with CaptureQueriesContext(connection) as captured:
        ask(1)
    organisation = Organisation.objects.get(slug=slug)
    scanned: set[str] = set()
    with connection.cursor() as cursor:  # what is small is best read whole
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > 1000")
        big = {row[0] for row in cursor.fetchall()}
    with open_scope(actor=Actor.WORKER, organisation_id=organisation.pk, organisation_label=slug):
        for query in captured.captured_queries:
            if (
                not re.match(r"\s*SELECT (?!set_config|clock_timestamp|pg_)", query["sql"])
                or "FOR UPDATE" in query["sql"]
            ):
                continue
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (FORMAT JSON) " + query["sql"].replace("%", "%%"), [])
                plan = cursor.fetchone()[0]
            scanned |= big & set(_sequential(plan if isinstance(plan, list) else json.loads(plan)))
    return {"queries": len(captured.captured_queries), "read from end to end": sorted(scanned)}


def _sequential(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _sequential(part)
    elif isinstance(node, dict):
        if node.get("Node Type") == "Seq Scan" and str(node.get("Relation Name", "")).startswith("caseload_"):
            yield str(node["Relation Name"])
        for part in node.values():
            if isinstance(part, dict | list):
                yield from _sequential(part)


def _row_security(database: str, *, on: bool) -> None:
    with world.owner(database) as connected:
        for table in world.tables(connected):
            has = connected.execute("SELECT 1 FROM pg_policies WHERE tablename = %s", [table]).fetchone()
            if has:
                connected.execute(f'ALTER TABLE "{table}" {"ENABLE" if on else "DISABLE"} ROW LEVEL SECURITY')
