"""The pieces of work that are measured, each run by `child.py` in a process of its own."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from caseload.dataset.reader import load_dictionary
from caseload.dataset.rules import ALL_RULES, Rule, sql_failing
from caseload.dataset.rules.rule import applicable
from caseload.record import list_of
from edatrs.core import clock, embedded
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.services import jobs
from ndtms import extract, extract_query
from ndtms.caseload_import import import_caseload
from ndtms.choices import ExtractKind
from ndtms.extract_query import EpisodeColumns, ExtractPlan, Statement
from ndtms.services import submissions
from tests.benchmarks import loads, people, world
from tests.benchmarks.measure import Cost, watch
from tests.benchmarks.pages import measure as measure_pages
from tests.benchmarks.trail import make_trail, read_trail, verify_trail, write_audited, write_bare
from tests.oracle.big_bundle import AS_OF

__all__ = ["make_trail", "read_trail", "verify_trail", "write_audited", "write_bare"]
# The day of the bundle's data; an as-of date may not be in the future.
_NOW = dt.datetime.combine(AS_OF, dt.time(12), dt.UTC)


def make_people(database: str, clients: str) -> Cost:
    """A population for the pages."""
    start = time.perf_counter()
    people.make(database, int(clients))
    return Cost(seconds=time.perf_counter() - start)


def pages(database: str, clients: str) -> Cost:
    """The pages and their bare views."""
    return measure_pages(database, clients)


def load(database: str, folder: Path) -> Cost:
    """Our load."""
    world.use(database)
    with watch(_backend()) as cost:
        loaded = import_caseload(folder)
    cost.facts = {kind: sum(getattr(loaded, kind).values()) for kind in ("created", "updated", "unchanged")}
    return cost


def load_by_hand(database: str, folder: Path) -> Cost:
    """The hand-written load, as the owner."""
    with world.owner(database) as connected, watch(lambda: connected.info.backend_pid) as cost:
        loads.hand_written(connected, folder)
    return cost


def copy_files(database: str, folder: Path) -> Cost:
    """A bare COPY of the files."""
    with world.owner(database) as connected, watch(lambda: connected.info.backend_pid) as cost:
        loads.bare_copy(connected, folder)
    return cost


def build_file(database: str, agency: str, kind: str) -> Cost:
    """Our extract as far as the file on disk: judged, lined up, streamed, hashed, fsynced."""
    world.use(database)
    plan = _plan(agency, kind)
    with _extract_folder(), _acting(plan), watch(_backend()) as cost:
        extract.judge(plan)
        built = extract.write(plan, name="benchmark.csv", on_line=lambda line: None)
    cost.facts = {"rows": built.rows, "size": built.size}
    return cost


def build_job(database: str, agency: str, kind: str) -> Cost:
    """Our extract as a worker builds it: claimed, built, with its manifest and preview, published."""
    world.use(database)
    with clock.frozen(_NOW), _extract_folder():
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            order = submissions.check_order(
                agency_code=agency, dataset=None, letter=None, kind=kind, as_of=AS_OF
            )
        organisation = order.service.organisation
        with open_scope(
            actor=Actor.OPERATOR,
            organisation_id=organisation.pk,
            organisation_label=organisation.slug,
            person_label="operator",
        ):
            submission, job = submissions.ask_for_extract(order=order, acting_user=None, held=True)
        with watch(_backend()) as cost:
            lease = jobs.claim(job.pk, at_once=True)
            assert lease is not None
            jobs.work(lease)
        with open_scope(actor=Actor.OPERATOR, organisation_id=organisation.pk, person_label="operator"):
            submission.refresh_from_db()
            cost.facts = {"size": submission.size, **submission.manifest}
    return cost


def copy_by_psql(database: str, agency: str, kind: str, role: str = "owner") -> Cost:
    """The same three statements and the COPY of the same SELECT by psql, standard output to a file.

    As the owner row security is lifted (`world.lift_row_security` was called); as `app` it is on.
    """
    world.use(database)
    plan = _plan(agency, kind)
    with _acting(plan):
        before = [
            "BEGIN ISOLATION LEVEL REPEATABLE READ",
            f"SET LOCAL work_mem = '{extract.WORK_MEMORY}'",
            "SET LOCAL enable_material = off",
            "SET LOCAL datestyle = 'SQL, DMY'",
            f"SET LOCAL app.organisation = '{plan.organisation_id}'",
            *(_literal(statement) for statement in _statements(plan)),
        ]
        select = _literal(extract_query.stream(plan))
    return _psql(
        database, role, before, f"COPY ({select}) TO STDOUT (FORMAT csv, HEADER true, ENCODING 'UTF8')"
    )


def make_ready(database: str, agency: str, kind: str) -> Cost:
    """The rows of the file in a table of their own, for `copy_ready`."""
    world.use(database)
    plan = _plan(agency, kind)
    with _acting(plan):
        before, select = (
            [_literal(statement) for statement in _statements(plan)],
            _literal(extract_query.stream(plan)),
        )
    with world.owner(database) as connected, watch(lambda: connected.info.backend_pid) as cost:
        connected.execute("DROP TABLE IF EXISTS ready")
        with connected.transaction():
            connected.execute(f"SET LOCAL work_mem = '{extract.WORK_MEMORY}'")
            for statement in (
                *before,
                f"CREATE TABLE ready AS {select}",
                "ALTER TABLE ready DROP COLUMN ord",
            ):
                connected.execute(statement)
        connected.execute("VACUUM (ANALYZE) ready")
    return cost


def copy_ready(database: str) -> Cost:
    """A COPY of the rows that stand ready in a table, by psql."""
    return _psql(
        database, "owner", ["SET datestyle = 'SQL, DMY'"], "COPY ready TO STDOUT (FORMAT csv, HEADER true)"
    )


def _statements(plan: ExtractPlan) -> Iterator[Statement]:
    """What is run before the stream, in the same transaction."""
    yield extract_query.judge(plan)
    yield extract_query.line_up()
    yield Statement("ANALYZE extract_line", ())


def _backend() -> Callable[[], int]:
    connection.ensure_connection()
    pid: int = connection.connection.info.backend_pid
    return lambda: pid


def _plan(agency: str, kind: str) -> ExtractPlan:
    with open_scope(actor=Actor.OPERATOR, person_label="operator"):
        service = submissions.service_by_agency(agency)
        return ExtractPlan(
            service_id=service.pk,
            organisation_id=service.organisation_id,
            agency_code=agency,
            dataset=service.dataset,
            letter=service.letter_on(AS_OF, "Q"),
            kind=ExtractKind(kind),
            as_of=AS_OF,
            window_start=submissions.window_start(AS_OF),
            cmsid=settings.CMSID,
        )


@contextmanager
def _acting(plan: ExtractPlan) -> Iterator[None]:
    with open_scope(actor=Actor.WORKER, organisation_id=plan.organisation_id, one_snapshot=True):
        yield


@contextmanager
def _extract_folder() -> Iterator[None]:
    """Files go where extracts go, on the same disk as the database, and are gone afterwards."""
    made = tempfile.mkdtemp(
        prefix="bench-", dir=embedded.state_dir() if embedded.state_dir().is_dir() else None
    )
    settings.EXTRACT_DIR = Path(made)
    try:
        yield
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _literal(statement: Statement) -> str:
    """A statement with its parameters written into it, for psql."""
    return psycopg.ClientCursor(connection.connection).mogrify(statement.sql, statement.params)


def _psql(database: str, role: str, before: list[str], copy: str) -> Cost:
    """Run statements by psql in one session, the output of the last to a file on the same disk as our extracts."""
    from edatrs.core.embedded import binaries
    from edatrs.settings.base import database as settings_of

    beside = binaries.postgres().folder / "psql"
    program = str(beside) if beside.exists() else shutil.which("psql")
    if program is None:
        raise SystemExit("psql: not found; apt-get install postgresql-client")
    found = world.words(settings_of(role), database)
    env = {"PGPASSWORD": str(found.pop("password", ""))}
    address = " ".join(f"{key}='{value}'" for key, value in found.items())
    with _extract_folder():
        script, output, who = (settings.EXTRACT_DIR / name for name in ("script.sql", "out.csv", "pid"))
        lines = [
            f"\\o {who}",
            "SELECT pg_backend_pid();",
            "\\o /dev/null",
            *(f"{sql};" for sql in before),
            "\\o",
            f"{copy};",
        ]
        script.write_text("\n".join(lines))
        with output.open("wb") as out, watch(lambda: _pid(who), children=True) as cost:
            subprocess.run(
                [program, "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", address, "-f", str(script)],
                env=env,
                stdout=out,
                check=True,
            )
        cost.facts = {"size": output.stat().st_size}
    return cost


def _pid(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def rules(database: str, agency: str) -> Cost:
    """Every rule, errors and warnings, on every episode of the service in one statement: how many fail."""
    world.use(database)
    plan = _plan(agency, "full")
    with _acting(plan), connection.cursor() as cursor:
        base, items = _ruled(plan, ALL_RULES)
        failing, params = sql_failing(ALL_RULES, EpisodeColumns(), plan.context)
        sql = f"SELECT count(*), sum(cardinality(f.ids)) FROM (SELECT {failing} AS ids FROM ({base}) e OFFSET 0) f"
        with watch(_backend()) as cost:
            cursor.execute(sql, (*params, plan.agency_code, *items))
        episodes, found = cursor.fetchone()
    cost.facts = {"episodes": episodes, "failures": int(found or 0)}
    return cost


def rule_plans(database: str, agency: str) -> Cost:
    """Each rule by itself, explained and run: milliseconds, failing episodes, and the nodes of its plan."""
    world.use(database)
    plan = _plan(agency, "full")
    found = {}
    with _acting(plan), connection.cursor() as cursor, watch(_backend()) as cost:
        for rule in applicable(ALL_RULES, plan.context):
            base, items = _ruled(plan, (rule,))
            condition, params = rule.to_sql(EpisodeColumns(), plan.context)
            sql = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT count(*) FROM ({base}) e WHERE {condition}"
            cursor.execute(sql, (plan.agency_code, *items, *params))
            (explained,) = cursor.fetchone()[0]
            found[rule.id] = {"ms": explained["Execution Time"], "plan": _nodes(explained["Plan"])}
    cost.facts = found
    return cost


def _ruled(plan: ExtractPlan, wanted: Sequence[Rule]) -> tuple[str, tuple[Any, ...]]:
    """The episodes with the items that rules read, and what fills its places after the agency's."""
    names = {name for rule in applicable(wanted, plan.context) for name in rule.items}
    items = [item for item in load_dictionary().items if item.name in names and list_of(item) is None]
    sql, params = extract_query.episodes(plan, items).query.sql_with_params()
    return f"SELECT b.*, %s::text AS agncy FROM ({sql}) b", params


def _nodes(plan: dict[str, Any]) -> list[str]:
    """The scans and joins of a plan, each kind once; with the number of times where a table is read more than once."""
    here = plan["Node Type"]
    if "Relation Name" in plan:
        here += f" {plan['Relation Name'].removeprefix('caseload_')}"
        loops = int(plan["Actual Loops"])
        # A parallel plan's loops are its processes.
        here += f" x{loops:,}" if loops > 1 and not plan.get("Parallel Aware") else ""
    wanted = "Scan" in here or "Join" in here or "Loop" in here
    below = [node for part in plan.get("Plans", []) for node in _nodes(part)]
    return list(dict.fromkeys([here] * wanted + below))
