"""Models of the consent app."""

from consent.models.asks import (
    Ask,
    AskAnswer,
    AskDelivery,
    AskEnd,
    PartnerReferral,
    PartnerReferralStep,
    ReferralHandOver,
)
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
    "Ask",
    "AskAnswer",
    "AskDelivery",
    "AskEnd",
    "ConsentAct",
    "ConsentDeferral",
    "ConsentForm",
    "ConsentInvalidation",
    "Disclosure",
    "LawfulDecision",
    "LawfulReview",
    "PartnerReferral",
    "PartnerReferralStep",
    "ReferralHandOver",
    "SharingConsent",
    "SharingEnd",
    "SharingSignature",
    "SharingWitness",
]
