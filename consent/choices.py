"""Closed lists of the consent app."""

from __future__ import annotations

from django.db import models


class Method(models.TextChoices):
    """How the decision was given (O-109)."""

    ORAL = "oral", "Oral"
    WRITTEN = "written", "In writing"


class Origin(models.TextChoices):
    """Where an act comes from."""

    LOCAL = "local", "Recorded here"
    IMPORTED = "imported", "Imported"


class Competence(models.TextChoices):
    """Whether a young person can decide alone (O-106). Empty: not a young people's service."""

    COMPETENT = "competent", "Understands and can decide"
    PERMISSION = "permission", "A parent or guardian decides with them"
    UNSURE = "unsure", "Not sure yet"


class Wish(models.TextChoices):
    """What somebody wanted who withdrew (O-135). Empty: no withdrawal, or not asked."""

    EPISODE = "episode", "These episodes only"
    ALL_HERE = "all-here", "Everything at this organisation"


class FileKind(models.TextChoices):
    """What a signed form may be, told by its first bytes, never by its name."""

    PDF = "pdf", "PDF"
    PNG = "png", "PNG"
    JPEG = "jpeg", "JPEG"


class Answer(models.TextChoices):
    """What was answered when somebody was asked to share (O-151). Withdrawn and recorded in error are later acts, never this column."""

    GIVEN = "given", "Yes"
    REFUSED = "refused", "No"


class Ends(models.TextChoices):
    """When a consent to share ends by itself. The paper form asks for none (O-163)."""

    DATE = "date", "On a date"
    EPISODE = "episode", "When the treatment episode ends"
    OPEN = "open", "No end date"


class Way(models.TextChoices):
    """How a consent to share was given (O-161). They count the same."""

    DRAWN = "drawn", "Signed on screen"
    PAPER = "paper", "Signed on paper"
    WITNESSED = "witnessed", "Spoken and witnessed"


class EndKind(models.TextChoices):
    """Why a consent to share counts no longer, other than by its date. Each is an act of its own."""

    WITHDRAWN = "withdrawn", "Withdrawn"
    INVALIDATED = "invalidated", "Recorded in error"
    EPISODE_OVER = "episode_over", "The treatment episode ended"


class WitnessAnswer(models.TextChoices):
    """What the colleague says who was named as witness."""

    HEARD = "heard", "I heard it"
    NOT_HEARD = "not_heard", "I did not hear it"


class ReviewOutcome(models.TextChoices):
    """What a review of a decision without consent says."""

    GOES_ON = "goes_on", "It goes on"
    ENDS = "ends", "It ends"


class Standing(models.TextChoices):
    """The three standing recipients of the privacy notice (O-150): a closed list."""

    GP = "gp", "GP"
    PHARMACY = "pharmacy", "Pharmacy"
    NEXT_OF_KIN = "next_of_kin", "Next of kin"


class Condition(models.TextChoices):
    """Under which condition a standing recipient is told something (O-150): a closed list."""

    PRESCRIBING = "prescribing", "For prescribing"
    DISPENSING = "dispensing", "For dispensing"
    EMERGENCY = "emergency", "In an emergency"
    CONTACT_LOST = "contact_lost", "To confirm wellbeing, contact is lost"


# Which conditions belong to whom.
CONDITIONS = {
    Standing.GP: (Condition.PRESCRIBING,),
    Standing.PHARMACY: (Condition.DISPENSING,),
    Standing.NEXT_OF_KIN: (Condition.EMERGENCY, Condition.CONTACT_LOST),
}


class DisclosureWay(models.TextChoices):
    """How something was given to others outside the system."""

    LETTER = "letter", "Letter"
    PHONE = "phone", "Phone"
    EMAIL = "email", "Secure e-mail"
    IN_PERSON = "in_person", "In person"
    PRINT = "print", "Print-out"
    EXPORT = "export", "Export"
    HAND_OVER = "hand_over", "Hand-over to a partner"


class DisclosureGround(models.TextChoices):
    """Why something was given to others."""

    CONSENT = "consent", "Consent to share"
    STANDING = "standing", "Standing recipient"
    LAWFUL = "lawful", "Without consent, on a lawful ground"


class HowKnown(models.TextChoices):
    """How whoever asks a partner came to the person."""

    HERE = "here", "Here with me, or was today"
    REFERRED = "referred", "Referred to us, and we have the referral"
    PHONED = "phoned", "Phoned us"
    SHARED = "shared", "Their record is shared with us already"


class AnswerKind(models.TextChoices):
    """What a holder said to a request, or what became of it."""

    KEPT = "kept", "An answer is recorded, nothing is open yet"
    AGREED = "agreed", "Agreed"
    NAMED = "named", "Named ourselves, nothing is open"
    REFUSED = "refused", "Refused"
    REOPENED = "reopened", "Opened again"
    TAKEN_BACK = "taken_back", "Taken back by who asked"


class ReferralKind(models.TextChoices):
    """Whether the care goes over to the partner or is added to."""

    REFERRAL = "referral", "Referral: they begin, and we go on too"
    TRANSFER = "transfer", "Transfer: they take over, and we discharge"


class Urgency(models.TextChoices):
    """How soon the partner should look."""

    ROUTINE = "routine", "Routine"
    SOON = "soon", "Soon: within two working days"
    URGENT = "urgent", "Urgent: today"


class StepKind(models.TextChoices):
    """What became of a referral."""

    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    TAKEN_BACK = "taken_back", "Taken back"
    DONE = "done", "Done"
