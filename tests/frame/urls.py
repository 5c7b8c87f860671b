"""Addresses that the frame links to, without any view of the applications."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def _nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


_organisations = [path("choose/", _nothing, name="choose"), path("sign-out/", _nothing, name="sign-out")]
urlpatterns = [
    path("help/", _nothing, name="help"),
    path("", include((_organisations, "organisations"))),
]
