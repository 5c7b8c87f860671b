"""What is still missing in an agreement: pure rules, no database (obligations 1 to 16, 20 to 45, 78).

Every gap is named with where it is filled in. An agreement with a gap can neither be sent for approval nor be approved; what is blank in
the sources is a gap like any other and is never filled in for anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from edatrs.organisations import catalogue
from edatrs.organisations.choices import DocumentKind, EntryKind, PartyRole

# Where a gap is filled in: the name of the page's part. `contact` and `own` are filled in by the party itself.
DETAILS, CONTENTS, DOCUMENTS, PARTIES, CONTACT, OWN = (
    "details",
    "contents",
    "documents",
    "parties",
    "contact",
    "own",
)


@dataclass(frozen=True)
class Gap:
    """Something that is missing: `key` for tests and links, `words` for people, `where` it is filled in, `party` whose it is."""

    key: str
    words: str
    where: str
    party: str = ""


@dataclass(frozen=True)
class Party:
    """What the rules need of a party."""

    name: str
    head_office: str = ""
    phone: str = ""
    emails: tuple[str, ...] = ()
    data_protection_officer: str = ""
    ico_references: tuple[str, ...] = ()
    breach_emails: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    confirmed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Facts:
    """What the rules need of an agreement. `documents` are keys of documents with both a reference and somebody who answers for them."""

    title: str = ""
    version: str = ""
    owner: str = ""
    authors: str = ""
    summary: str = ""
    retention: str = ""
    parties: tuple[Party, ...] = ()
    entries: dict[str, frozenset[str]] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()

    def of(self, kind: str) -> frozenset[str]:
        """The keys of one kind of line."""
        return self.entries.get(kind, frozenset())


def gaps(facts: Facts) -> list[Gap]:
    """Everything that is missing, in the order of the agreement; empty: it is complete."""
    return [*_details(facts), *_parties(facts), *_contents(facts), *_documents(facts), *_rights(facts)]


def _details(facts: Facts) -> Iterator[Gap]:
    named = (
        (
            "owner",
            facts.owner,
            "The owner is blank. Without an owner nobody decides when partners cannot agree",
        ),
        ("title", facts.title, "The title is blank"),
        ("version", facts.version, "The version is blank"),
        ("authors", facts.authors, "Nobody is named as author"),
        ("summary", facts.summary, "What is shared and why is not said in plain words"),
        ("retention", facts.retention, "How long what is shared is kept is not said"),
    )
    for key, value, words in named:
        if not value.strip():
            yield Gap(key, words, DETAILS)


def _parties(facts: Facts) -> Iterator[Gap]:
    if len(facts.parties) < 2:
        yield Gap("parties", "Sharing takes two parties at least", PARTIES)
    held = [role for party in facts.parties for role in party.roles]
    sole, joint = held.count(PartyRole.SOLE_CONTROLLER), held.count(PartyRole.JOINT_CONTROLLER)
    if not sole and not joint:
        yield Gap("controller", "No party is the controller", PARTIES)
    elif sole > 1 or (sole and joint):
        yield Gap("controllers", "There is one sole controller or there are joint ones, not both", PARTIES)
    elif joint == 1:
        yield Gap("joint", "One party alone cannot be a joint controller", PARTIES)
    for party in facts.parties:
        yield from _party(party)


def _party(party: Party) -> Iterator[Gap]:
    if not party.roles:
        yield Gap("roles", f"{party.name} has no role", PARTIES, party.name)
    items = (
        ("head_office", party.head_office.strip(), "head office address"),
        ("phone", party.phone.strip(), "phone number"),
        ("emails", party.emails, "e-mail address"),
        ("data_protection_officer", party.data_protection_officer.strip(), "data protection officer"),
        ("ico_references", party.ico_references, "ICO reference"),
    )
    for key, value, words in items:
        if not value:
            yield Gap(key, f"{party.name}: no {words}", CONTACT, party.name)
    if not party.breach_emails:
        yield Gap(
            "breach_emails", f"{party.name}: which address gets breach notices is not said", OWN, party.name
        )
    elif not set(party.breach_emails) <= set(party.emails):
        words = f"{party.name}: breach notices go to an address that is not among its own"
        yield Gap("breach_emails", words, OWN, party.name)


def _contents(facts: Facts) -> Iterator[Gap]:
    wanted = (
        (EntryKind.PURPOSE, "No purpose is chosen"),
        (EntryKind.INFORMATION, "No information is chosen"),
        (EntryKind.ARTICLE_6, "No legal basis of Article 6 is chosen"),
        (EntryKind.STATUTE, "No statute is named"),
    )
    for kind, words in wanted:
        if not facts.of(kind):
            yield Gap(kind.value, words, CONTENTS)
    if facts.of(EntryKind.INFORMATION) & catalogue.SPECIAL and not facts.of(EntryKind.ARTICLE_9):
        words = "Special category information is shared, but no condition of Article 9 is chosen"
        yield Gap(EntryKind.ARTICLE_9.value, words, CONTENTS)


def _documents(facts: Facts) -> Iterator[Gap]:
    for kind in catalogue.NEEDED_DOCUMENTS:
        if kind.value not in facts.documents:
            words = f"{DocumentKind(kind).label}: name or link, and who answers for it"
            yield Gap(f"document_{kind.value}", words, DOCUMENTS)


def _rights(facts: Facts) -> Iterator[Gap]:
    rights = facts.of(EntryKind.RIGHT)
    if not rights:
        yield Gap(EntryKind.RIGHT.value, "Which rights apply is not said", CONTENTS)
    for party in facts.parties:
        missing = len(rights - party.confirmed)
        if missing:
            said = f"{party.name} has not confirmed {missing} of {len(rights)} rights"
            yield Gap("confirmed", said, OWN, party.name)
