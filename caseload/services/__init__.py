"""Writes of the caseload app."""
