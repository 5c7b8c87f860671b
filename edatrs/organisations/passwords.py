"""What a password must be: 12 to 128 characters, none of the common ones, and our own words do not count towards the length."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError

from edatrs.organisations.models import Organisation

SHORTEST = 12
LONGEST = 128
# Words that stand on our own pages and that anybody who guesses would try first.
_OURS = (
    "edatrs",
    "caseload",
    "ndtms",
    "essex",
    "theseus",
    "keyworker",
    "password",
    "passphrase",
    "recovery",
    "treatment",
)
_NOT_LETTERS = re.compile(r"[\W_]+")
_LOOKALIKES = str.maketrans("0134578@$!", "oieastbasi")


def normalise(password: str) -> str:
    """One form of the same characters, whichever keyboard typed them. Nothing is cut off."""
    return unicodedata.normalize("NFKC", password)


def check(password: str, user: Any = None) -> None:
    """Hold a new password against every rule. Raises ValidationError with words for the person."""
    if len(password) > LONGEST:
        raise ValidationError(f"Enter a password of at most {LONGEST} characters", code="password_too_long")
    password_validation.validate_password(password, user)


def own_words() -> set[str]:
    """The words that do not count: ours, and the names, brands and addresses of the partners, longest parts first."""
    found = set(_OURS)
    for name, brand, slug in Organisation.objects.values_list("name", "brand", "slug"):
        for text in (name, brand, slug):
            parts = [p for p in _NOT_LETTERS.split(text.casefold()) if len(p) >= 4]
            found.update(parts, [_NOT_LETTERS.sub("", text.casefold())] if len(text) >= 4 else [])
    return found


class OwnWordsValidator:
    """Refuses a password that is long enough only thanks to the names of organisations or of this system."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        rest = _without(password.casefold(), own_words())
        if len(rest) < SHORTEST:
            raise ValidationError(
                "Enter a password with more of your own words. "
                f"Names of organisations and of this system do not count towards the {SHORTEST} characters",
                code="password_own_words",
            )

    def get_help_text(self) -> str:
        """As Django's validators."""
        return f"Names of organisations and of this system do not count towards the {SHORTEST} characters."


def _without(password: str, words: set[str]) -> str:
    """The characters that stand in no own word, also where one is spelt with digits or split by signs."""
    letters = [(i, c) for i, c in enumerate(password.translate(_LOOKALIKES)) if not _NOT_LETTERS.fullmatch(c)]
    plain = "".join(c for _, c in letters)
    ours: set[int] = set()
    for word in words:
        start = plain.find(word)
        while start >= 0:
            ours.update(range(letters[start][0], letters[start + len(word) - 1][0] + 1))
            start = plain.find(word, start + 1)
    return "".join(c for i, c in enumerate(password) if i not in ours)
