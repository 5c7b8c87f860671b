"""The operator's commands: the partnership, the first administrator, the code of the demo."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation, Service, ServiceLetter, User
from edatrs.organisations.services import partnership, people
from tests.factories.organisations import PASSWORD, code_of, make_organisation, make_person

pytestmark = pytest.mark.django_db


def load(*file: Path) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON object, and what was said."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("load_partnership", *map(str, file), stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), json.loads(out.getvalue()), err.getvalue()
    return 0, json.loads(out.getvalue()), err.getvalue()


def write(folder: Path, content: Any) -> Path:
    file = folder / "partners.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return file


def one(**changed: Any) -> dict[str, Any]:
    fields = {"slug": "council", "name": "Council", "kind": "commissioner", "is_controller": True}
    return {k: v for k, v in {**fields, **changed}.items() if v is not ...}


def test_the_essex_partnership_is_loaded_once() -> None:
    first = load()
    all_of_it = {"organisations": 8, "agreements": 1}
    assert first == (0, {"created": all_of_it, "updated": {}, "unchanged": {}, "errors": []}, "")
    assert load()[1] == {"created": {}, "updated": {}, "unchanged": all_of_it, "errors": []}
    assert set(Organisation.objects.values_list("slug", "kind")) == {
        ("essex-county-council", "commissioner"),
        ("cyber-media-solutions", "supplier"),
        ("eput-essex-stars", "provider"),
        ("forward-trust", "provider"),
        ("open-road", "provider"),
        ("phoenix-futures", "provider"),
        ("the-childrens-society", "provider"),
        ("peabody", "provider"),
    }
    assert [o.slug for o in Organisation.objects.filter(is_controller=True)] == ["essex-county-council"]


def test_references_are_those_of_the_protocol_and_addresses_are_invented() -> None:
    load()
    references = dict(Organisation.objects.values_list("slug", "ico_references"))
    assert references == {
        "cyber-media-solutions": ["Z6767618"],
        "essex-county-council": ["Z6034810"],
        "eput-essex-stars": ["ZA242481"],
        "forward-trust": ["Z7310452"],
        "open-road": ["Z509709X"],
        "phoenix-futures": ["Z5753869"],
        "the-childrens-society": ["Z9480097", "Z8912805"],
        "peabody": ["Z5696189"],
    }
    for organisation in Organisation.objects.all():
        assert organisation.emails
        assert organisation.data_protection_officer
        assert organisation.head_office
        assert organisation.phone.startswith("01632 960")
        assert all(email.endswith(".example") for email in organisation.emails)
    brands = Organisation.objects.filter(brand="Choices").values_list("slug", flat=True)
    assert set(brands) == {"open-road", "the-childrens-society"}


def test_what_changed_is_updated_and_nothing_else(tmp_path: Path) -> None:
    services = [{"agency_code": "T1", "name": "Town", "dataset": "adult", "letters": {"2024-04-01": "R"}}]
    load(write(tmp_path, {"organisations": [one(services=services)]}))
    assert (Service.objects.get().organisation.slug, ServiceLetter.objects.get().letter) == ("council", "R")
    services[0]["name"] = "New town"
    _, said, _ = load(write(tmp_path, {"organisations": [one(services=services)]}))
    assert said["updated"] == {"services": 1}
    assert said["unchanged"] == {"letters": 1, "organisations": 1}


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (b"", ["line 1 column 1: is not JSON (Expecting value)"]),
        (b'{"organisations": [', ["line 1 column 20: is not JSON (Expecting value)"]),
        (b'{"organisations": "\xe9"}', ["byte 20: is not UTF-8"]),
        (b"[" * 100_000, ["is nested too deeply"]),
        ([], ["organisations: must be a list"]),
        (
            {"organisations": [3]},
            ["organisations[0]: must be an object", "organisations: must name one sole controller"],
        ),
        ({"organisations": [one(is_controller=False)]}, ["organisations: must name one sole controller"]),
        ({"organisations": [one(), one(slug="b")]}, ["organisations: must name one sole controller"]),
        ({"organisations": [one(), one(is_controller=False)]}, ["organisations[1].slug: is there twice"]),
        (
            {"organisations": [one(name=..., kind="bank", slug="a b", extra=1)]},
            [
                "organisations[0].extra:",
                "organisations[0].name: is missing",
                "organisations[0].slug: may hold",
                "organisations[0].kind: must be one of",
            ],
        ),
        (
            {
                "organisations": [
                    one(name="x\0", phone=7, brand="b" * 121, emails=["no"], ico_references=["123", 4])
                ]
            },
            [
                "organisations[0].name: holds a NUL",
                "organisations[0].brand: is longer than 120",
                "organisations[0].phone: must be text",
                "organisations[0].emails[0]: is not an e-mail",
                "organisations[0].ico_references[0]: is not an ICO",
                "organisations[0].ico_references[1]: must be text",
            ],
        ),
        (
            {
                "organisations": [
                    one(services=[{"agency_code": "", "dataset": "x", "letters": {"soon": "RR"}}, 5])
                ]
            },
            [
                "organisations[0].services[0].agency_code: must not be empty",
                "organisations[0].services[0].dataset: must be one of",
                "organisations[0].services[0].letters.soon:",
                "organisations[0].services[1]: must be an object",
            ],
        ),
    ],
)
def test_a_bad_file_is_refused_with_every_problem_and_nothing_is_written(
    tmp_path: Path, content: Any, problems: list[str]
) -> None:
    file = write(tmp_path, content)
    code, said, err = load(file)
    assert code == 1
    lines = err.splitlines()
    assert len(lines) == len(problems) == len(said["errors"])
    for line, problem in zip(sorted(lines), sorted(f"{file}: {p}" for p in problems), strict=True):
        assert line.startswith(problem)
    assert not Organisation.objects.exists()


def test_a_missing_file_and_a_folder_are_refused_in_words(tmp_path: Path) -> None:
    assert load(tmp_path / "none.json")[2].strip() == f"{tmp_path / 'none.json'}: No such file or directory"
    assert load(tmp_path)[0] == 1


def test_a_service_does_not_move_to_another_organisation(tmp_path: Path) -> None:
    make_organisation("owner").services.create(agency_code="T1", dataset="adult")
    rows = [one(), one(slug="b", is_controller=False, services=[{"agency_code": "T1", "dataset": "adult"}])]
    code, said, err = load(write(tmp_path, {"organisations": rows}))
    assert code == 1
    assert said["errors"] == [
        "organisations[1].services[0].agency_code: belongs to another organisation already"
    ]
    assert [o.slug for o in Organisation.objects.all()] == ["owner"]


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    assert load(write(tmp_path, b"\xef\xbb\xbf" + partnership.ESSEX.read_bytes()))[0] == 0


def run(command: str, *args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(command, *args, stdout=out, **options)
    return out.getvalue()


def test_create_administrator_prints_a_link_that_works_once_and_no_password() -> None:
    make_organisation("here")
    args = ["--organisation", "here", "--email", "Ada@test.example", "--name", "Ada Obi"]
    said = json.loads(run("create_administrator", *args))
    assert set(said) == {"email", "organisation", "role", "set_password"}
    assert said["role"] == "organisation_administrator"
    link = re.sub(r"^https?://[^/]+", "", said["set_password"])
    client = Client()
    assert client.post(link, {"password": PASSWORD, "again": PASSWORD}).url == "/sign-in/?ended=password"
    assert client.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 410
    assert client.post("/sign-in/", {"email": "ada@test.example", "password": PASSWORD}).url == "/set-up/"
    run("create_administrator", *args)
    assert User.objects.count() == 1


def test_create_administrator_takes_a_password_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    make_organisation("here")
    args = ["--organisation", "here", "--email", "ada@test.example", "--name", "Ada Obi", "--password-stdin"]
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(CommandError, match="at least 12 characters"):
        run("create_administrator", *args)
    assert not User.objects.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert PASSWORD not in run("create_administrator", *args, "--role", "team_manager")
    assert User.objects.get().check_password(PASSWORD)


def test_create_administrator_refuses_an_unknown_organisation_and_a_bad_address() -> None:
    with pytest.raises(CommandError, match="there is no organisation 'nowhere'"):
        run("create_administrator", "--organisation", "nowhere", "--email", "a@test.example", "--name", "A")
    make_organisation("here")
    with pytest.raises(CommandError, match="valid email"):
        run("create_administrator", "--organisation", "here", "--email", "no address", "--name", "A")


def test_the_demo_code_is_the_one_that_signs_in(client: Client) -> None:
    user = make_person(make_organisation("here"), email="ada@test.example")
    client.post("/sign-in/", {"email": "ada@test.example", "password": PASSWORD})
    code = run("demo_code", "ADA@test.example").strip()
    assert re.fullmatch(r"\d{6}", code)
    assert code in (code_of(user), code_of(user, steps=-1))
    assert client.post("/confirm/", {"code": code}).status_code == 302


def test_the_demo_code_is_refused_outside_the_demo_and_for_nobody(settings: Any) -> None:
    make_person(email="ada@test.example", second_factor=False)
    for email in ("ada@test.example", "nobody@test.example"):
        with pytest.raises(CommandError, match="nobody with this e-mail address"):
            run("demo_code", email)
    settings.DEMO = False
    with pytest.raises(CommandError, match="in the demo only"):
        run("demo_code", "ada@test.example")


def test_adding_a_person_again_changes_nothing_and_keeps_their_sessions() -> None:
    here = make_organisation("here")
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

    def add() -> User:
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            return people.add_person(
                email="ada@test.example",
                name="Ada Obi",
                organisation=here,
                role="keyworker",
                password=PASSWORD,
                totp_secret=secret,
            )

    first = add()
    app = first.authenticatorapp_set.get()
    again = add()
    assert (again.pk, again.password) == (first.pk, first.password)
    assert again.authenticatorapp_set.get() == app
    assert again.memberships.count() == 1
    assert app.secret == secret
