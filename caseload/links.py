"""The address of the box where an item of the data sets is typed: what a rule says is wrong is one click from where it is put right."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from caseload.dataset.reader import load_dictionary
from caseload.record import LISTS, list_of, place_of
from caseload.sections import section_of
from edatrs.core import access

CLIENT = "client"


def category_of_item(name: str) -> str:
    """The category that guards an item: whole lists are treatment."""
    item = load_dictionary().item(name)
    return "treatment" if list_of(item) is not None else item.category


def link_to_item(slug: str, episode: Any, name: str, *, back: str = "") -> str:
    """The address of the form that holds an item of an episode (anything with `pk` and `client_id`), at its box; saved, it leads `back`.

    Empty where nobody types it (identifiers), and where the roles may not change its category: a link that leads nowhere is not shown.
    """
    item = load_dictionary().item(name)
    section = section_of(item)
    if not section or not access.may("client.edit", category_of_item(name)):
        return ""
    try:
        if section == CLIENT:
            place = place_of(item)
            page = reverse(f"caseload:client-edit-{item.category}", args=[slug, episode.client_id])
            return f"{page}{_back(back)}#id_{place.key or place.field}"
        page = reverse("caseload:episode-section", args=[slug, episode.client_id, episode.pk, section])
    except NoReverseMatch:
        return ""
    # A list has a page of its own, on which one first chooses the entry.
    return page if section in {name.replace("_", "-") for name in LISTS} else f"{page}{_back(back)}#id_{name}"


def _back(address: str) -> str:
    return f"?{urlencode({'came_from': address})}" if address else ""
