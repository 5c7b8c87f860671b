"""Importing the services registers the kinds of job that this app works on."""

from ndtms import quality
from ndtms.services import imports, submissions

__all__ = ["imports", "quality", "submissions"]
