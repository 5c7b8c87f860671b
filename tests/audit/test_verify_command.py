"""`manage.py verify_audit`: JSON, exit code, and who it reads as."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation
from tests.audit.vandal import Vandal
from tests.factories.audit import record_events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organisation() -> Organisation:
    made = Organisation.objects.create(slug="open-road", name="Open Road", kind="provider")
    record_events(made.pk, 20)
    return made


def verify(*args: str) -> tuple[int, dict[str, Any]]:
    """Exit code and the answer."""
    out, code = io.StringIO(), 0
    try:
        call_command("verify_audit", *args, stdout=out, stderr=io.StringIO())
    except SystemExit as left:
        code = int(left.code or 0)
    return code, json.loads(out.getvalue())


def last_entry(organisation_id: UUID | None) -> AuditEvent:
    with open_scope(actor=Actor.OPERATOR, organisation_id=organisation_id):
        found = AuditEvent.objects.first()
    assert found is not None
    return found


def test_whole_chains_leave_with_0_and_the_verification_is_on_the_trail(organisation: Organisation) -> None:
    code, answer = verify()
    assert (
        code == 0
        and answer["ok"]
        and answer["noted"]
        and answer["read_as"] == "verifier"
        and answer["rows"] == 20
    )
    assert [(chain["chain"], chain["rows"], chain["first_bad"]) for chain in answer["chains"]] == [
        ("partnership", 0, None),
        ("open-road", 20, None),
    ]
    noted = last_entry(None)
    assert (noted.name, noted.details) == (
        "audit.verified",
        {"chains": 2, "rows": 20, "problems": 0, "by": "verifier", "statements": 0},
    )
    assert noted.actor == "operator"
    assert verify("--chain", "open-road")[0] == 0
    assert last_entry(organisation.pk).name == "audit.verified"
    assert verify()[0] == 0


def test_the_first_bad_row_is_named_and_the_exit_code_is_1(
    organisation: Organisation, owner_connection: Any
) -> None:
    with Vandal(owner_connection) as vandal:
        vandal.edit(str(organisation.pk), 7, "subject", "R-1")
        for args in ((), ("--chain", "open-road")):
            code, answer = verify(*args)
            (bad,) = [chain for chain in answer["chains"] if chain["problem"]]
            assert code == 1 and not answer["ok"]
            assert (bad["chain"], bad["first_bad"], bad["problem"]) == (
                "open-road",
                7,
                "the entry was changed",
            )
        assert verify("--chain", "partnership")[0] == 0


def test_a_forged_head_does_not_keep_the_report_from_coming_out(
    organisation: Organisation, owner_connection: Any
) -> None:
    with Vandal(owner_connection) as vandal:
        vandal.execute("UPDATE audit_chainhead SET mac = 'x'")
        code, answer = verify("--chain", "open-road")
    assert code == 1 and answer["noted"] is False
    assert answer["chains"][0]["problem"] == "the head was not sealed with our key"


def test_an_unknown_organisation_is_said_in_one_line(organisation: Organisation) -> None:
    with pytest.raises(CommandError, match="there is no organisation 'nowhere'"):
        call_command("verify_audit", "--chain", "nowhere")


def test_another_key_sees_the_first_row_already(organisation: Organisation, settings: Any) -> None:
    settings.AUDIT_KEY = "another key, as long as it must be"
    code, answer = verify("--chain", "open-road")
    assert code == 1 and answer["chains"][0]["first_bad"] == 1


def test_without_the_verifiers_password_the_serving_role_reads(
    organisation: Organisation, owner_connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit import verification

    real = verification.database
    monkeypatch.setattr(verification, "database", lambda role: {**real(role), "PASSWORD": "not this"})
    code, answer = verify()
    assert (code, answer["read_as"], answer["rows"]) == (0, "app", 20)
    with Vandal(owner_connection) as vandal:
        vandal.edit(str(organisation.pk), 20, "details", {})
        assert [chain["first_bad"] for chain in verify()[1]["chains"]] == [None, 20]


def test_writing_goes_on_meanwhile_without_a_false_alarm(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit import verification

    real = verification.read_rows

    def rows_after_another_act(reader: Any, chain_id: UUID) -> Any:
        record_events(organisation.pk, 1)
        return real(reader, chain_id)

    monkeypatch.setattr(verification, "read_rows", rows_after_another_act)
    code, answer = verify("--chain", "open-road")
    assert (code, answer["rows"]) == (0, 20)
