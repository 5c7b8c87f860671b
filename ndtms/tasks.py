"""Importing the services registers the kinds of job that this app works on."""

from ndtms.services import submissions

__all__ = ["submissions"]
