"""What the extract says of itself in SQL is what `ndtms.collection` says in Python: figures, what is held back, and the preview."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from django.db import connection

from edatrs.core.scope import Actor, open_scope
from ndtms import extract
from ndtms.choices import ExtractKind
from ndtms.collection import JudgedEpisode, manifest_counts, outlook
from ndtms.extract_query import ExtractPlan
from tests.ndtms import support
from tests.ndtms.support import AS_OF, World
from tests.ndtms.test_extract_equals_oracle import twice_registered
from tests.oracle.generate import AGENCIES, later_bundle, random_bundle

pytestmark = pytest.mark.django_db(transaction=True)


def plan_of(agency: str, kind: str) -> ExtractPlan:
    """The plan of a service's extract on the day of the samples."""
    from ndtms.services import submissions

    service = support.service(agency)
    submission = submissions.Submission(
        service=service,
        organisation_id=service.organisation_id,
        agency_code=agency,
        dataset=service.dataset,
        letter="Q",
        kind=kind,
        as_of=AS_OF,
    )
    return submissions.plan_for(submission)


def judged_episodes() -> list[JudgedEpisode]:
    """The judged episodes of the open snapshot, as the specification takes them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT episode::text, client::text, clientid, episodid, verdict, COALESCE(rules, '{}'), COALESCE(held, FALSE), in_reach "
            "FROM extract_episode"
        )
        return [JudgedEpisode(*row[:5], tuple(row[5]), *row[6:]) for row in cursor.fetchall()]


@pytest.mark.parametrize("seed", range(3))
def test_content_in_sql_is_what_the_specification_says(seed: int, tmp_path: Path) -> None:
    support.partnership()
    world = World()
    folder = random_bundle(tmp_path / "first", f"content {seed}", people=80)
    twice_registered(folder, random.Random(seed))
    world.load(folder)
    # Consents change, so that something is withdrawn, removed and missing.
    world.load(later_bundle(tmp_path / "later", folder, f"content {seed}"))
    entries = 0
    for agency, _, _ in AGENCIES:
        for kind in ExtractKind.values:
            plan = plan_of(agency, kind)
            with open_scope(actor=Actor.WORKER, organisation_id=plan.organisation_id, one_snapshot=True):
                judged = extract.judge(plan)
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT carried::text[], removed::text[], held_back::text, preview::text FROM pg_temp.extract_content"
                    )
                    carried, removed, held_back, preview = cursor.fetchone()
                rows = judged_episodes()
            look, counts = outlook(agency, rows), manifest_counts(rows)
            assert held_back_of(held_back) == counts.pop("held_back")
            assert judged.held_back == len(held_back_of(held_back))
            assert (judged.episodes, judged.counts) == (len(rows), counts)
            assert sorted(carried) == sorted(look.carried)
            assert sorted(removed) == sorted(look.removed)
            assert held_back_of(preview) == look.preview() | {
                "removed_though_agreed": look.removed_though_agreed
            }
            entries += len(look.new) + len(look.missing) + len(look.removed)
            extract.forget_content()
    assert entries > 20
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_temp.extract_content')")
        assert cursor.fetchone() == (None,), "nothing that names episodes stays in the connection"


def held_back_of(text: str) -> dict[str, object]:
    """JSON as Python has it."""
    import json

    found: dict[str, object] = json.loads(text)
    return found
