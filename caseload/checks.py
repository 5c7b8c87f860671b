"""System checks of the caseload app."""

from __future__ import annotations

from typing import Any

from django.core.checks import Error, register

from caseload.dataset.reader import checksum_problems


@register()
def check_data_sets(app_configs: Any, **kwargs: Any) -> list[Error]:
    """The files of the national data sets are the ones whose checksums are kept."""
    return [Error(problem, id="caseload.E001") for problem in checksum_problems()]
