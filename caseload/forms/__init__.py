"""Forms of the caseload app."""
