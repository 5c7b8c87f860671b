"""Models of the consent app."""

from consent.models.ndtms import ConsentAct, ConsentDeferral, ConsentForm, ConsentInvalidation

__all__ = ["ConsentAct", "ConsentDeferral", "ConsentForm", "ConsentInvalidation"]
