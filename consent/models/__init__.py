"""Models of the consent app."""

from consent.models.ndtms import ConsentAct, ConsentDeferral, ConsentForm, ConsentInvalidation
from consent.models.sharing import (
    Disclosure,
    LawfulDecision,
    LawfulReview,
    SharingConsent,
    SharingEnd,
    SharingSignature,
    SharingWitness,
)

__all__ = [
    "ConsentAct",
    "ConsentDeferral",
    "ConsentForm",
    "ConsentInvalidation",
    "Disclosure",
    "LawfulDecision",
    "LawfulReview",
    "SharingConsent",
    "SharingEnd",
    "SharingSignature",
    "SharingWitness",
]
