"""Models of the organisations app."""

from edatrs.organisations.models.drafts import Draft
from edatrs.organisations.models.organisations import Organisation, Service, ServiceLetter
from edatrs.organisations.models.people import Membership, User
from edatrs.organisations.models.protocol import (
    Agreement,
    AgreementEntry,
    AgreementParty,
    AuthorisedRole,
    ContactRecord,
    RightConfirmation,
)
from edatrs.organisations.models.sign_in import AuthenticatorApp, PasswordLink, RecoveryCode, SignInAttempt
from edatrs.organisations.models.staff import AccessReview, Clearance, Leaver, LeaverDraft
from edatrs.organisations.models.work import Job, OutboundMail, Task

__all__ = [
    "AccessReview",
    "Agreement",
    "AgreementEntry",
    "AgreementParty",
    "AuthenticatorApp",
    "AuthorisedRole",
    "Clearance",
    "ContactRecord",
    "Draft",
    "Job",
    "Leaver",
    "LeaverDraft",
    "Membership",
    "Organisation",
    "OutboundMail",
    "PasswordLink",
    "RecoveryCode",
    "RightConfirmation",
    "Service",
    "ServiceLetter",
    "SignInAttempt",
    "Task",
    "User",
]
