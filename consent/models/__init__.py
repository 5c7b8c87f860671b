"""Models of the consent app."""

from consent.models.ndtms import ConsentAct

__all__ = ["ConsentAct"]
