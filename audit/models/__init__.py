"""Models of the audit app."""

from audit.models.trail import AuditEvent, ChainHead

__all__ = ["AuditEvent", "ChainHead"]
