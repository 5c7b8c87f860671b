"""The dictionary for programs: the columns and code lists of a data set."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.response import Response

from caseload.dataset.reader import DATASETS, Dictionary, load_dictionary
from caseload.dataset.rules import RULES
from edatrs.core.api import ApiView


def _chosen(request: HttpRequest, dictionary: Dictionary) -> tuple[str, str]:
    """The data set and the letter asked for. Raises ValidationError: one that the dictionary lacks."""
    dataset = request.GET.get("dataset", DATASETS[0])
    letter = request.GET.get("letter", dictionary.default_letter)
    if dataset not in DATASETS:
        raise serializers.ValidationError({"dataset": [f"One of {', '.join(DATASETS)}."]})
    if letter not in dictionary.letters:
        raise serializers.ValidationError({"letter": [f"One of {', '.join(dictionary.letters)}."]})
    return dataset, letter


class DataSetApi(ApiView):
    """A data set of a letter."""

    act = "tasks.own"
    words = "The columns, code lists and rules of a data set: ?dataset= adult, yp or cjit, ?letter= a letter of the dictionary."

    def get(self, request: HttpRequest, organisation: str) -> Response:
        """In file order. A code list that no source establishes says so and has no codes: nothing is guessed."""
        dictionary = load_dictionary()
        dataset, letter = _chosen(request, dictionary)
        columns = dictionary.columns(dataset, letter)
        names = {item.name for item in columns}
        lists = sorted({item.code_list for item in columns if item.code_list})
        return Response(
            {
                "dataset": dataset,
                "letter": letter,
                "letters": dictionary.letters,
                "items": [
                    {
                        "name": item.name,
                        "label": item.label,
                        "entity": item.entity,
                        "category": item.category,
                        "type": item.type,
                        "max_length": item.max_length,
                        "code_list": item.code_list,
                        "introduced": item.introduced,
                        "confidence": item.confidence,
                    }
                    for item in columns
                ],
                "code_lists": {
                    name: {
                        "established": dictionary.list_is_established(name),
                        "codes": dict(dictionary.codes(name, letter)),
                    }
                    for name in lists
                },
                "rules": [
                    {
                        "id": rule.id,
                        "level": rule.level,
                        "words": rule.words,
                        "items": sorted(rule.items & names),
                    }
                    for rule in RULES.values()
                    if rule.items & names
                ],
                "established": "not established where it says so; confirm against the technical definition",
            }
        )
