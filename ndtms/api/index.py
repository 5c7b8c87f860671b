"""What there is to ask."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.response import Response

from edatrs.core import access
from edatrs.core.api import ApiView

METHODS = ("get", "post")


class IndexApi(ApiView):
    """Every address of the API that the roles of who asks may use."""

    act = "tasks.own"
    words = "This list."

    def get(self, request: HttpRequest, organisation: str) -> Response:
        """Each with its methods and what it is for; what the roles may not do is not there."""
        from ndtms.urls import api_patterns  # noqa: PLC0415  # the addresses name this view

        listed = []
        for pattern in api_patterns:
            view = pattern.callback.view_class
            acts = {"get": view.act, "post": view.changing_act or view.act}
            methods = [m.upper() for m in METHODS if hasattr(view, m) and access.may(acts[m], view.category)]
            if methods:
                address = "/" + str(pattern.pattern).replace("<slug:organisation>", organisation)
                listed.append(
                    {"url": address.replace("<uuid:pk>", "{id}"), "methods": methods, "words": view.words}
                )
        return Response({"results": listed, "next": None})
