"""One piece of work in a process of its own, so that its memory is its own: `python -m tests.benchmarks.child TASK JSON`, prints JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "edatrs.settings.test")


def main() -> None:
    """Run the task that the command line names, with its words."""
    import django

    django.setup()
    from tests.benchmarks import tasks

    words: dict[str, Any] = json.loads(sys.argv[2])
    cost = getattr(tasks, sys.argv[1])(
        **{key: Path(value) if key == "folder" else value for key, value in words.items()}
    )
    print(json.dumps(cost.as_dict()))


if __name__ == "__main__":
    main()
