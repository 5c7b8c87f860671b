"""Template tags of the caseload pages."""
