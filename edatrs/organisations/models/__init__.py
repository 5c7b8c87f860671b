"""Models of the organisations app."""

from edatrs.organisations.models.drafts import Draft
from edatrs.organisations.models.organisations import Organisation, Service, ServiceLetter
from edatrs.organisations.models.people import Membership, User
from edatrs.organisations.models.sign_in import AuthenticatorApp, PasswordLink, RecoveryCode, SignInAttempt
from edatrs.organisations.models.work import Job, OutboundMail, Task

__all__ = [
    "AuthenticatorApp",
    "Draft",
    "Job",
    "Membership",
    "Organisation",
    "OutboundMail",
    "PasswordLink",
    "RecoveryCode",
    "Service",
    "ServiceLetter",
    "SignInAttempt",
    "Task",
    "User",
]
