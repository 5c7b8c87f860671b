"""Short help for items of the data sets, in our own words: what to ask, what counts. Shown under the label."""

from __future__ import annotations

from collections.abc import Mapping

from caseload.dataset.reader import Item

# Shorter than the dictionary's, or without what is said to programmers there.
LABELS: Mapping[str, str] = {
    "PC": "Postcode of residence",
    "NATION": "Nationality",
    "TRIAGED": "Triage date",
    "MODAL": "Intervention type",
    "MODSET": "Setting",
    "TOPCC": "This service does the outcome forms (TOP co-ordination)",
    "EHCSC": "Early help or children's social care",
}
HINTS: Mapping[str, str] = {
    "REFLD": "The day the referral was made, not the day it was read. On or before triage",
    "RFLS": "Who sent them, or themselves",
    "PREVTR": "Any structured treatment for drugs or alcohol before this episode, anywhere",
    "TRIAGED": "The day they were first assessed",
    "CPLANDT": "The day the first care plan was agreed",
    "TOPCC": "Yes where this service is the one that does the outcome forms",
    "DRUG1": "The substance that troubles them most now",
    "DRUG1AGE": "In whole years",
    "ROUTE": "How they take substance 1 most often",
    "DRUG2": "Choose the code for no second substance when there is none; empty means it was not asked",
    "DRUG3": "Choose the code for no third substance when there is none; empty means it was not asked",
    "INJSTAT": "Any non-prescribed drug, ever and now",
    "ALCDDAYS": "Days, from 0 to 28",
    "ALCUNITS": "0 when there were no drinking days",
    "DISD": "The day of the last contact that was agreed as the end, or the day it was closed",
    "DISRSN": "Why the episode ended",
    "PREGNANT": "Asked where the recorded sex is female",
    "CHILDWTH": "Children under 18 who live with them at least one night in 28",
    "PC": "Where they live now, in full; the file takes a part of it. Empty: the address of the client counts",
    "MODST": "The day the intervention began, not the day it was offered",
    "FAOMODDT": "The day of the first appointment that was offered, whether they came or not",
    "MODEND": "The day the intervention ended. An exit status goes with it",
    "SUBMODDT": "The day the past period was looked back on with the client",
}

# The outcome form of young people is asked at the start (YPS) and at the exit (YPE): the same words for both.
_UNKNOWN = "No source says what this is. Type the code you were given, or leave it empty"
_YOUNG: Mapping[str, str] = {
    "LEAD": "Who leads their plan across services, as NDTMS codes it",
    "MHS": "A mental health problem that somebody has identified",
    "YOT": "Whether a youth offending team works with them now",
    "SEXEX": "Ask in private. What you hear may be for safeguarding too",
    "SLFHM": "Ask in private, and act on the answer the same day",
    "UNSDR": "Use that adds danger: alone, mixed, or where nobody can help",
    "OFFND": "Any offending that they tell you of, or that is known",
    "ESTAT": "School, college, training, work, or none of these now",
    "STD": "School, college, training, work, or none of these now",
    "GP": "Registered with a practice now",
    "CAF": "An assessment shared between services, by anybody",
    "CAFE": "An assessment shared between services, by anybody",
    "LNDIF": "One that is known, or that they tell you of",
    "FOU": "How often they use, as NDTMS codes it",
    "USS": _UNKNOWN,
    "CAREP": _UNKNOWN,
}


def hint_of(item: Item) -> str:
    """The help of an item; the limits where the dictionary gives some; nothing else."""
    if item.name in HINTS:
        return HINTS[item.name]
    if item.entity == "yp_outcomes":
        return _YOUNG.get(item.name[3:], _UNKNOWN)
    if item.type == "flag":
        return ""
    return f"From {item.format}" if item.type == "int" and item.format[:1].isdigit() else ""
