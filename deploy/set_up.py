"""`make setup`: the virtual environment from the hashed lock, then the front-end files. Run again, it does nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys

import common
import frontend

LOCK = common.PROJECT / "requirements" / "test.txt"
STAMP = common.VENV / ".edatrs-lock"
OLDEST = (3, 11)


def main() -> None:
    """Set everything up. Exits with code 1 and one line when that cannot be done."""
    if sys.version_info < OLDEST:
        common.fail(
            f"Python {sys.version.split()[0]}",
            "too old",
            "install Python 3.11 or newer (apt-get install python3 python3-venv)",
        )
    with common.alone():
        try:
            python_packages()
            frontend.build()
        except OSError as error:
            remedy = "free some space" if error.errno == 28 else "put that right and run make setup again"
            common.fail(error.filename or common.PROJECT, error.strerror or "failed", remedy)


def python_packages() -> None:
    """Make the virtual environment hold what the lock names."""
    wanted = common.digest(LOCK, f"{sys.version_info[0]}.{sys.version_info[1]}")
    if common.fresh(STAMP, wanted) and works():
        return
    if not works():
        common.say("Making the virtual environment .venv")
        shutil.rmtree(common.VENV, ignore_errors=True)
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(common.VENV)], capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            common.fail(
                common.VENV,
                f"{sys.executable} -m venv failed ({(made.stdout + made.stderr).strip()[-200:]})",
                "apt-get install python3-venv, or free some space, and run make setup again",
            )
    common.say("Installing the Python packages of requirements/test.txt")
    STAMP.unlink(missing_ok=True)  # a kill from here on must not leave a stamp that lies
    pip = [common.PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", "-qq"]
    code = common.run([*pip, "install", "--require-hashes", "-r", LOCK])
    if code != 0:
        common.fail(
            "Python packages",
            f"pip ended with {code}",
            "see its lines above (network, disk space), then make setup again",
        )
    STAMP.write_text(wanted)


def works() -> bool:
    """Whether the virtual environment's Python runs and is this one's equal; a moved folder or an upgrade breaks it."""
    try:
        said = subprocess.run(
            [common.PYTHON, "-c", "import sys, pip; print(sys.version_info[:2], sys.prefix)"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return said.stdout.strip() == f"{sys.version_info[:2]} {common.VENV}"


if __name__ == "__main__":
    main()
