"""Models of the audit app."""

from audit.models.heads import HeadStatement
from audit.models.trail import AuditEvent, ChainHead

__all__ = ["AuditEvent", "ChainHead", "HeadStatement"]
