"""EDATRS caseload: the project package, wiring only."""

from edatrs.celery import app as celery_app

__all__ = ["celery_app"]
