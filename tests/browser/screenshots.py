"""`make screenshots`: the pictures of the pages, taken by the browser tests at 1280 and 360 pixels, in screenshots/."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the browser tests with a folder for pictures; their exit code."""
    folder = ROOT / "screenshots"
    folder.mkdir(exist_ok=True)
    env = os.environ | {"EDATRS_PICTURES": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/browser"], cwd=ROOT, env=env, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
