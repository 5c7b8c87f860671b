"""Dependencies run one way, and production's settings leave Django nothing to warn of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "only-for-check-deploy-0123456789-abcdefghijklmnopqrstuvwxyz-ABC"
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "edatrs.settings.production",
    "EDATRS_SECRET_KEY": SECRET,
    "EDATRS_AUDIT_KEY": SECRET,
    "EDATRS_HEADS_KEY": SECRET,
    "EDATRS_FIELD_KEY_1": SECRET,
    "EDATRS_HASH_KEY": SECRET,
    "EDATRS_HOSTS": "caseload.example",
    "EDATRS_ORIGINS": "https://caseload.example",
    "EDATRS_BASE_URL": "https://caseload.example",
    "DATABASE_URL": "postgresql://app@db.example/caseload",
    "REDIS_URL": "redis://redis.example:6379/0",
}


def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A program of the virtual environment, in the project's folder."""
    return subprocess.run(
        [str(Path(sys.executable).parent / words[0]), *words[1:]],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_dependencies_run_one_way() -> None:
    done = run("lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_an_import_the_wrong_way_is_found(tmp_path: Path) -> None:
    """The control: the same contract turned round must break."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    turned = text.replace('    "edatrs.urls",\n    "ndtms",\n', "").replace(
        '    "edatrs.core",\n]', '    "edatrs.core",\n    "ndtms",\n]', 1
    )
    assert turned != text
    (tmp_path / "pyproject.toml").write_text(turned, encoding="utf-8")
    done = run("lint-imports", "--no-cache", "--config", str(tmp_path / "pyproject.toml"))
    assert done.returncode == 1 and "1 broken" in done.stdout, done.stdout


def test_production_is_ready_to_be_deployed() -> None:
    done = run("python", "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "name", ["EDATRS_SECRET_KEY", "EDATRS_AUDIT_KEY", "EDATRS_HEADS_KEY", "DATABASE_URL"]
)
def test_production_does_not_start_without_its_secrets(name: str) -> None:
    done = run("python", "-c", "import edatrs.settings.production", **{**PRODUCTION, name: ""})
    assert done.returncode != 0 and f"{name} is not set" in done.stderr
