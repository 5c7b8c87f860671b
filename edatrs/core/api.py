"""The base of what programs ask: JSON under /o/<organisation>/api/, behind the same doors as the pages.

Whoever asks is signed in with both factors, acts for the organisation in the address and performs a row of the access table. What is
refused or absent answers with the same bytes as a page that is refused or absent. Changes need the CSRF token of the sign-in, in the
header X-CSRFToken.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import FormParser, JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView, exception_handler

from edatrs.core.views import OrganisationView


class ApiView(OrganisationView, APIView, abstract=True):
    """What programs ask of an organisation. `words` say in one sentence what an address is for; the index prints them."""

    words: str = ""
    renderer_classes = (JSONRenderer,)
    parser_classes = (JSONParser, FormParser)

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(abstract=abstract, **kwargs)
        if not abstract and not cls.words:
            raise TypeError(f"{cls.__name__} must say in words what it is for")


def explained(raised: Exception, context: dict[str, Any]) -> Response | None:
    """What went wrong as {"problem", "words", "fields"}. Absent and forbidden go on to the page of both, and to the trail."""
    if isinstance(raised, Http404 | PermissionDenied):
        return None
    answer: Response | None = exception_handler(raised, context)
    if answer is None:
        return None
    if isinstance(raised, ValidationError):
        answer.status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
        answer.data = {
            "problem": "not_understood",
            "words": "Nothing was done. Put right what is named under fields, and send it again.",
            "fields": raised.detail,
        }
        return answer
    code = getattr(raised, "default_code", "refused")
    answer.data = {"problem": code, "words": str(answer.data.get("detail", raised)), "fields": {}}
    return answer


def refused(problem: str, words: str) -> Response:
    """409: what was asked for cannot be done; `problem` is a word for programs."""
    return Response({"problem": problem, "words": words, "fields": {}}, status=status.HTTP_409_CONFLICT)


def checked(serializer: type[Serializer[Any]], request: HttpRequest) -> dict[str, Any]:
    """What was sent, understood. Raises ValidationError: each field with its problem, an unknown one too, and nothing is done."""
    data = request.data  # type: ignore[attr-defined]  # a request of REST framework
    if not hasattr(data, "keys"):
        raise ValidationError({"body": ["Send one JSON object."]})
    found = serializer(data=data)
    unknown = {
        name: ["There is no such field."]
        for name in data
        if name not in found.fields and name != "csrfmiddlewaretoken"
    }
    if unknown:
        raise ValidationError(unknown)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)
