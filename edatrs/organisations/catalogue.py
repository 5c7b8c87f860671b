"""What an agreement can say, as closed lists in our own words: purposes, information, legal bases, rights (obligations 20 to 33, 45 to 56).

An agreement chooses from them and may add lines of its own, whose keys begin with `own_`.
"""

from __future__ import annotations

from dataclasses import dataclass

from edatrs.organisations.choices import DocumentKind, EntryKind

OWN = "own_"


@dataclass(frozen=True)
class Line:
    """A line that can be chosen. `category` is the category of the record; `special`: Article 9 data; `names`: names are needed."""

    key: str
    words: str
    category: str = ""
    special: bool = False
    names: bool = False


PURPOSES = (
    Line("monitor", "See how well services work and share money fairly"),
    Line("outcomes", "Support better results for people, and check that they are better"),
    Line("plan", "Plan and develop services for what people here need"),
    Line("statistics", "Statistics and research that inform policy"),
    Line("strategies", "Follow government drug and alcohol strategies"),
    Line("partnership", "Partners working together", names=True),
    Line("joint_planning", "Planning care together", names=True),
    Line("integrated", "One treatment across services", names=True),
)
INFORMATION = (
    Line("forename", "First name", "identity"),
    Line("surname", "Surname", "identity"),
    Line("date_of_birth", "Date of birth", "identity"),
    Line("gender", "Gender", "identity"),
    Line("title", "Title", "identity"),
    Line("address", "Address", "contact"),
    Line("phone", "Phone", "contact"),
    Line("email", "E-mail address", "contact"),
    Line("ethnicity", "Ethnicity", "equality", special=True),
    Line("nationality", "Nationality", "equality", special=True),
    Line("religion", "Religion", "equality", special=True),
    Line("sexuality", "Sexuality", "equality", special=True),
    Line("disability", "Disability", "disability", special=True),
    Line("history", "Personal history", "circumstances", special=True),
    Line("circumstances", "Social circumstances", "circumstances", special=True),
    Line("health", "Physical and mental health", "health", special=True),
    Line("prescribing", "Prescribing", "prescribing", special=True),
    Line("safeguarding", "Safeguarding", "safeguarding", special=True),
    Line("offending", "Criminal activity that was disclosed", "offending", special=True),
    Line("risk", "Risks and vulnerabilities", "risk", special=True),
    Line("treatment", "Earlier treatment", "treatment", special=True),
)
ARTICLE_6 = (
    Line("consent", "Consent"),
    Line("contract", "Contract"),
    Line("legal_obligation", "Legal obligation"),
    Line("vital_interests", "Vital interests"),
    Line("public_task", "Public task"),
    Line("legitimate_interests", "Legitimate interests"),
)
ARTICLE_9 = (
    Line("explicit_consent", "Explicit consent"),
    Line("employment", "Employment, social security and social protection"),
    Line("vital_interests", "Vital interests"),
    Line("legal_claims", "Legal claims"),
    Line("substantial_public_interest", "Substantial public interest"),
    Line("health_and_social_care", "Health and social care"),
    Line("public_health", "Public health"),
    Line("research", "Archiving, research and statistics"),
)
DPA_PART_3 = (Line("law_enforcement", "Law enforcement by a competent authority"),)
STATUTES = (
    Line("hsca_2012_s12", "Health and Social Care Act 2012, section 12"),
    Line("care_act_2014", "Care Act 2014"),
    Line("children_act_2004", "Children Act 2004"),
    Line("crime_and_disorder_1998_s115", "Crime and Disorder Act 1998, section 115"),
)
RIGHTS = (
    Line("informed", "To be informed (Articles 13 and 14)"),
    Line("access", "To see what is held (Article 15)"),
    Line("rectification", "To have it put right (Article 16)"),
    Line("erasure", "To have it erased (Article 17)"),
    Line("restriction", "To have its use restricted (Article 18)"),
    Line("notification", "That recipients are told of a correction or restriction (Article 19)"),
    Line("portability", "To take it elsewhere (Article 20)"),
    Line("objection", "To object (Article 21)"),
    Line("automated", "Not to be judged by a machine alone (Article 22)"),
    Line("foi", "Freedom of information (FOI 2000, EIR 2004)"),
)
LINES: dict[str, tuple[Line, ...]] = {
    EntryKind.PURPOSE: PURPOSES,
    EntryKind.INFORMATION: INFORMATION,
    EntryKind.ARTICLE_6: ARTICLE_6,
    EntryKind.ARTICLE_9: ARTICLE_9,
    EntryKind.DPA_PART_3: DPA_PART_3,
    EntryKind.STATUTE: STATUTES,
    EntryKind.DOCUMENT: tuple(Line(kind.value, str(kind.label)) for kind in DocumentKind),
    EntryKind.RIGHT: RIGHTS,
}
# The kinds to which an agreement may add lines of its own.
OPEN_KINDS = (EntryKind.PURPOSE, EntryKind.STATUTE)
NEEDED_DOCUMENTS = (
    DocumentKind.DPIA,
    DocumentKind.PROCEDURE,
    DocumentKind.CONTRACT,
    DocumentKind.POLICY,
)
SPECIAL = frozenset(line.key for line in INFORMATION if line.special)
NEED_NAMES = frozenset(line.key for line in PURPOSES if line.names)


def known(kind: str, key: str) -> Line | None:
    """The line of a kind with this key, or None for one of the agreement's own."""
    return next((line for line in LINES[kind] if line.key == key), None)
