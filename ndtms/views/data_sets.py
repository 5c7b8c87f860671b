"""The data sets side by side, two letters beside each other, and a page for every item. Nothing of a client stands here."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from caseload.dataset.reader import DATASETS, Dictionary, Item, UnknownItem, load_dictionary
from caseload.dataset.rules import ERROR
from edatrs.core.access import Denied
from edatrs.core.views import OrganisationView
from ndtms import catalogue


def _letter(request: HttpRequest, name: str, dictionary: Dictionary, otherwise: str) -> str:
    """A letter in the address; one that the dictionary lacks is not taken."""
    asked = request.GET.get(name, "")
    return asked if asked in dictionary.letters else otherwise


def _links(items: tuple[Item, ...], slug: str, letter: str) -> list[dict[str, str]]:
    return [
        {"name": item.name, "label": item.label, "url": item_url(slug, item.name, letter)} for item in items
    ]


def item_url(slug: str, name: str, letter: str) -> str:
    """The page of an item."""
    return f"{reverse('ndtms:data-item', args=[slug])}?name={name}&letter={letter}"


class DataSetsView(OrganisationView):
    """Every item of a letter beside the three data sets."""

    act = "tasks.own"
    area = "data-quality"
    title = "Data sets"
    template_name = "ndtms/data_sets.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """?letter= &part= &words= narrow it."""
        dictionary = load_dictionary()
        letter = _letter(request, "letter", dictionary, dictionary.default_letter)
        part = request.GET.get("part", "")
        part = part if part in catalogue.ENTITIES else ""
        words = request.GET.get("words", "")[:60]
        rows = catalogue.side_by_side(dictionary, letter, part=part, words=words)
        return self.page(
            request,
            letter=letter,
            letters=dictionary.letters,
            letter_words=letter_words(dictionary, letter),
            asked_letter=request.GET.get("letter", "")[:5],
            lacks=request.GET.get("letter", letter) not in dictionary.letters,
            part=part,
            parts=catalogue.ENTITIES.items(),
            words=words,
            counts=[(catalogue.SHORT[name], len(dictionary.columns(name, letter))) for name in DATASETS],
            rows=[
                {
                    "name": row.item.name,
                    "label": row.item.label,
                    "part": row.entity,
                    "held": [
                        {"words": catalogue.SHORT[name], "yes": held}
                        for name, held in zip(DATASETS, row.held_in, strict=True)
                    ],
                    "established": row.established,
                    "url": item_url(organisation, row.item.name, letter),
                }
                for row in rows
            ],
        )


def letter_words(dictionary: Dictionary, letter: str) -> str:
    """When a letter came into force, and how sure that is."""
    found = dictionary.letter(letter)
    since = (
        f"In force from {found.in_force_from.day} {found.in_force_from:%B %Y}"
        if found.in_force_from
        else "Since when is not established"
    )
    return f"{since}. {found.note}." if found.note else f"{since}."


class CompareView(OrganisationView):
    """What changed from one letter to another."""

    act = "tasks.own"
    area = "data-quality"
    title = "What changed between two letters"
    template_name = "ndtms/data_sets_compare.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """?from= &to= are letters; without them the newest and the one before."""
        dictionary = load_dictionary()
        first = _letter(request, "from", dictionary, dictionary.letters[-2])
        second = _letter(request, "to", dictionary, dictionary.letters[-1])
        changes = catalogue.compare(dictionary, first, second)
        lists = catalogue.compare_codes(dictionary, first, second)
        return self.page(
            request,
            first=first,
            second=second,
            letters=dictionary.letters,
            letter_words=letter_words(dictionary, second),
            changes=[
                {
                    "words": catalogue.SHORT[change.dataset],
                    "id": change.dataset,
                    "added": _links(change.added, organisation, second),
                    "gone": _links(change.gone, organisation, first),
                }
                for change in changes
            ],
            lists=[change for change in lists if change.any],
            unknown=[change.name for change in lists if change.gap],
        )


class ItemView(OrganisationView):
    """What an item means, its codes by letter, and the rules that touch it."""

    act = "tasks.own"
    area = "data-quality"
    title = "Data item"
    template_name = "ndtms/data_item.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """?name= is the header in the file; without one the first. Raises Denied where there is no such item."""
        dictionary = load_dictionary()
        name = request.GET.get("name") or dictionary.items[0].name
        try:
            item = dictionary.item(name)
        except UnknownItem:
            raise Denied(self.act, "no such item") from None
        letter = _letter(request, "letter", dictionary, dictionary.default_letter)
        return self.page(
            request,
            item=item,
            letter=letter,
            facts=list(catalogue.facts(item)),
            established=catalogue.is_established(dictionary, item, letter),
            unknown=catalogue.NOT_ESTABLISHED,
            codes=_codes(dictionary, item, letter),
            gaps=[row.label for row in _gaps(dictionary, item)],
            rules=[
                {
                    "id": r.id,
                    "words": r.words,
                    "remedy": r.remedy,
                    "source": r.source,
                    "confidence": r.confidence,
                    "stops": r.level == ERROR,
                }
                for r in catalogue.rules_of(item)
            ],
            items=[(i.name, f"{i.name}: {i.label}") for i in dictionary.items],
            back=f"{reverse('ndtms:data-sets', args=[organisation])}?letter={letter}",
        )


def _codes(dictionary: Dictionary, item: Item, letter: str) -> list[dict[str, Any]]:
    if not item.code_list:
        return []
    valid = dictionary.codes(item.code_list, letter)
    return [
        {
            "code": row.code,
            "label": row.label,
            "letters": catalogue.lifetime(row),
            "valid": valid.get(row.code) == row.label,
            "confidence": row.confidence,
        }
        for row in dictionary.code_rows(item.code_list)
        if row.code
    ]


def _gaps(dictionary: Dictionary, item: Item) -> list[Any]:
    if not item.code_list:
        return []
    return [row for row in dictionary.code_rows(item.code_list) if not row.code]
