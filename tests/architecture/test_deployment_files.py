"""The files that are only used elsewhere (containers, locks) hold together and name no machine of ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)")


def tracked() -> list[Path]:
    """The files that are, or would be, committed."""
    said = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if said.returncode != 0:
        pytest.skip("not a git work tree")
    return [path for name in said.stdout.split("\0") if name and (path := PROJECT / name).is_file()]


def test_compose_has_every_part() -> None:
    assert {"db", "redis", "roles", "migrate", "web", "worker", "beat", "mail"} <= set(COMPOSE["services"])


def test_compose_refers_only_to_what_it_declares() -> None:
    services = COMPOSE["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, f"{name} depends on {other}"
            if (
                how["condition"] == "service_healthy"
                and "image" in services[other]
                and "build" not in services[other]
            ):
                assert "healthcheck" in services[other], (
                    f"{name} waits for {other}, which has no health check"
                )
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in COMPOSE["volumes"]
        for network in service.get("networks", []):
            assert network in COMPOSE["networks"]


def test_every_variable_of_compose_is_in_the_example() -> None:
    example = (PROJECT / ".env.example").read_text()
    given = {line.partition("=")[0] for line in example.splitlines() if re.match(r"[A-Z]", line)}
    used = set(VARIABLE.findall((PROJECT / "docker-compose.yml").read_text()))
    assert used == given


def test_the_example_holds_no_secret() -> None:
    for line in (PROJECT / ".env.example").read_text().splitlines():
        if re.search(r"(PASSWORD|KEY)[A-Z0-9_]*=", line):
            assert line.endswith("="), line


def test_only_migrate_and_roles_hold_more_than_the_applications_password() -> None:
    others = re.compile(r"(OWNER|AGGREGATE|REPORT|VERIFIER|DESTROYER|POSTGRES)_PASSWORD")
    holders = {name for name, service in COMPOSE["services"].items() if others.search(json.dumps(service))}
    assert holders == {"db", "roles", "migrate"}


def test_only_the_proxy_and_the_mail_catcher_are_reached_from_outside_and_only_from_this_machine() -> None:
    ports = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert set(ports) == {"proxy", "mail"}
    for published in ports.values():
        assert all(port.startswith("127.0.0.1:") for port in published)


def test_image_copies_every_package_and_runs_without_rights() -> None:
    text = (PROJECT / "Dockerfile").read_text()
    packages = {path.parent.name for path in PROJECT.glob("*/__init__.py")} - {"tests", "deploy"}
    for package in packages:
        assert f"COPY {package} {package}\n" in text
    final = text.rpartition("\nFROM ")[2]
    assert "\nUSER 10001\n" in final
    assert "\nHEALTHCHECK " in final


@pytest.mark.parametrize("name", ["base", "test"])
def test_locks_are_hashed_and_name_no_host(name: str) -> None:
    text = (PROJECT / "requirements" / f"{name}.txt").read_text()
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text)
    entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert entries
    for entry in entries:
        assert re.fullmatch(r"[a-z0-9.-]+(\[[a-z,]+\])?==\S+ \\", entry), entry
    assert text.count("--hash=sha256:") >= len(entries)


def test_the_test_lock_holds_the_base_lock() -> None:
    def pins(name: str) -> set[str]:
        text = (PROJECT / "requirements" / f"{name}.txt").read_text()
        return set(re.findall(r"^[a-z0-9.-]+(?:\[[a-z,]+\])?==\S+", text, re.MULTILINE))

    assert pins("base") <= pins("test")


@pytest.mark.parametrize("name", ["base", "test"])
def test_every_wish_is_in_its_lock(name: str) -> None:
    text = (PROJECT / "requirements" / f"{name}.txt").read_text()
    for line in (PROJECT / "requirements" / f"{name}.in").read_text().splitlines():
        if (wish := re.match(r"[A-Za-z0-9.-]+", line)) and not line.startswith("-"):
            pin = rf"^{re.escape(wish[0].lower())}(\[[a-z,]+\])?=="
            assert re.search(pin, text, re.MULTILINE), wish[0]


def test_installed_packages_agree_with_each_other() -> None:
    said = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_npm_lock_names_no_host_and_every_package_has_a_checksum() -> None:
    lock = json.loads((PROJECT / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert "resolved" not in entry, name
        assert entry["integrity"].startswith("sha512-"), name


def test_no_file_names_a_folder_of_a_developers_machine() -> None:
    private = re.compile(rb"/root/\.|/home/[a-z]+/|/work/(main|shared)")
    for path in tracked():
        if path == Path(__file__):
            continue
        found = private.search(path.read_bytes())
        assert not found, f"{path.relative_to(PROJECT)}: {found[0].decode()}"


def test_no_front_end_file_of_others_is_committed() -> None:
    for path in tracked():
        assert not re.search(
            r"(htmx|govuk-frontend|moj-frontend).*\.(js|css)$|\.(woff2?|ttf|eot)$", path.name
        ), path


def test_pyproject_parses_and_asks_for_no_python_that_the_locks_were_not_made_for() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    assert project["project"]["requires-python"] == ">=3.11"
    assert project["tool"]["ruff"]["target-version"] == "py311"


def test_continuous_integration_calls_make_test_and_nothing_else() -> None:
    lines = (PROJECT / ".ci" / "run").read_text().splitlines()
    code = [line for line in lines if line and not line.startswith(("#", "set "))]
    assert len(code) == 1
    assert re.match(r"exec make .*\btest$", code[0])
