"""Models of the consent app."""

from consent.models.ndtms import ConsentAct, ConsentDeferral

__all__ = ["ConsentAct", "ConsentDeferral"]
