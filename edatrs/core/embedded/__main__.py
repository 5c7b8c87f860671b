"""Entry point of `python -m edatrs.core.embedded`."""

import sys

from .cli import main

sys.exit(main())
