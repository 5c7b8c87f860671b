"""Short help for items of the data sets, in our own words: what to ask, what counts. Shown under the label."""

from __future__ import annotations

from collections.abc import Mapping

from caseload.dataset.reader import Item

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


def hint_of(item: Item) -> str:
    """The help of an item; the limits where the dictionary gives some; nothing else."""
    if item.name in HINTS:
        return HINTS[item.name]
    if item.type == "flag":
        return ""
    return f"From {item.format}" if item.type == "int" and item.format[:1].isdigit() else ""
